"""Sentence/entity/pair XML: sentences with their entities, and pairs of entities that interact or do not.

The format that Pyysalo et al. (BMC Bioinformatics 2008, 9(S3):S6) brought five protein interaction corpora into, and
its kin: `<interaction>` there, `<pair interaction="True">` in CPI, `<pair ddi="true" type="effect">` in the DDI corpus
(Herrero-Zazo et al., 2013). Offsets are relative to the sentence, and count its last character in some corpora; several
spans are split by `;` or `,`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from taiyi.errors import FormatError
from taiyi.formats import checked, xml
from taiyi.schema import Argument, Concept, Document, Entity, Lang, Passage, Record, Reject, Relation, Span, Split

NEGATIVE = "pair without a relation"
DANGLING = "relation to an entity that is not there"
_SPAN = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")
_NO_DATABASES: Mapping[str, str] = MappingProxyType({})
_VERDICTS = ("ddi", "interaction")


@dataclass(frozen=True, slots=True)
class _Style:
    """How a corpus uses the format: the options of `read`."""

    inclusive: bool
    entity_type: str
    type_as: str
    concepts_in: str
    concept_separator: str
    databases: Mapping[str, str]
    relation_type: str
    roles: tuple[str, str]
    reject_negatives: bool


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    end: Literal["inclusive", "exclusive"] = "exclusive",
    record: Literal["document", "sentence"] = "document",
    pmid: str = "",
    entity_type: str = "",
    type_as: str = "",
    concepts_in: str = "",
    concept_separator: str = ",",
    databases: Mapping[str, str] = _NO_DATABASES,
    relation_type: str = "",
    roles: tuple[str, str] = ("head", "tail"),
    negatives: Literal["reject", "drop"] = "reject",
) -> Iterator[Record | Reject]:
    """Read a file of one document or many, with offsets into the text of the whole document.

    The sentences of a document are joined without anything between them where their offsets say so, or where the former
    one ends in white space and there are no offsets; else by one space. Each is a passage. What ids of other editions
    there are (`origId` of sentences and entities) is not kept, unless an option says so.

    Args:
        end: whether the end of an offset is the last character or the one after it.
        record: what becomes a record; sentences of corpora whose documents are no running text.
        pmid: the attribute of a document that is its PubMed id, or `file` where the file's name is one if a number.
        entity_type: the type of entities that state none, or of all where what they state is no type.
        type_as: the attribute that keeps an entity's stated `type` where this is no type, such as a role.
        concepts_in: the attribute of an entity that holds ids in a terminology, split by `concept_separator`; it may be
            `type`.
        databases: the terminology of each entity type's ids; `corpus` if not given.
        relation_type: the type of relations that state none.
        negatives: whether pairs marked as not interacting come as rejects, or, where all others of a sentence are
            listed, are dropped.

    Raises:
        FormatError: the file is not XML of this kind.
    """
    style = _Style(
        inclusive=end == "inclusive",
        entity_type=entity_type,
        type_as=type_as,
        concepts_in=concepts_in,
        concept_separator=concept_separator,
        databases=databases,
        relation_type=relation_type,
        roles=roles,
        reject_negatives=negatives == "reject",
    )
    empty = True
    for number, document in enumerate(xml.elements(path, ("document",), root=("corpus", "document")), start=1):
        empty = False
        key = document.get("id") or str(number)
        ids = _document_ids(document, path, pmid)
        sentences = [element for element in document if element.tag == "sentence"]
        groups = [sentences] if record == "document" else [[sentence] for sentence in sentences]
        for group in groups:
            where = f"{path.name}:{(group[0] if group else document).sourceline}"
            name = key if record == "document" else (group[0].get("id") or f"{key}.s{sentences.index(group[0])}")
            content = _Content(style, path.name, corpus)
            for sentence in group:
                content.add(sentence)
            yield from content.rejects
            yield checked.record(
                Document,
                where,
                id=name,
                corpus=corpus,
                split=split,
                lang=lang,
                document_ids=ids,
                text=content.text,
                passages=tuple(content.passages),
                entities=tuple(content.entities),
                relations=tuple(content.relations),
            )
    if empty:
        raise FormatError("the file holds no document", where=path, expected="<document>")


def _document_ids(document: Any, path: Path, pmid: str) -> tuple[str, ...]:
    if pmid == "file":
        return (f"pmid:{path.stem}",) if path.stem.isdecimal() else ()
    key = (document.get(pmid) or "").strip() if pmid else ""
    return (f"pmid:{key}",) if key else ()


class _Content:
    """What the sentences of a record hold, with offsets into their joined text."""

    def __init__(self, style: _Style, file: str, corpus: str) -> None:
        self.text = ""
        self.passages: list[Passage] = []
        self.entities: list[Entity] = []
        self.relations: list[Relation] = []
        self.rejects: list[Reject] = []
        self._style = style
        self._file = file
        self._corpus = corpus

    def add(self, sentence: Any) -> None:
        text = sentence.get("text")
        if not text:
            if text is None or len(sentence):
                self._reject(sentence, checked.MALFORMED, "a sentence without a text")
            return
        if self.text and not self._adjoins(sentence):
            self.text += " "
        base = len(self.text)
        self.text += text
        self.passages.append(Passage(type="sentence", span=Span(base, len(self.text))))
        for element in sentence:
            if element.tag == "entity":
                self._add_entity(element, text, base)
        known = {entity.id for entity in self.entities}
        for element in sentence:
            if element.tag in ("pair", "interaction"):
                self._add_pair(element, known)

    def _adjoins(self, sentence: Any) -> bool:
        if match := _SPAN.fullmatch(sentence.get("charOffset") or ""):
            return int(match[1]) == len(self.text)
        return self.text[-1].isspace()

    def _add_entity(self, element: Any, sentence: str, base: int) -> None:
        style = self._style
        key, given, stated = element.get("id"), element.get("text"), element.get("type")
        is_type = not style.type_as and style.concepts_in != "type"
        type = (stated if is_type else "") or style.entity_type
        matches = [_SPAN.fullmatch(part.strip()) for part in re.split("[;,]", element.get("charOffset") or "")]
        spans = [(int(match[1]), int(match[2]) + style.inclusive) for match in matches if match]
        if not key or given is None or not type or len(spans) < len(matches):
            self._reject(element, checked.MALFORMED, f"entity {checked.shown(dict(element.attrib))}")
            return
        if not all(0 <= start < end <= len(sentence) for start, end in spans):
            detail = f"{key} at {element.get('charOffset')} of {len(sentence)}: {given!r}"
            self._reject(element, checked.OUTSIDE, detail)
            return
        found = " ".join(sentence[start:end] for start, end in spans)
        if found != given:
            detail = f"{key} at {element.get('charOffset')}: the text has {found!r}, the mention {given!r}"
            if "".join(found.split()) != "".join(given.split()):
                self._reject(element, checked.MISMATCH, detail)
                return
            self._reject(element, checked.SPACING, f"{detail}; the text's is kept")
        listed = (element.get(style.concepts_in) or "") if style.concepts_in else ""
        ids = (part.strip() for part in listed.split(style.concept_separator))
        database = style.databases.get(type, self._corpus)
        self.entities.append(
            Entity(
                id=key,
                type=type,
                text=found,
                spans=tuple(Span(base + start, base + end) for start, end in spans),
                concepts=tuple(dict.fromkeys(Concept(db=database, id=part) for part in ids if part)),
                attributes={style.type_as: stated} if style.type_as and stated else {},
            )
        )

    def _add_pair(self, element: Any, known: set[str]) -> None:
        verdict = next((element.get(name) for name in _VERDICTS if element.get(name) is not None), "")
        if element.tag == "interaction":
            verdict = "true"
        first, second = element.get("e1"), element.get("e2")
        type = element.get("type") or self._style.relation_type
        if verdict.lower() not in ("true", "false") or not first or not second or not type:
            self._reject(element, checked.MALFORMED, f"{element.tag} {checked.shown(dict(element.attrib))}")
        elif verdict.lower() == "false":
            if self._style.reject_negatives:
                self._reject(element, NEGATIVE, f"{first} and {second}")
        elif missing := [ref for ref in (first, second) if ref not in known]:
            self._reject(element, DANGLING, f"{type} between {first} and {second}: no {', '.join(missing)}")
        else:
            arguments = zip(self._style.roles, (first, second), strict=True)
            self.relations.append(
                Relation(
                    id=element.get("id") or f"R{len(self.relations) + 1}",
                    type=type,
                    arguments=tuple(Argument(role=role, kind="entity", ref=ref) for role, ref in arguments),
                )
            )

    def _reject(self, element: Any, reason: str, detail: str) -> None:
        self.rejects.append(Reject(where=f"{self._file}:{element.sourceline}", reason=reason, detail=detail))
