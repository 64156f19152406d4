"""Questions of health sites with candidate answers, as in webMedQA (He et al. 2019): lines of five cells between tabs.

The cells are department, label (1 for the adopted answer), id of the question, question, answer. The lines of a
question need not stand together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from taiyi.formats import checked, tables
from taiyi.schema import Lang, Question, Record, Reject, Split

WITHOUT_ANSWER = "question without a right answer"
_COLUMNS = ("department", "label", "id", "question", "answer")


@dataclass(slots=True)
class _Asked:
    where: str
    text: str
    answers: list[str] = field(default_factory=list[str])


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read questions with their adopted answers, named by their ids; the others, drawn at random, are not read."""
    asked: dict[str, _Asked] = {}
    for where, row in tables.items(path, columns=_COLUMNS, delimiter="\t", quoted=False):
        if isinstance(row, Reject):
            yield row
            continue
        key, label = row["id"].strip(), row["label"].strip()
        if not key or label not in ("0", "1"):
            detail = f"a label 0 or 1 and an id were expected, not {checked.shown([label, key])}"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        question = asked.setdefault(key, _Asked(where=where, text=row["question"]))
        if label == "1" and row["answer"] not in question.answers:
            question.answers.append(row["answer"])
    for key, question in asked.items():
        if not question.answers:
            yield Reject(where=question.where, reason=WITHOUT_ANSWER, detail=f"question {key}")
            continue
        yield checked.record(
            Question,
            question.where,
            id=key,
            corpus=corpus,
            split=split,
            lang=lang,
            kind="simple",
            question=question.text,
            answers=tuple(question.answers),
        )
