// Mentions in a text, as a tree of nested elements. Mentions may nest, cross, lie at the same place, and have several parts.

export const COLOURS = 8;
const HIGHEST = 6;

// Places count Unicode code points; JavaScript counts UTF-16 units, of which some characters have two.
export const units = (text) => {
  const wide = [];
  let points = 0;
  for (const character of text) {
    if (character.length === 2) wide.push(points);
    points++;
  }
  return (place) => {
    const at = Math.min(Math.max(place, 0), points);
    let low = 0;
    let high = wide.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (wide[middle] < at) low = middle + 1;
      else high = middle;
    }
    return at + low;
  };
};

// Types with how often each is there and its colour, in the order in which they are met; those that were asked for come first.
export const legend = (mentions, asked = []) => {
  const counts = new Map(asked.map((type) => [type, 0]));
  for (const { type } of mentions) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, count], n) => ({ type, count, colour: n % COLOURS }));
};

// Returns where names stand in a text, as words: mentions without a type. Chinese has no spaces, so there any place will do.
export const places = (text, names) => {
  const points = [...text];
  const at = new Map(); // the code point at which a unit begins
  let unit = 0;
  points.forEach((character, n) => {
    at.set(unit, n);
    unit += character.length;
  });
  at.set(unit, points.length);
  const edge = /[\p{Script=Latin}\p{Script=Greek}\p{N}]/u;
  const found = [];
  for (const name of names) {
    for (let from = name ? text.indexOf(name) : -1; from >= 0; from = text.indexOf(name, from + name.length)) {
      const [start, end] = [at.get(from), at.get(from + name.length)];
      const within = (a, b) => a !== undefined && b !== undefined && edge.test(a) && edge.test(b);
      const whole = start !== undefined && end !== undefined;
      if (whole && !within(points[start - 1], points[start]) && !within(points[end - 1], points[end])) {
        found.push({ spans: [[start, end]], text: name, type: "" });
      }
    }
  }
  return found.sort((a, b) => a.spans[0][0] - b.spans[0][0] || b.spans[0][1] - a.spans[0][1]);
};

const partsOf = (text, mentions) => {
  const at = units(text);
  const parts = mentions.flatMap(({ spans, type }, n) =>
    spans.map(([start, end]) => ({ start: at(start), end: at(end), type, n })).filter((part) => part.start < part.end));
  // The outer ones first.
  return parts.sort((a, b) => a.start - b.start || b.end - a.end || a.n - b.n);
};

// How many levels of elements there are inside one: as far its line is moved down.
const raise = (node) => {
  if (typeof node === "string") return 0;
  const inner = Math.max(0, ...node.slice(2).map(raise));
  if (node[1]["data-n"] === undefined) return inner;
  node[1].class += ` up${Math.min(inner, HIGHEST)}`;
  return inner + 1;
};

// Returns the tree of a text: a paragraph with a `mark` for each mention, or several where it crosses another or has several parts.
// `colours` are those of types.
export const marked = (text, mentions, colours) => {
  const parts = partsOf(text, mentions);
  const cuts = [...new Set([0, text.length, ...parts.flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
  const last = new Map(parts.map((part) => [part.n, 0]));
  for (const { n, end } of parts) last.set(n, Math.max(last.get(n), end));
  const root = ["p", { class: "source" }];
  const open = []; // the parts that are open, the outer ones first, each with its node
  let next = 0;
  for (let c = 0; c + 1 < cuts.length; c++) {
    const [start, end] = [cuts[c], cuts[c + 1]];
    const active = open.map(({ part }) => part).filter((part) => part.end > start);
    while (next < parts.length && parts[next].start === start) active.push(parts[next++]);
    let same = 0;
    while (same < open.length && open[same].part === active[same]) same++;
    open.length = same;
    for (const part of active.slice(same)) {
      const node = ["mark", { class: `c${colours.get(part.type) ?? COLOURS - 1}`, "data-n": part.n }];
      (open.at(-1)?.node ?? root).push(node);
      open.push({ part, node });
    }
    for (const { part, node } of open) if (part.type && last.get(part.n) === end) node[1]["data-type"] = part.type;
    (open.at(-1)?.node ?? root).push(text.slice(start, end));
  }
  raise(root);
  return root;
};
