"""Questions in several wordings with their answers, as in Huatuo-26M (Li et al. 2023): one JSON object a line.

    {"questions": [["...", "..."]], "answers": ["..."]}

Wordings stand in a list, or in a list in that list; answers that are all right, in a list.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from taiyi.formats import checked, json_lines
from taiyi.schema import Lang, Question, Record, Reject, Split


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read questions: a record a wording, named by the position of its item from 0, further ones with their number.

    A wording or answer that an item repeats is taken once; empty ones are passed over.
    """
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        wordings, answers = _texts(item.get("questions")), _texts(item.get("answers"))
        if not wordings or not answers:
            detail = "lists of texts were expected under questions and answers"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        for number, wording in enumerate(dict.fromkeys(wordings)):
            yield checked.record(
                Question,
                where,
                id=f"{index}.{number}" if number else str(index),
                corpus=corpus,
                split=split,
                lang=lang,
                kind="simple",
                question=wording,
                answers=tuple(dict.fromkeys(answers)),
            )


def _texts(value: Any) -> list[str] | None:
    """Return a text, or those of a list of texts or of lists of texts, without empty ones; None of anything else."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    if not isinstance(value, list):
        return None
    texts: list[str] = []
    for part in cast("list[Any]", value):
        inner: list[Any] = cast("list[Any]", part) if isinstance(part, list) else [part]
        for text in inner:
            if not isinstance(text, str):
                return None
            if text.strip():
                texts.append(text)
    return texts
