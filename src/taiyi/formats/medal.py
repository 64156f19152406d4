"""MeDAL: abstracts as CSV, in which a term was replaced by its abbreviation, with its place and what it stood for.

The format of Wen et al. (Clinical NLP workshop, 2020): the columns ABSTRACT_ID, TEXT, LOCATION (the number of the word,
from 0, where words are parted by one space) and LABEL (the term). Where an abstract has several, `|` parts them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from taiyi.errors import FormatError
from taiyi.formats import checked, tables
from taiyi.schema import Concept, Document, Entity, Lang, Record, Reject, Span, Split

OUTSIDE = "word outside the text"
_COLUMNS = ("ABSTRACT_ID", "TEXT", "LOCATION", "LABEL")


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    type: str = "abbreviation",
    database: str = "MeDAL",
    document_prefix: str = "pmid:",
) -> Iterator[Record | Reject]:
    """Read abstracts, named by their position from 0, for one may occur several times.

    The abbreviation is a mention, and the term that it stands for its concept, whose id is the term itself.

    Raises:
        FormatError: the file is not a table with the columns.
    """
    for index, (where, row) in enumerate(tables.items(path)):
        if isinstance(row, Reject):
            yield row
            continue
        if missing := [name for name in _COLUMNS if name not in row]:
            raise FormatError("the table has other columns", where=path, got=missing[0], expected=", ".join(_COLUMNS))
        id, text, location, label = (str(row[name] if row[name] is not None else "") for name in _COLUMNS)
        numbers = [checked.number(part.strip()) for part in location.split("|")]
        terms = [part.strip() for part in label.split("|")]
        if len(numbers) != len(terms) or not all(terms) or any(number is None for number in numbers):
            detail = f"as many numbers as terms were expected: {location[:40]!r}, {label[:80]!r}"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        words = text.split(" ")
        entities: list[Entity] = []
        for number, term in zip(numbers, terms, strict=True):
            if number is None or number >= len(words) or not words[number]:
                yield Reject(where=where, reason=OUTSIDE, detail=f"word {number} of {len(words)}: {term!r}")
                continue
            start = sum(map(len, words[:number])) + number
            span = Span(start, start + len(words[number]))
            concepts = (Concept(db=database, id=term),)
            name = f"T{len(entities) + 1}"
            entities.append(Entity(id=name, type=type, text=words[number], spans=(span,), concepts=concepts))
        yield checked.record(
            Document,
            where,
            id=str(index),
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"{document_prefix}{id.strip()}",) if id.strip() else (),
            text=text,
            entities=tuple(entities),
        )
