(() => {
  const $ = (id) => document.getElementById(id);
  const settings = JSON.parse($("settings").textContent);
  const find = { set: $("set"), kind: $("kind"), type: $("type"), order: $("order"), text: $("text") };
  let index, draw, starts, chosen = [], page = 0, drawn = 0;

  // --- data: an index of all documents, and their texts in chunks that are unpacked when they are needed

  const unpack = async (packed) => {
    const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  };

  const arriving = new Map();
  window.taiyiChunk = (number, packed) => arriving.get(number)(packed);
  const packedChunk = (number) => {
    const inline = $("chunk-" + number);
    if (inline) return inline.textContent;
    return new Promise((resolve, reject) => {
      arriving.set(number, resolve);
      const script = document.createElement("script");
      script.src = settings.files[number];
      script.onerror = () => reject(new Error(settings.files[number] + " is not there: it belongs to this page"));
      document.head.append(script);
    });
  };
  const chunks = new Map();
  const chunk = (number) => {
    if (!chunks.has(number)) chunks.set(number, Promise.resolve(packedChunk(number)).then(unpack));
    return chunks.get(number);
  };
  const chunkOf = (i) => {
    let low = 0, high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= i) low = middle; else high = middle - 1;
    }
    return low;
  };
  const record = async (i) => {
    const number = chunkOf(i);
    const [id, lang, text, prompts, verdict, items = [], gold = "", answer = "", unparsable = [], written = []] =
      (await chunk(number))[i - starts[number]];
    return { id, lang, text, prompts, verdict, items, gold, answer, unparsable, written };
  };

  // --- which documents are shown

  const searched = new Map();
  const searchable = async (i) => {
    if (!searched.has(i)) {
      const { id, text, gold, answer } = await record(i);
      searched.set(i, [id, text, gold, answer].join("\n").toLowerCase());
    }
    return searched.get(i);
  };
  const isKind = (code, wanted) => {
    const kind = code & 15;
    if (wanted === "") return true;
    if (wanted === "errors") return kind !== RIGHT;
    // What is wrong in both ways is wrong in each.
    return kind === +wanted || (kind === BOTH && (+wanted === TYPE || +wanted === BOUNDARY));
  };
  const has = (i, type, kind) =>
    (type === "" && kind === "") ||
    index.codes[i].some((code) => (type === "" || code >> 4 === +type) && isKind(code, kind));
  const inSet = (i) => find.set.value === "" || index.set[i] === +find.set.value;

  const choose = async () => {
    const now = ++drawn;
    const type = find.type.value, kind = find.kind.value;
    let found = index.set.map((_, i) => i).filter((i) => inSet(i) && has(i, type, kind));
    const words = find.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length) {
      const texts = await Promise.all(found.map(searchable));
      found = found.filter((_, n) => words.every((word) => texts[n].includes(word)));
    }
    if (now !== drawn) return false;
    const sign = { most: -1, least: 1 }[find.order.value];
    if (sign) found.sort((a, b) => sign * (index.errors[a] - index.errors[b]) || a - b);
    chosen = found;
    return true;
  };

  const option = (value, text) => {
    const made = document.createElement("option");
    made.value = value;
    made.textContent = text;
    return made;
  };
  const offer = (select, options, value) => {
    select.replaceChildren(...options);
    select.value = options.some((made) => made.value === value) ? value : "";
  };
  const offerTypes = (value) => {
    const there = new Set();
    index.codes.forEach((codes, i) => inSet(i) && codes.forEach((code) => there.add(code >> 4)));
    there.delete(0);
    const named = [...there].sort((a, b) => (index.types[a] < index.types[b] ? -1 : 1));
    offer(find.type, [option("", "all types"), ...named.map((type) => option(type, index.types[type]))], value);
  };
  const offerKinds = (value) => {
    const type = find.type.value;
    const count = (kind) => index.set.filter((_, i) => inSet(i) && has(i, type, kind)).length;
    const kinds = [["", "anything"], ["errors", "any error"], ...index.kinds.map((name, kind) => [String(kind), name])];
    const options = kinds.map(([kind, name]) => [kind, name, count(kind)]).filter(([kind, , n]) => n || kind === value);
    offer(find.kind, options.map(([kind, name, n]) => option(kind, `${name} (${n.toLocaleString("en")})`)), value);
  };

  // --- the page

  const pages = () => Math.max(1, Math.ceil(chosen.length / settings.page));
  const show = async () => {
    const now = ++drawn;
    page = Math.min(Math.max(page, 0), pages() - 1);
    const here = chosen.slice(page * settings.page, (page + 1) * settings.page);
    const records = await Promise.all(here.map(record));
    if (now !== drawn) return;
    $("documents").replaceChildren(...here.map((i, n) => draw(i, records[n])));
    if (!here.length) $("documents").append(element("p", "aside", "No document is like this."));
    const [some, all] = [chosen.length, index.set.length].map((n) => n.toLocaleString("en"));
    const of = chosen.length < index.set.length ? `${some} of ${all} documents` : `${all} documents`;
    for (const where of document.querySelectorAll(".where")) where.textContent = `${of}, page ${page + 1} of ${pages()}`;
    for (const button of document.querySelectorAll(".pages button")) {
      button.disabled = +button.dataset.step < 0 ? page === 0 : page + 1 >= pages();
    }
    const state = new URLSearchParams();
    for (const [name, input] of Object.entries(find)) {
      const value = name === "set" && input.value !== "" ? index.sets[+input.value][0]
        : name === "type" && input.value !== "" ? index.types[+input.value] : input.value;
      if (value !== "" && !(name === "order" && value === "set")) state.set(name, value);
    }
    if (page) state.set("page", page + 1);
    history.replaceState(null, "", state.size ? "#" + state : location.pathname + location.search);
  };
  const refresh = async () => {
    if (await choose()) {
      page = 0;
      await show();
    }
  };
  const turn = async (step) => {
    if (page + step < 0 || page + step >= pages()) return;
    page += step;
    await show();
    $("documents").focus({ preventScroll: true });
    $("documents").scrollIntoView();
  };
  const step = (by) => {
    const articles = [...document.querySelectorAll("article")];
    const at = articles.indexOf(document.activeElement.closest("article"));
    const next = articles[at < 0 ? (by > 0 ? 0 : -1) : at + by];
    if (next) {
      next.focus({ preventScroll: true });
      next.scrollIntoView();
    }
  };

  const restore = () => {
    const state = new URLSearchParams(location.hash.slice(1));
    const sets = index.sets.map(([name]) => name);
    const known = (names, value) => (names.includes(value) ? String(names.indexOf(value)) : "");
    offer(find.set, [option("", "all test sets"), ...index.sets.map(([, title], n) => option(n, title))],
      known(sets, state.get("set")));
    offerTypes(known(index.types, state.get("type")));
    offerKinds(state.get("kind") ?? "");
    find.order.value = state.get("order") ?? "set";
    if (!find.order.value) find.order.value = "set";
    find.text.value = state.get("text") ?? "";
    return Number(state.get("page") ?? 1) - 1;
  };

  const fail = (error) => {
    $("fault").hidden = false;
    $("fault").textContent = `This page cannot be shown: ${error.message}`;
  };
  const start = async () => {
    if (!("DecompressionStream" in window)) throw new Error("the browser is too old to unpack it");
    index = await unpack($("index").textContent);
    draw = drawing(index);
    starts = [0];
    for (const size of index.chunks.slice(0, -1)) starts.push(starts.at(-1) + size);
    const first = restore();
    await choose();
    page = first;
    $("page").hidden = false;
    await show();
    find.set.addEventListener("change", () => {
      offerTypes(find.type.value);
      offerKinds(find.kind.value);
    });
    find.type.addEventListener("change", () => offerKinds(find.kind.value));
    for (const name of ["set", "kind", "type", "order"]) find[name].addEventListener("change", () => refresh().catch(fail));
    let waiting;
    find.text.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => refresh().catch(fail), 200);
    });
    $("find").addEventListener("submit", (event) => event.preventDefault());
    $("labels").addEventListener("change", () => $("documents").classList.toggle("no-labels", !$("labels").checked));
    for (const button of document.querySelectorAll(".pages button")) {
      button.addEventListener("click", () => turn(+button.dataset.step).catch(fail));
    }
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
      const act = { j: () => step(1), k: () => step(-1), n: () => turn(1), p: () => turn(-1), "/": () => find.text.focus() };
      if (!(event.key in act)) return;
      event.preventDefault();
      act[event.key]();
    });
    window.addEventListener("hashchange", () => {
      const to = restore();
      choose().then(() => { page = to; return show(); }).catch(fail);
    });
  };
  start().catch(fail);
})();
