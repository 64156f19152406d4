"use strict";
// The kinds by number, as the index lists them; those of items come first.
const KINDS = ["right", "type", "boundary", "both", "missed", "spurious", "wrong", "unparsable"];
const [RIGHT, TYPE, BOUNDARY, BOTH, MISSED, SPURIOUS] = KINDS.keys();

const element = (name, classes, ...inside) => {
  const made = document.createElement(name);
  if (classes) made.className = classes;
  made.append(...inside);
  return made;
};

// Returns what draws a document, given the index that names its types and kinds.
const drawing = (index) => {
  const LINE = 4; // pixels from one line to the next, of which 2 are drawn
  const NOT_FOUND = 2; // how the place of an item is known: it was searched, in vain
  const LONG = 600; // characters; longer texts of a model that cannot be parsed are folded

  const typeName = (type) => (type < 0 ? "" : index.types[type]);
  const itemText = (text, written, places) =>
    written || (places.length ? text.slice(places[0][0], places[0][1]) : "");
  const SIGNS = { [MISSED]: "− ", [SPURIOUS]: "+ ", [BOUNDARY]: "↔ ", [BOTH]: "↔ " };
  const typesOf = (gold, answer) =>
    gold < 0 || answer < 0 || gold === answer ? typeName(Math.max(gold, answer)) : `${typeName(gold)} → ${typeName(answer)}`;

  const marksOf = (items) => {
    const sides = { below: [], above: [] };
    for (const [kind, goldType, answerType, , , goldPlaces, answerPlaces, search] of items) {
      const types = typesOf(goldType, answerType);
      const title = `${index.kinds[kind]}: ${types}`;
      const told = (SIGNS[kind] ?? "") + types;
      for (const [start, end] of goldPlaces) sides.below.push({ start, end, kind, search, title, told, above: false });
      for (const [start, end] of answerPlaces) {
        sides.above.push({ start, end, kind, search, title, told: kind === SPURIOUS ? told : "", above: true });
      }
    }
    for (const side of Object.values(sides)) level(side);
    return sides;
  };
  // The shortest are drawn nearest to the text, what they lie in further away.
  const level = (marks) => {
    const rows = [];
    for (const mark of [...marks].sort((a, b) => a.end - a.start - (b.end - b.start) || a.start - b.start)) {
      let row = 0;
      while (rows[row]?.some((other) => other.start < mark.end && mark.start < other.end)) row++;
      (rows[row] ??= []).push(mark);
      mark.level = row;
    }
    marks.rows = rows.length;
  };

  const drawText = (text, items, lang) => {
    const { below, above } = marksOf(items);
    const made = element("p", "source");
    made.lang = lang;
    if (below.rows || above.rows) {
      const high = LINE * (below.rows + above.rows);
      made.style.lineHeight = `calc(1.6em + ${high}px)`;
    }
    const every = [...below, ...above];
    const cuts = [...new Set([0, text.length, ...every.flatMap((mark) => [mark.start, mark.end])])].sort((a, b) => a - b);
    const opening = new Map(), closing = new Map();
    for (const mark of every) {
      for (const [map, at] of [[opening, mark.start], [closing, mark.end]]) map.set(at, [...(map.get(at) ?? []), mark]);
    }
    const open = new Set();
    const piece = (inside, marks, ending) => {
      const lines = marks.map((mark) => line(mark, ending.has(mark), mark.above
        ? `${LINE * (above.rows - 1 - mark.level)}px` : `calc(100% - ${LINE * (below.rows - 1 - mark.level)}px)`));
      // Of several, the shortest is what the eye is on.
      const wrong = marks.filter((mark) => mark.kind !== RIGHT).sort((a, b) => a.end - a.start - (b.end - b.start))[0];
      if (wrong) {
        const tint = `color-mix(in srgb, var(--${KINDS[wrong.kind]}) 14%, transparent)`;
        lines.push(`linear-gradient(${tint}, ${tint}) 0 0 / 100% 100% no-repeat`);
      }
      const drawn = element("span", "mark", inside);
      drawn.style.background = lines.join(", ");
      drawn.style.paddingBlock = `${LINE * above.rows}px ${LINE * below.rows}px`;
      drawn.title = [...new Set(marks.map((mark) => mark.title))].join("; ");
      return drawn;
    };
    for (let n = 0; n + 1 < cuts.length; n++) {
      const [start, end] = [cuts[n], cuts[n + 1]];
      for (const mark of opening.get(start) ?? []) open.add(mark);
      const part = text.slice(start, end);
      if (!open.size) {
        made.append(part);
        continue;
      }
      const ending = new Set(closing.get(end));
      made.append(piece(part, [...open], ending));
      for (const mark of ending) open.delete(mark);
      for (const mark of ending) {
        if (!mark.told) continue;
        const name = element("span", `label ${KINDS[mark.kind]}`);
        name.dataset.label = mark.told;
        // What goes on behind the name is drawn below it too.
        made.append(open.size ? piece(name, [...open], new Set()) : name);
      }
    }
    return made;
  };
  const line = (mark, ends, y) => {
    const colour = `var(--${KINDS[mark.kind]})`;
    const image = mark.search
      ? `repeating-linear-gradient(90deg, ${colour} 0 3px, transparent 3px 5px)`
      : `linear-gradient(${colour}, ${colour})`;
    // A gap after the end keeps two mentions apart that follow one another.
    return `${image} 0 ${y} / ${ends ? "calc(100% - 2px)" : "100%"} 2px no-repeat`;
  };

  const drawItems = (text, items) => {
    const rows = items.map(([kind, goldType, answerType, gold, answer, goldPlaces, answerPlaces, search]) => {
      const sides = [[goldType, gold, goldPlaces], [answerType, answer, answerPlaces]].map(([type, written, places]) => {
        const lost = search === NOT_FOUND && type >= 0 && !places.length;
        // Labels have no text but themselves.
        const told = itemText(text, written, places) || typeName(type);
        return element("td", "", told, lost ? element("span", "aside", " (not in the text)") : "");
      });
      const types = element("td", "", typesOf(goldType, answerType));
      return element("tr", KINDS[kind], element("td", "kind", index.kinds[kind]), types, ...sides);
    });
    const heads = ["", "type", "gold", "answer"].map((name) => element("th", "", name));
    const table = element("table", "", element("thead", "", element("tr", "", ...heads)), element("tbody", "", ...rows));
    return element("div", "scroll", table);
  };

  const counted = (items) => {
    const counts = KINDS.map((_, kind) => items.filter((item) => item[0] === kind).length);
    return counts.map((n, kind) => n && `${n} ${index.kinds[kind]}`).filter(Boolean).join(", ");
  };

  const draw = (i, { id, lang, text, prompts, verdict, items, gold, answer, unparsable, written }) => {
    const state = verdict.split(/[:\s]/)[0];
    const made = element("article", "",
      element("header", "", element("h2", "", id), element("span", "", index.sets[index.set[i]][1]),
        element("span", `verdict ${state}`, verdict)));
    made.tabIndex = -1;
    if (prompts > 1) made.append(element("p", "aside", `the first of ${prompts} prompts about it`));
    made.append(drawText(text, items, lang));
    if (gold || answer) {
      const sides = element("div", "sides",
        element("div", "", element("h3", "", "gold"), element("p", "", gold)),
        element("div", { right: "right", wrong: "wrong" }[state] ?? "", element("h3", "", "answer"), element("p", "", answer)));
      sides.lang = lang;
      made.append(sides);
    }
    if (items.length) {
      const list = element("details", "", element("summary", "", counted(items)), drawItems(text, items));
      list.lang = lang;
      // What has no place in the text is shown in the list alone.
      list.open = items.some((item) => !item[5].length && !item[6].length);
      made.append(list);
    }
    for (const reason of unparsable) made.append(element("p", "aside", `unparsable: ${reason}`));
    for (const answered of written) {
      const said = element("details", "written", element("summary", "", "what was written"), element("p", "", answered || "(nothing)"));
      said.lang = lang;
      said.open = answered.length < LONG;
      made.append(said);
    }
    return made;
  };
  return draw;
};
