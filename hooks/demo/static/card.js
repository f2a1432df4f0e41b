// The cards as an EHR shows them: a stripe and a word for the urgency, the summary, the detail, links, reasons.

import { launchedFrom } from "./launched.js";
import { button, make, outwardLink } from "./make.js";

const KINDS = { info: "Information", warning: "Warning", critical: "Critical" };

export function cardsOf(conversation, panel, moment) {
  if (conversation.trouble) return [troubleOf(conversation)];
  const cards = conversation.response.cards;
  if (!cards.length) return [silenceOf(panel, moment)];
  return cards.map((card, index) => cardOf(card, conversation, index, panel));
}

function head(kind, source, summary) {
  return make("header.card-head", make("p.card-kind", make("b", kind), source), make("p.card-summary", summary));
}

function cardOf(card, conversation, index, panel) {
  const source = card.source ?? {};
  const label = source.url ? outwardLink(source.label, source.url) : make("span", source.label ?? "");
  const element = make(`article.card.${card.indicator in KINDS ? card.indicator : "info"}`);
  element.append(head(KINDS[card.indicator] ?? card.indicator, label, card.summary));
  const links = card.links ?? [];
  const [apps, others] = [links.filter((link) => link.type === "smart"), links.filter((link) => link.type !== "smart")];
  // Above the detail, which may be long: what can be done next is seen without scrolling.
  if (apps.length) element.append(make("p.card-apps", ...apps.map((link) => launchedFrom(panel, link))));
  if (conversation.details[index]) {
    const detail = make("div.card-detail");
    // The server renders the Markdown with raw HTML switched off, and the page's policy runs no inline script.
    detail.innerHTML = conversation.details[index];
    element.append(detail);
  }
  if (card.suggestions?.length) element.append(offersOf(card.suggestions));
  if (others.length) element.append(make("ul.card-links", ...others.map((link) => make("li", outwardLink(link.label, link.url)))));
  if (card.overrideReasons?.length) element.append(overrideOf(card, conversation, element));
  return element;
}

function offersOf(suggestions) {
  const offers = suggestions.map((suggestion) => {
    const offer = button(suggestion.label, () => {});
    offer.disabled = true;
    offer.title = "This demonstration places no orders, so nothing would be written.";
    return offer;
  });
  return make("div.card-offers", ...offers);
}

function overrideOf(card, conversation, element) {
  const reasons = card.overrideReasons.map((reason) =>
    button(reason.display ?? reason.code, async () => {
      const noted = await sendFeedback(conversation.url, {
        card: card.uuid,
        outcome: "overridden",
        overrideReason: { reason },
        outcomeTimestamp: new Date().toISOString(),
      });
      const fate = noted ? "The service has taken note." : "The service did not take the feedback.";
      const words = `Dismissed: ${reason.display ?? reason.code}. ${fate}`;
      element.replaceWith(make("article.card.silent", make("p.card-sent", words)));
    }),
  );
  return make("details.card-override", make("summary", "Not for this child …"), make("div", ...reasons));
}

async function sendFeedback(serviceUrl, feedback) {
  const answer = await fetch(new URL(`${serviceUrl}/feedback`).pathname, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ feedback: [feedback] }),
  }).catch(() => null);
  return answer?.ok ?? false;
}

const ORDER_SILENCE = "the order would break no criterion, or this child cannot take part any more, or already does";

function silenceOf(panel, moment) {
  const why = moment === "open" ? panel.dataset.silence : ORDER_SILENCE;
  const words = why
    ? `The service answered with no card: ${why}.`
    : "The service answered with no card. For this story one was expected.";
  return make("article.card.silent", head("No card", null, words));
}

function troubleOf(conversation) {
  const status = conversation.status ? `HTTP ${conversation.status}` : "No answer";
  const what = head("The service could not judge this chart", make("span", status), conversation.trouble);
  return make("article.card.trouble", what);
}
