// Elements from plain values. Every text becomes a text node, so that no name is ever read as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; children that are null are left out. */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** An element of a picture. */
export function s(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** Gives an element this text; touches nothing where it has it, so that a selection stays. */
export function tell(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Gives an element these children unless they look the same as those it has. */
export function fill(element, ...children) {
  const fresh = h("div", {}, ...children);
  if (fresh.innerHTML !== element.innerHTML) element.replaceChildren(...fresh.childNodes);
}

/** Sets the classes of an element. */
export function dress(element, ...classes) {
  const wanted = classes.filter(Boolean).join(" ");
  if (element.getAttribute("class") !== wanted) element.setAttribute("class", wanted);
}
