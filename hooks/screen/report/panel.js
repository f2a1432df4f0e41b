"use strict";
/* One child beside the list: what blocks, what is unknown, what is for judgement, what does not block; evidence, risk, issues. */

const panel = document.getElementById("panel");
const ELSEWHERE = "The evidence of so many children is not in this file: look for this id in assessments.ndjson, or open the record.";
let cameFrom = null;

function openChild(i, from) {
  const detail = detailOf(i);
  cameFrom = from;
  const close = element("button", "Close", { type: "button", class: "plain close" });
  close.addEventListener("click", () => panel.close());
  const head = element("div", "", { class: "panel-head" });
  const title = element("h2", COHORT.ids[i], { id: "panel-title" });
  head.append(title, close);
  const status = element("p", "", { class: "panel-status" });
  status.append(...statusMark(i, false));
  const facts = element("dl", "", { class: "panel-facts" });
  const said = [["Name", nameOf(i)], ["Site", siteOf(i)], ["Judged as of", detail?.asOf], ["Risk group", riskWords(i, detail)],
    ["One fact away", nearOf(i)]];
  for (const [name, words] of said) if (words) facts.append(element("dt", name), element("dd", words));
  facts.append(element("dt", "Record"));
  facts.append(element("dd"));
  facts.lastChild.append(recordOf(i));
  panel.replaceChildren(head, status, facts, ...changeParts(i), ...listed([["What would settle it", detail?.steps ?? []]]), ...criteriaParts(i, detail), ...besides(i, detail));
  if (!detail) panel.append(element("p", ELSEWHERE, { class: "note" }));
  panel.showModal();
  panel.scrollTop = 0;
  close.focus();
}

function riskWords(i, detail) {
  const short = riskOf(i);
  if (short === "not given") return "not given while a criterion blocks";
  if (["SR", "HR", "VHR"].includes(short)) return `rule gives ${short} – investigator to confirm`;
  return detail?.risk || `${short}, still open`;
}

/* As the section above tells it; of a child that it does not tell, only that there was a change. */
function changeParts(i) {
  if (!isChanged(i)) return [];
  const part = element("section", "", { class: "part panel-turns" });
  part.append(element("h3", "What changed since last time"));
  const turns = document.querySelector(`[data-changed="${i}"] .turns`);
  if (turns) part.append(...turns.cloneNode(true).childNodes);
  else part.append(element("p", "The facts of so many children are not in this file: look for this id in changes.json."));
  return [part];
}

/* What a clinician asks first stands first; the rest is there, and folded. */
function criteriaParts(i, detail) {
  const kinds = [["What blocks", (l) => l === "X"], ["Not known", isUnknown], ["For your judgement", (l) => l === "J"], ["Does not block", (l) => l === "."]];
  return kinds.flatMap(([words, fits], place) => {
    const found = WORDS.criteria.map((_, c) => c).filter((c) => fits(letter(i, c)));
    if (!found.length) return [];
    const part = element(place > 1 ? "details" : "section", "", { class: "part" });
    part.append(element(place > 1 ? "summary" : "h3", `${words} (${found.length})`));
    const items = element("ul", "", { class: "criteria-list" });
    items.append(...found.map((c) => criterionItem(i, c, detail?.criteria[c])));
    part.append(items);
    return [part];
  });
}

function criterionItem(i, c, told) {
  const [id, name] = WORDS.criteria[c];
  const item = element("li");
  const head = element("p");
  head.append(element("b", `${id} ${name}`), element("span", ` ${answerWords(i, c)}${told?.basis ? ` (${told.basis})` : ""}`, { class: "soft" }));
  item.append(head);
  if (told?.words) item.append(element("p", told.words));
  for (const [reference, words] of told?.evidence ?? []) {
    const line = element("p", "", { class: "evidence" });
    line.append(element("span", words));
    if (reference) line.append(" ", element("code", reference));
    item.append(line);
  }
  item.append(...WORDS.sentences[c].map((sentence) => element("q", sentence)));
  return item;
}

function besides(i, detail) {
  return listed([
    ["Please look at", detail?.flags ?? flagsOf(i).map((id) => WORDS.flagWords[id] ?? id)],
    ["Data seen and not used", detail ? detail.issues.map(([reference, words]) => `${words} (${reference || "no reference"})`)
      : issuesOf(i) ? [`${issuesOf(i)} entries`] : []],
    ["Not looked up", detail?.notLookedUp ?? []],
  ]);
}

function listed(parts) {
  return parts.filter(([, lines]) => lines.length).map(([words, lines]) => {
    const part = element("section", "", { class: "part" });
    const items = element("ul");
    items.append(...lines.map((line) => element("li", line)));
    part.append(element("h3", words), items);
    return part;
  });
}

panel.addEventListener("click", (event) => event.target === panel && panel.close()); // beside the panel
panel.addEventListener("close", () => cameFrom?.isConnected && cameFrom.focus());
