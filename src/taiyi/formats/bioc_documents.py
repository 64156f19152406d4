"""Documents of BioC (Comeau et al., 2013), as XML and JSON have them in common: to records and back.

A document is a mapping as in BioC JSON: passages with their offsets, annotations with locations, and relations.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from taiyi.formats import checked
from taiyi.formats.pubtator_rows import terminology
from taiyi.schema import Argument, Concept, Document, Entity, Lang, Passage, Record, Reject, Relation, Span, Split

T = TypeVar("T")
# Infons that hold ids: under `identifier`, or under the name of their terminology.
IDENTIFIER = "identifier"
# An infon of documents that our own files have where their ids are not PubMed's.
DOCUMENT_IDS = "document_ids"
_ID_KEYS: Mapping[str, str] = {IDENTIFIER: ""} | {
    name: name for name in ("MESH", "OMIM", "NCBIGene", "NCBITaxon", "dbSNP", "tmVar", "Cellosaurus", "UMLS")
}
TYPE_KEYS = ("type", "relation")
ROLES = {"entity1": "head", "entity2": "tail"}
# Infons of relations between concepts that are no arguments.
ATTRIBUTES = {"novel": "novelty", "novelty": "novelty"}
WHOLE_DOCUMENT = "annotation of the whole document"
_NO_CONCEPT = frozenset({"", "-", "-1"})
_PREFIXED = re.compile(r"(?P<db>[A-Za-z]+):(?P<id>.+)")
_PART_OF_COMPOSITE = "IndividualMention"
_DROPPED = "relation to a relation that was dropped"
# Between two passages; a wrong offset must not ask for more memory than there is.
_MOST_SPACES = 10_000
_Offset = Annotated[int, msgspec.Meta(ge=0, le=10**15)]


class _Location(msgspec.Struct):
    offset: _Offset
    length: _Offset


class _Annotation(msgspec.Struct):
    id: str | int = ""
    infons: dict[str, Any] = {}
    text: str | None = None
    locations: list[_Location] = []


class _Node(msgspec.Struct):
    refid: str | int
    role: str = ""


class _Relation(msgspec.Struct):
    id: str | int = ""
    infons: dict[str, Any] = {}
    nodes: list[_Node] = []


class _Unit(msgspec.Struct):
    """A sentence, or what a passage has as a sentence does."""

    offset: _Offset
    infons: dict[str, Any] = {}
    text: str | None = None
    annotations: list[Any] = []
    relations: list[Any] = []


class _Passage(_Unit):
    sentences: list[_Unit] = []


class _Document(msgspec.Struct):
    passages: list[_Passage]
    id: str | int = ""
    infons: dict[str, Any] = {}
    annotations: list[Any] = []
    relations: list[Any] = []


def _no_words() -> dict[str, str]:
    return {}


# Two of them are never equal, so that what their infons say can be remembered.
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Words:
    """How the infons of a corpus are to be read; see the options of `bioc.read`."""

    separator: re.Pattern[str]
    databases: Mapping[str, str] = field(default_factory=_no_words)
    id_keys: Mapping[str, str] = field(default_factory=_no_words)
    second_database: str = ""
    document_types: Collection[str] = ()
    document_prefix: str = "pmid:"
    respaced: bool = False

    @classmethod
    def of(cls, id_separators: str, id_keys: Mapping[str, str], **others: Any) -> Words:
        """Return the words of a corpus with those infons of ids that all corpora share."""
        separator = re.compile(f"[{re.escape(id_separators)}]")
        return cls(separator=separator, id_keys={**_ID_KEYS, **id_keys}, **others)


def records(
    raw: object, file: str, place: str, words: Words, *, corpus: str, split: Split, lang: Lang
) -> Iterator[Record | Reject]:
    """Yield the record that a document is, and before it what had to be left out.

    Args:
        file: the name of its file.
        place: where it stands, for a document without an id.
    """
    document, fault = _as(_Document, raw)
    if document is None:
        yield Reject(where=place, reason=checked.INVALID, detail=fault)
        return
    key = str(document.id).strip()
    if not key:
        yield Reject(where=place, reason=checked.INVALID, detail="a document without an id")
        return
    where = f"{file}:{key}"
    assembled = _text(document, respaced=words.respaced)
    if isinstance(assembled, str):
        yield Reject(where=where, reason=checked.INVALID, detail=assembled)
        return
    text, passages, units = assembled
    entities: list[Entity] = []
    used: set[str] = set()
    for shift, raw_annotation in units:
        entity, reject = _entity(raw_annotation, text, shift, where, words, used)
        if entity:
            entities.append(entity)
        if reject:
            yield reject
    relations, dropped = _relations(_all_relations(document), entities, where, words)
    yield from dropped
    yield checked.record(
        Document,
        where,
        id=key,
        corpus=corpus,
        split=split,
        lang=lang,
        document_ids=_document_ids(document, key, words),
        text=text,
        passages=tuple(passages),
        entities=tuple(entities),
        relations=tuple(relations),
    )


def _document_ids(document: _Document, key: str, words: Words) -> tuple[str, ...]:
    """Return the ids of the documents of the text: those that we wrote ourselves, else the id with a prefix."""
    given = _infons(document.infons).get(DOCUMENT_IDS)
    return (f"{words.document_prefix}{key}",) if given is None else tuple(given.split())


def _as(kind: type[T], raw: object) -> tuple[T | None, str]:
    """Return a raw value as a type, or what is wrong with it."""
    try:
        return msgspec.convert(raw, kind, strict=False), ""
    except msgspec.ValidationError as error:
        return None, str(error)


def _infons(infons: Mapping[str, Any]) -> dict[str, str]:
    """Return infons as texts: in JSON they may be numbers, or nothing."""
    return {
        key: value if isinstance(value, str) else "" if value is None else checked.shown(value)
        for key, value in infons.items()
    }


def _text(document: _Document, *, respaced: bool) -> tuple[str, list[Passage], list[tuple[int, object]]] | str:
    """Return text, passages, and annotations with how far each moves with its passage; or what is wrong with them."""
    text = ""
    passages: list[Passage] = []
    annotations: list[tuple[int, object]] = []
    for passage in document.passages:
        kind = _infons(passage.infons).get("type", "")
        begun: int | None = None
        shifts: list[int] = []
        for unit in [passage] if passage.text is not None else passage.sentences:
            given, content = unit.offset, unit.text or ""
            start = (len(text) + 1 if text else 0) if respaced else given
            if start < len(text):
                return f"passage {kind!r} begins at {start}, before the end of what precedes it at {len(text)}"
            if start > len(text) + _MOST_SPACES:
                return f"passage {kind!r} begins at {start}, far beyond what precedes it, which ends at {len(text)}"
            if content:
                text = text.ljust(start) + content
                begun = start if begun is None else begun
            shifts.append(start - given)
            if unit is not passage:
                annotations += [(shifts[-1], annotation) for annotation in unit.annotations]
        outer = list(passage.annotations)
        if passage.text is not None:
            outer += [annotation for sentence in passage.sentences for annotation in sentence.annotations]
        annotations += [(shifts[0] if shifts else 0, annotation) for annotation in outer]
        if kind and begun is not None:
            passages.append(Passage(type=kind, span=Span(begun, len(text))))
    return text, passages, [*annotations, *((0, annotation) for annotation in document.annotations)]


def _entity(
    raw: object, text: str, shift: int, where: str, words: Words, used: set[str]
) -> tuple[Entity | None, Reject | None]:
    annotation, fault = _as(_Annotation, raw)
    if annotation is None:
        return None, Reject(where=where, reason="malformed mention", detail=fault)
    infons = _infons(annotation.infons)
    given_id, type = str(annotation.id), infons.pop("type", "")
    place, given = f"{where}/{given_id}", annotation.text
    if infons.get("CompositeRole") == _PART_OF_COMPOSITE:
        return None, Reject(where=place, reason="part of a composite mention", detail=f"{type}: {given!r}")
    if type in words.document_types and not annotation.locations:
        return None, Reject(where=place, reason=WHOLE_DOCUMENT, detail=f"{type}: {infons}")
    spans = [Span(at.offset + shift, at.offset + shift + at.length) for at in annotation.locations]
    spans.sort()
    if not type or not spans or (found := checked.at(text, spans)) is None:
        return None, Reject(where=place, reason=checked.OUTSIDE, detail=f"{type!r} at {spans} of {len(text)}")
    if given is not None and given != found and given.split() != found.split():
        detail = f"{type} at {spans[0].start}: the text has {found!r}, the mention {given!r}"
        return None, Reject(where=place, reason=checked.MISMATCH, detail=detail)
    entity = Entity(
        id=_unused(given_id, used),
        type=type,
        text=found,
        spans=tuple(spans),
        concepts=concepts(infons, words, words.databases.get(type, "MESH")),
        attributes={key: value for key, value in infons.items() if key not in words.id_keys},
    )
    if given is None or given == found:
        return entity, None
    detail = f"{type} at {spans[0].start}: {given!r}; the text's is kept"
    return entity, Reject(where=place, reason=checked.SPACING, detail=detail)


def _unused(id: str, used: set[str]) -> str:
    """Return the id of an annotation, with a number after it where another of the document has it already."""
    if not id or id in used:
        id = next(name for number in count(2) if (name := f"{id or 'T'}-{number}") not in used)
    used.add(id)
    return id


def concepts(infons: Mapping[str, str], words: Words, database: str) -> tuple[Concept, ...]:
    """Return the concepts that infons name, each once, in order; `-1` and `-` are none."""
    values = [(words.id_keys[key] or database, value) for key, value in infons.items() if key in words.id_keys]
    if len(values) == 1:
        return _concepts(*values[0], words)
    return tuple(dict.fromkeys(concept for own, value in values for concept in _concepts(own, value, words)))


# The same concepts come again and again.
@lru_cache(maxsize=1 << 14)
def _concepts(own: str, value: str, words: Words) -> tuple[Concept, ...]:
    found: list[Concept] = []
    for part in words.separator.split(value):
        id, _, second = part.partition("|") if words.second_database else (part, "", "")
        for db, name in ((own, id.strip()), (words.second_database, second.strip())):
            if name not in _NO_CONCEPT:
                match = _PREFIXED.fullmatch(name)
                named = Concept(db=match["db"], id=match["id"]) if match else None
                found.append(named or Concept(db=terminology(name, db), id=name))
    return tuple(dict.fromkeys(found))


def _all_relations(document: _Document) -> list[Any]:
    inner = (unit for passage in document.passages for unit in (passage, *passage.sentences))
    return [*(relation for unit in inner for relation in unit.relations), *document.relations]


def _relations(raw: list[Any], entities: list[Entity], where: str, words: Words) -> tuple[list[Relation], list[Reject]]:
    relations: list[Relation] = []
    rejects: list[Reject] = []
    known = {concept.id for entity in entities for concept in entity.concepts}
    used = {entity.id for entity in entities}
    mentions = frozenset(used)
    converted = [_as(_Relation, one) for one in raw]
    names = {str(relation.id) for relation, _ in converted if relation}
    for element, fault in converted:
        if element is None:
            rejects.append(Reject(where=where, reason="malformed relation", detail=fault))
            continue
        infons, id = _infons(element.infons), str(element.id)
        type = next((infons[key] for key in TYPE_KEYS if infons.get(key)), "")
        attributes = {ATTRIBUTES[key]: value for key, value in infons.items() if key in ATTRIBUTES}
        rest = {key: value for key, value in infons.items() if key not in ATTRIBUTES and key not in TYPE_KEYS}
        if element.nodes:
            arguments = tuple(_node(node, mentions) for node in element.nodes)
            missing = [a.ref for a in arguments if a.ref not in mentions and a.ref not in names]
            attributes |= rest
            reason = "relation to a mention that is not there"
        else:
            arguments = tuple(
                Argument(role=ROLES.get(key, key), kind="concept", ref=_bare(value)) for key, value in rest.items()
            )
            missing = [argument.ref for argument in arguments if argument.ref not in known]
            reason = "relation to a concept without a mention"
        if not type or not arguments:
            rejects.append(Reject(where=f"{where}/{id}", reason="malformed relation", detail=repr(infons)))
        elif missing:
            rejects.append(Reject(where=f"{where}/{id}", reason=reason, detail=f"{type}: {', '.join(missing)}"))
        else:
            name = _unused(id or "R", used)
            relations.append(Relation(id=name, type=type, arguments=arguments, attributes=attributes))
    return _whole(relations, where, rejects), rejects


def _whole(relations: list[Relation], where: str, rejects: list[Reject]) -> list[Relation]:
    """Return the relations without those that refer to one that was dropped."""
    kept = {relation.id: relation for relation in relations}
    while lost := [r for r in kept.values() if any(a.kind == "relation" and a.ref not in kept for a in r.arguments)]:
        for relation in lost:
            detail = f"{relation.type}: {', '.join(argument.ref for argument in relation.arguments)}"
            rejects.append(Reject(where=f"{where}/{relation.id}", reason=_DROPPED, detail=detail))
            del kept[relation.id]
    return list(kept.values())


def _node(node: _Node, mentions: frozenset[str]) -> Argument:
    ref = str(node.refid)
    kind: Literal["entity", "relation"] = "entity" if ref in mentions else "relation"
    return Argument(role=node.role, kind=kind, ref=ref)


def _bare(id: str) -> str:
    match = _PREFIXED.fullmatch(id.strip())
    return match["id"] if match else id.strip()
