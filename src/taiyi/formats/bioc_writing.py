"""Records as documents of BioC, the mappings that its XML and JSON have in common; the reverse of `bioc_documents`."""

from __future__ import annotations

import itertools
from typing import Any

from taiyi.errors import FormatError
from taiyi.formats.bioc_documents import ATTRIBUTES, DOCUMENT_IDS, IDENTIFIER, ROLES, TYPE_KEYS, Words, concepts
from taiyi.schema import Document, Entity, Passage, Record, Relation, Span

_COMPOSITE = "CompositeRole"


def document(record: Record, id_separator: str) -> dict[str, Any]:
    """Return a record as a BioC document.

    Raises:
        FormatError: BioC cannot hold it: another form, events, coreferences, text between passages, attributes under
            the name of another infon, relations of texts or events.
    """
    if not isinstance(record, Document) or record.events or record.coreferences:
        raise FormatError(
            "BioC holds documents with entities and relations", where=record.id, got=type(record).__name__
        )
    if record.id != record.id.strip() or not record.id:
        raise FormatError("BioC cannot hold this id", where=repr(record.id))
    whole = Passage(type="", span=Span(0, len(record.text)))
    passages = sorted(record.passages or (whole,), key=lambda passage: passage.span)
    starts = [passage.span.start for passage in passages]
    ends = [0, *(passage.span.end for passage in passages)]
    gaps = [record.text[end:start] for end, start in zip(ends, [*starts, len(record.text)], strict=True)]
    overlap = any(end > start for end, start in zip(ends[1:], starts[1:], strict=False))
    if overlap or gaps[-1] or any(gap.strip(" ") for gap in gaps):
        raise FormatError("the passages do not hold the whole text, each part once", where=record.id)
    words = Words.of(id_separator, {})
    output: list[dict[str, Any]] = []
    for passage, following in itertools.zip_longest(passages, passages[1:]):
        first = 0 if passage is passages[0] else passage.span.start
        limit = following.span.start if following else len(record.text) + 1
        output.append(
            {
                "infons": {"type": passage.type} if passage.type else {},
                "offset": passage.span.start,
                "text": record.text[passage.span.start : passage.span.end],
                "sentences": [],
                "annotations": [
                    _annotation(entity, record.id, words, id_separator)
                    for entity in record.entities
                    if first <= entity.spans[0].start < limit
                ],
                "relations": [],
            }
        )
    ids = " ".join(record.document_ids)
    if tuple(ids.split()) != record.document_ids:
        raise FormatError("BioC cannot hold these ids of documents", where=record.id, got=record.document_ids)
    return {
        "id": record.id,
        "infons": {} if record.document_ids == (f"pmid:{record.id}",) else {DOCUMENT_IDS: ids},
        "passages": output,
        "annotations": [],
        "relations": [_relation(relation, record) for relation in record.relations],
    }


def _annotation(entity: Entity, record: str, words: Words, separator: str) -> dict[str, Any]:
    where = f"{record}/{entity.id}"
    taken = {*words.id_keys, "type"} & entity.attributes.keys()
    if taken or entity.attributes.get(_COMPOSITE) == "IndividualMention":
        raise FormatError("BioC cannot hold these attributes", where=where, got=entity.attributes)
    if not entity.id or not entity.type or list(entity.spans) != sorted(entity.spans):
        raise FormatError("BioC holds mentions with an id, a type and spans in order", where=where)
    infons = {"type": entity.type}
    if entity.concepts:
        infons[IDENTIFIER] = separator.join(f"{concept.db}:{concept.id}" for concept in entity.concepts)
        if concepts({IDENTIFIER: infons[IDENTIFIER]}, words, "") != entity.concepts:
            raise FormatError(
                f"between {separator!r}, these ids cannot be told apart", where=where, got=infons[IDENTIFIER]
            )
    return {
        "id": entity.id,
        "infons": infons | entity.attributes,
        "text": entity.text,
        "locations": [{"offset": start, "length": end - start} for start, end in entity.spans],
    }


def _relation(relation: Relation, record: Document) -> dict[str, Any]:
    where = f"{record.id}/{relation.id}"
    kinds = {argument.kind for argument in relation.arguments}
    if not relation.id or not relation.type or not kinds:
        raise FormatError("BioC holds relations with an id, a type and arguments", where=where)
    if kinds != {"concept"} and not kinds <= {"entity", "relation"}:
        raise FormatError("BioC relates concepts, or entities and relations", where=where, got=kinds)
    if any(argument.type is not None for argument in relation.arguments):
        raise FormatError("BioC does not hold types of arguments", where=where)
    infons = {"type": relation.type} | relation.attributes
    roles = [argument.role for argument in relation.arguments]
    if kinds != {"concept"}:
        if {*TYPE_KEYS, "novel"} & relation.attributes.keys():
            raise FormatError("BioC cannot hold these attributes", where=where, got=relation.attributes)
        nodes = [{"refid": argument.ref, "role": argument.role} for argument in relation.arguments]
        return {"id": relation.id, "infons": infons, "nodes": nodes}
    if len(set(roles)) < len(roles) or {*TYPE_KEYS, *ATTRIBUTES, *ROLES} & {*roles}:
        raise FormatError("the roles of concepts must differ and be no attributes", where=where, got=roles)
    if relation.attributes.keys() - {"novelty"}:
        raise FormatError(
            "BioC holds the novelty of a relation between concepts and no other attribute", where=where,
            got=relation.attributes,
        )  # fmt: skip
    databases = {concept.id: concept.db for entity in record.entities for concept in entity.concepts}
    refs = {argument.role: f"{databases[argument.ref]}:{argument.ref}" for argument in relation.arguments}
    return {"id": relation.id, "infons": infons | refs, "nodes": []}
