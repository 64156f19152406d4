"""BioRelEx JSON: sentences with entities, each a cluster of mentions under several names, and their interactions.

Khachatrian et al. BioRelEx 1.0: Biological Relation Extraction Benchmark. BioNLP, 2019.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

from taiyi.formats import checked, json_lines
from taiyi.schema import (
    Argument,
    Concept,
    Coreference,
    Document,
    Entity,
    Lang,
    Record,
    Reject,
    Relation,
    Span,
    Split,
)

BAD_ENTITY = "malformed entity"
BAD_MENTION = "malformed mention"
BAD_INTERACTION = "malformed interaction"
UNMENTIONED = "interaction of an entity without a mention"
# What follows the type of an interaction by its label: 1 says that it takes place, -1 that it does not.
SUFFIXES = {1: "", -1: "_negated", 0: "_unlabelled"}
# The query that led to the entry says nothing of it.
_QUERY = re.compile(r"\?q=.*")
_LAST_PART = re.compile(r"(?<![^/=+])[^/=+]*[0-9][^/=+]*$")
_PMC = re.compile(r"PMC[0-9]+")
_FLAGS = {"is_state": "state", "is_mutant": "mutant"}
_Item = dict[str, Any]


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read sentences; entities of the record are mentions, and an entity with several is a coreference of them.

    An interaction is between the first mentions, in the text, of its two participants. One that is said not to take
    place, or of which the sentence does not tell, is of a type of its own, such as `bind_negated`, so that nobody
    takes it for one that does.

    The ids of the papers are the corpus's own, no PubMed ids. Where the address of the paper is one in PubMed Central,
    that id is added.

    Raises:
        FormatError: the file is not JSON.
    """
    for where, item in json_lines.items(path):
        if isinstance(item, Reject):
            yield item
            continue
        key, text, paper = item.get("id"), item.get("text"), item.get("paperid")
        entities, interactions = item.get("entities"), item.get("interactions")
        if not (isinstance(key, str) and key and isinstance(text, str)) or not (
            isinstance(entities, list) and isinstance(interactions, list)
        ):
            yield Reject(where=where, reason=checked.MALFORMED, detail=checked.shown(item))
            continue
        sentence = _Sentence(where, text)
        sentence.add_entities(cast("list[Any]", entities))
        sentence.add_interactions(cast("list[Any]", interactions))
        yield from sentence.rejects
        yield checked.record(
            Document,
            where,
            id=key,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=_document_ids(paper, item.get("url")),
            text=text,
            entities=tuple(sentence.entities),
            relations=tuple(sentence.relations),
            coreferences=tuple(sentence.coreferences),
        )


def _document_ids(paper: object, url: object) -> tuple[str, ...]:
    own = (f"biorelex:{paper}",) if isinstance(paper, str) and paper else ()
    match = _PMC.search(url) if isinstance(url, str) else None
    return (*own, f"pmcid:{match[0]}") if match else own


class _Sentence:
    def __init__(self, where: str, text: str) -> None:
        self.entities: list[Entity] = []
        self.relations: list[Relation] = []
        self.coreferences: list[Coreference] = []
        self.rejects: list[Reject] = []
        self._where = where
        self._text = text
        self._first: dict[int, str] = {}

    def _reject(self, reason: str, detail: str) -> None:
        self.rejects.append(Reject(where=self._where, reason=reason, detail=detail))

    def add_entities(self, entities: list[Any]) -> None:
        for index, entity in enumerate(entities):
            if _is_entity(entity):
                self._add_entity(index, entity)
            else:
                self._reject(BAD_ENTITY, checked.shown(entity))

    def _add_entity(self, index: int, entity: _Item) -> None:
        """Add the mentions of an entity in the order of the text, so that the first of them stands for it."""
        found: list[tuple[Span, str]] = []
        unmentioned: list[str] = []
        for name, uses in cast("dict[str, Any]", entity["names"]).items():
            mentions: object = cast("_Item", uses).get("mentions") if isinstance(uses, dict) else None
            if not isinstance(mentions, list):
                self._reject(BAD_MENTION, f"{name}: {checked.shown(cast(object, uses))}")
                continue
            mentions = cast("list[Any]", mentions)
            spans = [_span(value) for value in mentions]
            found += [(span, name) for span in spans if span is not None]
            if None in spans:
                self._reject(BAD_MENTION, f"{name}: {checked.shown(mentions)}")
            if not spans:
                unmentioned.append(name)
        attributes = _attributes(entity, unmentioned)
        concepts = _concepts(entity.get("grounding"))
        kept: list[str] = []
        for span, name in sorted(found):
            mention, reject = checked.mention(
                self._text,
                span,
                name,
                id=f"T{index}.{len(kept)}",
                type=entity["label"],
                where=self._where,
                concepts=concepts,
            )
            self.rejects += [reject] if reject else []
            if mention:
                self.entities.append(msgspec.structs.replace(mention, attributes=attributes))
                kept.append(mention.id)
        if kept:
            self._first[index] = kept[0]
        if len(kept) > 1:
            self.coreferences.append(Coreference(id=f"C{index}", entities=tuple(kept)))

    def add_interactions(self, interactions: list[Any]) -> None:
        for interaction in interactions:
            if not _is_interaction(interaction):
                self._reject(BAD_INTERACTION, checked.shown(interaction))
                continue
            participants: list[int] = interaction["participants"]
            if any(participant not in self._first for participant in participants):
                self._reject(UNMENTIONED, checked.shown(interaction))
                continue
            self.relations.append(
                Relation(
                    id=f"R{len(self.relations)}",
                    type=interaction["type"] + SUFFIXES[interaction["label"]],
                    arguments=tuple(
                        Argument(role="participant", kind="entity", ref=self._first[participant])
                        for participant in participants
                    ),
                    attributes={"implicit": "true"} if interaction.get("implicit") is True else {},
                )
            )


def _is_entity(entity: object) -> bool:
    if not isinstance(entity, dict):
        return False
    item = cast("_Item", entity)
    return isinstance(item.get("label"), str) and item["label"] != "" and isinstance(item.get("names"), dict)


def _is_interaction(interaction: object) -> bool:
    if not isinstance(interaction, dict):
        return False
    item = cast("_Item", interaction)
    participants, label, type = item.get("participants"), item.get("label"), item.get("type")
    return (
        isinstance(type, str)
        and type != ""
        and _is_number(label)
        and label in SUFFIXES
        and isinstance(participants, list)
        and len(cast("list[Any]", participants)) == 2
        and all(_is_number(participant) for participant in cast("list[Any]", participants))
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _span(value: object) -> Span | None:
    match value:
        case [int(start), int(end)] if _is_number(start) and _is_number(end):
            return Span(start, end)
        case _:
            return None


def _attributes(entity: _Item, unmentioned: list[str]) -> dict[str, str]:
    """Return what is said of an entity beyond its type: flags, organism, remark, and names that are not in the text."""
    attributes = {name: "true" for key, name in _FLAGS.items() if entity.get(key) is True}
    grounding = entity.get("grounding")
    if isinstance(grounding, dict):
        for key in ("organism", "comment"):
            value: object = cast("_Item", grounding).get(key)
            if isinstance(value, str) and value:
                attributes[key] = value
    if unmentioned:
        attributes["other_names"] = "; ".join(unmentioned)
    return attributes


def _concepts(grounding: object) -> tuple[Concept, ...]:
    """Return what an entity is grounded to: the last part of the link, in the source, and the gene that it is."""
    if not isinstance(grounding, dict):
        return ()
    stated = {key: value for key, value in cast("_Item", grounding).items() if isinstance(value, str) and value != "NA"}
    source, link = stated.get("source", ""), stated.get("link", "")
    found: list[Concept] = []
    if source and (match := _LAST_PART.search(_QUERY.sub("", link))):
        # A source that is an address is that of a page in a terminology without a short name.
        database = source.split("/")[2] if source.count("/") > 2 else source
        found.append(Concept(db=database or source, id=match[0]))
    found += [
        Concept(db=database, id=stated[key])
        for key, database in (("entrez_gene", "NCBI gene"), ("hgnc_symbol", "HGNC symbol"))
        if stated.get(key)
    ]
    return tuple(dict.fromkeys(found))
