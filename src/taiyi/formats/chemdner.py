"""CHEMDNER (Krallinger et al., 2015): a table of abstracts, and one of mentions with offsets into title or abstract.

A mention is `pmid T|A start end text CLASS`; `T` stands for the title, `A` for the abstract.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from taiyi.formats import checked
from taiyi.formats.abstract_tables import Abstract, abstracts, left, rows
from taiyi.schema import Document, Entity, Lang, Record, Reject, Split


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    annotations: str,
) -> Iterator[Record | Reject]:
    """Read the abstracts of `path` with the mentions of the table of that name beside it.

    Title and abstract are set one space apart; mentions get the ids T1, T2, ... in the order of the table.

    Raises:
        FormatError: a table is missing or is another one.
    """
    mentions, malformed = rows(path.parent / annotations, 6)
    yield from malformed
    for abstract in abstracts(path):
        if isinstance(abstract, Reject):
            yield abstract
            continue
        found: list[Entity] = []
        for where, cells in mentions.pop(abstract.key, []):
            entity, reject = _mention(abstract, where, cells, f"T{len(found) + 1}")
            found += [entity] if entity else []
            if reject:
                yield reject
        yield checked.record(
            Document,
            abstract.where,
            id=abstract.key,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"pmid:{abstract.key}",),
            text=abstract.text,
            passages=abstract.passages,
            entities=tuple(found),
        )
    yield from left(mentions)


def _mention(abstract: Abstract, where: str, cells: list[str], id: str) -> tuple[Entity | None, Reject | None]:
    _, part, start, end, given, type = cells
    first, last = checked.number(start), checked.number(end)
    if part not in ("T", "A") or first is None or last is None or not type:
        detail = f"{type} at {start} to {end} of {part!r}"
        return None, Reject(where=where, reason=checked.MALFORMED, detail=detail)
    by, length = (0, len(abstract.title)) if part == "T" else (len(abstract.title) + 1, len(abstract.body))
    if last > length:
        detail = f"{type} at {first} to {last} of {length}: {given!r}"
        return None, Reject(where=where, reason=checked.OUTSIDE, detail=detail)
    return checked.mention(abstract.text, (first + by, last + by), given, id=id, type=type, where=where)
