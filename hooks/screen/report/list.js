"use strict";
/* The work list: filters, sorting, pages. A filter is a field of the form, so that what is shown can always be read off it. */

const filters = document.getElementById("filters");
const rows = document.querySelector("#children tbody");
const list = { shown: [], page: 0, size: 50, sort: "status", down: false };
const named = new Intl.Collator("en", { numeric: true });
const NOT_NEAR = COHORT.facts.length;
const cheapness = (i) => (COHORT.near[i] === "-" ? NOT_NEAR : indexOf(COHORT.near[i]));
const waiting = (i) => (COHORT.status[i] === "C" ? MISSING[i].length + isUnclear(i) : blockersOf(i).length);

const KINDS = "nlsgc-"; // of a change, in the order of the section that tells them
const changeRank = (i) => KINDS.indexOf(changeOf(i));

/* Each column: its heading, what it sorts by, and whether it is there at all. Ties keep the order of the work to be done. */
const COLUMNS = [
  { key: "id", words: "Child", by: (a, b) => named.compare(COHORT.ids[a], COHORT.ids[b]) },
  { key: "name", words: "Name", by: (a, b) => named.compare(nameOf(a), nameOf(b)), there: COHORT.names !== null },
  { key: "site", words: "Site", by: (a, b) => named.compare(siteOf(a), siteOf(b)), there: COHORT.sites.length > 0 },
  { key: "status", words: "Status", value: (i) => STATUS_RANK.indexOf(COHORT.status[i]) },
  { key: "way", words: "What stands in the way", value: waiting },
  { key: "near", words: "One fact away", value: cheapness },
  { key: "risk", words: "Risk group", by: (a, b) => named.compare(riskOf(a), riskOf(b)) },
  { key: "changed", words: "Last time", value: changeRank, there: COHORT.changed !== undefined && /[^-]/.test(COHORT.changed) },
  { key: "record", words: "Record", there: COHORT.link !== null }, // without a link it would tell the id a second time
].filter((column) => column.there !== false);

const work = Float64Array.from({ length: COHORT.n }, (_, i) => STATUS_RANK.indexOf(COHORT.status[i]) * 1e6 + cheapness(i) * 1e3 + waiting(i));
const base = Uint32Array.from({ length: COHORT.n }, (_, i) => i).sort((a, b) => work[a] - work[b] || a - b);

function wanted() {
  const told = Object.fromEntries(new FormData(filters));
  const criterion = told.criterion === "" ? -1 : Number(told.criterion);
  const text = told.text.trim().toLowerCase();
  const answers = { blocks: (l) => l === "X", unknown: isUnknown, unclear: (l) => l === "a", judgement: (l) => l === "J", ok: (l) => l === "." };
  const gives = (i) => {
    if (told.answer === "stops") return COHORT.letters.indexOf("X", i * CRITERIA) === i * CRITERIA + criterion;
    return answers[told.answer](letter(i, criterion));
  };
  const anywhere = (i) => {
    if (told.answer === "stops") return COHORT.letters.slice(i * CRITERIA, (i + 1) * CRITERIA).includes("X");
    return Array.from(COHORT.letters.slice(i * CRITERIA, (i + 1) * CRITERIA)).some(answers[told.answer]);
  };
  const tests = [];
  if (told.status === "open") tests.push((i) => COHORT.status[i] !== "B");
  else if (told.status) tests.push((i) => told.status.includes(COHORT.status[i]));
  if (told.near === "any") tests.push((i) => COHORT.near[i] !== "-");
  else if (told.near === "more") tests.push((i) => COHORT.near[i] === "-" && COHORT.status[i] !== "F" && !isUnclear(i));
  else if (told.near) tests.push((i) => COHORT.near[i] === told.near);
  if (told.missing) tests.push((i) => MISSING[i].includes(told.missing));
  if (told.answer) tests.push(criterion < 0 ? anywhere : gives);
  if (told.risk) tests.push((i) => indexOf(COHORT.risk[i]) === Number(told.risk));
  if (told.site) tests.push((i) => COHORT.site[i] === Number(told.site));
  if (told.changed === "any") tests.push(isChanged);
  else if (told.changed?.length === 1) tests.push((i) => changeOf(i) === told.changed);
  else if (told.changed) tests.push((i) => COHORT.was[i] + COHORT.status[i] === told.changed);
  if (told.flag === "issues") tests.push((i) => issuesOf(i) > 0);
  else if (told.flag) tests.push((i) => FLAGGED[i].includes(told.flag));
  if (text) tests.push((i) => `${referenceOf(i)} ${nameOf(i)} ${siteOf(i)} ${inTheWay(i)} ${riskOf(i)}`.toLowerCase().includes(text));
  return (i) => tests.every((test) => test(i));
}

/* Everything follows from the form and the chosen column: the list, its page, and the matrix. */
function refresh(page = 0) {
  const column = COLUMNS.find(({ key }) => key === list.sort);
  const found = Array.from(base.filter(wanted()));
  if (column.value) {
    const values = new Float64Array(COHORT.n);
    for (const i of found) values[i] = column.value(i);
    found.sort((a, b) => values[a] - values[b]);
  } else found.sort(column.by);
  list.shown = list.down ? found.reverse() : found;
  list.page = page;
  document.getElementById("list-count").textContent = found.length === COHORT.n ? spoken(COHORT.n) : `${spoken(found.length)} of ${spoken(COHORT.n)}`;
  document.getElementById("nobody").hidden = found.length > 0;
  drawHeadings();
  drawRows();
  drawMatrix(list.shown);
}

function drawHeadings() {
  document.querySelector("#children thead tr").replaceChildren(...COLUMNS.map(({ key, words, by, value }) => {
    const head = element("th", "", { scope: "col" });
    if (!by && !value) head.textContent = words;
    else {
      const now = list.sort === key;
      if (now) head.setAttribute("aria-sort", list.down ? "descending" : "ascending");
      const button = element("button", words, { type: "button", "data-sort": key });
      button.append(element("span", now ? (list.down ? " ▼" : " ▲") : " ↕", { "aria-hidden": "true", class: "arrow" }));
      head.append(button);
    }
    return head;
  }));
}

function drawRows() {
  const pages = Math.max(1, Math.ceil(list.shown.length / list.size));
  list.page = Math.min(Math.max(list.page, 0), pages - 1);
  const from = list.page * list.size;
  rows.replaceChildren(...list.shown.slice(from, from + list.size).map(drawRow));
  const until = Math.min(from + list.size, list.shown.length);
  document.getElementById("page").textContent = list.shown.length ? `${spoken(from + 1)} to ${spoken(until)} of ${spoken(list.shown.length)}` : "";
  document.getElementById("before").disabled = list.page === 0;
  document.getElementById("after").disabled = list.page >= pages - 1;
}

function drawRow(i) {
  const row = element("tr", "", { "data-child": i });
  for (const { key, words } of COLUMNS) {
    const cell = element(key === "id" ? "th" : "td", "", key === "id" ? { scope: "row" } : { "data-label": words });
    if (key === "id") cell.append(element("button", COHORT.ids[i], { type: "button", class: "press", "data-open": i }));
    if (key === "name") cell.textContent = nameOf(i);
    if (key === "site") cell.textContent = siteOf(i);
    if (key === "status") cell.append(...statusMark(i, true));
    if (key === "way") cell.textContent = inTheWay(i);
    if (key === "near") cell.textContent = nearOf(i) || "–";
    if (key === "risk") cell.textContent = riskOf(i);
    if (key === "changed") cell.append(...before(i));
    if (key === "record") cell.append(recordOf(i));
    row.append(cell);
  }
  return row;
}

/* The status last time; of a child whose status is the same, whether an answer behind it is another. */
function before(i) {
  if (!isChanged(i)) return ["–"];
  return COHORT.was[i] === COHORT.status[i] ? ["another answer"] : marked(COHORT.was[i], true);
}

const statusMark = (i, short) => marked(COHORT.status[i], short);
function marked(status, short) {
  const words = WORDS.statuses[status];
  return [element("span", WORDS.shapes[status], { class: `mark s-${status}`, "aria-hidden": "true" }), element("span", short ? words.split(" – ")[0] : words)];
}

function recordOf(i) {
  const address = recordLink(i);
  if (!address) return element("code", referenceOf(i));
  const words = `open the record of ${COHORT.ids[i]}`;
  return element("a", "open ↗", { href: address, target: "_blank", rel: "noreferrer noopener", "aria-label": words });
}
