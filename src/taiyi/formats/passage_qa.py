"""Passages with questions and answers about each, as in the TCM literature question corpus of Tianchi.

[{"id": 12, "text": "...", "annotations": [{"Q": "...", "A": "..."}]}]
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from taiyi.formats import checked, json_lines
from taiyi.schema import Lang, Question, Record, Reject, Split

WITHOUT_QUESTIONS = "passage without a question"


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read the questions, each with its passage as context; they are named by passage and position within it."""
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        key, text, asked = checked.name(item, index), item.get("text"), item.get("annotations")
        if key is None or not isinstance(text, str) or not isinstance(asked, list):
            detail = "a text, a list of annotations and an id, if any, were expected"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        if not asked:
            yield Reject(where=where, reason=WITHOUT_QUESTIONS, detail=f"passage {key}")
        for number, pair in enumerate(cast("list[Any]", asked)):
            match pair:
                case {"Q": str() as question, "A": str() as answer}:
                    yield checked.record(
                        Question,
                        where,
                        id=f"{key}.{number}",
                        corpus=corpus,
                        split=split,
                        lang=lang,
                        kind="context",
                        question=question,
                        contexts=(text,),
                        answers=(answer,),
                    )
                case _:
                    detail = f"texts were expected under Q and A, not {checked.shown(pair)}"
                    yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
