"""MEDIQA 2019's XML, task 3: questions with answers that a system found and people judged (Ben Abacha et al., 2019)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from taiyi.formats import checked, xml
from taiyi.schema import Lang, Question, Record, Reject, Split

# 4 is excellent, 3 right but incomplete, 2 related, 1 wrong: the task counts the first two as right.
_LEAST_RIGHT = 3

NOT_ANSWERED = "no answer is judged right"


def read(path: Path, *, corpus: str, split: Split, lang: Lang, id_prefix: str = "") -> Iterator[Record | Reject]:
    """Read questions with the answers found as contexts, in the system's order, and those judged right, the best first.

    Args:
        id_prefix: what is put before every id: the numbers of the questions are those of their file.
    """
    for element in xml.elements(path, ("Question",)):
        where = f"{path.name}:{element.sourceline}"
        key, question = element.get("QID"), _text(element, "QuestionText")
        found = [_answer(answer) for answer in element.iter("Answer")]
        answers = [answer for answer in found if answer is not None]
        if not key or not question or len(answers) != len(found):
            detail = "QID and QuestionText were expected, and answers with their ranks, score and text"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        right = sorted((rank, text) for _, rank, score, text in answers if score >= _LEAST_RIGHT)
        if not right:
            yield Reject(where=where, reason=NOT_ANSWERED, detail=f"question {key}, {len(answers)} answers")
            continue
        yield checked.record(
            Question,
            where,
            id=f"{id_prefix}{key}",
            corpus=corpus,
            split=split,
            lang=lang,
            kind="context",
            question=question,
            contexts=tuple(text for _, text in sorted((rank, text) for rank, _, _, text in answers)),
            answers=tuple(text for _, text in right),
        )


def _answer(element: Any) -> tuple[int, int, int, str] | None:
    """Return the system's rank of an answer, its right rank, its score and its text."""
    numbers = [checked.number(element.get(name, "")) for name in ("SystemRank", "ReferenceRank", "ReferenceScore")]
    text = _text(element, "AnswerText")
    match numbers:
        case [int() as given, int() as rank, int() as score] if text:
            return given, rank, score, text
        case _:
            return None


def _text(element: Any, tag: str) -> str:
    found = element.find(tag)
    return "".join(found.itertext()).strip() if found is not None else ""
