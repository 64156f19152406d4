"""BioMRC's JSON: cloze questions made of titles, with the abstract and its entities as options (Pappas et al., 2020).

A file is one object of four lists of the same length, `abstracts`, `titles`, `entities_list` and `answers`, or, as the
copy of a hub has it, an object a line with `abstract`, `title`, `entities_list` and `answer`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from taiyi.formats import checked, json_lines, json_stream
from taiyi.schema import Lang, Option, Question, Record, Reject, Split

_COLUMNS = {"abstracts": "abstract", "titles": "title", "entities_list": "entities_list", "answers": "answer"}
# Keys that only a file of lists has.
_LISTS = ("abstracts", "titles", "answers")
_BETWEEN = " :: "
# The names of an entity stand in a list as Python writes it.
_NAME = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_ESCAPE = re.compile(r"\\(['\"\\])")


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read questions; ids are positions from 0.

    An entity is written `@entity1 :: ('9606', 'Species') :: ['patients', 'patient']`, or `@entity1` alone in setting B,
    which hides the names. Its key is that of the option, its names are the option's text; its identifier is left out.
    """
    for index, (where, item) in enumerate(_questions(path)):
        match item:
            case Reject():
                yield item
            case {
                "abstract": str() as abstract,
                "title": str() as title,
                "entities_list": [*entities],
                "answer": str(),
            } if all(isinstance(entity, str) for entity in entities):
                yield checked.record(
                    Question,
                    where,
                    id=str(index),
                    corpus=corpus,
                    split=split,
                    lang=lang,
                    kind="choice",
                    question=title,
                    contexts=(abstract,) if abstract.strip() else (),
                    options=tuple(_option(entity) for entity in cast("list[str]", entities)),
                    answers=(item["answer"].split(_BETWEEN)[0].strip(),),
                )
            case _:
                detail = "texts were expected under abstract, title, entities_list and answer"
                yield Reject(where=where, reason=checked.MALFORMED, detail=detail)


def _questions(path: Path) -> Iterator[tuple[str, dict[str, Any] | Reject]]:
    if json_stream.first_key(path) not in _LISTS:
        yield from json_lines.items(path)
        return
    for where, item in json_stream.columns(path, tuple(_COLUMNS)):
        yield where, item if isinstance(item, Reject) else {_COLUMNS[name]: value for name, value in item.items()}


def _option(entity: str) -> Option:
    key, *_, names = [part.strip() for part in entity.split(_BETWEEN)] if _BETWEEN in entity else [entity.strip(), ""]
    found = [_ESCAPE.sub(r"\1", one or other) for one, other in _NAME.findall(names)]
    return Option(key=key, text=", ".join(dict.fromkeys(found)) or key)
