"""MedQA's JSON lines: multiple-choice questions of medical examinations (Jin et al., 2021)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from taiyi.formats import checked, json_lines
from taiyi.schema import Lang, Option, Question, Record, Reject, Split


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read `{"question", "options": {"A": …}, "answer", "answer_idx"}`; ids are positions from 0."""
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        question, key = item.get("question"), item.get("answer_idx")
        options = _options(item.get("options"))
        if not isinstance(question, str) or not isinstance(key, str) or options is None:
            detail = "question, options and answer_idx were expected"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        if "answer" in item and options.get(key) != item["answer"]:
            detail = f"option {key} is {options.get(key)!r}, the answer {checked.shown(item['answer'])}"
            yield Reject(where=where, reason="answer differs from its option", detail=detail)
            continue
        yield checked.record(
            Question,
            where,
            id=str(index),
            corpus=corpus,
            split=split,
            lang=lang,
            kind="choice",
            question=question,
            options=tuple(Option(key=name, text=text) for name, text in options.items()),
            answers=(key,),
        )


def _options(value: Any) -> dict[str, str] | None:
    """Return the options by key; None if they are anything but texts."""
    if not isinstance(value, dict):
        return None
    options = cast("dict[str, Any]", value)
    return options if all(isinstance(text, str) for text in options.values()) else None
