"""BioC XML (Comeau et al., 2013): documents of passages with their offsets, annotations with locations, and relations.

Read one document at a time, without network; a file that defines XML entities is refused.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from taiyi.errors import FormatError
from taiyi.formats import checked, xml
from taiyi.formats.xml import etree
from taiyi.schema import Argument, Concept, Document, Entity, Lang, Passage, Record, Reject, Relation, Span, Split

_NO_DATABASES: Mapping[str, str] = MappingProxyType({})
_NO_CONCEPT = frozenset({"", "-", "-1"})
_PREFIXED = re.compile(r"(?P<db>[A-Za-z]+):(?P<id>.+)")
# Infons of annotations that hold ids: under the name of their terminology, or under `identifier`.
_TERMINOLOGIES = frozenset({"MESH", "OMIM", "NCBIGene", "NCBITaxon", "dbSNP", "tmVar", "Cellosaurus", "UMLS"})
_IDENTIFIER = "identifier"
_TYPE_KEYS = ("type", "relation")
_ROLES = {"entity1": "head", "entity2": "tail"}
# Infons of relations that are no arguments.
_ATTRIBUTES = {"novel": "novelty", "novelty": "novelty"}
# Between two passages; a wrong offset must not ask for more memory than there is.
_MOST_SPACES = 10_000
_PART_OF_COMPOSITE = "IndividualMention"
_SOURCE = "Taiyi"


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    id_separators: str = "|",
    databases: Mapping[str, str] = _NO_DATABASES,
    document_prefix: str = "pmid:",
) -> Iterator[Record | Reject]:
    """Read documents, one at a time.

    A passage's text stands at its offset; what lies between passages is spaces. BC5CDR's parts of composite mentions
    (`IndividualMention`) are rejected: their composite mention is kept.

    Args:
        id_separators: characters between the ids of one mention.
        databases: the terminology of each entity type's `identifier`; MeSH if not given.

    Raises:
        FormatError: the file is not BioC XML, was cut off, defines XML entities, or has a text of more than 10 MB.
    """
    separator = re.compile(f"[{re.escape(id_separators)}]")
    for element in xml.elements(path, ("document",), root=("collection",)):
        key = (element.findtext("id") or "").strip()
        where = f"{path.name}:{key or element.sourceline}"
        if not key:
            yield Reject(where=where, reason=checked.INVALID, detail="a document without an id")
            continue
        assembled = _text(element)
        if isinstance(assembled, str):
            yield Reject(where=where, reason=checked.INVALID, detail=assembled)
            continue
        text, passages = assembled
        entities, dropped = _entities(element, text, where, separator, databases)
        yield from dropped
        relations, dropped = _relations(element, entities, where)
        yield from dropped
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
            relations=tuple(relations),
        )


def _infons(element: Any) -> dict[str, str]:
    return {infon.get("key", ""): infon.text or "" for infon in element.findall("infon")}


def _text(document: Any) -> tuple[str, list[Passage]] | str:
    """Return the text of a document and its passages, or what is wrong with them."""
    text = ""
    passages: list[Passage] = []
    for passage in document.findall("passage"):
        kind = _infons(passage).get("type", "")
        units = [passage] if passage.find("text") is not None else passage.findall("sentence")
        begun: int | None = None
        for unit in units:
            offset, content = (unit.findtext("offset") or "").strip(), unit.findtext("text") or ""
            start = checked.number(offset)
            if start is None:
                return f"passage {kind!r} has the offset {offset[:40]!r}"
            if start < len(text):
                return f"passage {kind!r} begins at {start}, before the end of what precedes it at {len(text)}"
            if start > len(text) + _MOST_SPACES:
                return f"passage {kind!r} begins at {start}, far beyond what precedes it, which ends at {len(text)}"
            if content:
                text = text.ljust(start) + content
                begun = start if begun is None else begun
        if kind and begun is not None:
            passages.append(Passage(type=kind, span=Span(begun, len(text))))
    return text, passages


def _entities(
    document: Any, text: str, where: str, separator: re.Pattern[str], databases: Mapping[str, str]
) -> tuple[list[Entity], list[Reject]]:
    entities: list[Entity] = []
    rejects: list[Reject] = []
    for annotation in document.iter("annotation"):
        infons = _infons(annotation)
        id, type = annotation.get("id", ""), infons.get("type", "")
        place = f"{where}/{id}"
        if infons.get("CompositeRole") == _PART_OF_COMPOSITE:
            detail = f"{type}: {annotation.findtext('text')!r}"
            rejects.append(Reject(where=place, reason="part of a composite mention", detail=detail))
            continue
        try:
            spans = sorted(
                Span(int(location.get("offset")), int(location.get("offset")) + int(location.get("length")))
                for location in annotation.findall("location")
            )
        except (TypeError, ValueError) as error:
            rejects.append(Reject(where=place, reason="malformed mention", detail=str(error)))
            continue
        if not type or not spans or any(not 0 <= start < end <= len(text) for start, end in spans):
            rejects.append(Reject(where=place, reason=checked.OUTSIDE, detail=f"{type!r} at {spans} of {len(text)}"))
            continue
        found = " ".join(text[start:end] for start, end in spans)
        given = annotation.findtext("text")
        if given is not None and given.split() != found.split():
            detail = f"{type} at {spans[0].start}: the text has {found!r}, the mention {given!r}"
            rejects.append(Reject(where=place, reason=checked.MISMATCH, detail=detail))
            continue
        concepts = _concepts(infons, separator, databases.get(type, "MESH"))
        entities.append(Entity(id=id, type=type, text=found, spans=tuple(spans), concepts=concepts))
        if given is not None and given != found:
            detail = f"{type} at {spans[0].start}: {given!r}; the text's is kept"
            rejects.append(Reject(where=place, reason=checked.SPACING, detail=detail))
    return entities, rejects


def _concepts(infons: Mapping[str, str], separator: re.Pattern[str], database: str) -> tuple[Concept, ...]:
    concepts: list[Concept] = []
    for key, value in infons.items():
        if key != _IDENTIFIER and key not in _TERMINOLOGIES:
            continue
        own = database if key == _IDENTIFIER else key
        for part in (part.strip() for part in separator.split(value)):
            if part in _NO_CONCEPT:
                continue
            match = _PREFIXED.fullmatch(part)
            concepts.append(Concept(db=match["db"], id=match["id"]) if match else Concept(db=own, id=part))
    return tuple(dict.fromkeys(concepts))


def _relations(document: Any, entities: Sequence[Entity], where: str) -> tuple[list[Relation], list[Reject]]:
    relations: list[Relation] = []
    rejects: list[Reject] = []
    concepts = {concept.id for entity in entities for concept in entity.concepts}
    mentions = {entity.id for entity in entities}
    elements = list(document.iter("relation"))
    names = {element.get("id", "") for element in elements}
    for element in elements:
        infons, id = _infons(element), element.get("id", "")
        type = next((infons[key] for key in _TYPE_KEYS if infons.get(key)), "")
        nodes = element.findall("node")
        attributes = {_ATTRIBUTES[key]: value for key, value in infons.items() if key in _ATTRIBUTES}
        rest = {key: value for key, value in infons.items() if key not in _ATTRIBUTES and key not in _TYPE_KEYS}
        if nodes:
            arguments = tuple(_node(node, mentions) for node in nodes)
            missing = [a.ref for a in arguments if a.ref not in mentions and a.ref not in names]
            attributes |= rest
            reason = "relation to a mention that is not there"
        else:
            arguments = tuple(
                Argument(role=_ROLES.get(key, key), kind="concept", ref=_bare(value)) for key, value in rest.items()
            )
            missing = [argument.ref for argument in arguments if argument.ref not in concepts]
            reason = "relation to a concept without a mention"
        if not type or not arguments:
            rejects.append(Reject(where=f"{where}/{id}", reason="malformed relation", detail=repr(infons)))
        elif missing:
            rejects.append(Reject(where=f"{where}/{id}", reason=reason, detail=f"{type}: {', '.join(missing)}"))
        else:
            relations.append(Relation(id=id, type=type, arguments=arguments, attributes=attributes))
    return relations, rejects


def _node(node: Any, mentions: set[str]) -> Argument:
    ref = node.get("refid", "")
    kind: Literal["entity", "relation"] = "entity" if ref in mentions else "relation"
    return Argument(role=node.get("role", ""), kind=kind, ref=ref)


def _bare(id: str) -> str:
    match = _PREFIXED.fullmatch(id.strip())
    return match["id"] if match else id.strip()


def write(records: Iterable[Record], path: Path, *, id_separator: str = "|") -> None:
    """Write documents; ids stand under `identifier` with the names of their terminologies before them.

    Raises:
        FormatError: a record cannot be said in BioC XML (another form, events, coreferences, text between passages, a
            control character).
    """
    with path.open("wb") as file, etree.xmlfile(file, encoding="UTF-8") as output:
        output.write_declaration()
        output.write_doctype('<!DOCTYPE collection SYSTEM "BioC.dtd">')
        with output.element("collection"):
            for tag, text in (("source", _SOURCE), ("date", ""), ("key", "BioC.key")):
                output.write(_leaf(tag, text))
            for record in records:
                try:
                    output.write(_document(record, id_separator))
                except ValueError as error:
                    raise FormatError(f"XML cannot hold this text: {error}", where=record.id) from error


def _leaf(tag: str, text: str, **attributes: str) -> Any:
    element = etree.Element(tag, **attributes)
    element.text = text
    return element


def _document(record: Record, id_separator: str) -> Any:
    if not isinstance(record, Document) or record.events or record.coreferences:
        raise FormatError(
            "BioC holds documents with entities and relations", where=record.id, got=type(record).__name__
        )
    whole = Passage(type="", span=Span(0, len(record.text)))
    passages = sorted(record.passages or (whole,), key=lambda passage: passage.span)
    starts = [passage.span.start for passage in passages]
    ends = [0, *(passage.span.end for passage in passages)]
    gaps = [record.text[end:start] for end, start in zip(ends, [*starts, len(record.text)], strict=True)]
    overlap = any(end > start for end, start in zip(ends[1:], starts[1:], strict=False))
    if overlap or gaps[-1] or any(gap.strip(" ") for gap in gaps):
        raise FormatError("the passages do not hold the whole text, each part once", where=record.id)
    document = etree.Element("document")
    document.append(_leaf("id", record.id))
    for passage, following in itertools.zip_longest(passages, passages[1:]):
        limit = following.span.start if following else len(record.text) + 1
        element = etree.SubElement(document, "passage")
        if passage.type:
            element.append(_leaf("infon", passage.type, key="type"))
        element.append(_leaf("offset", str(passage.span.start)))
        element.append(_leaf("text", record.text[passage.span.start : passage.span.end]))
        first = 0 if passage is passages[0] else passage.span.start
        for entity in record.entities:
            if first <= entity.spans[0].start < limit:
                element.append(_annotation(entity, record.id, id_separator))
    for relation in record.relations:
        document.append(_relation(relation, record.id))
    return document


def _annotation(entity: Entity, where: str, id_separator: str) -> Any:
    element = etree.Element("annotation", id=entity.id)
    element.append(_leaf("infon", entity.type, key="type"))
    if entity.concepts:
        ids = [f"{concept.db}:{concept.id}" for concept in entity.concepts]
        if any(id_separator in id for id in ids):
            raise FormatError(f"an id holds the separator {id_separator!r}", where=f"{where}/{entity.id}", got=ids)
        element.append(_leaf("infon", id_separator.join(ids), key=_IDENTIFIER))
    for start, end in entity.spans:
        element.append(etree.Element("location", offset=str(start), length=str(end - start)))
    element.append(_leaf("text", entity.text))
    return element


def _relation(relation: Relation, where: str) -> Any:
    kinds = {argument.kind for argument in relation.arguments}
    if kinds != {"concept"} and not kinds <= {"entity", "relation"}:
        raise FormatError("BioC relates concepts, or entities and relations", where=f"{where}/{relation.id}", got=kinds)
    roles = [argument.role for argument in relation.arguments]
    if kinds == {"concept"} and (len(set(roles)) < len(roles) or {*_TYPE_KEYS, *_ATTRIBUTES} & {*roles}):
        raise FormatError("the roles of concepts must differ and be no attributes", where=where, got=roles)
    element = etree.Element("relation", id=relation.id)
    element.append(_leaf("infon", relation.type, key="type"))
    for key, value in relation.attributes.items():
        element.append(_leaf("infon", value, key=key))
    for argument in relation.arguments:
        if kinds == {"concept"}:
            element.append(_leaf("infon", argument.ref, key=argument.role))
        else:
            element.append(etree.Element("node", refid=argument.ref, role=argument.role))
    return element
