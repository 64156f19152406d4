"""DrugProt (Miranda-Escalada et al., 2023): three tables of abstracts, entities and relations.

An entity is `pmid T1 CHEMICAL start end text`, with offsets into title, one separator and abstract; a relation is
`pmid INHIBITOR Arg1:T1 Arg2:T5`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

from taiyi.errors import FormatError
from taiyi.formats import checked, lines
from taiyi.formats.abstract_tables import Abstract, abstracts, left, rows
from taiyi.schema import Argument, Document, Entity, Lang, Record, Reject, Relation, Split

_ARGUMENT = re.compile(r"(?P<role>[^:\s]+):(?P<ref>\S+)")
_BREAK = re.compile(r"[\t\n\r]")
_MISSING = "relation to a mention that is not there"


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    entities: str,
    relations: str,
) -> Iterator[Record | Reject]:
    """Read the abstracts of `path`, with the entities and relations of the tables of those names beside it.

    Raises:
        FormatError: a table is missing or is another one.
    """
    mentions, malformed = rows(path.parent / entities, 6)
    links, malformed_links = rows(path.parent / relations, 4)
    yield from (*malformed, *malformed_links)
    for abstract in abstracts(path):
        if isinstance(abstract, Reject):
            yield abstract
            continue
        found, dropped = _entities(abstract, mentions.pop(abstract.key, []))
        related, unrelated = _relations(links.pop(abstract.key, []), found)
        yield from (*dropped, *unrelated)
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
            entities=tuple(found.values()),
            relations=tuple(related),
        )
    yield from left(mentions)
    yield from left(links)


def _entities(abstract: Abstract, given: list[tuple[str, list[str]]]) -> tuple[dict[str, Entity], list[Reject]]:
    found: dict[str, Entity] = {}
    rejects: list[Reject] = []
    for where, (_, id, type, start, end, text) in given:
        first, last = checked.number(start), checked.number(end)
        if first is None or last is None or not id or not type:
            rejects.append(Reject(where=where, reason=checked.MALFORMED, detail=f"{id} {type} at {start} to {end}"))
        elif id in found:
            rejects.append(Reject(where=where, reason="repeated mention", detail=f"{id}: the first is kept"))
        else:
            entity, reject = checked.mention(abstract.text, (first, last), text, id=id, type=type, where=where)
            found |= {id: entity} if entity else {}
            rejects += [reject] if reject else []
    return found, rejects


def _relations(given: list[tuple[str, list[str]]], entities: dict[str, Entity]) -> tuple[list[Relation], list[Reject]]:
    found: list[Relation] = []
    used = set(entities)
    rejects: list[Reject] = []
    for where, (_, type, *ends) in given:
        matches = [match for end in ends if (match := _ARGUMENT.fullmatch(end.strip()))]
        missing = [match["ref"] for match in matches if match["ref"] not in entities]
        if len(matches) != len(ends) or not type:
            rejects.append(Reject(where=where, reason=checked.MALFORMED, detail=f"{type} between {ends}"))
        elif missing:
            rejects.append(Reject(where=where, reason=_MISSING, detail=f"{type}: {', '.join(missing)}"))
        else:
            arguments = tuple(Argument(role=match["role"], kind="entity", ref=match["ref"]) for match in matches)
            # A mention may be called R1 as well.
            name = next(name for number in count(len(found) + 1) if (name := f"R{number}") not in used)
            used.add(name)
            found.append(Relation(id=name, type=type, arguments=arguments))
    return found, rejects


def write(records: Iterable[Record], path: Path, *, entities: str, relations: str) -> None:
    """Write the abstracts of documents to `path`, and their entities and relations to tables of those names beside it.

    Read back, the files hold what the records do, but for the ids of relations, which are numbered again.

    Raises:
        FormatError: a record cannot be said so: another form, mentions of several spans, concepts, attributes, events,
            coreferences, relations of other arguments than two mentions, or text outside title and abstract.
    """
    tables: tuple[list[str], list[str], list[str]] = ([], [], [])
    for record in records:
        for table, own in zip(tables, _rows(record), strict=True):
            table += own
    for name, table in zip((path.name, entities, relations), tables, strict=True):
        lines.write(table, path.parent / name)


def _rows(record: Record) -> tuple[list[str], list[str], list[str]]:
    if not isinstance(record, Document) or record.events or record.coreferences:
        raise FormatError("DrugProt's tables hold documents with mentions and relations", where=record.id)
    if [id.rpartition(":")[2] for id in record.document_ids] not in ([], [record.id]):
        raise FormatError("DrugProt's tables hold an id of the document alone", where=record.id)
    first = next((passage.span for passage in record.passages if passage.type == "title"), None)
    end = first.end if first else 0 if record.passages else len(record.text)
    abstract = Abstract(record.id, record.id, record.text[:end], record.text[end + 1 :])
    if abstract.text != record.text or record.passages not in ((), abstract.passages):
        raise FormatError("title and abstract, one space apart, are not the whole text", where=record.id)
    mentions: list[str] = []
    for entity in record.entities:
        where = f"{record.id}/{entity.id}"
        if len(entity.spans) != 1 or entity.concepts or entity.attributes:
            raise FormatError("DrugProt's tables hold mentions of one span, without concepts", where=where)
        start, last = entity.spans[0]
        mentions.append(_row(where, record.id, entity.id, entity.type, str(start), str(last), entity.text))
    links: list[str] = []
    for relation in record.relations:
        where = f"{record.id}/{relation.id}"
        ends = [f"{argument.role}:{argument.ref}" for argument in relation.arguments]
        plain = all(argument.kind == "entity" and argument.type is None for argument in relation.arguments)
        if len(ends) != 2 or not plain or relation.attributes or not all(map(_ARGUMENT.fullmatch, ends)):
            raise FormatError("DrugProt's tables hold relations between two mentions", where=where)
        links.append(_row(where, record.id, relation.type, *ends))
    return [_row(record.id, abstract.key, abstract.title, abstract.body)], mentions, links


def _row(where: str, *cells: str) -> str:
    if any(_BREAK.search(cell) for cell in cells) or cells[0] != cells[0].strip():
        raise FormatError("a table cannot hold a tab or a line break", where=where, got=cells)
    return "\t".join(cells)
