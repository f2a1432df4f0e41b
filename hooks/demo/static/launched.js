// A SMART app, opened from a card beside the chart. It may write into the chart, so the chart is read again on coming back.

import { outwardLink } from "./make.js";

let gone = false;

/** The app is told the server and the launch id, and asks for the rest itself. */
export function launchedFrom(panel, { label, url }) {
  const link = outwardLink(label, URL.canParse(url) ? withLaunch(new URL(url), panel) : url);
  link.classList.add("card-app");
  // A click with the middle button opens the app too.
  for (const pressed of ["click", "auxclick"]) link.addEventListener(pressed, () => { gone = true; });
  return link;
}

function withLaunch(url, panel) {
  url.searchParams.set("iss", panel.dataset.fhir);
  url.searchParams.set("launch", panel.dataset.patient);
  return url.href;
}

document.addEventListener("visibilitychange", () => {
  if (gone && document.visibilityState === "visible") location.reload();
});
