"""Annotation rows of PubTator and its variants: mentions with the ids of their concepts, and relations of concepts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

import msgspec

from taiyi.formats import checked
from taiyi.schema import Argument, Concept, Entity, Reject, Relation

Rows = list[tuple[int, list[str]]]
NO_WORDS: Mapping[str, str] = MappingProxyType({})
NO_ROLES: Mapping[str, tuple[str, str]] = MappingProxyType({})
UNKNOWN_TYPE = "mention of an unknown type"
_CONCEPT_WITHOUT_MENTION = "relation to a concept without a mention"
_PREFIXED = re.compile(r"(?P<db>[A-Za-z][A-Za-z0-9]*#?):(?P<id>.+)")
_SPECIES = re.compile(r"(?P<id>.+?)\([Tt]ax:(?P<species>[^()]+)\)")
_DBSNP = re.compile(r"rs[0-9]+")
_NO_CONCEPT = frozenset({"", "-", "-1"})


# Two of them are never equal, so that what their cells say can be remembered.
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Words:
    """How the cells of a corpus's rows are to be read; see the options of `pubtator.read`."""

    separator: re.Pattern[str]
    databases: Mapping[str, str] = field(default_factory=dict[str, str])
    roles: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    id_columns: int = 1
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    species_suffix: bool = False
    types: frozenset[str] = frozenset()
    type_names: Mapping[str, str] = field(default_factory=dict[str, str])
    type_separator: str = ""
    database_names: Mapping[str, str] = field(default_factory=dict[str, str])


def is_mention(columns: list[str]) -> bool:
    """Return whether a row of four or more columns is a mention; else it is a relation."""
    return checked.is_number(columns[1]) and checked.is_number(columns[2])


def fault(columns: list[str], key: str) -> str:
    """Return what is wrong with a row within the document `key`, or nothing."""
    if len(columns) < 4:
        return f"{len(columns)} columns"
    if columns[0].strip() != key:
        return f"an annotation of {columns[0]!r} within document {key!r}"
    if is_mention(columns):
        return "" if 5 <= len(columns) <= 7 and columns[4].strip() else f"a mention of {len(columns)} columns"
    if columns[1].isdecimal() or (columns[2].isdecimal() and len(columns) > 5):
        return "an offset is not a number"
    if len(columns) > 5 or not all(columns[1:4]):
        return f"a relation of {len(columns)} columns"
    return ""


def annotated(
    file: str, text: str, rows: Rows, words: Words, *, first: int = 1
) -> tuple[list[Entity], list[Relation], list[Reject]]:
    """Return the mentions, numbered from `first`, and relations that rows are of a text, and what was dropped."""
    entities: list[Entity] = []
    relations: list[Relation] = []
    rejects: list[Reject] = []
    links: Rows = []
    for row in rows:
        number, columns = row
        if not is_mention(columns):
            links.append(row)
            continue
        _, start, end, given, type, *ids = columns
        where = f"{file}:{number}"
        kinds = type.split(words.type_separator) if words.type_separator else [type]
        kind = words.type_names.get(kinds[0], kinds[0])
        if not kind or (words.types and kind not in words.types):
            rejects.append(Reject(where=where, reason=UNKNOWN_TYPE, detail=f"{type} at {start} to {end}: {given!r}"))
            continue
        concepts, attributes = _ids(tuple(ids[: words.id_columns]), words, words.databases.get(kind, "MESH"))
        entity, reject = checked.mention(
            text,
            (int(start), int(end)),
            given,
            id=f"T{first + len(entities)}",
            type=kind,
            where=where,
            concepts=concepts,
        )
        if entity and (attributes or len(kinds) > 1):
            several = {"types": type} if len(kinds) > 1 else {}
            entity = msgspec.structs.replace(entity, attributes=several | attributes)
        if entity:
            entities.append(entity)
        if reject:
            rejects.append(reject)
    known = {concept.id for entity in entities for concept in entity.concepts}
    for number, columns in links:
        _, type, *ends, novelty = (*columns, "") if len(columns) == 4 else columns
        refs = [_concept(end, "MESH").id for end in ends]
        if missing := [ref for ref in refs if ref not in known]:
            detail = f"{type} between {refs[0]} and {refs[1]}: no mention of {', '.join(missing)}"
            rejects.append(Reject(where=f"{file}:{number}", reason=_CONCEPT_WITHOUT_MENTION, detail=detail))
            continue
        relations.append(
            Relation(
                id=f"R{len(relations) + 1}",
                type=type,
                arguments=tuple(
                    Argument(role=role, kind="concept", ref=ref)
                    for role, ref in zip(words.roles.get(type, ("head", "tail")), refs, strict=True)
                ),
                attributes={"novelty": novelty} if novelty else {},
            )
        )
    return entities, relations, rejects


# The same concepts come again and again.
@lru_cache(maxsize=1 << 14)
def _ids(cells: tuple[str, ...], words: Words, database: str) -> tuple[tuple[Concept, ...], dict[str, str]]:
    """Return the concepts of a mention, each once, in order, and its attributes; `-1` and `-` are no ids."""
    concepts: list[Concept] = []
    attributes: dict[str, list[str]] = {}
    for id in _parts(cells, words):
        concept = _concept(id, database)
        if concept.db in words.attributes and concept.db != database:
            attributes.setdefault(words.attributes[concept.db], []).append(concept.id)
        elif words.species_suffix and (match := _SPECIES.fullmatch(concept.id)):
            concepts.append(Concept(db=concept.db, id=match["id"].strip()))
            attributes.setdefault("species", []).append(match["species"])
        else:
            db, _, beginning = words.database_names.get(concept.db, concept.db).partition(":")
            concepts.append(Concept(db=db, id=beginning + concept.id))
    return tuple(dict.fromkeys(concepts)), {name: ";".join(dict.fromkeys(all)) for name, all in attributes.items()}


def _parts(cells: Iterable[str], words: Words) -> Iterator[str]:
    for cell in cells:
        yield from (id for part in words.separator.split(cell) if (id := part.strip()) not in _NO_CONCEPT)


def _concept(id: str, database: str) -> Concept:
    if match := _PREFIXED.fullmatch(id.strip()):
        return Concept(db=match["db"], id=match["id"])
    return Concept(db=terminology(id.strip(), database), id=id.strip())


def terminology(id: str, database: str) -> str:
    """Return the terminology of an id that names none: dbSNP of one such as `rs123`, else the one given."""
    return "dbSNP" if id.startswith("rs") and _DBSNP.fullmatch(id) else database


def concept_text(concept: Concept, database: str, separator: str) -> str | None:
    """Return how the concept of a mention is written; None where it would be read as another, or as several."""
    for text in (concept.id, f"{concept.db}:{concept.id}"):
        cells = list(_parts([text], Words(separator=re.compile(f"[{re.escape(separator)}]"))))
        if cells == [text] and _concept(text, database) == concept:
            return text
    return None
