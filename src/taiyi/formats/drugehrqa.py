"""DrugEHRQA: questions about a patient's medicines, answered from tables and from notes (Bardhan et al., LREC 2022).

Questions of nine kinds: `queryN.xlsx` has the answers from the notes (`NL_Question`, `Answer_Unstructured`), and
`queryN.csv` those from the tables of MIMIC-III (`NL_Question`, `SQL_Query`, `Answer_Structured`). The notes themselves
are the discharge summaries in `NOTEEVENTS.csv` of MIMIC-III; a question names its patient's admission.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from taiyi.errors import FormatError
from taiyi.formats import checked, rows
from taiyi.schema import Lang, Question, Record, Reject, Split

NO_NOTE = "question without a note"
NO_ANSWER = "question without an answer"
REPEATED = "repeated question"
_ADMISSION = re.compile(r"\b\d{6}\b")
_SUMMARY = "discharge summary"
_QUESTION, _FROM_NOTES, _FROM_TABLES = "NL_Question", "Answer_Unstructured", "Answer_Structured"


def read(
    path: Path, *, corpus: str, split: Split, lang: Lang, tables: str = "../structured_queries", notes: str = ""
) -> Iterator[Record | Reject]:
    """Read the questions of a folder with the discharge summaries of the admission as contexts.

    The answer is that of the notes, and that of the tables where the notes have none. Of a question that a file has
    twice the first is kept.

    Args:
        tables: the folder with the answers from the tables, given relative to that of the answers from the notes.
        notes: `NOTEEVENTS.csv`, given likewise.

    Raises:
        FormatError: a file is not there, or not a table.
    """
    names = sorted(file.stem for file in path.glob("*.xlsx"))
    if not names:
        raise FormatError("the folder has no questions", where=path, expected="query1.xlsx, …")
    questions: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {}
    for name in names:
        asked = questions.setdefault(name, {})
        for file in (path / f"{name}.xlsx", path / tables / f"{name}.csv"):
            yield from _ask(file, asked)
    wanted = {number for asked in questions.values() for text in asked for number in _ADMISSION.findall(text)}
    summaries: dict[str, list[str]] = {}
    yield from _summaries(path / notes, wanted, summaries)
    for name, asked in questions.items():
        for number, (text, (where, row)) in enumerate(asked.items(), start=1):
            contexts = [note for key in _ADMISSION.findall(text) for note in summaries.get(key, ())]
            answer = _answer(row.get(_FROM_NOTES)) or _answer(row.get(_FROM_TABLES))
            if not answer or not contexts:
                yield Reject(where=where, reason=NO_NOTE if answer else NO_ANSWER, detail=checked.shown(text))
                continue
            yield checked.record(
                Question,
                where,
                id=f"{name}-{number}",
                corpus=corpus,
                split=split,
                lang=lang,
                kind="context",
                question=text,
                answers=(answer,),
                contexts=tuple(contexts),
            )


def _ask(path: Path, asked: dict[str, tuple[str, dict[str, Any]]]) -> Iterator[Reject]:
    """Take the questions of a file, each with where it stands first and all that the files say of it."""
    if not path.is_file():
        raise FormatError("the questions are missing", where=path)
    seen: set[str] = set()
    for where, row in rows.items(path):
        question = None if isinstance(row, Reject) else row.get(_QUESTION)
        if isinstance(row, Reject):
            yield row
        elif not isinstance(question, str) or not question.strip():
            yield Reject(where=where, reason=checked.MALFORMED, detail=f"no text under {_QUESTION}")
        elif question in seen:
            yield Reject(where=where, reason=REPEATED, detail=f"{checked.shown(question)}: the first is kept")
        else:
            seen.add(question)
            first, known = asked.get(question, (where, {}))
            asked[question] = first, {**row, **known}


def _answer(value: object) -> str:
    """Return an answer without the brackets around it."""
    text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    return text[1:-1].strip() if text.startswith("(") and text.endswith(")") and not text.endswith("(S)") else text


def _summaries(path: Path, wanted: set[str], found: dict[str, list[str]]) -> Iterator[Reject]:
    """Take the discharge summaries of the admissions that are asked about."""
    if not path.is_file():
        raise FormatError("the notes are missing", where=path, mend="put NOTEEVENTS.csv of MIMIC-III there")
    for _, row in rows.items(path):
        if isinstance(row, Reject):
            yield row
            continue
        key = str(row.get("HADM_ID") or "").removesuffix(".0")
        text = row.get("TEXT")
        summary = str(row.get("CATEGORY") or "").strip().lower() == _SUMMARY
        if summary and key in wanted and isinstance(text, str) and text.strip():
            found.setdefault(key, []).append(text)
