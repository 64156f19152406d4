// The dialogue with a model.
import { talk } from "./api.js";
import { noticesOf, noticeTree } from "./care.js";
import { heard, language, say } from "./say.js";
import { element, put } from "./tree.js";

const $ = (id) => document.getElementById(id);
let about = null;
let turns = []; // {role, content, notices, fault, ended, node}
let stated = false; // whether the limit of use was stated in an earlier dialogue
let stopping = null;

const turnTree = ({ role, content, notices = [], fault, ended }) => ["article", { class: `turn ${role}` },
  ["h2", null, say(role === "user" ? "you" : "answered_by")],
  ["p", { class: "said" }, content || (ended && !fault ? say("empty_answer") : "")],
  ...(ended === "length" ? [["p", { class: "aside" }, say("reached_limit")]] : []),
  ...(ended === "stopped" && !fault ? [["p", { class: "aside" }, say("stopped")]] : []),
  ...(fault ? [["p", { class: "fault", role: "alert" }, fault]] : []),
  ...notices.map(noticeTree)];

// Draws a turn where it stands: what is read aloud is then what is new.
const show = (turn) => {
  const node = element(turnTree(turn));
  if (turn.node) turn.node.replaceWith(node);
  else $("log").append(node);
  turn.node = node;
};

const draw = () => {
  if (!about) return;
  put($("chat-title"), say("chat_title", { name: about.model }));
  const able = about.talks || about.sources;
  $("no-chat").hidden = able;
  $("talk").hidden = !able;
  $("from-sources").hidden = !about.sources;
  put($("no-chat"), ["p", null, say("no_chat")]);
  put($("sources-alone"), able && !about.talks ? say("sources_alone") : "");
  const limit = ["div", { class: "notice", role: "note" }, ["strong", null, say("limit")], ["p", null, about.limit[language()]]];
  put($("log"), ...(stated ? [] : [limit]));
  for (const turn of turns) {
    turn.node = null;
    show(turn);
  }
};

// The dialogue scrolls by itself where there is room for it, and with the page on a phone.
const bottom = (node) => node.getBoundingClientRect().bottom;
const atEnd = () => bottom($("log").lastElementChild) < Math.min(bottom($("log")), innerHeight) + 8;
const toEnd = () => {
  $("log").scrollTop = $("log").scrollHeight;
  const below = bottom($("log").lastElementChild) - innerHeight;
  if (below > 0) scrollBy(0, below + 16);
};

// What was not answered is forgotten.
const dialogue = () => turns.filter((turn) => turn.content && !turn.forgotten).map(({ role, content }) => ({ role, content }));

const busy = (now) => {
  stopping = now;
  $("send").disabled = now !== null;
  $("chat-stop").hidden = now === null;
  put($("chat-state"), now ? say("busy") : "");
  $("log").setAttribute("aria-busy", String(now !== null));
};

const send = async () => {
  const content = $("message").value.trim();
  if (!content || stopping) return;
  const asked = { role: "user", content };
  const answer = { role: "assistant", content: "" };
  turns.push(asked);
  const messages = dialogue();
  turns.push(answer);
  $("message").value = "";
  busy(new AbortController());
  show(asked);
  show(answer);
  toEnd();
  const { signal } = stopping;
  noticesOf(content).then((notices) => {
    asked.notices = notices;
    if (!notices.length || !turns.includes(asked)) return;
    show(asked);
    asked.node.lastElementChild.scrollIntoView({ block: "nearest" });
  });
  // Who reads further up is left there, and no answer pushes a notice out of sight.
  const follow = (change) => {
    if (!turns.includes(answer)) return;
    const following = atEnd() && !asked.notices?.length;
    change();
    if (following) toEnd();
  };
  try {
    const pieces = talk(messages, $("chat-sources").checked, signal);
    let piece = await pieces.next();
    for (; !piece.done; piece = await pieces.next()) {
      answer.content += piece.value;
      follow(() => (answer.node.querySelector(".said").textContent = answer.content));
    }
    answer.ended = piece.value || "stop";
  } catch (error) {
    answer.ended = "stopped";
    if (error.name !== "AbortError") {
      answer.fault = error.message;
      if (!$("message").value) $("message").value = content;
    }
    asked.forgotten = !answer.content;
  }
  busy(null);
  follow(() => show(answer));
};

export const begin = (known) => {
  about = known;
  heard(draw);
  // A model that does not write lets the sources speak.
  $("chat-sources").checked = about.sources;
  $("chat-sources").disabled = !about.talks;
  $("saying").addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  $("message").addEventListener("keydown", (event) => {
    // The Enter that chooses a character of an input method sends nothing.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  $("chat-stop").addEventListener("click", () => stopping?.abort());
  $("anew").addEventListener("click", () => {
    stopping?.abort();
    stated = stated || turns.length > 0;
    turns = [];
    draw();
    $("message").focus();
  });
  draw();
};
