"""CoNLL columns of a document, such that reading them gives the same document; what they cannot say is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from taiyi import text as texts
from taiyi.errors import FormatError
from taiyi.formats import lines
from taiyi.schema import Document, Record, Span


def write(records: Iterable[Record], path: Path) -> None:
    """Write documents in IOB2, with their texts in comments, so that they are read back with the same offsets.

    Tokens are the pieces of `taiyi.text.pieces` (a Han character, a digit, a mark, a word), cut where mentions begin or
    end; a sentence goes on where a mention would be cut.

    Raises:
        FormatError: a record is no document, or has more than mentions of one span that do not touch one another and
            neither begin nor end with white space; or its text has line breaks.
    """
    lines.write((line for record in records for line in _lines_of(record)), path)


def _lines_of(record: Record) -> Iterator[str]:
    if not isinstance(record, Document):
        raise FormatError("CoNLL columns hold documents only", where=record.id, got=type(record).__name__)
    if "\n" in record.text or "\r" in record.text:
        raise FormatError("CoNLL columns cannot hold a line break within a text", where=record.id)
    extra = {
        "relations": record.relations,
        "events": record.events,
        "coreferences": record.coreferences,
        "passages": record.passages,
        "concepts": [concept for entity in record.entities for concept in entity.concepts],
        "attributes": [entity for entity in record.entities if entity.attributes],
    }
    if held := next((name for name, items in extra.items() if items), None):
        raise FormatError(f"CoNLL columns hold no {held}", where=record.id)
    spans = _spans(record)
    yield f"# newdoc id = {record.id}"
    for start, end in _sentences(record.text, [span for span, _ in spans]):
        yield f"# text = {record.text[start:end]}"
        for first, last, tag in _tokens(record.text, start, end, spans):
            yield f"{record.text[first:last]}\t{tag}"
        yield ""


def _spans(record: Document) -> list[tuple[Span, str]]:
    found: list[tuple[Span, str]] = []
    for entity in record.entities:
        where = f"{record.id}/{entity.id}"
        if len(entity.spans) != 1:
            raise FormatError("CoNLL columns hold mentions of one span", where=where)
        if entity.text != entity.text.strip():
            raise FormatError("a mention begins or ends with white space", where=where)
        if not entity.type or any(mark.isspace() for mark in entity.type):
            raise FormatError("the name of a type has white space", where=where, got=repr(entity.type))
        found.append((entity.spans[0], entity.type))
    for (one, _), (other, _) in pairwise(found):
        if other.start < one.end:
            raise FormatError("mentions overlap, or are not in the order of the text", where=record.id)
    return found


def _sentences(text: str, spans: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """Yield the sentences of a text, each with the white space after it, cut where no mention is."""
    starts = [start for start, _ in texts.sentences(text)][1:]
    free = [cut for cut in starts if not any(start < cut < end for start, end in spans)]
    yield from zip([0, *free], [*free, len(text)], strict=True)


def _tokens(text: str, start: int, end: int, spans: Sequence[tuple[Span, str]]) -> Iterator[tuple[int, int, str]]:
    """Yield the tokens of a sentence with their tags."""
    within = [(span, type) for span, type in spans if start <= span.start < end]
    cuts = sorted({edge for span, _ in within for edge in span})
    at = start
    for piece in texts.pieces(text[start:end]):
        stop = at + len(piece)
        edges = [at, *(cut for cut in cuts if at < cut < stop), stop]
        for first, last in pairwise(edges):
            token = text[first:last]
            begin = first + len(token) - len(token.lstrip())
            if token.strip():
                yield begin, begin + len(token.strip()), _tag(begin, within)
        at = stop


def _tag(at: int, within: Sequence[tuple[Span, str]]) -> str:
    for (start, end), type in within:
        if start <= at < end:
            return f"{'B' if at == start else 'I'}-{type}"
    return "O"
