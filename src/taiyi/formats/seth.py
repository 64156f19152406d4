"""SETH: texts in one table of id and text, annotations of each in a brat file named after its id.

Thomas et al. SETH detects and normalizes genetic variants in text. Bioinformatics, 2016.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from taiyi.errors import FormatError
from taiyi.formats import checked, lines, standoff, standoff_document
from taiyi.schema import Document, Lang, Record, Reject, Split

NO_ANNOTATIONS = "no annotation file"
NO_ARGUMENTS = "event without arguments"
REPEATED = "repeated document"


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    texts: str = "../corpus.txt",
) -> Iterator[Record | Reject]:
    """Read the documents whose annotation files a folder holds.

    An event without arguments says nothing that its trigger does not: the trigger is kept as an entity.

    Args:
        texts: the table of the texts, given relative to the folder: a PubMed id, a tab and a text a line, no header.

    Raises:
        FormatError: there is no table, it holds no text, or a file is not UTF-8.
    """
    table = path / texts
    if not table.is_file():
        raise FormatError("the texts of the annotations are missing", where=table)
    seen: set[str] = set()
    for number, line in lines.numbered(table):
        where = f"{table.name}:{number}"
        key, tab, text = line.partition("\t")
        key = key.strip()
        if not line.strip():
            continue
        if not tab or not key.isdecimal() or not key.isascii():
            yield Reject(where=where, reason=checked.MALFORMED, detail=checked.shown(line))
            continue
        if key in seen:
            yield Reject(where=where, reason=REPEATED, detail=f"{key}; the first is kept")
            continue
        seen.add(key)
        file = path / f"{key}.ann"
        # The name of a file cannot be longer; such an id is no PubMed id either.
        if len(key) > 20 or not file.is_file():
            yield Reject(where=where, reason=NO_ANNOTATIONS, detail=f"there is no {checked.shown(file.name)}")
            continue
        items = _without_empty_events(standoff.parse(lines.whole(file), file.name))
        found = standoff_document.resolve(text, items, coreference=())
        yield from found.rejects
        yield checked.record(
            Document,
            where,
            id=key,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"pmid:{key}",),
            text=text,
            entities=found.entities,
            relations=found.relations,
            events=found.events,
            coreferences=found.coreferences,
        )
    if not seen:
        raise FormatError("the file holds no text", where=table, expected="a PubMed id, a tab and a text a line")


def _without_empty_events(items: Iterable[standoff.Annotation | Reject]) -> Iterator[standoff.Annotation | Reject]:
    for item in items:
        if isinstance(item, standoff.Happening) and not item.arguments:
            detail = f"{item.id} of type {item.type}, triggered by {item.trigger or 'nothing'}"
            yield Reject(where=item.where, reason=NO_ARGUMENTS, detail=checked.shown(detail))
        else:
            yield item
