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

from taiyi.formats import checked, json_lines, json_stream
from taiyi.schema import Dialogue, Lang, Question, Record, Reject, Split, Turn

Role = Literal["user", "assistant"]
OPENING = "opening of the assistant"
UNANSWERED = "dialogue without an answer"
_PATIENT_DOCTOR: Mapping[str, Role] = MappingProxyType({"病人：": "user", "医生：": "assistant"})
_INLINE: Mapping[str, Role] = MappingProxyType({"<user>:": "user", "<bot>:": "assistant"})
_INLINE_MARK = re.compile("|".join(map(re.escape, _INLINE)))


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
    items = json_lines.items(path) if key else json_stream.elements(path)
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
    questions: bool = False,
) -> Iterator[Record | Reject]:
    """Read `{"instruction", "output"}`: utterances with marks in one text, and the reply to the last of them.

    Args:
        questions: make a dialogue of one question and one answer a `Question`.
    """
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        text, answer = item.get("instruction"), item.get("output")
        found = list(_INLINE_MARK.finditer(text)) if isinstance(text, str) else []
        if not isinstance(text, str) or not isinstance(answer, str) or not found or text[: found[0].start()].strip():
            detail = f"output and instruction, a text that begins with {' or '.join(_INLINE)}, were expected"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        ends = [*(match.start() for match in found[1:]), len(text)]
        said: list[tuple[Role, str]] = [
            (_INLINE[match[0]], text[match.end() : end]) for match, end in zip(found, ends, strict=True)
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
