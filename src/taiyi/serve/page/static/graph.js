// Relations between names as a drawing: names stand in rows; a line leaves a name on its right, goes down or up in a lane of its own,
// and comes in at what it relates to, where the type of the relation stands. Any relations can be drawn so, on any width, in the order
// of the text: none crosses a name, no two types overlap, and there is nothing to lay out by trial.

const SIZE = 14; // of letters, in pixels
const LINE = 24;
const GAP = 8; // between rows, and around texts
const LANE = 11;
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f000}-\u{3ffff}]/u;

// How wide a text will be, roughly: there is nothing to measure it with before it is drawn.
const widthOf = (text) => {
  let ems = 0;
  for (const character of text) ems += WIDE.test(character) ? 1 : /[A-Zmw_%@—–]/.test(character) ? 0.8 : 0.58;
  return Math.ceil(ems * SIZE);
};

export const shortened = (text, most) => {
  const plain = text.replace(/\s+/g, " ");
  if (widthOf(plain) <= most) return plain;
  let kept = "";
  for (const character of plain) {
    if (widthOf(`${kept}${character}…`) > most) break;
    kept += character;
  }
  return `${kept}…`;
};

// Edges have `head` and `tail`, each an `id` with a `label`, and a `type`, in the order in which names are to stand. Returns rows and lines, in pixels:
//   nodes: label, y and height of the row, and the y at which its line leaves
//   buses: the lines of each name: lane, y, and the slots that they come in at: y, type
export const layout = (edges, width) => {
  const nodes = new Map();
  const node = ({ id, label }) => {
    if (!nodes.has(id)) nodes.set(id, { id, label, out: false, slots: [] });
    return nodes.get(id);
  };
  for (const { head, tail, type } of edges) {
    const from = node(head);
    from.out = true;
    node(tail).slots.push({ from: head.id, type });
  }
  let y = GAP;
  for (const one of nodes.values()) {
    one.y = y;
    one.leaves = y + LINE / 2;
    one.slots.forEach((slot, n) => (slot.y = y + LINE * (n + (one.out ? 1 : 0)) + LINE / 2));
    one.height = LINE * Math.max(1, one.slots.length + (one.out ? 1 : 0));
    y += one.height + GAP;
  }
  const rows = [...nodes.values()];
  const buses = rows.filter(({ out }) => out).map((one) => {
    const slots = rows.flatMap(({ slots: all }) => all.filter(({ from }) => from === one.id));
    const ys = [one.leaves, ...slots.map((slot) => slot.y)];
    return { id: one.id, y: one.leaves, slots, top: Math.min(...ys), bottom: Math.max(...ys) };
  });
  // Short lines lie inside of long ones.
  const lanes = [];
  for (const bus of [...buses].sort((a, b) => a.bottom - a.top - (b.bottom - b.top) || a.y - b.y)) {
    let lane = 0;
    while (lanes[lane]?.some(({ top, bottom }) => top <= bus.bottom && bus.top <= bottom)) lane++;
    (lanes[lane] ??= []).push(bus);
    bus.lane = lane;
  }
  const names = Math.min(Math.max(0, ...rows.map(({ label }) => widthOf(label))) + 2 * GAP, Math.floor(width * 0.44));
  const types = Math.min(Math.max(0, ...edges.map(({ type }) => widthOf(type))) + 3 * GAP, Math.floor(width * 0.38));
  return { nodes: rows, buses, names, types, width: names + types + LANE * (lanes.length + 1), height: y };
};

// Returns the tree of the drawing; `told` is what it is called where it is not seen.
export const drawn = (edges, width, told) => {
  const { nodes, buses, names, types, width: needed, height } = layout(edges, width);
  const text = (label, x, y, most, kind) => {
    const short = shortened(label, most);
    return ["text", { class: kind, x, y: y + SIZE * 0.36 }, short, ...(short === label ? [] : [["title", null, label]])];
  };
  const lines = buses.map(({ y, slots, lane }, n) => {
    const x = names + types + LANE * (lane + 1) - 0.5;
    const turn = 5;
    const ends = [Math.min(...slots.map((slot) => slot.y)), Math.max(...slots.map((slot) => slot.y))];
    const paths = slots.map((slot) => {
      const end = Math.min(names + 2 * GAP + widthOf(shortened(slot.type, types - 3 * GAP)) + 4, x - turn);
      // The line is drawn to the first and the last; between them others branch off.
      if (!ends.includes(slot.y)) return ["path", { class: "line", d: `M${x} ${slot.y}H${end}` }];
      const way = slot.y > y ? 1 : -1;
      const turned = `H${x - turn}Q${x} ${y} ${x} ${y + way * turn}V${slot.y - way * turn}Q${x} ${slot.y} ${x - turn} ${slot.y}`;
      return ["path", { class: "line", d: `M${names} ${y}${turned}H${end}` }];
    });
    const heads = slots.map((slot) => ["path", { class: "head", d: `M${names + 1} ${slot.y}l9 -4.5v9z` }]);
    const labels = slots.map((slot) => text(slot.type, names + 2 * GAP, slot.y, types - 3 * GAP, "type"));
    return ["g", { class: `bus c${n % 8}` }, ...paths, ...heads, ...labels];
  });
  const boxes = nodes.map(({ label, y, height: high }) => ["g", { class: "node" },
    ["rect", { x: 0.5, y: y + 0.5, width: names - 1, height: high - 1, rx: 5 }],
    text(label, GAP, y + LINE / 2, names - 2 * GAP, "name")]);
  const size = { width: needed, height, viewBox: `0 0 ${needed} ${height}` };
  return ["svg", { class: "graph", role: "img", "aria-label": told, ...size }, ...lines, ...boxes];
};

// Names in the order in which a text has them, then as they are given.
const inOrder = (edges, text) => {
  const place = (name) => (text.indexOf(name) < 0 ? Infinity : text.indexOf(name));
  const first = (edge) => Math.min(place(edge.head.label), place(edge.tail.label));
  return edges.map((edge, n) => [edge, n]).sort(([a, n], [b, m]) => first(a) - first(b) || n - m).map(([edge]) => edge);
};

export const edgesOfRelations = (relations, text) =>
  inOrder(relations.map(({ head, tail, type }) => ({ head: { id: head, label: head }, tail: { id: tail, label: tail }, type })), text);

// An event is a node of its own, numbered, since a text may have several of one type.
export const eventName = ({ type, trigger }, n) => `${n + 1}. ${type}${trigger ? ` (${trigger})` : ""}`;
export const edgesOfEvents = (events) => {
  const called = (event, n) => ({ id: `event ${n}`, label: eventName(event, n) });
  return events.flatMap((event, n) => event.arguments.map(({ role, text, event: other }) => ({
    head: called(event, n),
    tail: other != null && events[other] ? called(events[other], other) : { id: `text ${text}`, label: text },
    type: role,
  })));
};

// Of a record: entities by their texts, concepts by that of their first mention; a relation of two joins them, one of more is a node of its
// own, as events are. What is empty in a record is not there.
export const edgesOfDocument = ({ entities = [], relations = [], events = [] }) => {
  const known = new Map(entities.map(({ id, text }) => [id, { id: `entity ${id}`, label: text }]));
  for (const { text, concepts = [] } of entities) {
    for (const { id } of concepts) if (!known.has(id)) known.set(id, { id: `concept ${id}`, label: text });
  }
  for (const { id, type, trigger } of events) known.set(id, { id: `event ${id}`, label: trigger ? `${type} (${trigger})` : type });
  for (const { id, type } of relations) known.set(id, { id: `relation ${id}`, label: type });
  const place = ({ ref }) => known.get(ref) ?? { id: `text ${ref}`, label: ref };
  const spread = ({ id, arguments: parts = [] }) => parts.map((part) => ({ head: known.get(id), tail: place(part), type: part.role }));
  const named = new Set(relations.flatMap(({ arguments: parts = [] }) => parts.map(({ ref }) => ref)));
  return [
    ...relations.flatMap((relation) => {
      const [head, tail, more] = relation.arguments ?? [];
      const joins = tail && !more && !named.has(relation.id);
      return joins ? [{ head: place(head), tail: place(tail), type: relation.type }] : spread(relation);
    }),
    ...events.flatMap(spread),
  ];
};
