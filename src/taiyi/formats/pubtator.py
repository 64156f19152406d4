"""PubTator: `pmid|t|title`, `pmid|a|abstract`, then tab-separated mentions and relations, and a blank line.

Mentions are `pmid start end text type [ids [parts]]`; offsets count the title, one separator and the abstract.
Relations are between concepts: `pmid CID chemical disease` (BC5CDR; Li et al., 2016) or `pmid type first second
novelty` (BioRED; Luo et al., 2022).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from taiyi.errors import FormatError
from taiyi.formats import checked, lines
from taiyi.schema import Argument, Concept, Document, Entity, Lang, Passage, Record, Reject, Relation, Span, Split

_TEXT_LINE = re.compile(r"(?P<id>[^|\t]+)\|(?P<part>[ta])\|(?P<text>.*)")
_PREFIXED = re.compile(r"(?P<db>[A-Za-z]+):(?P<id>.+)")
_NO_CONCEPT = frozenset({"", "-", "-1"})
_NO_DATABASES: Mapping[str, str] = MappingProxyType({})
_NO_ROLES: Mapping[str, tuple[str, str]] = MappingProxyType({})
_CONCEPT_WITHOUT_MENTION = "relation to a concept without a mention"
Row = tuple[int, list[str]]


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    id_separators: str = "|+",
    databases: Mapping[str, str] = _NO_DATABASES,
    roles: Mapping[str, tuple[str, str]] = _NO_ROLES,
    document_prefix: str = "pmid:",
) -> Iterator[Record | Reject]:
    """Read documents; of one that is repeated the first is kept, and so is another text under the same id (as `id-2`).

    Args:
        id_separators: characters between the ids of a composite mention; ids such as `p|SUB|V|600|E` hold some
            themselves.
        databases: the terminology of each entity type's ids that name none; MeSH if not given.
        roles: the roles of the arguments of each relation type; head and tail if not given.
    """
    seen: dict[str, list[tuple[str, list[list[str]]]]] = {}
    separator = re.compile(f"[{re.escape(id_separators)}]")
    for key, title, abstract, rows, rejects in _blocks(path):
        yield from rejects
        # A title without an abstract has no separator after it, so that a text does not end in a space of ours.
        text = f"{title} {abstract}" if abstract else title
        columns = [row for _, row in rows]
        before = seen.setdefault(key, [])
        where = f"{path.name}:{key}"
        if same := [known for known_text, known in before if known_text == text]:
            reason = "repeated document" if columns in same else "repeated document with other annotations"
            yield Reject(where=where, reason=reason, detail="the first is kept")
            continue
        before.append((text, columns))
        name = key if len(before) == 1 else f"{key}-{len(before)}"
        entities, relations, dropped = _annotations(path, text, rows, separator, databases, roles)
        yield from dropped
        yield checked.record(
            Document,
            where,
            id=name,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"{document_prefix}{key}",),
            text=text,
            passages=_passages(title, abstract),
            entities=tuple(entities),
            relations=tuple(relations),
        )


def _blocks(path: Path) -> Iterator[tuple[str, str, str, list[Row], list[Reject]]]:
    """Yield id, title, abstract, annotation rows and malformed lines of each document."""
    key = ""
    parts: dict[str, str] = {}
    rows: list[Row] = []
    rejects: list[Reject] = []
    for number, line in lines.numbered(path):
        if not line.strip():
            continue
        match = _TEXT_LINE.fullmatch(line)
        if match and match["id"].strip() and (match["part"] == "t" or (match["id"] == key and "a" not in parts)):
            if match["part"] == "t":
                if key:
                    yield key, parts["t"], parts.get("a", ""), rows, rejects
                key, parts, rows, rejects = match["id"].strip(), {}, [], []
            parts[match["part"]] = match["text"]
            continue
        if not key:
            raise FormatError(
                "the file is not PubTator", where=f"{path}:{number}", got=repr(line[:60]), expected="id|t|title"
            )
        columns = line.split("\t")
        if fault := _fault(columns, key):
            rejects.append(
                Reject(where=f"{path.name}:{number}", reason=checked.MALFORMED, detail=f"{fault}: {line[:80]!r}")
            )
        else:
            rows.append((number, columns))
    if not key:
        raise FormatError("the file holds no document", where=path, expected="id|t|title")
    yield key, parts["t"], parts.get("a", ""), rows, rejects


def _is_mention(columns: list[str]) -> bool:
    return checked.number(columns[1]) is not None and checked.number(columns[2]) is not None


def _fault(columns: list[str], key: str) -> str:
    """Return what is wrong with an annotation row, or nothing."""
    if len(columns) < 4:
        return f"{len(columns)} columns"
    if columns[0].strip() != key:
        return f"an annotation of {columns[0]!r} within document {key!r}"
    if _is_mention(columns):
        return "" if 5 <= len(columns) <= 7 and columns[4].strip() else f"a mention of {len(columns)} columns"
    if columns[1].isdecimal() or (columns[2].isdecimal() and len(columns) > 5):
        return "an offset is not a number"
    if len(columns) > 5 or not all(columns[1:4]):
        return f"a relation of {len(columns)} columns"
    return ""


def _annotations(
    path: Path,
    text: str,
    rows: list[Row],
    separator: re.Pattern[str],
    databases: Mapping[str, str],
    roles: Mapping[str, tuple[str, str]],
) -> tuple[list[Entity], list[Relation], list[Reject]]:
    entities: list[Entity] = []
    relations: list[Relation] = []
    rejects: list[Reject] = []
    for number, columns in (row for row in rows if _is_mention(row[1])):
        _, start, end, given, type, ids, *_ = (*columns, "")
        entity, reject = checked.mention(
            text,
            (int(start), int(end)),
            given,
            id=f"T{len(entities) + 1}",
            type=type,
            where=f"{path.name}:{number}",
            concepts=_concepts(ids, separator, databases.get(type, "MESH")),
        )
        entities += [entity] if entity else []
        rejects += [reject] if reject else []
    known = {concept.id for entity in entities for concept in entity.concepts}
    for number, columns in (row for row in rows if not _is_mention(row[1])):
        _, type, *ends, novelty = (*columns, "") if len(columns) == 4 else columns
        refs = [_concept(end, "MESH").id for end in ends]
        if missing := [ref for ref in refs if ref not in known]:
            detail = f"{type} between {refs[0]} and {refs[1]}: no mention of {', '.join(missing)}"
            rejects.append(Reject(where=f"{path.name}:{number}", reason=_CONCEPT_WITHOUT_MENTION, detail=detail))
            continue
        relations.append(
            Relation(
                id=f"R{len(relations) + 1}",
                type=type,
                arguments=tuple(
                    Argument(role=role, kind="concept", ref=ref)
                    for role, ref in zip(roles.get(type, ("head", "tail")), refs, strict=True)
                ),
                attributes={"novelty": novelty} if novelty else {},
            )
        )
    return entities, relations, rejects


def _concepts(ids: str, separator: re.Pattern[str], database: str) -> tuple[Concept, ...]:
    """Return the concepts of a mention, each once, in order; `-1` and `-` are none."""
    given = (part.strip() for part in separator.split(ids))
    return tuple(dict.fromkeys(_concept(part, database) for part in given if part not in _NO_CONCEPT))


def _concept(id: str, database: str) -> Concept:
    if match := _PREFIXED.fullmatch(id.strip()):
        return Concept(db=match["db"], id=match["id"])
    return Concept(db=database, id=id.strip())


def _passages(title: str, abstract: str) -> tuple[Passage, ...]:
    start = len(title) + 1
    spans = {"title": Span(0, len(title)), "abstract": Span(start, start + len(abstract))}
    return tuple(Passage(type=type, span=span) for type, span in spans.items() if span.start < span.end)


def write(
    records: Iterable[Record],
    path: Path,
    *,
    id_separator: str = "|",
    databases: Mapping[str, str] = _NO_DATABASES,
) -> None:
    """Write documents; ids of a terminology other than the type's own are written with its name before them.

    Raises:
        FormatError: a record cannot be said in PubTator (another form, a discontinuous mention, a line break in the
            text).
    """
    lines.write((line for record in records for line in _lines_of(record, id_separator, databases)), path)


def _lines_of(record: Record, id_separator: str, databases: Mapping[str, str]) -> Iterator[str]:
    if not isinstance(record, Document):
        raise FormatError("PubTator holds documents only", where=record.id, got=type(record).__name__)
    if "\n" in record.text or "\r" in record.text:
        raise FormatError("PubTator cannot hold a line break within a text", where=record.id)
    key = record.id if not record.document_ids else record.document_ids[0].rpartition(":")[2]
    abstract = next((p.span for p in record.passages if p.type == "abstract"), None)
    cut = abstract.start if abstract else len(record.text) + 1
    if abstract and record.text[cut - 1] != " ":
        raise FormatError("title and abstract are not one space apart", where=record.id)
    yield f"{key}|t|{record.text[: cut - 1]}"
    yield f"{key}|a|{record.text[cut:]}"
    names: dict[str, str] = {}
    for entity in record.entities:
        if len(entity.spans) != 1 or "\t" in entity.text:
            raise FormatError("PubTator holds mentions of one span without tabs", where=f"{record.id}/{entity.id}")
        own = databases.get(entity.type, "MESH")
        ids = [concept.id if concept.db == own else f"{concept.db}:{concept.id}" for concept in entity.concepts]
        names |= {concept.id: id for concept, id in zip(entity.concepts, ids, strict=True)}
        start, end = entity.spans[0]
        yield "\t".join((key, str(start), str(end), entity.text, entity.type, id_separator.join(ids) or "-1"))
    for relation in record.relations:
        if len(relation.arguments) != 2 or any(argument.kind != "concept" for argument in relation.arguments):
            raise FormatError("PubTator holds relations between two concepts", where=f"{record.id}/{relation.id}")
        refs = [names[argument.ref] for argument in relation.arguments]
        novelty = [relation.attributes["novelty"]] if "novelty" in relation.attributes else []
        yield "\t".join((key, relation.type, *refs, *novelty))
    yield ""
