"""MedDialog's text files, English or Chinese: consultations with an id, an address and sections (Zeng et al., 2020).

    id=0
    https://…
    Description
    What the patient asks, in short.

    Dialogue
    Patient:
    …
    Doctor:
    …

    Diagnosis and suggestions
    …

Ids begin anew in each file. In the Chinese files, where alone there is a section behind the dialogue, the speakers are
病人： and 医生：. Only dialogues are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from taiyi.errors import FormatError
from taiyi.formats import checked, lines, utterances
from taiyi.schema import Lang, Record, Reject, Split

WITHOUT_DIALOGUE = "consultation without a dialogue"
UNSPOKEN = "text before the first speaker"
_ID = re.compile(r"id=\s*(\d{1,18})\s*")
_DIALOGUE, _BEHIND = "Dialogue", "Diagnosis and suggestions"
_SPEAKERS: Mapping[str, utterances.Role] = {
    "Patient:": "user", "Doctor:": "assistant", "病人：": "user", "医生：": "assistant",
}  # fmt: skip


@dataclass(slots=True)
class _Consultation:
    """What was read of one consultation: who speaks, and the lines; `unspoken` are those before the first speaker."""

    id: str
    where: str
    within: bool = False
    unspoken: list[str] = field(default_factory=list[str])
    said: list[tuple[utterances.Role, list[str]]] = field(default_factory=list[tuple[utterances.Role, list[str]]])

    def add(self, line: str) -> None:
        words = line.strip()
        if words == _DIALOGUE and not self.within:
            self.within = True
        elif words == _BEHIND:
            self.within = False
        elif not self.within:
            return
        elif role := _SPEAKERS.get(words):
            self.said.append((role, []))
        elif self.said:
            self.said[-1][1].append(line)
        elif words:
            self.unspoken.append(words)


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read dialogues as `utterances.records` makes them; ids are the name of the file and the number in it.

    Raises:
        FormatError: the file does not begin with an `id=` line.
    """
    consultation: _Consultation | None = None
    for number, line in lines.numbered(path):
        if begins := _ID.fullmatch(line):
            if consultation:
                yield from _records(consultation, corpus, split, lang)
            consultation = _Consultation(id=f"{path.stem}-{begins[1]}", where=f"{path.name}:{number}")
        elif consultation:
            consultation.add(line)
        elif line.strip():
            raise FormatError(
                "not a file of consultations", where=f"{path}:{number}", got=repr(line[:40]), expected="id=0"
            )
    if consultation is None:
        raise FormatError("the file is empty", where=path, expected="consultations that begin with id=")
    yield from _records(consultation, corpus, split, lang)


def _records(consultation: _Consultation, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    id, where = consultation.id, consultation.where
    if consultation.unspoken:
        yield Reject(where=where, reason=UNSPOKEN, detail=checked.shown(consultation.unspoken))
    if not consultation.said:
        yield Reject(where=where, reason=WITHOUT_DIALOGUE, detail=f"consultation {id}")
        return
    said: list[tuple[utterances.Role, str]] = [(role, "\n".join(spoken)) for role, spoken in consultation.said]
    yield from utterances.records(said, where, id=id, corpus=corpus, split=split, lang=lang)
