// The page: its parts, its language and its key. What each part shows is in the module of its name.
import { get, onKey, setKey } from "./api.js";
import { begin, heard, say, turn } from "./say.js";
import { put } from "./tree.js";
import * as chat from "./chat.js";
import * as corpora from "./corpora.js";
import * as task from "./task.js";

const $ = (id) => document.getElementById(id);
const VIEWS = ["tasks", "chat", "corpora", "report"];
let about = null;

// --- the key ---

const askForKey = (wrong) => new Promise((resolve) => {
  const dialog = $("key-dialog");
  $("key-fault").hidden = !wrong;
  dialog.addEventListener("close", () => {
    const given = dialog.returnValue === "use" ? $("key").value.trim() : "";
    $("key").value = "";
    dialog.returnValue = "";
    if (given) setKey(given);
    resolve(given !== "");
  }, { once: true });
  if (!dialog.open) dialog.showModal();
});
// Several requests may want it at the same time.
let asking = null;
onKey((wrong) => (asking ??= askForKey(wrong).finally(() => (asking = null))));

// --- the parts ---

const showReport = () => {
  const there = about?.report;
  put($("report-about"), ["p", { class: "lead" }, say(there ? "report_there" : "report_none")],
    ...(there ? [["p", null, ["a", { class: "button main", href: there, target: "_blank", rel: "noopener" }, say("report_open")]]] : []));
};

const show = () => {
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  const view = VIEWS.includes(name) ? name : VIEWS[0];
  const changed = $(view).hidden;
  for (const one of VIEWS) $(one).hidden = one !== view;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (view === "corpora") corpora.show(rest[0]);
  return changed ? $(`${view}-title`) : null;
};

const load = async () => {
  about = await get("v1/page/about");
  task.begin(about);
  chat.begin(about);
  corpora.begin(about);
  showReport();
};

const start = async () => {
  begin();
  heard(showReport);
  $("turn").addEventListener("click", turn);
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    $("content").focus();
  });
  put($("state"), say("loading"));
  show();
  try {
    await load();
    put($("state"), say("result_none"));
  } catch (error) {
    put($("state"));
    put($("broken"), ["p", { class: "fault" }, error.message, " ", ["button", { type: "button" }, say("again")]]);
    $("broken").querySelector("button").addEventListener("click", () => location.reload());
  }
  show();
  // Who goes to another part reads on there.
  window.addEventListener("hashchange", () => show()?.focus());
};

start();
