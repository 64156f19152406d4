"""Dialogues of MedDG (Liu et al. 2022) in CBLUE's JSON: an array of dialogues, each an array of utterances.

    {"id": "Patients", "Sentence": "...", "Symptom": ["..."], "Medicine": [], "Test": [], "Attribute": [], ...}

Where a split asks for the doctor's next words, a dialogue is instead

    {"history": ["患者：...", "医生：..."], "response": "..."}

The authors' own release is a Python pickle. It is refused, for a pickle can run any code when it is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from taiyi.errors import FormatError
from taiyi.formats import checked, json_stream, utterances
from taiyi.schema import Lang, Record, Reject, Split

_SPEAKERS: dict[str, utterances.Role] = {
    "patients": "user", "patient": "user", "患者": "user",
    "doctor": "assistant", "doctors": "assistant", "医生": "assistant",
}  # fmt: skip
_PICKLE = b"\x80"


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read dialogues, named by their position from 0; the entities of each utterance are not part of them.

    Raises:
        FormatError: the file is a pickle, or not one JSON array.
    """
    with path.open("rb") as file:
        if file.read(1) == _PICKLE:
            raise FormatError(
                "the file is a Python pickle, which could run any code when opened",
                where=path,
                expected="JSON",
                mend="get the JSON release of CBLUE",
            )
    for index, (where, item) in enumerate(json_stream.elements(path)):
        if isinstance(item, Reject):
            yield item
            continue
        said = _said(item)
        if said is None:
            detail = "utterances with an id of who speaks and a Sentence, or a history and a response, were expected"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        yield from utterances.records(said, where, id=str(index), corpus=corpus, split=split, lang=lang)


def _said(item: Any) -> list[tuple[utterances.Role, str]] | None:
    match item:
        case list():
            return _utterances(cast("list[Any]", item))
        case {"history": list(), "response": str() as response}:
            said = [_prefixed(text) for text in cast("list[Any]", item["history"])]
            before = [each for each in said if each is not None]
            return [*before, ("assistant", _without_mark(response))] if len(before) == len(said) else None
        case _:
            return None


def _utterances(items: list[Any]) -> list[tuple[utterances.Role, str]] | None:
    said: list[tuple[utterances.Role, str]] = []
    for item in items:
        match item:
            case {"id": str() as speaker, "Sentence": str() as text} if speaker.lower() in _SPEAKERS:
                said.append((_SPEAKERS[speaker.lower()], text))
            case _:
                return None
    return said


def _prefixed(text: Any) -> tuple[utterances.Role, str] | None:
    """Return who says a text such as `患者：...`, and what."""
    speaker, mark, words = text.partition("：") if isinstance(text, str) else ("", "", "")
    return (_SPEAKERS[speaker], words) if mark and speaker in _SPEAKERS else None


def _without_mark(text: str) -> str:
    found = _prefixed(text)
    return found[1] if found else text
