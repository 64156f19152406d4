// What a user is told for his own safety.
import { ask } from "./api.js";
import { language, say } from "./say.js";

// Returns what a text gives reason to be told; nothing where the server cannot be asked.
export const noticesOf = async (text) => {
  try {
    return await ask("v1/page/care", { text });
  } catch {
    return []; // whatever keeps it from being told is said where the text itself is answered
  }
};

export const noticeTree = (notice) => ["div", { class: "emergency", role: "alert", "data-kind": notice.kind },
  ["strong", null, say("emergency")], ["p", null, notice[language()]]];
