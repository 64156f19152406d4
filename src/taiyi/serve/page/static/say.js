// The language of the page.
import { WORDS } from "./words.js";

export const LANGS = ["en", "zh"];
const KEPT = "taiyi-language";
let now = "en";
const hearing = [];

export const language = () => now;

export const number = (value) => value.toLocaleString(now === "zh" ? "zh-CN" : "en");
export const list = (texts) => texts.join(now === "zh" ? "、" : ", ");

export const say = (key, values = {}) => {
  const [one, many = one] = WORDS[key][LANGS.indexOf(now)].split("|");
  return (values.n === number(1) ? one : many).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
};

// What else is drawn anew when the language changes.
export const heard = (listener) => hearing.push(listener);

// Fills in what stands in the document itself: texts, and attributes that are read aloud or shown.
export const fill = (root) => {
  for (const one of root.querySelectorAll("[data-say]")) one.textContent = say(one.dataset.say);
  for (const one of root.querySelectorAll("[data-say-label]")) one.setAttribute("aria-label", say(one.dataset.sayLabel));
  for (const one of root.querySelectorAll("[data-say-hint]")) one.setAttribute("placeholder", say(one.dataset.sayHint));
};

export const speak = (lang) => {
  now = lang;
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  document.title = say("title");
  fill(document);
  for (const listener of hearing) listener();
};

const kept = () => {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // a browser may forbid it; then the choice is forgotten
  }
};

export const begin = () => {
  const wanted = kept() ?? (navigator.language || "").slice(0, 2).toLowerCase();
  speak(LANGS.includes(wanted) ? wanted : "en");
};

export const turn = () => {
  speak(LANGS[1 - LANGS.indexOf(now)]);
  try {
    localStorage.setItem(KEPT, now);
  } catch {
    // likewise
  }
};
