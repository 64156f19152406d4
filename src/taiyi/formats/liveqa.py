"""TREC 2017 LiveQA's XML, medical task: consumers' questions with reference answers (Ben Abacha et al., TREC 2017).

In the training files the answers stand by sub-question (`SUB-QUESTION/ANSWERS/ANSWER`), in the test file by reference
(`ReferenceAnswers/RefAnswer/ANSWER`), and the question in `Original-Question`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from taiyi.formats import checked, xml
from taiyi.schema import Lang, Question, Record, Reject, Split

_ROOTS = ("NLM-QUESTIONS", "LiveQA2017-Medical-Test-Set-Full")
_FILE_NAMES = ("fRef", "qfile", "qFile")
# Long texts of the test file are broken into lines that are indented as elements are.
_LINE_BREAK = re.compile(r"[ \t]*\r?\n\s*")

WITHOUT_ANSWER = "no answer"


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read questions, each with the answers to all of its sub-questions, in the order of the file.

    Subject and message make up the question, a line each. Paraphrases, summaries, foci and types are left out. The
    number of the request at the NLM is the id of the document (`nlm:…`).
    """
    for element in xml.elements(path, ("NLM-QUESTION",), root=_ROOTS):
        where = f"{path.name}:{element.sourceline}"
        key = element.get("questionid") or element.get("qid")
        question = "\n".join(text for tag in ("SUBJECT", "MESSAGE") if (text := _text(element, tag)))
        answers = tuple(text for answer in element.iter("ANSWER") if (text := _said(answer)))
        if not key or not question:
            detail = "questionid or qid was expected, and SUBJECT or MESSAGE"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        if not answers:
            yield Reject(where=where, reason=WITHOUT_ANSWER, detail=f"question {key}")
            continue
        yield checked.record(
            Question,
            where,
            id=key,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=tuple(f"nlm:{name}" for name in _requests(element)),
            kind="simple",
            question=question,
            answers=answers,
        )


def _requests(element: Any) -> list[str]:
    names = [part.get(key) for part in element.iter("NLM-QUESTION", "Original-Question") for key in _FILE_NAMES]
    return [name.split(".")[0] for name in names if name and name.split(".")[0]]


def _text(element: Any, tag: str) -> str:
    found = next(element.iter(tag), None)
    return _said(found) if found is not None else ""


def _said(element: Any) -> str:
    return _LINE_BREAK.sub(" ", "".join(element.itertext())).strip()
