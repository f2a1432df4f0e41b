"use strict";
/* The cohort as it stands in the page: columns of letters, and the questions the other parts ask of them. */

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const WORDS = read("words");
const COHORT = read("cohort");
const CRITERIA = WORDS.criteria.length;
const MISSING = COHORT.missing.split(",");
const FLAGGED = COHORT.flagged.split(",");
const REASONS = { c: "conflict", u: "unit", w: "wrong_instrument", i: "imprecise", p: "pending", s: "stale", o: "out_of_table",
  a: "source_ambiguous", n: "not_looked_up", m: "missing" };
const STATUS_RANK = "FCTB";

let details; // parsed when the first child is opened, not before: they are most of the file
const detailOf = (i) => {
  if (details === undefined) details = read("details");
  return details && { ...unfolded(details.children[i], (n) => (n < 0 ? "" : details.texts[n])) };
};
const unfolded = ([asOf, risk, criteria, steps, flags, issues, notLookedUp], text) => ({
  asOf: text(asOf), risk: text(risk),
  criteria: criteria.map(([words, basis, evidence]) => ({
    words: text(words), basis: text(basis), evidence: evidence.map(([reference, said]) => [text(reference), text(said)]) })),
  steps: steps.map(text), flags: flags.map(text), issues: issues.map((pair) => pair.map(text)), notLookedUp: notLookedUp.map(text),
});

const letter = (i, c) => COHORT.letters[i * CRITERIA + c];
const isUnknown = (l) => l !== "." && l !== "X" && l !== "J";
const indexOf = (l) => COHORT.alphabet.indexOf(l);
const factsOf = (i) => Array.from(MISSING[i], (l) => COHORT.facts[indexOf(l)]);
const flagsOf = (i) => Array.from(FLAGGED[i] ?? "", (l) => COHORT.flags[indexOf(l)]);
const nearOf = (i) => (COHORT.near[i] === "-" ? "" : COHORT.facts[indexOf(COHORT.near[i])]);
const riskOf = (i) => COHORT.risks[indexOf(COHORT.risk[i])];
const siteOf = (i) => (COHORT.site.length && COHORT.site[i] >= 0 ? COHORT.sites[COHORT.site[i]] : "");
const nameOf = (i) => (COHORT.names ? COHORT.names[i] : "");
const issuesOf = (i) => COHORT.issues[i] ?? 0;
const isUnclear = (i) => COHORT.letters.slice(i * CRITERIA, (i + 1) * CRITERIA).includes("a");
const changeOf = (i) => (COHORT.changed ? COHORT.changed[i] : "-"); // the kind of change since last time, "-" for none
const isChanged = (i) => changeOf(i) !== "-";
const blockersOf = (i) => {
  const found = [];
  for (let c = 0; c < CRITERIA; c++) if (letter(i, c) === "X") found.push(WORDS.criteria[c]);
  return found;
};
const judgementsOf = (i) => {
  let n = 0;
  for (let c = 0; c < CRITERIA; c++) n += letter(i, c) === "J";
  return n;
};

/* What a letter says in words; an exclusion never "met" by itself. */
function answerWords(i, c) {
  const l = letter(i, c);
  const inclusion = c < WORDS.inclusions;
  if (l === ".") return inclusion ? "met" : "exclusion does not apply";
  if (l === "X") return inclusion ? "not met" : "exclusion applies";
  return l === "J" ? "not known – for your judgement" : `not known – ${WORDS.why[REASONS[l]]}`;
}

/* What stands between the child and an answer, for a column. */
function inTheWay(i) {
  const status = COHORT.status[i];
  if (status === "F") return `${judgementsOf(i)} for your judgement`;
  if (status === "C") {
    const unclear = WORDS.criteria.filter((_, c) => letter(i, c) === "a").map(([id]) => id);
    return [...factsOf(i), ...(unclear.length ? [`text unclear: ${unclear.join(", ")}`] : [])].join(", ");
  }
  return blockersOf(i).map(([id, name]) => `${id} ${name}`).join(", ");
}

function recordLink(i) {
  const id = COHORT.ids[i];
  return COHORT.link && /^[A-Za-z0-9.-]{1,64}$/.test(id) ? COHORT.link.replaceAll("{id}", encodeURIComponent(id)) : null;
}
const referenceOf = (i) => (COHORT.ids[i].includes("/") ? COHORT.ids[i] : `Patient/${COHORT.ids[i]}`);

/* An element with its text: the one way in which data reach the page. */
function element(tag, text = "", attributes = {}) {
  const made = document.createElement(tag);
  if (text !== "") made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
const spoken = (n) => n.toLocaleString("en-US");
