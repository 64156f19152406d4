"""emrQA: questions about clinical notes with answers and the lines that support them (Pampari et al., EMNLP 2018).

`{"data": [{"title": …, "paragraphs": [{"note_id": …, "context": …, "qas": [{"question": […], "answers": […]}]}]}]}`,
where `question` has several wordings of one question, and an answer its `text` (one, or a list of which all parts are
needed) and its `evidence` (a line, or a list of them).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, cast

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines
from taiyi.schema import Lang, Question, Record, Reject, Split

NO_ANSWER = "question without an answer"
_MALFORMED = "malformed question"
_TOGETHER = ", "


def read(
    path: Path, *, corpus: str, split: Split, lang: Lang, wordings: Literal["first", "all"] = "first"
) -> Iterator[Record | Reject]:
    """Read questions with the whole note as context.

    Where an answer has no text of its own the lines that support it are the answer; else they are the longer answer.
    Where these stand in the note, and the types of answers, are not kept.

    Args:
        wordings: whether a question comes once, in its first wording, or once in each.

    Raises:
        FormatError: the file is not JSON with questions under `data`.
    """
    groups = json_lines.members(path).get("data")
    if isinstance(groups, Reject):
        yield groups
        return
    if not isinstance(groups, list):
        raise FormatError("the file has no questions under data", where=path, got=type(groups).__name__)
    rejects: list[Reject] = []
    for index, group in enumerate(_mappings(cast("object", groups), f"{path.name}:data", rejects)):
        notes = _mappings(group.get("paragraphs"), f"{path.name}:data[{index}]", rejects)
        for position, note in enumerate(notes):
            where = f"{path.name}:data[{index}]/{position}"
            context = _note(note.get("context"))
            name = f"{group.get('title') or index}-{_name(note.get('note_id'), position)}"
            if context is None:
                yield Reject(where=where, reason=_MALFORMED, detail="a note without a text")
                continue
            for number, qa in enumerate(_mappings(note.get("qas"), where, rejects)):
                head = {"corpus": corpus, "split": split, "lang": lang, "contexts": (context,)}
                yield from _questions(f"{where}/{number}", f"{name}-{number}", qa, head, wordings)
    yield from rejects


def _questions(
    where: str, id: str, qa: dict[str, Any], head: dict[str, Any], wordings: Literal["first", "all"]
) -> Iterator[Record | Reject]:
    asked = list(dict.fromkeys(_texts(qa.get("question"))))
    malformed: list[Reject] = []
    given = [_answer(answer) for answer in _mappings(qa.get("answers"), where, malformed)]
    yield from malformed
    answers = tuple(dict.fromkeys(answer for answer, _ in given if answer.strip()))
    if not asked:
        yield Reject(where=where, reason=_MALFORMED, detail="no question")
        return
    if not answers:
        yield Reject(where=where, reason=NO_ANSWER, detail=checked.shown(asked[0]))
        return
    evidence = dict.fromkeys(line for answer, line in given if line.strip() and line != answer)
    for number, question in enumerate(asked if wordings == "all" else asked[:1]):
        yield checked.record(
            Question,
            where,
            id=id if wordings == "first" else f"{id}-{number}",
            kind="context",
            question=question,
            answers=answers,
            long_answer="\n".join(evidence),
            **head,
        )


def _answer(answer: dict[str, Any]) -> tuple[str, str]:
    """Return an answer and the lines that support it."""
    evidence = "\n".join(dict.fromkeys(line.strip() for line in _texts(answer.get("evidence"))))
    return _TOGETHER.join(_texts(answer.get("text"))) or evidence, evidence


def _mappings(value: object, where: str, rejects: list[Reject]) -> Sequence[dict[str, Any]]:
    """Return the mappings of a list; what else it holds, or is, is rejected."""
    items = cast("list[object]", value) if isinstance(value, list) else [] if value is None else [value]
    rejects += [
        Reject(where=where, reason=checked.MALFORMED, detail=f"no mapping: {checked.shown(item)}")
        for item in items
        if not isinstance(item, dict)
    ]
    return [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]


def _texts(value: object) -> list[str]:
    """Return a text, or the texts of a list, that are not empty."""
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str) and item.strip()]


def _note(value: object) -> str | None:
    """Return the text of a note, which may be a list of its lines, with or without their ends."""
    if isinstance(value, str):
        return value
    lines = cast("list[object]", value) if isinstance(value, list) else []
    if not lines or not all(isinstance(line, str) for line in lines):
        return None
    texts = cast("list[str]", lines)
    return ("" if all(line.endswith("\n") for line in texts[:-1]) else "\n").join(texts)


def _name(value: object, position: int) -> str:
    return str(value) if isinstance(value, str | int) and value != "" else str(position)
