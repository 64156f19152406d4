// The tasks: what is asked of a text, and what comes of it.
import { ask } from "./api.js";
import { noticesOf, noticeTree } from "./care.js";
import { EXAMPLES } from "./examples.js";
import { showFound } from "./found.js";
import { showSaid } from "./said.js";
import { heard, LANGS, language, list, number, say } from "./say.js";
import { put } from "./tree.js";

const $ = (id) => document.getElementById(id);
const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

// What each task wants: its fields, its address, and what is sent of the values.
const extracting = (what) => ({
  fields: ["text", "types"], needed: ["text"], path: "v1/extract",
  body: ({ text, like, lang }) => ({ text, what, lang, like, types: typesAsked() }),
});
const rewriting = (kind, told) => ({
  fields: ["text"], needed: ["text"], told, path: "v1/rewrite", body: ({ text, lang }) => ({ text, kind, lang }),
});
const TASKS = {
  entities: extracting("entities"),
  relations: extracting("relations"),
  events: extracting("events"),
  labels: {
    fields: ["text", "labels", "several"], needed: ["text"], path: "v1/classify",
    body: ({ text, lang, several }) => ({ text, lang, labels: labelsAsked(), ...(labelsOf() ? {} : { several }) }),
  },
  pairs: {
    fields: ["first", "second", "pair_what", "labels"], needed: ["first", "second"], path: "v1/pair",
    body: ({ first, second, pair_what: what, lang }) => ({ first, second, what, lang, labels: labelsAsked() }),
  },
  choice: {
    fields: ["question", "options", "context"], needed: ["question", "options"], path: "v1/answer",
    body: ({ question, options, context, lang }) => ({ question, options: lines(options), context, lang }),
  },
  yes_no: {
    fields: ["question", "context"], needed: ["question", "context"], told: { context: "context_needed" }, path: "v1/answer",
    body: ({ question, context, lang }) => ({ question, context, yes_no: true, lang }),
  },
  question: {
    fields: ["question", "context", "sources"], needed: ["question"], path: "v1/answer",
    body: ({ question, context, sources, lang }) => (sources ? { question, sources, lang } : { question, context, lang }),
  },
  translation: { fields: ["text"], needed: ["text"], path: "v1/translate", body: ({ text, lang }) => ({ text, lang }) },
  summary: rewriting("summary"),
  title: rewriting("title", { text: "abstract" }),
  report: rewriting("report", { text: "dialogue" }),
};
const LONG = { text: 9, first: 4, second: 4, context: 4, question: 3, options: 4, own_types: 3, own_labels: 4 };
const OWN = ""; // labels of one's own, and any guidelines

let about = null;
let name = "";
let stopping = null;
let result = null; // draws what came of the last question
const values = { lang: "auto", like: OWN, pair_what: "similarity", several: false, sources: false, chosen: new Set() };

const offer = () => about.offers.find((one) => one.name === name);

// --- types and labels ---

const typesAsked = () => {
  const own = lines(values.own_types ?? "").map((line) => {
    const [, type, meaning = ""] = /^(.*?)\s*(?:[:：]\s*(.*))?$/.exec(line);
    return [type, meaning];
  });
  const known = offered().flatMap(({ types }) => types).filter((type) => values.chosen.has(type));
  const all = new Map([...known.map((type) => [type, ""]), ...own]);
  return [...all.values()].some(Boolean) ? Object.fromEntries(all) : [...all.keys()];
};
// The corpora that types or labels are from, with their titles and languages; those in the language of the page first.
const corporaOf = (sets) => {
  const found = new Map();
  for (const { corpus, title, lang } of sets.filter((one) => one.corpus)) {
    found.set(corpus, { title, langs: [...(found.get(corpus)?.langs ?? []), lang] });
  }
  const here = ([, { langs }]) => langs.includes(language());
  const told = ({ title, langs }) => `${title} (${list(langs.map((lang) => say(`lang_${lang}`)))})`;
  return [...found].sort((a, b) => here(b) - here(a)).map(([corpus, one]) => [corpus, told(one)]);
};
// The sets of types that there are to choose from, by language and guidelines.
const offered = () => offer().sets.filter(({ corpus, lang }) =>
  (values.like === OWN || corpus === values.like) && (values.lang === "auto" || !lang || lang === values.lang));
// Those of a corpus, or one's own; first those that a model learned which knows no others.
const labelSets = () => {
  const named = corporaOf(offered());
  const own = [OWN, say("labels_own")];
  return about.confined ? [...named, own] : [own, ...named];
};
const labelsOf = () => (labelSets().find(([corpus]) => corpus === values.labels) ?? labelSets()[0])[0];
const labelsAsked = () => (labelsOf() ? [labelsOf()] : lines(values.own_labels ?? ""));

// --- fields ---

const field = (key, told, control) => ["label", { class: "field", for: key }, ["span", null, say(told)], control];
const area = (key, told = key, hint) =>
  field(key, told, ["textarea", { id: key, rows: LONG[key], placeholder: hint, spellcheck: "false" }]);
const choice = (key, told, options) =>
  field(key, told, ["select", { id: key }, ...options.map(([value, text]) => ["option", { value }, text])]);
const check = (key) => ["label", { class: "check" }, ["input", { type: "checkbox", id: key }], ` ${say(key)}`];

const typesTree = () => {
  const guidelines = corporaOf(offer().sets);
  const groups = new Map();
  const here = ({ lang }) => lang === language();
  for (const { lang, types } of offered().sort((a, b) => here(b) - here(a))) {
    groups.set(lang, new Set([...(groups.get(lang) ?? []), ...types]));
  }
  return ["fieldset", { class: "field" }, ["legend", null, say("types")],
    ...(guidelines.length > 1 ? [choice("like", "like", [[OWN, say("like_any")], ...guidelines])] : []),
    ...[...groups].map(([lang, types]) => ["div", { class: "chips", lang: lang === "zh" ? "zh" : undefined },
      ...[...types].map((type) => ["label", { class: "chip" }, ["input", { type: "checkbox", "data-type": type }], ["span", null, type]])]),
    ...(groups.size ? [["p", { class: "aside" }, say("types_none")]] : []),
    ...(about.own_types ? [["details", null, ["summary", null, say("types_own")],
      ["textarea", { id: "own_types", rows: LONG.own_types, "aria-label": say("types_own") }]]] : [])];
};

const labelsTree = () => {
  const { sets } = offer();
  const chosen = sets.find(({ corpus }) => corpus === labelsOf());
  return ["div", null,
    ...(sets.length ? [choice("labels", "labels_of", labelSets())] : []),
    ...(chosen ? [["p", { class: "aside labels" }, list(chosen.types)]] : [area("own_labels", "labels_lines")])];
};

const TREES = {
  types: typesTree,
  labels: labelsTree,
  several: () => (labelsOf() ? "" : check("several")),
  sources: () => (about.sources ? check("sources") : ""),
  pair_what: () => choice("pair_what", "pair_what",
    Object.entries(offer().asks).filter(([, found]) => found.length).map(([what]) => [what, say(`pair_${what}`)])),
};

const languageTree = (able) => (able.length > 1
  ? choice("lang", "language", ["auto", ...LANGS].map((lang) => [lang, say(`lang_${lang}`)]))
  : ["p", { class: "aside" }, say("only_in", { lang: say(`lang_${able[0]}`) })]);
const fillingTree = ["div", { class: "row filling" },
  ["button", { type: "button", class: "plain", id: "example" }], ["span", { id: "length", class: "aside" }]];

// What was chosen for another task may not be there for this one.
const settle = () => {
  const guidelines = corporaOf(offer().sets).map(([corpus]) => corpus);
  if (guidelines.length < 2 || !guidelines.includes(values.like)) values.like = OWN;
  if (offer().langs.length < 2) values.lang = "auto";
};

// A field shows its value; where that is none of its options, it takes the first.
const wire = (one) => {
  const value = values[one.id];
  if (one.type === "checkbox") one.checked = Boolean(value);
  else if (one.options && ![...one.options].some((option) => option.value === value)) values[one.id] = one.value;
  else if (value !== undefined) one.value = value;
  one.addEventListener("input", () => changed(one));
};
const wireType = (one) => {
  one.checked = values.chosen.has(one.dataset.type);
  one.addEventListener("change", () => values.chosen[one.checked ? "add" : "delete"](one.dataset.type));
};

const drawFields = () => {
  settle();
  const { langs: able } = offer();
  const { fields, told = {} } = TASKS[name];
  const trees = fields.map((key) => TREES[key]?.() ?? area(key, told[key] ?? key, key === "text" ? say("paste") : undefined));
  const texts = fields.findLastIndex((key) => !TREES[key]) + 1;
  const into = $("fields");
  put(into, ...trees.slice(0, texts), fillingTree, ...trees.slice(texts), languageTree(able));
  into.querySelectorAll("textarea, select, input[id]").forEach(wire);
  into.querySelectorAll("[data-type]").forEach(wireType);
  if (values.own_types) into.querySelector("details")?.setAttribute("open", "");
  put($("example"), say("example"));
  $("example").addEventListener("click", () => {
    Object.assign(values, EXAMPLES[able.includes(language()) ? language() : able[0]][name]);
    drawFields();
    $("example").focus();
  });
  measure();
};

// What is chosen here decides what there is to choose.
const changed = (one) => {
  values[one.id] = one.type === "checkbox" ? one.checked : one.value;
  if (["like", "labels", "lang"].includes(one.id)) {
    drawFields();
    $(one.id).focus();
  }
  measure();
};

const measure = () => {
  // Sources or a text: not both.
  if ($("sources")) $("context").disabled = $("sources").checked;
  const n = TASKS[name].fields.reduce((sum, key) => sum + (LONG[key] ? [...(values[key] ?? "")].length : 0), 0);
  const over = n > about.max_chars;
  put($("length"), n ? say(over ? "too_long" : "characters", { n: number(n), most: number(about.max_chars) }) : "");
  $("length").classList.toggle("fault", over);
};

const drawTasks = () => {
  if (!about) return;
  put($("model"), say("model_is", { name: about.model }), about.told ? ` · ${about.told}` : "", ` · ${say("check")}`);
  const there = about.offers.filter((one) => one.langs.length);
  const missing = about.offers.filter((one) => !one.langs.length).map((one) => say(`task_${one.name}`));
  if (missing.length) {
    const told = say("not_learned", { tasks: list(missing) });
    put($("not-offered"), ["details", null, ["summary", null, say("not_offered")], ["p", { class: "aside" }, told]]);
  }
  $("asking").hidden = !there.length;
  if (!there.length) {
    put($("state"), say("nothing_offered"));
    return;
  }
  put($("task"), ...there.map((one) => ["option", { value: one.name }, say(`task_${one.name}`)]));
  $("task").value = name;
  drawFields();
};

// --- answers ---

const fail = (error) => {
  put($("state"));
  put($("fault"), error.message);
  $("fault").hidden = false;
};

const busy = (now) => {
  stopping = now;
  $("run").disabled = now !== null;
  $("stop").hidden = now === null;
};

const run = async () => {
  const task = TASKS[name];
  const missing = [...task.needed, ...(task.fields.includes("labels") && !labelsOf() ? ["own_labels"] : [])]
    .find((key) => !(values[key] ?? "").trim());
  $("fault").hidden = true;
  put($("notices"));
  if (missing) {
    fail(new Error(say("needed", { what: $(missing).closest("label").querySelector("span").textContent })));
    $(missing).focus();
    return;
  }
  const body = task.body(values);
  const asked = Array.isArray(body.types) ? body.types : Object.keys(body.types ?? {});
  busy(new AbortController());
  result = null;
  put($("found"));
  put($("state"), say("busy"));
  const { signal } = stopping;
  if (body.question) noticesOf(body.question).then((notices) => !signal.aborted && put($("notices"), ...notices.map(noticeTree)));
  try {
    const found = await ask(task.path, body, signal);
    result = () => {
      put($("state"));
      if (found.entities) showFound($("found"), body.text, found, { asked, fail });
      else showSaid($("found"), found);
    };
    result();
    $("result-title").focus();
  } catch (error) {
    if (error.name === "AbortError") put($("state"), say("stopped"));
    else fail(error);
  }
  busy(null);
};

export const begin = (known) => {
  about = known;
  name = about.offers.find((one) => one.langs.length)?.name ?? "";
  heard(drawTasks);
  heard(() => (result ? result() : put($("state"), say("result_none"))));
  drawTasks();
  $("task").addEventListener("input", () => {
    name = $("task").value;
    drawFields();
  });
  $("asking").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!stopping) run();
  });
  $("asking").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !stopping) {
      event.preventDefault();
      run();
    }
  });
  $("stop").addEventListener("click", () => stopping?.abort());
};
