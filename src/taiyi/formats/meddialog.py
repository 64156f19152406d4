"""MedDialog's text files: consultations with a number, an address, a description and a dialogue (Zeng et al., 2020).

id=0
https://…
Description
What the patient asks, in a line or two.

Dialogue
Patient:
…

Doctor:
…
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from taiyi.errors import FormatError
from taiyi.formats import checked, lines
from taiyi.schema import Dialogue, Lang, Record, Reject, Split, Turn

_ID = re.compile(r"id=\s*(\d+)\s*")
_DIALOGUE = "Dialogue"
_SPEAKERS: dict[str, Literal["user", "assistant"]] = {"Patient:": "user", "Doctor:": "assistant"}


@dataclass(slots=True)
class _Consultation:
    """What was read of one consultation; `said` is who speaks, and the lines."""

    id: str
    number: int
    started: bool = False
    said: list[tuple[Literal["user", "assistant"], list[str]]] = field(
        default_factory=list[tuple[Literal["user", "assistant"], list[str]]]
    )


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read consultations; ids are the name of the file and the number in it.

    Address and description, which says again what the patient says, are left out. Where one speaks twice in turn, what
    is said is put together.

    Raises:
        FormatError: the file does not begin with an `id=` line.
    """
    current: _Consultation | None = None
    for number, line in lines.numbered(path):
        if begins := _ID.fullmatch(line):
            if current is not None:
                yield _dialogue(current, path, corpus, split, lang)
            current = _Consultation(id=begins[1], number=number)
        elif current is None:
            if line.strip():
                raise FormatError("not a file of consultations", where=f"{path}:{number}", expected="id=0")
        elif not current.started:
            current.started = line.strip() == _DIALOGUE
        elif role := _SPEAKERS.get(line.strip()):
            if not current.said or current.said[-1][0] != role:
                current.said.append((role, []))
        elif current.said:
            current.said[-1][1].append(line)
        elif line.strip():
            current.said.append(("user", [line]))
    if current is None:
        raise FormatError("the file is empty", where=path, expected="consultations that begin with id=")
    yield _dialogue(current, path, corpus, split, lang)


def _dialogue(read: _Consultation, path: Path, corpus: str, split: Split, lang: Lang) -> Record | Reject:
    turns = [Turn(role=role, text="\n".join(said).strip()) for role, said in read.said]
    where = f"{path.name}:{read.number}"
    if len(turns) < 2:
        return Reject(where=where, reason="no dialogue", detail=f"consultation {read.id} has {len(turns)} turns")
    return checked.record(
        Dialogue,
        where,
        id=f"{path.stem}-{read.id}",
        corpus=corpus,
        split=split,
        lang=lang,
        turns=tuple(turns),
    )
