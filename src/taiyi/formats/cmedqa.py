"""Community questions with candidate answers, as in cMedQA (Zhang et al. 2018): three tables joined by ids.

`question.csv` (`question_id,content`), `answer.csv` (`ans_id,question_id,content`), and the candidates of a split:
`question_id,pos_ans_id,neg_ans_id` (train) or `question_id,ans_id,cnt,label` (dev, test).
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

from taiyi.errors import FormatError
from taiyi.formats import checked, tables
from taiyi.schema import Lang, Question, Record, Reject, Split

WITHOUT_ANSWER = "question without a right answer"
UNKNOWN = "unknown question or answer"


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read the questions of a file of candidates with their right answers, named by their ids.

    Wrong candidates are drawn at random for a ranker and are not read. All right answers of a question are given, in
    the order of the candidates.

    Raises:
        FormatError: a table is missing, or lacks a column.
    """
    faults: list[Reject] = []
    right = _right(path, faults)
    texts = _contents(path, "question.csv", "question_id", right, faults)
    wanted = {answer for _, answers in right.values() for answer in answers}
    answer_texts = _contents(path, "answer.csv", "ans_id", wanted, faults)
    yield from faults
    for question, (where, given) in right.items():
        found = [answer_texts[answer] for answer in given if answer in answer_texts]
        if not given:
            yield Reject(where=where, reason=WITHOUT_ANSWER, detail=f"question {question}")
            continue
        if question not in texts or len(found) < len(given):
            missing = [question] if question not in texts else [a for a in given if a not in answer_texts]
            yield Reject(where=where, reason=UNKNOWN, detail=f"no text of {checked.shown(missing)}")
        if question not in texts or not found:
            continue
        yield checked.record(
            Question,
            where,
            id=question,
            corpus=corpus,
            split=split,
            lang=lang,
            kind="simple",
            question=texts[question],
            answers=tuple(found),
        )


def _right(path: Path, faults: list[Reject]) -> dict[str, tuple[str, dict[str, None]]]:
    """Return where each question stands first, and the ids of its right answers."""
    right: dict[str, tuple[str, dict[str, None]]] = {}
    for where, row in _rows(path, ("question_id",), faults):
        question = row["question_id"].strip()
        answer = row.get("pos_ans_id", row.get("ans_id", "")).strip()
        label = "1" if "pos_ans_id" in row else row.get("label", "").strip()
        if not question or not answer or label not in ("0", "1"):
            detail = "ids of a question and an answer were expected, and a label 0 or 1"
            faults.append(Reject(where=where, reason=checked.MALFORMED, detail=detail))
            continue
        _, answers = right.setdefault(question, (where, {}))
        if label == "1":
            answers[answer] = None
    return right


def _contents(path: Path, name: str, key: str, wanted: Container[str], faults: list[Reject]) -> dict[str, str]:
    file = path.parent / name
    if not file.is_file():
        raise FormatError("a table that the candidates refer to is missing", where=file)
    return {
        row[key].strip(): row["content"]
        for _, row in _rows(file, (key, "content"), faults)
        if row[key].strip() in wanted and row["content"].strip()
    }


def _rows(path: Path, columns: tuple[str, ...], faults: list[Reject]) -> Iterator[tuple[str, dict[str, Any]]]:
    for where, row in tables.items(path):
        if isinstance(row, Reject):
            faults.append(row)
            continue
        if any(not isinstance(row.get(column), str) for column in columns):
            raise FormatError(
                "the table lacks a column", where=path, got=checked.shown(list(row)), expected=str(columns)
            )
        yield where, row
