"use strict";
/* The page comes alive: every number leads to its children, every heading sorts, every row opens. */

/* The list of exactly these children; whatever else was filtered is let go. */
function show(wish) {
  filters.reset();
  for (const [name, value] of Object.entries(wish)) if (filters.elements[name]) filters.elements[name].value = String(value);
  refresh();
  const title = document.getElementById("list-title");
  title.scrollIntoView();
  title.focus({ preventScroll: true });
}

function goTo(place) {
  list.page = Math.floor(place / list.size);
  drawRows();
  const row = rows.children[place % list.size];
  row?.scrollIntoView({ block: "center" });
  row?.querySelector("button")?.focus({ preventScroll: true });
}

function nearChips() {
  const FEW = 6;
  const first = new Map();
  for (const i of base) {
    const l = COHORT.near[i];
    if (l === "-") continue;
    if (!first.has(l)) first.set(l, []);
    first.get(l).push(i);
  }
  for (const cell of document.querySelectorAll("[data-near]")) {
    const found = first.get(cell.dataset.near) ?? [];
    cell.append(...found.slice(0, FEW).map((i) => element("button", COHORT.ids[i], { type: "button", class: "chip", "data-open": i, title: WORDS.statuses[COHORT.status[i]] })));
    if (found.length > FEW) {
      const more = element("button", `and ${spoken(found.length - FEW)} more`, { type: "button", class: "press" });
      more.addEventListener("click", () => show({ near: cell.dataset.near }));
      cell.append(more);
    }
  }
}

document.addEventListener("click", (event) => {
  const from = event.target.closest("[data-show], [data-open], [data-sort], [data-unfold]");
  if (!from) return;
  const { show: wish, open, sort, unfold } = from.dataset;
  if (wish) {
    event.preventDefault();
    show(JSON.parse(wish));
  } else if (open) openChild(Number(open), from);
  else if (sort) {
    list.down = list.sort === sort ? !list.down : false;
    list.sort = sort;
    refresh();
    document.querySelector(`[data-sort="${sort}"]`).focus();
  } else {
    document.getElementById(unfold).hidden = false;
    from.remove();
  }
});

let typing;
filters.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(refresh, COHORT.n > 5000 ? 200 : 0);
});
filters.addEventListener("reset", () => setTimeout(refresh));
filters.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("before").addEventListener("click", () => { list.page--; drawRows(); });
document.getElementById("after").addEventListener("click", () => { list.page++; drawRows(); });
document.getElementById("size").addEventListener("change", ({ target }) => {
  list.page = Math.floor((list.page * list.size) / Number(target.value));
  list.size = Number(target.value);
  drawRows();
});

let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth !== width) drawMatrix(list.shown); // on a telephone the bar of addresses changes only the height
  width = innerWidth;
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawMatrix(list.shown));
addEventListener("beforeprint", () => drawMatrix(list.shown, true));
addEventListener("afterprint", () => drawMatrix(list.shown));

matrixRows();
nearChips();
refresh();
