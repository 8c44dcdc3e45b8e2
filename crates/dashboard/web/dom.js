// Small helpers that build and change elements. Text always goes in as text, never as markup.

/**
 * Builds an element: `h("button", { type: "button", class: "x", dataset: { node: "n1" }, onclick }, "Text")`.
 * A property that is `null`, `undefined` or `false` is left out; `true` gives an empty attribute.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "dataset") Object.assign(element.dataset, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Sets the text of an element only where it differs, so that an unchanged element costs no layout. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets a data attribute only where it differs; `null` removes it. */
export function setData(element, name, value) {
  if (value === null || value === undefined) {
    if (name in element.dataset) delete element.dataset[name];
  } else if (element.dataset[name] !== String(value)) {
    element.dataset[name] = value;
  }
}

/** Sets an attribute only where it differs. */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Sorts names as people expect: `Node2` before `Node10`. */
export const byName = new Intl.Collator("en", { numeric: true }).compare;
