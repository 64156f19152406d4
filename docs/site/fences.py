"""What the first line of a block of code says: its language, and `key=value` for the site and for the tests.

- `file=NAME`: the block is the file NAME, for what follows on the page; of a `diff`, what is changed in it.
- `needs=WORD`: the block is not run by the tests, for the reason that the word stands for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

NEEDS: Mapping[str, str] = {
    "gpu": "a CUDA device",
    "machines": "several devices or machines",
    "hub": "a model of the Hugging Face hub",
    "server": "a server with a model",
    "corpora": "the real corpora, in DIR",
    "files": "files of your own",
    "run": "a run or model of your own",
    "install": "the network, to install packages",
    "minutes": "minutes, and more",
    "terminal": "somebody who types",
}
"""Why a block is not run by the tests; they still hold its commands and options against those that there are."""


class Info(NamedTuple):
    """What the first line of a block says."""

    lang: str = ""
    file: str = ""
    needs: str = ""


def info(line: str) -> Info:
    """Read what follows the backticks of a block, such as `sh needs=gpu`.

    Raises:
        ValueError: it says something that nobody understands.
    """
    lang, *rest = line.split() or [""]
    if lang.startswith("{"):
        return Info(lang)
    said: dict[str, str] = {}
    for part in rest:
        key, _, value = part.partition("=")
        said[key] = value
    unknown = [*(said.keys() - {"file", "needs"}), *({said.get("needs", "gpu")} - NEEDS.keys())]
    if unknown:
        raise ValueError(f"```{line}: unknown: {', '.join(unknown)}")
    return Info(lang, **said)


_UNSEEN = re.compile(r"^<!--\n.*?^-->\n", re.MULTILINE | re.DOTALL)
_OPENING = re.compile(r"^```(\w+(?: +\w+=\S+)+)$", re.MULTILINE)


def shown(text: str) -> str:
    """Return a page with captions in place of what its blocks say, the name of a file or what is needed, and without
    what is for the tests alone."""
    return _OPENING.sub(lambda match: _captioned(info(match[1])), _UNSEEN.sub("", text))


def _captioned(said: Info) -> str:
    caption = f"`{said.file}`" if said.file else f"Needs {NEEDS[said.needs]}"
    # Pygments has no lexer for tables.
    lang = {"csv": "text"}.get(said.lang, said.lang)
    return f"```{{code-block}} {lang}\n:caption: {caption}\n"
