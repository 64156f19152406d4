"""IMCS-V2's JSON: medical dialogues with entities, symptoms, dialogue acts and reports.

Chen et al., Bioinformatics 2022. One file holds what all four tasks ask for; there is a reader for each. Labels of
entities are BIO, one a character.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

from taiyi.formats import checked, imcs_aligned, json_lines
from taiyi.schema import (
    Concept,
    Document,
    Entity,
    Event,
    Labelled,
    Lang,
    Passage,
    Record,
    Reject,
    Span,
    Split,
    TextToText,
)

SYMPTOM, STATUS = "Symptom", "status"
_STATUSES = {"0": "absent", "1": "present", "2": "uncertain"}
_COLON = "："


class _Utterance(NamedTuple):
    """What was said, and where it begins in the text of the whole dialogue."""

    where: str
    speaker: str
    text: str
    start: int
    item: dict[str, Any]


def read(
    path: Path, *, corpus: str, split: Split, lang: Lang, db: str, symptoms_only: bool = False
) -> Iterator[Record | Reject]:
    """Read dialogues as documents: a line `speaker：sentence` an utterance, with a passage over the sentence.

    A symptom has its standard name as its concept, and the attribute `status`. The patient's own report that opens a
    consultation is not part of the text, for it has no labels. An utterance whose labels are not one a character
    stays in the text without entities.

    Args:
        db: name of the list of standard symptoms.
        symptoms_only: read no other entities, and the symptoms that the dialogue as a whole tells (`implicit_info`) as
            events, with the standard name as trigger.
    """
    for where, id, item in _dialogues(path):
        if isinstance(item, Reject):
            yield item
            continue
        utterances: list[_Utterance] = []
        for utterance in _utterances(where, item):
            if isinstance(utterance, Reject):
                yield utterance
            else:
                utterances.append(utterance)
        entities: list[Entity] = []
        for utterance in utterances:
            for found in _entities(utterance, db):
                if isinstance(found, Reject):
                    yield found
                elif found.type == SYMPTOM or not symptoms_only:
                    entities.append(_numbered(found, len(entities) + 1))
        events: list[Event] = []
        if symptoms_only:
            for event in _told(where, item):
                if isinstance(event, Reject):
                    yield event
                else:
                    events.append(event)
        yield checked.record(
            Document,
            where,
            id=id,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"imcs:{id}",),
            text="\n".join(f"{u.speaker}{_COLON}{u.text}" for u in utterances),
            passages=tuple(
                Passage(type=u.speaker, span=Span(u.start, u.start + len(u.text))) for u in utterances if u.text
            ),
            entities=tuple(entities),
            events=tuple(events),
        )


def read_acts(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read utterances `speaker：sentence`, each labelled with its dialogue act; ids are `dialogue.sentence`."""
    for where, id, item in _dialogues(path):
        if isinstance(item, Reject):
            yield item
            continue
        for utterance in _utterances(where, item):
            if isinstance(utterance, Reject):
                yield utterance
                continue
            act, number = utterance.item.get("dialogue_act"), utterance.item.get("sentence_id")
            if not isinstance(act, str) or not act or not isinstance(number, str | int):
                detail = "sentence_id and dialogue_act were expected"
                yield Reject(where=utterance.where, reason="malformed utterance", detail=detail)
                continue
            yield checked.record(
                Labelled,
                utterance.where,
                id=f"{id}.{number}",
                corpus=corpus,
                split=split,
                lang=lang,
                document_ids=(f"imcs:{id}",),
                text=f"{utterance.speaker}{_COLON}{utterance.text}",
                labels=(act,),
            )


def read_reports(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read each report with the dialogue that it is of; a dialogue has two, with the ids `dialogue.1` and `dialogue.2`.

    The source is the patient's own report, then a line an utterance; a report is a line `heading：text` a section.
    """
    for where, id, item in _dialogues(path):
        if isinstance(item, Reject):
            yield item
            continue
        said: list[str] = []
        for utterance in _utterances(where, item):
            if isinstance(utterance, Reject):
                yield utterance
            else:
                said.append(f"{utterance.speaker}{_COLON}{utterance.text}")
        own, reports = item.get("self-report", item.get("self_report")), item.get("report")
        if not isinstance(own, str | None) or not isinstance(reports, list):
            yield Reject(where=where, reason="malformed dialogue", detail="self-report and report were expected")
            continue
        source = "\n".join([f"自述{_COLON}{own}", *said] if own and own.strip() else said)
        for number, report in enumerate(cast("list[Any]", reports), start=1):
            sections = _mapping(report)
            if not sections or not all(isinstance(text, str) for text in sections.values()):
                yield Reject(where=where, reason="malformed report", detail=checked.shown(report))
                continue
            yield checked.record(
                TextToText,
                where,
                id=f"{id}.{number}",
                corpus=corpus,
                split=split,
                lang=lang,
                document_ids=(f"imcs:{id}",),
                kind="report",
                source=source,
                target="\n".join(f"{heading}{_COLON}{text}" for heading, text in sections.items()),
            )


# --- Parts of a dialogue ----------------------------------------------------------------------------------------------


def _dialogues(path: Path) -> Iterator[tuple[str, str, dict[str, Any] | Reject]]:
    for id, value in json_lines.members(path).items():
        where, item = f"{path.name}:{id}", cast("object", value)
        if isinstance(item, Reject):
            yield where, id, item
        elif not isinstance(_mapping(item).get("dialogue"), list):
            detail = f"a dialogue was expected: {checked.shown(item)}"
            yield where, id, Reject(where=where, reason="malformed dialogue", detail=detail)
        else:
            yield where, id, _mapping(item)


def _utterances(where: str, item: dict[str, Any]) -> Iterator[_Utterance | Reject]:
    length = 0
    for number, value in enumerate(cast("list[Any]", item["dialogue"]), start=1):
        match value:
            case {"speaker": str() as speaker, "sentence": str() as text}:
                start = length + len(speaker) + len(_COLON)
                length = start + len(text) + 1
                yield _Utterance(f"{where}/{number}", speaker, text, start, cast("dict[str, Any]", value))
            case _:
                yield Reject(where=f"{where}/{number}", reason="malformed utterance", detail=checked.shown(value))


def _entities(utterance: _Utterance, db: str) -> Iterator[Entity | Reject]:
    labels = utterance.item.get("BIO_label")
    spans = (
        imcs_aligned.spans(labels.split(" ") if labels else [], len(utterance.text))
        if isinstance(labels, str)
        else None
    )
    if spans is None:
        detail = f"{len(utterance.text)} characters: {checked.shown(labels)}"
        yield Reject(where=utterance.where, reason=imcs_aligned.UNFIT, detail=detail)
        return
    symptoms = sum(type == SYMPTOM for type, _, _ in spans)
    said = _symptoms(utterance.item, symptoms)
    if said is None:
        detail = f"{symptoms} symptoms: {checked.shown(utterance.item.get('symptom_norm'))}"
        yield Reject(where=utterance.where, reason="symptoms do not fit the labels", detail=detail)
    standard = iter(said or ())
    for type, start, end in spans:
        name, status = next(standard, ("", "")) if type == SYMPTOM else ("", "")
        at = Span(utterance.start + start, utterance.start + end)
        yield Entity(
            id="T",
            type=type,
            text=utterance.text[start:end],
            spans=(at,),
            concepts=(Concept(db=db, id=name),) if name else (),
            attributes={STATUS: status} if status else {},
        )


def _symptoms(item: dict[str, Any], count: int) -> list[tuple[str, str]] | None:
    """Return standard name and status of each symptom; None if there are not as many as symptoms in the labels."""
    names, statuses = _list(item.get("symptom_norm")), _list(item.get("symptom_type"))
    if names is None or statuses is None or not len(names) == len(statuses) == count:
        return None
    pairs = list(zip(names, statuses, strict=True))
    if not all(isinstance(name, str) and str(status) in _STATUSES for name, status in pairs):
        return None
    return [(name, _STATUSES[str(status)]) for name, status in pairs]


def _list(value: Any) -> list[Any] | None:
    """Return a list; an empty one where there is nothing, and None where there is something else."""
    return cast("list[Any]", value) if isinstance(value, list) else None if value else []


def _told(where: str, item: dict[str, Any]) -> Iterator[Event | Reject]:
    """Yield the symptoms that the whole dialogue tells, as events."""
    told = _mapping(item.get("implicit_info")).get("Symptom")
    if not isinstance(told, dict):
        detail = checked.shown(item.get("implicit_info"))
        yield Reject(where=where, reason="malformed implicit_info", detail=detail)
        return
    for number, (name, status) in enumerate(cast("dict[str, Any]", told).items(), start=1):
        if str(status) in _STATUSES:
            yield Event(id=f"E{number}", type=SYMPTOM, trigger=name, attributes={STATUS: _STATUSES[str(status)]})
        else:
            yield Reject(where=where, reason="malformed symptom", detail=f"{name}: {checked.shown(status)}")


def _mapping(value: object) -> dict[str, Any]:
    """Return a mapping; an empty one where there is something else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _numbered(entity: Entity, number: int) -> Entity:
    return Entity(
        id=f"T{number}",
        type=entity.type,
        text=entity.text,
        spans=entity.spans,
        concepts=entity.concepts,
        attributes=entity.attributes,
    )
