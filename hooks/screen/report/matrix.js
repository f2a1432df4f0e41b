"use strict";
/* The matrix: a row for each criterion, a column for each child of the list; where children outnumber the pixels, a column
   stands for several, and its marks for their shares. Height says the same as colour. */

const cells = document.getElementById("matrix-cells");
const told = document.getElementById("matrix-told");
const ROW = 22;
const GAP = 3; // between rows
const FRAME = 32; // around and between
const TURN = 10; // between inclusion and exclusion criteria
const matrix = { shown: [], columns: 0, each: 1, width: 0, at: [0, 0] };
const PAPER = { ok: "#d5e6e5", block: "#8f2f22", unknown: "#c77f12", judge: "#6b8794" };

function matrixRows() {
  const rows = document.getElementById("matrix-rows");
  WORDS.criteria.forEach(([id, name], c) => {
    const row = element("li", "", c === WORDS.inclusions ? { class: "gap" } : {});
    const button = element("button", id, { type: "button", title: `${name}: ${WORDS.sentences[c].join(" ")}` });
    button.append(element("span", ` ${name}`));
    button.addEventListener("click", () => show({ criterion: c, answer: "unknown" }));
    row.append(button);
    rows.append(row);
  });
}

const topOf = (c) => c * ROW + (c >= WORDS.inclusions ? TURN : 0);
const childrenAt = (column) => {
  return [column * matrix.each, Math.min((column + 1) * matrix.each, matrix.shown.length)];
};

function drawMatrix(shown, onPaper = false) {
  const width = Math.floor(cells.parentElement.clientWidth - document.getElementById("matrix-rows").offsetWidth - FRAME);
  const height = topOf(CRITERIA - 1) + ROW;
  const sharp = Math.min(devicePixelRatio || 1, 2);
  const each = Math.max(1, Math.ceil(shown.length / Math.max(width, 1))); // alike for every column, so that heights compare
  const columns = Math.ceil(shown.length / each);
  const wide = columns ? Math.min(width / columns, 26) : 0;
  Object.assign(matrix, { shown, columns, each, width: wide });
  if (matrix.at[0] >= columns) matrix.at = [0, matrix.at[1]];
  cells.style.width = `${width}px`;
  cells.style.height = `${height}px`;
  cells.width = width * sharp;
  cells.height = height * sharp;
  document.getElementById("matrix-scale").textContent = !columns ? "nobody to show" : each === 1
    ? `${spoken(shown.length)} children, one column each: blocks high, unknown in the middle, for judgement low`
    : `${spoken(shown.length)} children, ${spoken(each)} in each column: a mark is as high as their share`;
  const pen = cells.getContext("2d");
  pen.scale(sharp, sharp);
  const style = getComputedStyle(document.documentElement);
  const ink = (name) => (onPaper ? PAPER[name] : style.getPropertyValue(`--k-${name}`).trim());
  const colours = { ok: ink("ok"), block: ink("block"), unknown: ink("unknown"), judge: ink("judge") };
  const seam = wide >= 5 ? 1 : 0;
  for (let c = 0; c < CRITERIA; c++) {
    const top = topOf(c);
    pen.fillStyle = colours.ok;
    for (let x = 0; seam && x < columns; x++) pen.fillRect(x * wide, top, wide - seam, ROW - GAP);
    if (!seam) pen.fillRect(0, top, columns * wide, ROW - GAP);
    for (let x = 0; x < columns; x++) drawColumn(pen, c, x, top, wide - seam, colours);
  }
}

/* One child: a full block, a middle bar, a low bar. Several: the same marks, as high as their share. */
function drawColumn(pen, c, x, top, wide, colours) {
  const [from, to] = childrenAt(x);
  let blocks = 0, unknown = 0, judge = 0;
  for (let k = from; k < to; k++) {
    const l = letter(matrix.shown[k], c);
    if (l === "X") blocks++;
    else if (l === "J") judge++;
    else if (l !== ".") unknown++;
  }
  const full = ROW - GAP;
  const whole = wide < 5 ? Math.round : (x) => x; // narrow columns end on whole pixels, or their colours would blur
  const x0 = whole(x * matrix.width), x1 = whole(x * matrix.width + wide);
  const n = to - from;
  const mark = (colour, height, bottom) => {
    pen.fillStyle = colour;
    pen.fillRect(x0, top + bottom - height, x1 - x0, height);
  };
  if (matrix.each === 1) {
    if (blocks) mark(colours.block, full, full);
    if (unknown) mark(colours.unknown, full * 0.42, full * 0.71);
    if (judge) mark(colours.judge, full * 0.22, full);
    return;
  }
  if (judge) mark(colours.judge, (judge / n) * full * 0.22, full); // low here too: nearly every child has some
  const blocked = (blocks / n) * full;
  if (unknown) mark(colours.unknown, (unknown / n) * full, full - blocked);
  if (blocks) mark(colours.block, blocked, full);
}

function cellAt(event) {
  const box = cells.getBoundingClientRect();
  const y = event.clientY - box.top;
  let c = 0;
  while (c < CRITERIA - 1 && y >= topOf(c + 1)) c++;
  return [Math.min(Math.max(Math.floor((event.clientX - box.left) / matrix.width), 0), matrix.columns), c];
}

function tell([x, c]) {
  if (x >= matrix.columns) return;
  const [from, to] = childrenAt(x);
  const [id, name] = WORDS.criteria[c];
  if (to - from === 1) {
    const i = matrix.shown[from];
    told.textContent = `${COHORT.ids[i]} · ${id} ${name}: ${answerWords(i, c)}`;
    return;
  }
  const counted = { ".": 0, X: 0, J: 0, u: 0 };
  for (let k = from; k < to; k++) {
    const l = letter(matrix.shown[k], c);
    counted[isUnknown(l) ? "u" : l]++;
  }
  told.textContent = `${id} ${name}, children ${spoken(from + 1)} to ${spoken(to)} of the list: ${counted["."]} do not block, ` +
    `${counted.X} block, ${counted.u} unknown, ${counted.J} for judgement`;
}

/* One child opens; a column of several leads to their place in the list. */
function openAt([x]) {
  if (x >= matrix.columns) return;
  const [from, to] = childrenAt(x);
  if (to - from === 1) openChild(matrix.shown[from], cells);
  else goTo(from);
}

cells.addEventListener("pointermove", (event) => matrix.columns && tell(cellAt(event)));
cells.addEventListener("click", (event) => matrix.columns && openAt(cellAt(event)));
cells.addEventListener("keydown", (event) => {
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
  if (event.key === "Enter" && matrix.columns) {
    event.preventDefault(); // or the same key would press the button that is focused next
    openAt(matrix.at);
  }
  if (!dx && !dy) return;
  event.preventDefault();
  matrix.at = [Math.min(Math.max(matrix.at[0] + dx, 0), matrix.columns - 1), Math.min(Math.max(matrix.at[1] + dy, 0), CRITERIA - 1)];
  tell(matrix.at);
});
