"""PubTator of full texts: a title line and an abstract line for every passage, all under the id of their document.

So AIONER's copies of NLM-Chem are written (Luo et al., 2023): offsets count from the beginning of each passage.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from taiyi.errors import FormatError
from taiyi.formats import checked, lines, pubtator
from taiyi.formats.pubtator_rows import NO_WORDS, Words, annotated, concept_text
from taiyi.schema import Document, Entity, Lang, Passage, Record, Reject, Span, Split

_BREAK = re.compile(r"[\t\n\r]")


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    id_separators: str = ",",
    databases: Mapping[str, str] = NO_WORDS,
    types: Collection[str] = (),
    document_prefix: str = "pmid:",
) -> Iterator[Record | Reject]:
    """Read documents, whose passages are set one space apart; the first is called `title`, the others `passage`.

    Args:
        id_separators: characters between the ids of one mention.
        databases: the terminology of each entity type's ids that name none; MeSH if not given.
        types: those that mentions may have; any if not given.

    Raises:
        FormatError: the file is not PubTator.
    """
    words = Words(separator=re.compile(f"[{re.escape(id_separators)}]"), databases=databases, types=frozenset(types))
    seen: set[str] = set()
    for key, blocks in itertools.groupby(pubtator.blocks(path), key=lambda block: block.key):
        where = f"{path.name}:{key}"
        text = ""
        passages: list[Passage] = []
        entities: list[Entity] = []
        rejects: list[Reject] = []
        for block in blocks:
            own, relations, dropped = annotated(path.name, block.text, block.rows, words, first=len(entities) + 1)
            rejects += [*block.rejects, *dropped]
            rejects += [
                Reject(where=where, reason="relation within a passage", detail=f"{relation.type} {relation.id}")
                for relation in relations
            ]
            if not block.text:
                continue
            start = len(text) + 1 if passages else 0
            text = f"{text} {block.text}" if passages else block.text
            passages.append(Passage(type="passage" if passages else "title", span=Span(start, len(text))))
            entities += [_moved(entity, start) for entity in own]
        yield from rejects
        if key in seen:
            yield Reject(where=where, reason="repeated document", detail="the first is kept")
            continue
        seen.add(key)
        yield checked.record(
            Document,
            where,
            id=key,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"{document_prefix}{key}",),
            text=text,
            passages=tuple(passages),
            entities=tuple(entities),
        )


def _moved(entity: Entity, by: int) -> Entity:
    spans = tuple(Span(start + by, end + by) for start, end in entity.spans)
    return msgspec.structs.replace(entity, spans=spans)


def write(
    records: Iterable[Record], path: Path, *, id_separator: str = ",", databases: Mapping[str, str] = NO_WORDS
) -> None:
    """Write documents, one pair of lines for each passage.

    Raises:
        FormatError: a record cannot be said so: another form, text outside its passages, a mention across passages or
            of several spans, attributes, relations, events, coreferences, or a line break or tab.
    """
    lines.write((line for record in records for line in _lines_of(record, id_separator, databases)), path)


def _lines_of(record: Record, separator: str, databases: Mapping[str, str]) -> Iterator[str]:
    if not isinstance(record, Document) or record.relations or record.events or record.coreferences:
        raise FormatError("full-text PubTator holds documents with mentions only", where=record.id)
    passages = record.passages
    key = record.id
    if [id.rpartition(":")[2] for id in record.document_ids] not in ([], [key]):
        raise FormatError("PubTator holds an id of the document alone", where=key, got=record.document_ids)
    starts = [0, *(passage.span.end + 1 for passage in passages)]
    pieces = [record.text[passage.span.start : passage.span.end] for passage in passages]
    apart = [passage.span.start for passage in passages] == starts[:-1]
    if not apart or " ".join(pieces) != record.text or _BREAK.search(record.text):
        raise FormatError("passages one space apart, without tabs or line breaks, must be the text", where=key)
    if not key.strip() or key != key.strip() or "|" in key or _BREAK.search(key):
        raise FormatError("PubTator cannot hold this id", where=key)
    if any(passage.type != ("passage" if index else "title") for index, passage in enumerate(passages)):
        raise FormatError("full-text PubTator does not hold types of passages", where=key)
    written = 0
    for passage in passages:
        start, end = passage.span
        yield f"{key}|t|{record.text[start:end]}"
        yield f"{key}|a|"
        for entity in record.entities:
            if len(entity.spans) == 1 and start <= entity.spans[0].start and entity.spans[0].end <= end:
                written += 1
                yield _row(key, entity, start, separator, databases)
        yield ""
    if written != len(record.entities):
        raise FormatError("full-text PubTator holds mentions of one span within a passage", where=key)


def _row(key: str, entity: Entity, start: int, separator: str, databases: Mapping[str, str]) -> str:
    where = f"{key}/{entity.id}"
    if entity.attributes or _BREAK.search(entity.type) or not entity.type:
        raise FormatError("PubTator cannot hold attributes", where=where, got=entity.attributes or entity.type)
    ids = [concept_text(concept, databases.get(entity.type, "MESH"), separator) for concept in entity.concepts]
    if any(id is None or _BREAK.search(id) for id in ids):
        raise FormatError("PubTator cannot tell these ids apart", where=where, got=entity.concepts)
    first, last = (offset - start for offset in entity.spans[0])
    return "\t".join((key, str(first), str(last), entity.text, entity.type, separator.join(map(str, ids)) or "-"))
