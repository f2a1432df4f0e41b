// The page comes alive here: the list is searched, the hook is fired when a chart opens, and the card is shown.

import { cardsOf } from "./card.js";
import { make } from "./make.js";
import { prepareWire, setConversation } from "./wire.js";

function prepareSearch() {
  const stories = [...document.querySelectorAll(".story")];
  document.getElementById("search").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    let left = 0;
    for (const story of stories) {
      const children = [...story.querySelectorAll("li")];
      for (const child of children) child.hidden = !child.textContent.toLowerCase().includes(wanted);
      const visible = children.filter((child) => !child.hidden).length;
      story.hidden = !visible;
      left += visible;
    }
    document.getElementById("search-none").hidden = left > 0;
  });
  // On a wide screen the list stands beside the chart and is always open; on a narrow one it folds away.
  const wide = matchMedia("(min-width: 981px)");
  const list = document.getElementById("children-list");
  const fold = () => { list.open = wide.matches || !document.getElementById("panel"); };
  wide.addEventListener("change", fold);
  fold();
  // Only the list is moved, never the page.
  const current = list.querySelector("[aria-current]");
  if (current && wide.matches) list.parentElement.scrollTop = current.offsetTop - 160;
}

/** What the two switches say now. A browser may restore them from an earlier visit, so they themselves are asked. */
function question() {
  return { mode: document.querySelector("input[name=mode]:checked").value, moment: document.getElementById("moment").value };
}

async function ask(panel) {
  const { mode, moment } = question();
  const cards = document.getElementById("cards");
  const timing = document.getElementById("timing");
  cards.setAttribute("aria-busy", "true");
  cards.replaceChildren(make("p.waiting", "Asking the service …"));
  timing.textContent = "\u00a0";
  setConversation(null);
  let conversation;
  try {
    const answer = await fetch(`${panel.dataset.call}?mode=${mode}&moment=${moment}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    conversation = await answer.json();
  } catch (error) {
    const trouble = `the chart page could not be reached: ${error.message}`;
    conversation = { url: "", request: null, status: 0, response: null, milliseconds: 0, details: [], trouble };
  }
  // Someone who switches quickly must not see the answer to the other question.
  if (question().mode !== mode || question().moment !== moment) return;
  cards.replaceChildren(...cardsOf(conversation, panel, moment));
  cards.setAttribute("aria-busy", "false");
  const way = mode === "prefetch" ? "chart sent with the call" : "chart fetched by the service";
  timing.textContent = conversation.status ? `Answered in ${conversation.milliseconds} ms · ${way}` : "\u00a0";
  setConversation(conversation);
}

prepareSearch();
const panel = document.getElementById("panel");
if (panel) {
  prepareWire();
  for (const choice of document.querySelectorAll("input[name=mode], #moment")) choice.addEventListener("change", () => ask(panel));
  ask(panel);
}
