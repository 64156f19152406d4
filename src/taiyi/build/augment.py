"""Changed copies of records, from which a model that knows little learns more: mentions of entities replaced by others
of their type, so that it goes by what stands around them and how they are spelled, and words replaced by a blank.

A copy follows from the seed, its record and its number. Spans are those of the changed text.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import accumulate
from random import Random
from typing import NamedTuple

import msgspec
import xxhash

from taiyi.build.settings import AugmentSettings
from taiyi.schema import Document, Entity, Labelled, Pair, Question, Record, Span
from taiyi.text import pieces

BLANK = "_"
"""What stands for a word that is not shown."""

Pool = Mapping[str, Sequence[str]]
"""Mentions to choose from, by the name of their type."""


class Edit(NamedTuple):
    """A stretch of a text and what stands there instead."""

    start: int
    end: int
    text: str


def changed(
    record: Record, settings: AugmentSettings, names: Mapping[str, str], pool: Pool, *, seed: int, copy: int
) -> Record:
    """Return a changed copy of a record.

    Args:
        names: of its types of entities, those under which the pool has mentions.
        pool: what mentions are replaced by; those that it has none for stay.
        seed: what the copy follows from, beside its record and its number.
        copy: its number.
    """
    place = f"{record.corpus}/{record.split}/{record.id}"
    random = Random(xxhash.xxh3_64_intdigest(f"{seed}/{place}~copy{copy}".encode()))
    if isinstance(record, Document):
        swaps = list(_swaps(record, settings.swap, names, pool, random))
        record = edited(record, swaps)
        edges = {edge for span in _annotated(record) for edge in span}
        return edited(record, list(_blanks(record.text, settings.blank, random, edges)))
    return _blanked(record, settings.blank, random)


def edited(document: Document, edits: Sequence[Edit]) -> Document:
    """Return a document with parts of its text replaced; no part crosses the edge of anything that is annotated.

    Args:
        edits: in order, none overlapping another.
    """
    if not edits:
        return document
    text = _applied(document.text, edits)
    starts = [edit.start for edit in edits]
    shifts = [0, *accumulate(len(edit.text) - (edit.end - edit.start) for edit in edits)]

    def moved(span: Span) -> Span:
        # What ends where an edit begins is before it; what begins where one begins holds it.
        first = bisect_right(starts, span.start - 1)
        last = bisect_right(starts, span.end - 1)
        return Span(span.start + shifts[first], span.end + shifts[last])

    def mention(spans: Iterable[Span]) -> tuple[tuple[Span, ...], str]:
        placed = tuple(map(moved, spans))
        return placed, " ".join(text[start:end] for start, end in placed)

    def entity(given: Entity) -> Entity:
        spans, written = mention(given.spans)
        return msgspec.structs.replace(given, spans=spans, text=written)

    events = [
        msgspec.structs.replace(event, trigger_spans=spans, trigger=trigger) if event.trigger_spans else event
        for event in document.events
        for spans, trigger in [mention(event.trigger_spans)]
    ]
    return msgspec.structs.replace(
        document,
        text=text,
        passages=tuple(msgspec.structs.replace(p, span=moved(p.span)) for p in document.passages),
        entities=tuple(map(entity, document.entities)),
        events=tuple(events),
    )


def _applied(text: str, edits: Iterable[Edit]) -> str:
    written: list[str] = []
    done = 0
    for edit in edits:
        written += [text[done : edit.start], edit.text]
        done = edit.end
    return "".join((*written, text[done:]))


def _swaps(document: Document, share: float, names: Mapping[str, str], pool: Pool, random: Random) -> Iterator[Edit]:
    """Yield the mentions that are replaced: whole ones, which share nothing with others but what these have around
    them."""
    spans = _annotated(document)
    done = 0
    for entity in sorted(document.entities, key=lambda entity: entity.spans):
        others = pool.get(names.get(entity.type, ""), ())
        # Chance is asked for each, so that what becomes of one does not depend on others.
        drawn, which = random.random() < share, random.random()
        (start, end), *more = entity.spans
        alone = not more and start >= done and not any(_meets(entity.spans[0], span) for span in spans)
        if drawn and alone and others and spans.count(entity.spans[0]) == 1:
            done = end
            yield Edit(start, end, others[int(which * len(others))])


def _annotated(document: Document) -> list[Span]:
    """Return all spans of a document."""
    spans = [span for entity in document.entities for span in entity.spans]
    spans += (span for event in document.events for span in event.trigger_spans)
    return spans + [passage.span for passage in document.passages]


def _meets(span: Span, other: Span) -> bool:
    """Whether a span has a part of another without being within it."""
    apart = other.end <= span.start or span.end <= other.start
    return not apart and not (other.start <= span.start and span.end <= other.end)


def _blanks(text: str, share: float, random: Random, edges: Set[int] = frozenset()) -> Iterator[Edit]:
    """Yield the words that are replaced by a blank; the space before a word stays, and so do words with an edge of what
    is annotated inside."""
    at = 0
    for piece in pieces(text) if share else ():
        begin, end = at + len(piece) - len(piece.lstrip(" ")), at + len(piece)
        whole = edges.isdisjoint(range(begin + 1, end))
        if random.random() < share and whole and any(map(str.isalnum, piece)):
            yield Edit(begin, end, BLANK)
        at = end


def _blanked(record: Record, share: float, random: Random) -> Record:
    def blank(text: str) -> str:
        return _applied(text, _blanks(text, share, random))

    match record:
        case Labelled():
            return msgspec.structs.replace(record, text=blank(record.text))
        case Pair():
            return msgspec.structs.replace(record, first=blank(record.first), second=blank(record.second))
        case Question():
            contexts = tuple(map(blank, record.contexts))
            return msgspec.structs.replace(record, question=blank(record.question), contexts=contexts)
        case _:
            return record


class Mentions:
    """Mentions of entities, each once, by the name of their type: what a pool is made of."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, None]] = {}

    def add(self, document: Document, names: Mapping[str, str]) -> None:
        """Take over the mentions of a document, types under the names that are given."""
        for entity in document.entities:
            if entity.type in names and len(entity.spans) == 1 and entity.text.strip() == entity.text:
                self._found.setdefault(names[entity.type], {})[entity.text] = None

    def pool(self) -> dict[str, list[str]]:
        return {name: list(texts) for name, texts in self._found.items()}
