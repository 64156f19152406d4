"""Passages with questions and answers about each, as in the TCM literature question corpus of Tianchi.

[{"id": 12, "text": "...", "annotations": [{"Q": "...", "A": "..."}]}]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines
from taiyi.schema import Lang, Question, Record, Reject, Split

WITHOUT_QUESTIONS = "passage without a question"


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    text_key: str = "text",
    list_key: str = "annotations",
    question_key: str = "Q",
    answer_key: str = "A",
) -> Iterator[Record | Reject]:
    """Read the questions, each with its passage as context; they are named by passage and position within it."""
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        key, text, asked = checked.name(item, index), item.get(text_key), item.get(list_key)
        if key is None or not isinstance(text, str) or not isinstance(asked, list):
            detail = f"a text under {text_key}, a list under {list_key} and an id, if any, were expected"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        if not asked:
            yield Reject(where=where, reason=WITHOUT_QUESTIONS, detail=f"passage {key}")
        for number, pair in enumerate(cast("list[Any]", asked)):
            found = _texts(pair, question_key, answer_key)
            if found is None:
                detail = f"texts were expected under {question_key} and {answer_key}, not {checked.shown(pair)}"
                yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
                continue
            question, answer = found
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


def _texts(pair: object, question_key: str, answer_key: str) -> tuple[str, str] | None:
    if not isinstance(pair, dict):
        return None
    item = cast("dict[str, Any]", pair)
    question, answer = item.get(question_key), item.get(answer_key)
    return (question, answer) if isinstance(question, str) and isinstance(answer, str) else None


def write(records: Iterable[Record], path: Path) -> None:
    """Write questions with one context and one answer, those of the same context that follow each other as one passage.

    Raises:
        FormatError: a record is no question of kind context, or has several contexts or answers.
    """
    passages: list[dict[str, Any]] = []
    for record in records:
        if not isinstance(record, Question) or record.kind != "context" or len(record.contexts + record.answers) != 2:
            raise FormatError(
                "only questions with one context and one answer can be written",
                where=record.id,
                got=type(record).__name__,
            )
        if not passages or passages[-1]["text"] != record.contexts[0]:
            key, dot, _ = record.id.rpartition(".")
            passages.append({"id": key if dot else record.id, "text": record.contexts[0], "annotations": []})
        passages[-1]["annotations"].append({"Q": record.question, "A": record.answers[0]})
    json_lines.write(passages, path, layout="array")
