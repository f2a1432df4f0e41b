// Building the page out of elements and text. Text from a chart or a card is only ever text, never markup.

/** make("p.quiet", "text", child, …) */
export function make(what, ...content) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  element.append(...content.filter((part) => part !== null && part !== undefined));
  return element;
}

/** A link that opens beside the chart, or only its words when it leads nowhere a browser should go. */
export function outwardLink(label, address) {
  let url;
  try {
    url = new URL(address, location.href);
  } catch {
    return make("span", label);
  }
  if (!["http:", "https:"].includes(url.protocol)) return make("span", label);
  const link = make("a", label);
  link.href = url.href;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  return link;
}

export function button(label, pressed) {
  const element = make("button", label);
  element.type = "button";
  element.addEventListener("click", pressed);
  return element;
}
