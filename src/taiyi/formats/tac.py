"""Drug labels of TAC 2017 (Demner-Fushman et al., 2018): sections, mentions, relations and normalised reactions.

`<Label drug="…"><Text><Section id="S1" name="…">text</Section></Text><Mentions>…<Relations>…<Reactions>…`. Offsets of
a mention count from the beginning of its section; a discontinuous one has several, between commas.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from taiyi.formats import checked, xml
from taiyi.schema import Argument, Concept, Document, Entity, Lang, Passage, Record, Reject, Relation, Span, Split

_DATABASES = {"meddra_pt_id": "MedDRA-PT", "meddra_llt_id": "MedDRA-LLT"}
_REACTION = "AdverseReaction"
_BETWEEN_SECTIONS = "\n"


class _Reaction(NamedTuple):
    id: str
    text: str
    concepts: tuple[Concept, ...]
    flags: str


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read a label; its sections, as they stand in the file, are set one line break apart.

    A reaction of the label's list gives its MedDRA codes to the adverse reactions of its name, whatever their case; the
    names of MedDRA's terms are not kept. In the name that a mention has in the file white space is not compared:
    attributes of XML cannot hold line breaks.

    Raises:
        FormatError: the file is not a label of TAC 2017, was cut off, or defines XML entities.
    """
    for label in xml.elements(path, ("Label",), root=("Label",)):
        key = (label.get("drug") or "").strip() or path.stem
        text, passages, starts = _sections(label)
        reactions = [_reaction(element) for element in label.iterfind("Reactions/Reaction")]
        by_name: dict[str, _Reaction] = {}
        for reaction in reactions:
            if not reaction.text or reaction.text in by_name:
                detail = f"{reaction.text!r}: the first is kept" if reaction.text else "no text"
                yield Reject(where=f"{path.name}:{reaction.id}", reason="repeated or empty reaction", detail=detail)
            else:
                by_name[reaction.text] = reaction
        entities: dict[str, Entity] = {}
        met: set[str] = set()
        for element in label.iterfind("Mentions/Mention"):
            entity, fault = _mention(element, text, starts)
            where = f"{path.name}:{element.get('id', '')}"
            if entity is None or entity.id in entities:
                reason = "malformed mention" if entity is None else "repeated mention"
                yield Reject(where=where, reason=reason, detail=fault)
                continue
            reaction = by_name.get(_name(entity.text)) if entity.type == _REACTION else None
            if reaction:
                met.add(reaction.text)
            entities[entity.id] = _normalised(entity, reaction)
        relations: dict[str, Relation] = {}
        for element in label.iterfind("Relations/Relation"):
            relation, fault = _relation(element, entities)
            if relation is None or relation.id in relations or relation.id in entities:
                reason = "malformed relation" if relation is None else "repeated relation"
                yield Reject(where=f"{path.name}:{element.get('id', '')}", reason=reason, detail=fault)
            else:
                relations[relation.id] = relation
        for name, reaction in by_name.items():
            if name not in met:
                where = f"{path.name}:{reaction.id}"
                yield Reject(where=where, reason="reaction without a mention", detail=repr(name))
        yield checked.record(
            Document,
            path.name,
            id=key,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"spl:{key}",),
            text=text,
            passages=tuple(passages),
            entities=tuple(entities.values()),
            relations=tuple(relations.values()),
        )


def _name(text: str) -> str:
    return " ".join(text.casefold().split())


def _sections(label: Any) -> tuple[str, list[Passage], dict[str, int]]:
    """Return the text of a label, its sections, and where each of them begins."""
    text = ""
    passages: list[Passage] = []
    starts: dict[str, int] = {}
    for section in label.iterfind("Text/Section"):
        content = "".join(section.itertext())
        start = len(text) + len(_BETWEEN_SECTIONS) if text else 0
        starts.setdefault(section.get("id") or "", start)
        if content:
            text = f"{text}{_BETWEEN_SECTIONS}{content}" if text else content
            passages.append(Passage(type=section.get("name") or "section", span=Span(start, len(text))))
    return text, passages, starts


def _mention(element: Any, text: str, starts: dict[str, int]) -> tuple[Entity | None, str]:
    """Return a mention and what to say if it is repeated, or None and what is wrong with it."""
    id, type, section = (element.get(name) or "" for name in ("id", "type", "section"))
    offsets, lengths = ([checked.number(part.strip()) for part in (element.get(name) or "").split(",")]
                        for name in ("start", "len"))  # fmt: skip
    shown = f"{type} {dict(element.attrib)}"
    if not id or not type or section not in starts or len(offsets) != len(lengths):
        return None, shown
    spans: list[Span] = []
    for offset, length in zip(offsets, lengths, strict=True):
        if offset is None or not length or starts[section] + offset + length > len(text):
            return None, shown
        spans.append(Span(starts[section] + offset, starts[section] + offset + length))
    spans.sort()
    found = " ".join(text[start:end] for start, end in spans)
    if (element.get("str") or found).split() != found.split():
        return None, f"{shown}: the text has {found!r}"
    return Entity(id=id, type=type, text=found, spans=tuple(spans)), f"{id}: the first is kept"


def _normalised(entity: Entity, reaction: _Reaction | None) -> Entity:
    if reaction is None:
        return entity
    attributes = {"normalization": reaction.flags} if reaction.flags else {}
    return Entity(
        id=entity.id,
        type=entity.type,
        text=entity.text,
        spans=entity.spans,
        concepts=reaction.concepts,
        attributes=attributes,
    )


def _relation(element: Any, entities: dict[str, Entity]) -> tuple[Relation | None, str]:
    id, type, *refs = (element.get(name) or "" for name in ("id", "type", "arg1", "arg2"))
    if not id or not type or any(ref not in entities for ref in refs):
        return None, f"{type} {dict(element.attrib)}"
    arguments = tuple(
        Argument(role=role, kind="entity", ref=ref) for role, ref in zip(("arg1", "arg2"), refs, strict=True)
    )
    return Relation(id=id, type=type, arguments=arguments), f"{id}: the first is kept"


def _reaction(element: Any) -> _Reaction:
    terms = element.findall("Normalization")
    concepts = [
        Concept(db=database, id=term.get(name)) for term in terms for name, database in _DATABASES.items()
        if term.get(name)
    ]  # fmt: skip
    flags = ";".join(dict.fromkeys(term.get("flag") for term in terms if term.get("flag")))
    return _Reaction(
        id=element.get("id") or "", text=_name(element.get("str") or ""), concepts=tuple(dict.fromkeys(concepts)),
        flags=flags,
    )  # fmt: skip
