"""Medications with their details, of the i2b2 challenge of 2009 (Uzuner et al., JAMIA 2010).

A file has an entry a line, of fields between `||`: the medication `m`, its dosage `do`, mode `mo`, frequency `f`,
duration `du` and reason `r`, each with the positions of its tokens (see `i2b2_tokens`) or `nm` where it is not
mentioned; then event `e`, time `t`, certainty `c`, and whether it stands in a list or in narrative text (`ln`):

    m="aspirin" 12:3 12:3||do="81 mg" 12:4 12:5||mo="nm"||f="daily...as needed" 12:6 12:6,13:0 13:1||...||ln="list"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from taiyi.formats import checked, i2b2_tokens, lines
from taiyi.formats.i2b2_tokens import Tokens
from taiyi.schema import Argument, Document, Entity, Event, Lang, Record, Reject, Span, Split

_BETWEEN = re.compile(r"\|\|+")
_FIELD = re.compile(r'(?P<name>[a-z]+)="(?P<text>.*)"(?P<positions>[\d:, ]*)')
_NOT_MENTIONED = "nm"
_MEDICATION = "m"
_DETAILS = ("do", "mo", "f", "du", "r")
_ATTRIBUTES = ("e", "t", "c", "ln")
_PARTS = "..."
ENTRY = "medication"
NO_TEXT = "annotations without a text"
_REPEATED = "repeated line"


@dataclass(slots=True)
class _Found:
    """What has been read of a record; mentions by their type and where they stand."""

    tokens: Tokens
    mentions: dict[tuple[str, tuple[Span, ...]], str] = field(default_factory=dict[tuple[str, tuple[Span, ...]], str])
    entries: list[Event] = field(default_factory=list[Event])
    rejects: list[Reject] = field(default_factory=list[Reject])
    seen: set[str] = field(default_factory=set[str])

    def reject(self, where: str, reason: str, detail: str) -> None:
        self.rejects.append(Reject(where=where, reason=reason, detail=detail))


def read(
    path: Path, *, corpus: str, split: Split, lang: Lang, texts: str = "../train.test.released.8.17.09"
) -> Iterator[Record | Reject]:
    """Read the entries of one record, whose name is that of the file up to the first `_` or `.`.

    Each field with a position is a mention of the field's type, once however many entries name it; each entry is an
    event with the medication as trigger.

    Args:
        texts: the folder of the texts, which have no suffix, given relative to that of the entries.
    """
    name = re.split(r"[_.]", path.name, maxsplit=1)[0]
    source = path.parent / texts / name
    if not name or not source.is_file():
        yield Reject(where=path.name, reason=NO_TEXT, detail=f"{name} is not there")
        return
    text = lines.whole(source)
    found = _Found(Tokens(text))
    for number, line in lines.numbered(path):
        if line.strip():
            _entry(f"{path.name}:{number}", line.strip(), found)
    yield from found.rejects
    yield checked.record(
        Document,
        path.name,
        id=name,
        corpus=corpus,
        split=split,
        lang=lang,
        text=text,
        entities=tuple(
            Entity(id=id, type=type, text=_text(text, spans), spans=spans)
            for (type, spans), id in found.mentions.items()
        ),
        events=tuple(found.entries),
    )


def _text(text: str, spans: tuple[Span, ...]) -> str:
    return " ".join(text[start:end] for start, end in spans)


def _entry(where: str, line: str, found: _Found) -> None:
    if line in found.seen:
        found.reject(where, _REPEATED, repr(line[:80]))
        return
    found.seen.add(line)
    matches = [_FIELD.fullmatch(part.strip()) for part in _BETWEEN.split(line) if part.strip()]
    fields = {match["name"]: match for match in matches if match}
    if (
        len(fields) != len(matches)
        or _MEDICATION not in fields
        or fields.keys() - {_MEDICATION, *_DETAILS, *_ATTRIBUTES}
    ):
        found.reject(where, checked.MALFORMED, repr(line[:80]))
        return
    medication = _mention(where, fields[_MEDICATION], found)
    if medication is None:
        return
    details = {name: _mention(where, fields[name], found) for name in _DETAILS if name in fields}
    trigger = medication[1]
    found.entries.append(
        Event(
            id=f"E{len(found.entries) + 1}",
            type=ENTRY,
            trigger=_text(found.tokens.text, trigger),
            trigger_spans=trigger,
            arguments=tuple(
                Argument(role=name, kind="entity", ref=detail[0])
                for name, detail in ((_MEDICATION, medication), *details.items())
                if detail
            ),
            attributes={name: fields[name]["text"] for name in _ATTRIBUTES if _says(fields.get(name))},
        )
    )


def _says(match: re.Match[str] | None) -> bool:
    return match is not None and match["text"] not in ("", _NOT_MENTIONED)


def _mention(where: str, match: re.Match[str], found: _Found) -> tuple[str, tuple[Span, ...]] | None:
    """Return the id and the spans of the mention that a field names; None, and a Reject unless it names none."""
    type, given, positions = match["name"], match["text"], match["positions"].strip()
    if not positions:
        if _says(match):
            found.reject(where, checked.OUTSIDE, f"{type} {given!r} has no position")
        return None
    spans = found.tokens.spans(positions)
    if not spans:
        found.reject(where, checked.OUTSIDE, f"{type} {given!r} at {positions}")
        return None
    parts = given.split(_PARTS)
    narrowed = [found.tokens.narrowed(span, part) for span, part in zip(spans, parts, strict=False)]
    kept = tuple(span for span in narrowed if span)
    if len(parts) != len(spans) or len(kept) != len(spans):
        kept = tuple(map(found.tokens.trimmed, spans))
        text = _text(found.tokens.text, kept)
        if text.lower().split() != given.replace(_PARTS, " ").lower().split():
            found.reject(where, checked.MISMATCH, f"{type} at {positions}: {i2b2_tokens.mismatch(text, given)}")
            return None
    id = found.mentions.setdefault((type, kept), f"T{len(found.mentions) + 1}")
    return id, kept
