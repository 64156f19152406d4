// What was found in a text: its mentions in place, its relations as a graph, all of it as tables and files.
import { file } from "./api.js";
import { drawn, edgesOfEvents, edgesOfRelations, eventName } from "./graph.js";
import { legend, marked, places } from "./marks.js";
import { list, number, say } from "./say.js";
import { element, put } from "./tree.js";

const sure = (value) => (value == null ? "" : value.toFixed(2));
const told = ({ type, text, spans, confidence }) => {
  const place = { start: number(spans[0][0]), end: number(spans.at(-1)[1]) };
  const confident = confidence == null ? "" : ` ${say("sure", { value: sure(confidence) })}`;
  return say(type ? "mention" : "mention_name", { type, text, ...place }) + confident;
};

// Returns an element with a text and its mentions ({spans, text, type, confidence}), which types can be hidden in and keys walk through.
export const markedText = (text, mentions, { asked = [], lang } = {}) => {
  const types = legend(mentions, asked).filter(({ type }) => type);
  const colours = new Map(types.map(({ type, colour }) => [type, colour]));
  const hidden = new Set();
  let now = -1;

  const made = element(["div", { class: "marked" },
    ["div", { class: "legend" },
      ...types.map(({ type, count, colour }) => ["button", { type: "button", class: `type c${colour}`, "data-of": type, "aria-pressed": "true",
        "aria-label": say("type_shown", { type, n: number(count) }) }, type, " ", ["b", null, number(count)]]),
      ...(types.length ? [["label", { class: "check" }, ["input", { type: "checkbox", checked: true }], ` ${say("show_names")}`]] : [])],
    ["div", { class: "box", tabindex: 0, role: "group", "aria-label": say("marked") }],
    ["p", { class: "detail aside", role: "status" }, mentions.length ? say("choose_mention") : ""]]);
  const [box, detail] = [made.querySelector(".box"), made.querySelector(".detail")];

  const shown = () => mentions.map((_, n) => n).filter((n) => !hidden.has(mentions[n].type));
  const draw = () => {
    put(box, marked(text, mentions.map((one) => (hidden.has(one.type) ? { ...one, spans: [] } : one)), colours));
    if (lang) box.lang = lang;
  };
  const choose = (n) => {
    now = n;
    const parts = box.querySelectorAll("mark");
    for (const part of parts) part.classList.toggle("now", part.dataset.n === String(n));
    box.querySelector("mark.now")?.scrollIntoView({ block: "nearest" });
    put(detail, n < 0 ? say("choose_mention") : told(mentions[n]));
  };
  box.addEventListener("mouseover", ({ target }) => {
    const part = target.closest("mark");
    if (part && Number(part.dataset.n) !== now) choose(Number(part.dataset.n));
  });
  box.addEventListener("click", ({ target }) => target.closest("mark") && choose(Number(target.closest("mark").dataset.n)));
  box.addEventListener("keydown", (event) => {
    const all = shown();
    const at = all.indexOf(now);
    const to = { ArrowRight: at + 1, ArrowLeft: at < 0 ? all.length - 1 : at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || !all.length || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    choose(all[Math.min(Math.max(to, 0), all.length - 1)]);
  });
  for (const button of made.querySelectorAll("button.type")) {
    button.addEventListener("click", () => {
      const type = button.dataset.of;
      if (!hidden.delete(type)) hidden.add(type);
      button.setAttribute("aria-pressed", String(!hidden.has(type)));
      draw();
      choose(-1);
    });
  }
  made.querySelector("input")?.addEventListener("change", ({ target }) => made.classList.toggle("no-names", !target.checked));
  draw();
  return made;
};

// Returns an element with a graph, which is drawn anew as its room changes.
export const graph = (edges) => {
  const made = element(["div", { class: "graph-box", tabindex: 0, role: "group", "aria-label": say("graph") }]);
  let width = 0;
  new ResizeObserver(() => {
    if (made.clientWidth && made.clientWidth !== width) {
      width = made.clientWidth;
      put(made, drawn(edges, width, say("graph_told", { n: number(edges.length) })));
    }
  }).observe(made);
  return made;
};

export const table = (told, columns, rows) => ["div", { class: "scroll", tabindex: 0, role: "region", "aria-label": told },
  ["table", null, ["thead", null, ["tr", null, ...columns.map((name) => ["th", { scope: "col" }, name])]],
    ["tbody", null, ...rows.map((row) => ["tr", null, ...row.map((cell) => ["td", null, cell])])]]];

const tables = ({ entities, relations, events }) => {
  const made = [];
  const titled = (columns, rows) => rows.length && made.push(table(say("table_of"), columns.map((name) => say(name)), rows));
  titled(["col_text", "col_type", "col_place", "col_sure"],
    entities.map(({ text, type, start, end, confidence }) => [text, type, `${start}–${end}`, sure(confidence)]));
  titled(["col_head", "col_type", "col_tail", "col_sure"],
    relations.map(({ head, type, tail, confidence }) => [head, type, tail, sure(confidence)]));
  const filled = ({ role, text, event: n }) => `${role}: ${n != null && events[n] ? eventName(events[n], n) : text}`;
  titled(["col_type", "col_trigger", "col_roles"],
    events.map(({ type, trigger, arguments: parts }, n) => [`${n + 1}. ${type}`, trigger, parts.map(filled).join("; ")]));
  return made;
};

const NAMES = { json: "taiyi.json", bioc: "taiyi.bioc.xml" };
const download = async (to, text, found, fail) => {
  try {
    const blob = await file(`v1/page/save/${to}`, { id: "taiyi", text, found });
    const link = element(["a", { href: URL.createObjectURL(blob), download: NAMES[to] }]);
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (error) {
    fail(error);
  }
};

// Shows what was found in a text; `fail` is told what goes wrong later.
export const showFound = (into, text, found, { asked, fail }) => {
  const { entities, relations, events } = found;
  const counts = [[entities, "found_entities"], [relations, "found_relations"], [events, "found_events"]];
  const said = list(counts.filter(([all]) => all.length).map(([all, key]) => say(key, { n: number(all.length) })));
  const edges = [...edgesOfRelations(relations, text), ...edgesOfEvents(events)];
  // Relations and events are of names, which are marked wherever they stand.
  const named = new Set([...relations.flatMap(({ head, tail }) => [head, tail]),
    ...events.flatMap(({ trigger, arguments: parts }) => [trigger, ...parts.map((part) => part.text)])]);
  const mentions = [...entities.map(({ start, end, ...more }) => ({ spans: [[start, end]], ...more })), ...places(text, named)];
  into.replaceChildren(element(["p", { class: "lead" }, said || say("found_nothing")]));
  if (found.cut) into.append(element(["p", { class: "notice" }, say("cut")]));
  if (found.not_there) into.append(element(["p", { class: "notice" }, say("not_there", { n: number(found.not_there) })]));
  into.append(markedText(text, mentions, { asked: relations.length || events.length ? [] : asked, lang: found.lang }));
  if (edges.length) {
    into.append(element(["h3", null, say("graph")]), element(["p", { class: "aside" }, say("graph_hint")]), graph(edges));
  }
  if (said) into.append(element(["details", null, ["summary", null, say("as_table")], ...tables(found)]));
  into.append(element(["div", { class: "row downloads" }, ["span", null, say("downloads")],
    ...["json", "bioc"].map((to) => ["button", { type: "button", "data-to": to }, say(`download_${to}`)]),
    ...(edges.length ? [["span", { class: "aside" }, say("bioc_entities")]] : [])]));
  for (const button of into.querySelectorAll("button[data-to]")) {
    button.addEventListener("click", () => download(button.dataset.to, text, found, fail));
  }
};
