// Behind the card: the dialog with three tabs, each one click away from the panel.

import { assessmentPage } from "./assessment.js";
import { make } from "./make.js";

const dialog = document.getElementById("wire");
const page = document.getElementById("wire-page");
const tabs = [...dialog?.querySelectorAll("[role=tab]") ?? []];
let conversation = null;
let shown = "";

/** Take the newest conversation; while one is under way there is nothing to look at. */
export function setConversation(newest) {
  conversation = newest;
  for (const opener of document.querySelectorAll(".wire-buttons button")) opener.disabled = !newest;
}

export function prepareWire() {
  for (const opener of document.querySelectorAll(".wire-buttons button")) {
    opener.addEventListener("click", () => {
      show(opener.dataset.wire);
      dialog.showModal();
      tabs.find((tab) => tab.dataset.wire === shown).focus();
    });
  }
  for (const [position, tab] of tabs.entries()) {
    tab.addEventListener("click", () => show(tab.dataset.wire));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: tabs.length - 1 }[event.key];
      if (!step) return;
      const next = tabs[(position + step) % tabs.length];
      show(next.dataset.wire);
      next.focus();
    });
  }
  document.getElementById("wire-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.getElementById("wire-copy").addEventListener("click", copy);
}

function show(name) {
  shown = name;
  for (const tab of tabs) {
    const selected = tab.dataset.wire === name;
    tab.setAttribute("aria-selected", String(selected));
    tab.tabIndex = selected ? 0 : -1;
    if (selected) page.setAttribute("aria-labelledby", tab.id);
  }
  page.replaceChildren(...{ request: requestPage, response: responsePage, assessment: assessmentTab }[name]());
  page.scrollTop = 0;
}

function requestPage() {
  return [make("p.wire-line", `POST ${conversation.url}`), make("pre", pretty(conversation.request))];
}

function responsePage() {
  const status = conversation.status ? `HTTP ${conversation.status}` : "No answer";
  const line = make("p.wire-line", `${status} in ${conversation.milliseconds} ms`);
  return [line, make("pre", pretty(conversation.response))];
}

function assessmentTab() {
  const found = assessments();
  if (!found.length) return [make("p", "No assessment came with this answer; it travels inside a card.")];
  return found.flatMap((assessment) => [
    ...assessmentPage(assessment),
    make("details", make("summary", "The same as JSON"), make("pre", pretty(assessment))),
  ]);
}

function assessments() {
  const cards = conversation.response?.cards ?? [];
  return cards.map((card) => card.extension?.["org.relapse-cds.assessment"]).filter(Boolean);
}

function pretty(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

async function copy(event) {
  const [assessment = null] = assessments();
  const chosen = { request: conversation.request, response: conversation.response, assessment };
  const told = event.currentTarget;
  const done = navigator.clipboard.writeText(pretty(chosen[shown]));
  told.textContent = await done.then(() => "Copied", () => "Copying failed");
  setTimeout(() => { told.textContent = "Copy JSON"; }, 1600);
}
