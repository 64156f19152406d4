"""Clinical terms with the standard terms that they are normalised to, several joined by `##` (CHIP-CDN, Yidu-N7K).

A term becomes a document that one mention fills, whose concepts are the standard terms. The files name standard terms,
not codes; so do the concepts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines, rows
from taiyi.schema import Concept, Document, Entity, Lang, Record, Reject, Span, Split

SEPARATOR = "##"


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    type: str,
    db: str,
    text_key: str = "text",
    target_key: str = "normalized_result",
    **source: Any,
) -> Iterator[Record | Reject]:
    """Read terms; ids are positions from 0.

    Args:
        type: type of the mention.
        db: name of the terminology.
        text_key: key or column of the term.
        target_key: key or column of its standard terms.
        source: options of `rows.items`.
    """
    for index, (where, item) in enumerate(rows.items(path, **source)):
        if isinstance(item, Reject):
            yield item
            continue
        text, target = item.get(text_key), item.get(target_key)
        if not isinstance(text, str) or not text.strip() or not isinstance(target, str):
            detail = f"texts under {text_key} and {target_key} were expected"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        terms = [term.strip() for term in target.split(SEPARATOR)]
        if not all(terms):
            yield Reject(where=where, reason="empty standard term", detail=checked.shown(target))
        entity = Entity(
            id="T1",
            type=type,
            text=text,
            spans=(Span(0, len(text)),),
            concepts=tuple(Concept(db=db, id=term) for term in terms if term),
        )
        yield checked.record(
            Document, where, id=str(index), corpus=corpus, split=split, lang=lang, text=text, entities=(entity,)
        )


def write(records: Iterable[Record], path: Path) -> None:
    """Write documents as CHIP-CDN's JSON, which its scorer reads.

    Raises:
        FormatError: a record is no document that one mention fills, or a standard term holds `##`.
    """
    json_lines.write((_item_of(record) for record in records), path, layout="array")


def _item_of(record: Record) -> dict[str, str]:
    if not isinstance(record, Document):
        raise FormatError("CHIP-CDN's JSON holds terms only", where=record.id, got=type(record).__name__)
    if len(record.entities) != 1 or record.entities[0].spans != (Span(0, len(record.text)),):
        raise FormatError("CHIP-CDN's JSON holds terms that one mention fills", where=record.id)
    terms = [concept.id for concept in record.entities[0].concepts]
    target = SEPARATOR.join(terms)
    if not terms or [term.strip() for term in target.split(SEPARATOR)] != terms:
        raise FormatError("CHIP-CDN's JSON cannot hold these standard terms", where=record.id, got=str(terms))
    return {"text": record.text, "normalized_result": target}
