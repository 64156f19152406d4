"""Consultations of haodf.com as plain text, MedDialog's raw Chinese files (Chen et al. 2020).

    id=1
    https://www.haodf.com/...
    Doctor faculty
    ...

    Description
    疾病：
    ...
    病情描述：
    ...

    Dialogue
    病人：
    ...
    医生：
    ...

    Diagnosis and suggestions
    ...

Ids begin anew in each file. Only dialogues are read: the other sections say again what they hold, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from taiyi.errors import FormatError
from taiyi.formats import lines, utterances
from taiyi.schema import Lang, Record, Reject, Split

WITHOUT_DIALOGUE = "consultation without a dialogue"
_ID = re.compile(r"id=(\d{1,18})\s*")
_ROLES: dict[str, utterances.Role] = {"病人：": "user", "医生：": "assistant"}


@dataclass(slots=True)
class _Consultation:
    id: str
    where: str
    said: list[tuple[utterances.Role, str]] = field(default_factory=list[tuple[utterances.Role, str]])


def read(
    path: Path, *, corpus: str, split: Split, lang: Lang, encodings: tuple[str, ...] = ("utf-8",)
) -> Iterator[Record | Reject]:
    """Read the dialogues of a file of consultations; each is named by the file and its id there.

    Raises:
        FormatError: no line of the file is an id.
    """
    consultation: _Consultation | None = None
    within = False
    for number, line in lines.numbered(path, encodings=encodings):
        if found := _ID.fullmatch(line):
            if consultation:
                yield from _records(consultation, corpus, split, lang)
            consultation = _Consultation(id=f"{path.stem}-{found[1]}", where=f"{path.name}:{number}")
            within = False
        elif consultation is None:
            if line.strip():
                raise FormatError(
                    "not a file of consultations", where=f"{path}:{number}", got=repr(line[:40]), expected="id=1"
                )
        elif line.strip() == "Dialogue":
            within = True
        elif line.strip() == "Diagnosis and suggestions":
            within = False
        elif within and (role := _ROLES.get(line.strip())):
            consultation.said.append((role, ""))
        elif within and line.strip() and consultation.said:
            role, before = consultation.said[-1]
            consultation.said[-1] = (role, f"{before}\n{line}")
    if consultation is None:
        raise FormatError("the file is empty", where=path, expected="consultations that begin with id=1")
    yield from _records(consultation, corpus, split, lang)


def _records(consultation: _Consultation, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    if not consultation.said:
        yield Reject(where=consultation.where, reason=WITHOUT_DIALOGUE, detail=f"consultation {consultation.id}")
        return
    yield from utterances.records(
        consultation.said, consultation.where, id=consultation.id, corpus=corpus, split=split, lang=lang
    )
