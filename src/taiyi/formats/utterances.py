"""Dialogues as utterances that begin with a mark of who speaks, such as `病人：`, in lists or within one text.

A `Dialogue` wants user and assistant in turn, so what one of them says in several utterances is joined, a line each,
and what the assistant says before the user has spoken is rejected on its own: nobody asked for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines, nested_json
from taiyi.schema import Dialogue, Lang, Question, Record, Reject, Split, Turn

Role = Literal["user", "assistant"]
OPENING = "opening of the assistant"
UNANSWERED = "dialogue without an answer"
_PATIENT_DOCTOR: Mapping[str, Role] = MappingProxyType({"病人：": "user", "医生：": "assistant"})
_INLINE: Mapping[str, Role] = MappingProxyType({"<user>:": "user", "<bot>:": "assistant"})


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    key: str = "",
    marks: Mapping[str, Role] = _PATIENT_DOCTOR,
    questions: bool = False,
) -> Iterator[Record | Reject]:
    """Read lists of utterances; dialogues are named by their position from 0.

    Args:
        key: key of the list in each JSON object; without it the file is an array of such lists.
        marks: what the utterances of a role begin with; it is not part of them.
        questions: make a dialogue of one question and one answer a `Question`.
    """
    items = json_lines.items(path) if key else nested_json.elements(path)
    for index, (where, item) in enumerate(items):
        if isinstance(item, Reject):
            yield item
            continue
        said = _marked(item.get(key) if key else item, marks)
        if said is None:
            detail = f"a list of texts that begin with {' or '.join(marks)} was expected"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        yield from records(said, where, id=str(index), corpus=corpus, split=split, lang=lang, questions=questions)


def read_inline(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    text_key: str = "instruction",
    answer_key: str = "output",
    marks: Mapping[str, Role] = _INLINE,
    questions: bool = False,
) -> Iterator[Record | Reject]:
    """Read texts in which utterances with marks follow each other, each with the reply to the last of them.

    Args:
        text_key: key of the text; it begins with a mark.
        answer_key: key of the assistant's last reply.
        marks: what stands before the utterances of a role.
        questions: make a dialogue of one question and one answer a `Question`.
    """
    pattern = re.compile("|".join(f"({re.escape(mark)})" for mark in marks))
    roles = list(marks.values())
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        text, answer = item.get(text_key), item.get(answer_key)
        found = list(pattern.finditer(text)) if isinstance(text, str) else []
        if not isinstance(text, str) or not isinstance(answer, str) or not found or text[: found[0].start()].strip():
            detail = f"{answer_key} and {text_key}, a text that begins with {' or '.join(marks)}, were expected"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        ends = [*(match.start() for match in found[1:]), len(text)]
        said: list[tuple[Role, str]] = [
            (roles[cast("int", match.lastindex) - 1], text[match.end() : end])
            for match, end in zip(found, ends, strict=True)
        ]
        said.append(("assistant", answer))
        yield from records(said, where, id=str(index), corpus=corpus, split=split, lang=lang, questions=questions)


def _marked(value: Any, marks: Mapping[str, Role]) -> list[tuple[Role, str]] | None:
    if not isinstance(value, list):
        return None
    said: list[tuple[Role, str]] = []
    for text in cast("list[Any]", value):
        mark = next((mark for mark in marks if text.startswith(mark)), None) if isinstance(text, str) else None
        if mark is None:
            return None
        said.append((marks[mark], text.removeprefix(mark)))
    return said


def records(
    said: Iterable[tuple[Role, str]],
    where: str,
    *,
    id: str,
    corpus: str,
    split: Split,
    lang: Lang,
    questions: bool = False,
    document_ids: tuple[str, ...] = (),
) -> Iterator[Record | Reject]:
    """Yield what was said as one record, and a Reject of what the assistant said before the user spoke.

    White space around utterances is not kept, nor are utterances without text. With `questions` a dialogue of one
    question and one answer is a `Question` of kind simple.
    """
    turns, opening = _turns(said)
    if opening:
        yield Reject(where=where, reason=OPENING, detail=checked.shown(opening))
    if len(turns) < 2:
        yield Reject(where=where, reason=UNANSWERED, detail=checked.shown(turns[0].text if turns else ""))
        return
    common: dict[str, Any] = {
        "id": id, "corpus": corpus, "split": split, "lang": lang, "document_ids": document_ids,
    }  # fmt: skip
    if questions and len(turns) == 2:
        asked, answered = turns
        yield checked.record(Question, where, **common, kind="simple", question=asked.text, answers=(answered.text,))
        return
    yield checked.record(Dialogue, where, **common, turns=turns)


def _turns(said: Iterable[tuple[Role, str]]) -> tuple[tuple[Turn, ...], str]:
    """Return turns in which user and assistant alternate, and what the assistant said before the first of them."""
    joined: list[tuple[Role, list[str]]] = []
    for role, given in said:
        text = given.strip()
        if not text:
            continue
        if joined and joined[-1][0] == role:
            joined[-1][1].append(text)
        else:
            joined.append((role, [text]))
    opening = "\n".join(joined.pop(0)[1]) if joined and joined[0][0] == "assistant" else ""
    return tuple(Turn(role=role, text="\n".join(texts)) for role, texts in joined), opening


def write(records: Iterable[Record], path: Path, *, marks: Mapping[str, Role] = _PATIENT_DOCTOR) -> None:
    """Write dialogues as one JSON array of lists of utterances with marks, each the first of its role.

    Raises:
        FormatError: a record is no dialogue, or has a turn of the system.
    """
    mark_of: dict[str, str] = {}
    for mark, role in marks.items():
        mark_of.setdefault(role, mark)
    json_lines.write((_list_of(record, mark_of) for record in records), path, layout="array")


def _list_of(record: Record, mark_of: Mapping[str, str]) -> list[str]:
    if not isinstance(record, Dialogue) or record.turns[0].role == "system":
        raise FormatError(
            "only dialogues of user and assistant can be written", where=record.id, got=type(record).__name__
        )
    return [f"{mark_of[turn.role]}{turn.text}" for turn in record.turns]
