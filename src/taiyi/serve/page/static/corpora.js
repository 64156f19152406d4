// The corpora of the catalogue: a list to choose from, what each is, and some of its records.
import { get } from "./api.js";
import { edgesOfDocument } from "./graph.js";
import { graph, markedText, table } from "./found.js";
import { heard, LANGS, language, list, number, say } from "./say.js";
import { element, put } from "./tree.js";

const $ = (id) => document.getElementById(id);
let all = null; // rows of the list
let chosen = null; // the details of the corpus that is shown
let page = null; // its records that are shown
let wanted = 0; // counts what is asked for, so that a late answer is known

const KINDS = ["entity", "relation", "event", "role", "label"];

const matches = (row) => {
  const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const filters = [["find-lang", row.lang], ["find-task", row.tasks], ["find-access", [row.access]]];
  return filters.every(([id, values]) => !$(id).value || values.includes($(id).value))
    && (!$("find-here").querySelector("input").checked || row.here.length > 0)
    && words.every((word) => row.words.includes(word));
};

const drawList = () => {
  if (!all) return;
  const rows = all.corpora.filter(matches);
  put($("count"), say("corpora_count", { n: number(rows.length), all: number(all.corpora.length) }));
  put($("names"), ...rows.map((row) => ["li", null,
    ["a", { href: `#/corpora/${encodeURIComponent(row.name)}`, "aria-current": row.name === chosen?.name ? "true" : undefined },
      ["b", null, row.title], ["span", { class: "aside" }, [row.name, list(row.lang.map((lang) => say(`lang_${lang}`))), row.tasks.join(", ")].join(" · ")]]]));
};

const offer = (id, key, options) => {
  const kept = $(id).value;
  put($(id), ["option", { value: "" }, say(key)], ...options.map(([value, text]) => ["option", { value }, text]));
  $(id).value = kept;
};

const drawFilters = () => {
  offer("find-lang", "any_lang", LANGS.map((lang) => [lang, say(`lang_${lang}`)]));
  offer("find-access", "any_access", ["open", "form", "credentialed"].map((access) => [access, say(`access_${access}`)]));
  offer("find-task", "any_task", Object.entries(all.tasks).map(([task, title]) => [task, `${task}: ${title[language()]}`]));
};

// --- a corpus ---

const link = (address) => ["a", { href: address, rel: "noopener noreferrer", target: "_blank" }, address];
const sizes = (found) => Object.entries(found).map(([split, size]) => `${split} ${number(size)}`).join(", ");

const facts = (one) => [
  ["fact_lang", list(one.lang.map((lang) => say(`lang_${lang}`)))],
  ["fact_tasks", list(one.tasks.map((task) => `${all.tasks[task][language()]} (${task})`))],
  ["fact_sizes", sizes(one.sizes)],
  ["fact_licence", one.licence],
  ["fact_access", say(`access_${one.access}`)],
  ["fact_homepage", /^https?:\/\//.test(one.homepage) ? link(one.homepage) : one.homepage],
  ["fact_citation", one.citation],
  ["fact_checked", say(`checked_${one.verified}`)],
  ["fact_obtain", one.obtain],
  ["fact_notes", one.notes],
].filter(([, told]) => told);

const typesTree = (kind, types) => {
  const defined = (type) => (language() === "zh" && type.definition_zh) || type.definition_en || type.definition_zh;
  const columns = ["type_en", "type_zh", "type_meaning"].map((key) => say(key));
  const rows = Object.values(types).map((type) => [type.en, type.zh, defined(type)]);
  return rows.length ? [["h3", null, say(`types_${kind}`)], table(say(`types_${kind}`), columns, rows)] : [];
};

// Documents are shown with their mentions; of other records each field.
const HIDDEN = new Set(["id", "corpus", "split", "lang", "form", "document_ids", "cut"]);
const recordElement = (record) => {
  const made = element(["section", { class: "record" }, ["h4", null, record.id]]);
  if (record.cut) made.append(element(["p", { class: "notice" }, say("record_cut")]));
  if (record.form === "document") {
    const { entities = [], events = [] } = record;
    const triggers = events.map(({ trigger_spans: spans, trigger: text, type }) => ({ spans, text, type })).filter(({ spans }) => spans);
    const mentions = [...entities.map(({ spans, text, type }) => ({ spans, text, type })), ...triggers];
    made.append(markedText(record.text, mentions, { lang: record.lang }));
    const edges = edgesOfDocument(record);
    if (edges.length) made.append(graph(edges));
    // Nothing leads to or from these.
    const alone = events.filter((event) => !event.arguments && !event.trigger_spans).map(({ id, ...more }) => more);
    if (alone.length) made.append(element(valueTree({ events: alone }, record.lang)));
    return made;
  }
  made.append(element(valueTree(Object.fromEntries(Object.entries(record).filter(([key]) => !HIDDEN.has(key))), record.lang)));
  return made;
};
const valueTree = (value, lang) => {
  if (Array.isArray(value)) return ["ul", { class: "values", lang }, ...value.map((one) => ["li", null, valueTree(one)])];
  if (value && typeof value === "object") {
    return ["dl", { class: "values", lang }, ...Object.entries(value).flatMap(([key, one]) => [["dt", { lang: "en" }, key], ["dd", null, valueTree(one)]])];
  }
  return String(value);
};

const drawRecords = () => {
  const into = $("records");
  if (!into || !page) return;
  const { split, start, records, more } = page;
  const step = (key, by, off) => ["button", { type: "button", "data-step": by, disabled: off }, say(key)];
  put(into, ["div", { class: "row" },
    ["label", { class: "field", for: "split" }, ["span", null, say("records_of")],
      ["select", { id: "split" }, ...chosen.here.map((one) => ["option", { value: one, selected: one === split }, one])]],
    step("records_less", -1, start === 0), step("records_more", 1, !more)],
  ["p", { class: "aside", role: "status" }, records.length
    ? say("records_where", { from: number(start + 1), to: number(start + records.length), split }) : say("records_none")]);
  into.append(...records.map(recordElement));
  $("split").addEventListener("change", ({ target }) => loadRecords(target.value, 0));
  for (const button of into.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => loadRecords(split, Math.max(0, start + Number(button.dataset.step) * all.together)));
  }
};

const loadRecords = async (split, start) => {
  const { name } = chosen;
  const mine = ++wanted;
  try {
    const found = await get(`v1/page/corpora/${encodeURIComponent(name)}/${split}?start=${start}`);
    if (mine === wanted) page = { split, start, ...found };
    if (mine === wanted) drawRecords();
  } catch (error) {
    if (mine === wanted) put($("records"), ["p", { class: "fault", role: "alert" }, error.message]);
  }
};

const drawCorpus = () => {
  const into = $("corpus");
  if (!chosen) {
    put(into, ["p", { class: "aside" }, say("corpus_none")]);
    return;
  }
  const away = chosen.shown ? "records_away" : "records_closed";
  put(into, ["p", { class: "back" }, ["a", { href: "#/corpora" }, say("back_to_list")]],
    ["h2", { tabindex: -1 }, chosen.title], ["p", { class: "aside" }, chosen.name],
    ["dl", { class: "facts" }, ...facts(chosen).flatMap(([key, told]) =>
      [["dt", null, say(key, { unit: chosen.unit })], ["dd", null, told]])],
    ...KINDS.flatMap((kind) => typesTree(kind, chosen[{ role: "roles", label: "labels" }[kind] ?? `${kind}_types`])),
    ...(chosen.examples.length ? [["h3", null, say("examples")]] : []));
  into.append(...chosen.examples.map(recordElement), element(["h3", null, say("records")]),
    element(["div", { id: "records" }, ...(chosen.here.length ? [] : [["p", { class: "aside" }, say(away)]])]));
  drawRecords();
};

const choose = async (name) => {
  const mine = ++wanted;
  page = null;
  if (!name) {
    chosen = null;
  } else {
    try {
      const found = await get(`v1/page/corpora/${encodeURIComponent(name)}`);
      if (mine !== wanted) return;
      chosen = found;
    } catch (error) {
      if (mine === wanted) put($("corpus"), ["p", { class: "fault", role: "alert" }, error.message]);
      return;
    }
  }
  $("corpora").classList.toggle("one", chosen !== null);
  drawCorpus();
  drawList();
  if (chosen) {
    $("corpus").querySelector("h2").focus();
    if (chosen.here.length) loadRecords(chosen.here[0], 0);
  }
};

// Shows the list, or a corpus of it; the catalogue is asked for when somebody first looks.
export const show = async (name) => {
  if (!ready) return;
  try {
    if (!all) {
      put($("count"), say("loading"));
      all = await get("v1/page/corpora");
      for (const row of all.corpora) row.words = [row.name, row.title, row.licence, ...row.types].join("\n").toLowerCase();
      $("find-here").hidden = !all.corpora.some(({ here }) => here.length);
      drawFilters();
    }
    drawList();
    if (name !== chosen?.name || !name) await choose(name);
  } catch (error) {
    put($("count"), error.message);
  }
};

let ready = false;
export const begin = () => {
  ready = true;
  heard(() => {
    if (!all) return;
    drawFilters();
    drawList();
    drawCorpus();
  });
  for (const id of ["find", "find-lang", "find-task", "find-access", "find-here"]) $(id).addEventListener("input", drawList);
  $("finding").addEventListener("submit", (event) => event.preventDefault());
};
