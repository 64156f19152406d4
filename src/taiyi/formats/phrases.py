"""Phrases and the concepts that they mean: an id, the concept's name and the phrase, a line each, between tabs.

The format of Limsopatham and Collier (ACL 2016), and of other corpora for the normalisation of what patients write.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from taiyi.errors import FormatError
from taiyi.formats import checked, lines
from taiyi.schema import Concept, Document, Entity, Lang, Record, Reject, Span, Split

_COLUMNS = 3


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    database: str,
    type: str,
    encodings: tuple[str, ...] = ("utf-8",),
) -> Iterator[Record | Reject]:
    """Read phrases, named by their position from 0: each is a text that one mention covers, less outer white space.

    Args:
        database: the terminology of the ids; the concept's name is kept as an attribute of the mention.
        type: the type of the mentions.

    Raises:
        FormatError: the file is in none of the encodings, or no line of it has the columns.
    """
    found = False
    for index, (number, line) in enumerate(lines.numbered(path, encodings=encodings)):
        if not line.strip():
            continue
        where = f"{path.name}:{number}"
        cells = line.split("\t")
        if len(cells) != _COLUMNS or not all(cell.strip() for cell in cells):
            detail = f"an id, a name and a phrase were expected: {line[:80]!r}"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        found = True
        id, name, phrase = cells
        mention = phrase.strip()
        start = len(phrase) - len(phrase.lstrip())
        entity = Entity(
            id="T1",
            type=type,
            text=mention,
            spans=(Span(start, start + len(mention)),),
            concepts=(Concept(db=database, id=id.strip()),),
            attributes={"concept": name.strip()},
        )
        yield checked.record(
            Document,
            where,
            id=str(index),
            corpus=corpus,
            split=split,
            lang=lang,
            text=phrase,
            entities=(entity,),
        )
    if not found:
        raise FormatError("no line has the columns", where=path, expected="an id, a name and a phrase, between tabs")
