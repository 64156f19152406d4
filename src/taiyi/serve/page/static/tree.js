// Elements as plain values: a text, or [name, attributes, ...what is inside]. Texts are only ever set as texts, so that nothing that a
// user, a model or a corpus writes can become markup.
const SVG = "http://www.w3.org/2000/svg";
const DRAWN = new Set(["svg", "g", "path", "rect", "text", "title", "circle"]);

export const element = (tree) => {
  if (typeof tree === "string") return document.createTextNode(tree);
  const [name, attributes, ...inside] = tree;
  const made = DRAWN.has(name) ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key.startsWith("on")) throw new TypeError(`${key} is no attribute`);
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...inside.map(element));
  return made;
};

export const text = (tree) => (typeof tree === "string" ? tree : tree.slice(2).map(text).join(""));

// Puts trees in the place of what is in an element.
export const put = (into, ...trees) => into.replaceChildren(...trees.map(element));
