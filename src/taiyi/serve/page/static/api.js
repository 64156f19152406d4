// What the page asks of its server. A key is held here and nowhere else.
import { say } from "./say.js";

let key = "";
let wanted = null; // asks the user for a key; answers whether there is one

export const onKey = (ask) => (wanted = ask);
export const setKey = (given) => (key = given);

// Why there is no answer, in words for the user.
export class Fault extends Error {}

const faultOf = async (response) => {
  try {
    const { error } = await response.json();
    return new Fault(error.message);
  } catch {
    return new Fault(`${say("unreadable")} (${response.status})`);
  }
};

const request = async (path, { body, signal } = {}) => {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method: body === undefined ? "GET" : "POST", headers, signal,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    throw error.name === "AbortError" ? error : new Fault(say("unreachable"));
  }
  if (response.status === 401 && wanted && (await wanted(key !== ""))) return request(path, { body, signal });
  if (!response.ok) throw await faultOf(response);
  return response;
};

export const get = async (path, options) => (await request(path, options)).json();
export const ask = async (path, body, signal) => (await request(path, { body, signal })).json();
export const file = async (path, body) => (await request(path, { body })).blob();

// Yields the events of a stream, as the texts after `data:`.
const events = async function* (stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      held = (held + value).replaceAll("\r\n", "\n");
      for (let end = held.indexOf("\n\n"); end >= 0; end = held.indexOf("\n\n")) {
        for (const line of held.slice(0, end).split("\n")) if (line.startsWith("data:")) yield line.slice(5).trim();
        held = held.slice(end + 2);
      }
    }
  } finally {
    reader.cancel().catch(() => {}); // what was cut off already cannot be cancelled
  }
};

// Yields the pieces of an answer to a dialogue; returns why it ended.
export const talk = async function* (messages, sources, signal) {
  const asked = { messages, stream: true, ...(sources && { sources }) };
  const { body } = await request("v1/chat/completions", { body: asked, signal });
  let finish = "";
  for await (const event of events(body)) {
    if (event === "[DONE]") return finish;
    const { error, choices: [choice] = [] } = JSON.parse(event);
    if (error) throw new Fault(error.message);
    if (choice?.delta?.content) yield choice.delta.content;
    finish = choice?.finish_reason ?? finish;
  }
  return finish;
};
