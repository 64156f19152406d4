"""Records and mentions built from raw fields: what does not satisfy the schema becomes a Reject, with the reason."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from taiyi.errors import SchemaError
from taiyi.schema import Concept, Entity, Record, Reject, Span

R = TypeVar("R", bound=Record)

MALFORMED = "malformed line"
INVALID = "invalid record"
MISMATCH = "mention does not match the text"
SPACING = "mention differs from the text in white space"
OUTSIDE = "span outside the text"
_MOST_DIGITS = 19
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = 200
_SHOWN.maxdict = _SHOWN.maxlist = 20


def record(form: Callable[..., R], where: str, **fields: Any) -> R | Reject:
    """Build a record of a form; a Reject where the schema refuses it."""
    try:
        return form(**fields)
    except SchemaError as error:
        return Reject(where=where, reason=INVALID, detail=str(error))


def shown(value: object) -> str:
    """Return a value as a Reject shows it, however long and deep it is."""
    return _SHOWN.repr(value)


def number(text: str) -> int | None:
    """Return the offset that a text is; None if it is none, or of more digits than an offset can have."""
    return int(text) if text.isdecimal() and len(text) < _MOST_DIGITS else None


def is_number(text: str) -> bool:
    """Return whether a text is an offset."""
    return text.isdecimal() and len(text) < _MOST_DIGITS


def name(item: Mapping[str, Any], index: int) -> str | None:
    """Return the id of an item, or its position where it has none; None where its id is no text or number."""
    value: object = item.get("id", index)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return None
    return str(value)


def at(text: str, spans: Sequence[tuple[int, int]]) -> str | None:
    """Return what stands at spans of a text, the parts joined by one space; None if one is outside."""
    if len(spans) == 1:
        # What nearly all are like, and so worth the lines.
        ((start, end),) = spans
        return text[start:end] if 0 <= start < end <= len(text) else None
    inside = all(0 <= start < end <= len(text) for start, end in spans)
    return " ".join(text[start:end] for start, end in spans) if inside else None


def mention(
    text: str,
    span: tuple[int, int],
    given: str | None,
    *,
    id: str,
    type: str,
    where: str,
    concepts: tuple[Concept, ...] = (),
) -> tuple[Entity | None, Reject | None]:
    """Return the mention at `span` of `text`, and what was wrong with it.

    Where the given text differs from the one at the span in white space only, the mention is kept with the text at the
    span and its own text is rejected; else a mention that does not match is dropped.
    """
    start, end = span
    if not 0 <= start < end <= len(text):
        return None, Reject(where=where, reason=OUTSIDE, detail=f"{type} at {start} to {end} of {len(text)}: {given!r}")
    found = text[start:end]
    kept = Entity(id=id, type=type, text=found, spans=(Span(start, end),), concepts=concepts)
    if given is None or given == found:
        return kept, None
    detail = f"{type} at {start} to {end}: the text has {found!r}, the mention {given!r}"
    if given.split() == found.split():
        return kept, Reject(where=where, reason=SPACING, detail=f"{detail}; the text's is kept")
    return None, Reject(where=where, reason=MISMATCH, detail=detail)
