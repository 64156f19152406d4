// What was said of a text or to a question: labels and options with their weights, or words with what supports them.
import { say } from "./say.js";
import { put } from "./tree.js";

const sureBar = ({ name: label, key, text, confidence }) => ["li", null,
  ["span", { class: "label" }, key && key !== text ? `${key}. ${text}` : text ?? label],
  ...(confidence == null ? [] : [["meter", { min: 0, max: 1, value: confidence, "aria-label": say("col_sure") }],
    ["span", { class: "number" }, confidence.toFixed(2)]])];

const cited = ({ number: n, quote, document: from, fault }) => ["li", { class: fault ? "fault" : undefined },
  `[${n}] ${from && `${from}: `}“${quote}”${fault && ` (${fault})`}`];
const statementTree = ({ text, citations, supported }) => ["li", null, text, " ",
  ["span", { class: "aside" }, say(supported ? "supported" : "unsupported")],
  ["ul", { class: "aside" }, ...citations.map(cited)]];

export const showSaid = (into, { text, cut, labels, choices = [], statements = [] }) => {
  const weighed = labels ?? choices;
  const answer = weighed.length ? ["ol", { class: "weighed" }, ...weighed.map(sureBar)]
    : ["p", { class: "said" }, labels ? say("no_label") : text || say("empty_answer")];
  put(into, answer, ...(cut ? [["p", { class: "notice" }, say("cut")]] : []),
    ...(statements.length ? [["details", null, ["summary", null, say("statements")], ["ol", null, ...statements.map(statementTree)]]] : []));
};
