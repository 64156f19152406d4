"""IOB columns with offsets: token, start, end, the mention that begins there, and its tag, a token a line.

The format of the corpora of Fraunhofer SCAI (Kolářik et al., LREC workshop on building and evaluating resources for
biomedical text mining, 2008): a line `### 12345` begins a document, and a tag follows a bar, as in `|B-IUPAC`. The
offsets tell how many spaces stand between two tokens; the text itself is not in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from taiyi.errors import FormatError
from taiyi.formats import checked, conll, lines
from taiyi.schema import Document, Entity, Lang, Record, Reject, Span, Split

DISPLACED = "token that cannot stand where its offset says"
DIFFERS = "mention differs from its tags"
UNTAGGED = "mention without a tag"
_START = "###"
_COLUMNS = 5
# The text between two tokens is white space, of which abstracts have little.
_MOST_GAP = 200


@dataclass(slots=True)
class _Unit:
    """A document while its lines are read."""

    id: str
    where: str
    text: str = ""
    end: int | None = None
    fault: str = ""
    spans: list[Span] = field(default_factory=list[Span])
    tags: list[list[str]] = field(default_factory=list["list[str]"])
    given: dict[int, tuple[str, str]] = field(default_factory=dict[int, "tuple[str, str]"])

    def add(self, cells: list[str], start: int, end: int, where: str) -> None:
        """Add a token after as many spaces as stand between it and the token before it."""
        gap = 0 if self.end is None else start - self.end
        if not 0 <= gap <= _MOST_GAP or end <= start or not cells[0]:
            self.fault = self.fault or f"{cells[0]!r} from {start} to {end} in line {where}, after {self.end}"
            return
        self.text += " " * gap
        self.spans.append(Span(len(self.text), len(self.text) + len(cells[0])))
        self.text += cells[0]
        self.end = end
        self.tags.append(cells[4].removeprefix("|").split("|"))
        if cells[3]:
            self.given[len(self.spans) - 1] = (cells[3], where)


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    document_prefix: str = "pmid:",
    encodings: tuple[str, ...] = ("utf-8",),
) -> Iterator[Record | Reject]:
    """Read documents; mentions are what the tags say, of each layer where a token has several.

    A mention of which the file gives another text than its tags do is kept as tagged, and the other text rejected.

    Args:
        document_prefix: stands before the id of a document to make its document id.

    Raises:
        FormatError: the file is in none of the encodings, or no line of it begins a document.
    """
    unit: _Unit | None = None
    for number, line in lines.numbered(path, encodings=encodings):
        where = f"{path.name}:{number}"
        if line.startswith(_START):
            if unit is not None:
                yield from _finished(unit, corpus, split, lang, document_prefix)
            unit = _Unit(line.strip("# \t") or str(number), where)
            continue
        if not line.strip():
            continue
        cells = line.split("\t")
        start, end = (checked.number(cells[1]), checked.number(cells[2])) if len(cells) == _COLUMNS else (None, None)
        if unit is None or start is None or end is None:
            detail = f"a token with two offsets, its mention and its tag was expected: {line[:60]!r}"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        unit.add(cells, start, end, where)
    if unit is None:
        raise FormatError("the file holds no document", where=path, expected=f"a line {_START} and an id")
    yield from _finished(unit, corpus, split, lang, document_prefix)


def _finished(unit: _Unit, corpus: str, split: Split, lang: Lang, document_prefix: str) -> Iterator[Record | Reject]:
    """Yield the record of a document whose lines have all been read, after what was wrong with it."""
    if unit.fault:
        yield Reject(where=unit.where, reason=DISPLACED, detail=unit.fault)
        return
    entities: list[Entity] = []
    begun: dict[int, list[str]] = {}
    layers = max((len(tags) for tags in unit.tags), default=0)
    for layer in range(layers):
        tags = [tags[layer] if layer < len(tags) else "O" for tags in unit.tags]
        for type, first, last in conll.mentions(tags):
            span = Span(unit.spans[first].start, unit.spans[last].end)
            found = unit.text[span.start : span.end]
            begun.setdefault(first, []).append(found)
            entities.append(Entity(id=f"T{len(entities) + 1}", type=type, text=found, spans=(span,)))
    for index, (given, where) in unit.given.items():
        if index not in begun:
            yield Reject(where=where, reason=UNTAGGED, detail=f"{given!r}")
        elif given not in begun[index]:
            yield Reject(where=where, reason=DIFFERS, detail=f"{given!r}, tagged {' and '.join(begun[index])!r}")
    yield checked.record(
        Document,
        unit.where,
        id=unit.id,
        corpus=corpus,
        split=split,
        lang=lang,
        document_ids=(f"{document_prefix}{unit.id}",) if document_prefix else (),
        text=unit.text,
        entities=tuple(entities),
    )
