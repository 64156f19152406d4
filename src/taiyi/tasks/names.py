"""Concepts by name: what a text alone tells of which mentions mean the same thing.

Where nothing is normalised, as in what a model found itself, mentions of one type and one text, whatever its case, are
one concept, and so are those of an abbreviation and of the long form that the text explains it by.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import msgspec

from taiyi.schema import Concept, Document, Relation
from taiyi.tasks.abbreviations import abbreviations
from taiyi.text import squeeze

NAME = "name"
"""The terminology of such concepts, which have the id of one of their mentions."""


def by_name(document: Document) -> Document:
    """Return a document whose concepts are names.

    A relation of a concept becomes one of each name that it has: relations are between the same texts as before, but
    for those of a name that stands for several concepts of the document, which join all of its mentions.
    """
    chosen = _chosen(document)
    named: dict[str, dict[str, None]] = {}
    for entity in document.entities:
        for concept in entity.concepts:
            named.setdefault(concept.id, {})[chosen[entity.id]] = None
    concepts = {id: (Concept(db=NAME, id=of),) for id, of in chosen.items()}
    entities = tuple(msgspec.structs.replace(e, concepts=concepts[e.id]) for e in document.entities)
    relations = tuple(one for relation in document.relations for one in _between_names(relation, named))
    return msgspec.structs.replace(document, entities=entities, relations=relations)


def _chosen(document: Document) -> dict[str, str]:
    """Return for each entity the id of the one that stands for all of its name."""
    names = {e.id: (e.type, _name(e.text)) for e in document.entities}
    first: dict[tuple[str, str], str] = {}
    for id, name in names.items():
        first.setdefault(name, id)
    for short, long in abbreviations(document.text):
        for kind in {type for type, _ in first}:
            one, other = first.get((kind, _name(short))), first.get((kind, _name(long)))
            if one is not None and other is not None:
                first = {name: one if id == other else id for name, id in first.items()}
    return {id: first[name] for id, name in names.items()}


def _name(text: str) -> str:
    return squeeze(text).casefold()


def _between_names(relation: Relation, named: dict[str, dict[str, None]]) -> Iterator[Relation]:
    """Yield the relations between names that a relation stands for; the first keeps its id, by which others may refer
    to it."""
    ends = [
        [msgspec.structs.replace(a, ref=name) for name in named[a.ref]] if a.kind == "concept" else [a]
        for a in relation.arguments
    ]
    for number, arguments in enumerate(product(*ends)):
        id = f"{relation.id}.{number}" if number else relation.id
        yield msgspec.structs.replace(relation, id=id, arguments=arguments)
