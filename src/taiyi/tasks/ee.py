"""Event extraction (EE): events of the asked types with their triggers and what fills their roles.

    1. Positive regulation: induces | Theme: #2 | Cause: IL-4
    2. Gene expression: expression | Theme: c-fos

An argument that is an event is given by its number. What a corpus says of an event beyond its arguments, such as a
negation, fills a role of that name. Events that say the same at two places of a text are one, as mentions are in NER.

Scored as micro-F1 over whole events, as CHIP-CDEE's own scorer and the strict matching of the BioNLP shared tasks do:
type, trigger and all fillers must be right, those of events in it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

import regex
import xxhash

from taiyi.errors import Unparsable
from taiyi.schema import (
    Answer,
    Document,
    Event,
    Example,
    Filler,
    Happening,
    Happenings,
    Record,
    Reject,
    Score,
    Shown,
    Span,
)
from taiyi.tasks import fields, json_answer, listing, relations
from taiyi.tasks.task import Kind, Whole, example, example_id, set_score
from taiyi.templates import Template, words
from taiyi.text import fingerprints

MAX_DEPTH = 10
"""How deep two events are compared; the corpora nest four deep."""
_BAR = " | "
_SEVERAL = regex.compile(r"(?<=(?<!\\)(?:\\\\)*)[|｜]")
_BARS = regex.compile(r"[|｜]")
_MARKS = regex.compile(r"[\\|｜]")
_NUMBER = regex.compile(r"\s*(\d{1,9})\s*[.、．)]\s*")
_REFERENCE = regex.compile(r"#\s*(\d{1,9})")


class _Draft(NamedTuple):
    """An event as it is read, before numbers are places; its fillers are role, text and number."""

    number: int
    type: str
    trigger: str
    fillers: list[tuple[str, str, int | None]]


class Events(Whole):
    """Events of the asked types."""

    name = "ee"
    forms: tuple[str, ...] = ("list", "json")
    slots = frozenset({"types", "text"})
    kind: Kind | None = "events"
    metric: Literal["micro_f1", "accuracy", "chrf"] = "micro_f1"
    generative = False

    def applies(self, record: Record) -> bool:
        return isinstance(record, Document)

    def texts(self, record: Record) -> tuple[str, ...]:
        assert isinstance(record, Document)
        return (record.text,)

    def render(
        self,
        record: Record,
        template: Template,
        *,
        form: str,
        types: Sequence[Shown] = (),
        window: Span | None = None,
        focus: tuple[str, ...] = (),
    ) -> Example | Reject:
        assert isinstance(record, Document)
        identifier = example_id(record, template, form, types, window)
        shown = {t.name: t.shown for t in types}
        found = _happenings(record, set(shown))
        if isinstance(found, str):
            return Reject(where=identifier, reason="an argument of an event has no text", detail=found)
        marks = words(template.lang)
        if form == "json":
            answer = json_answer.write([_object(event, n, shown) for n, event in enumerate(found, start=1)])
        else:
            answer = (
                "\n".join(_line(event, n, shown, marks.colon) for n, event in enumerate(found, start=1)) or marks.none
            )
        return example(
            record,
            template,
            form,
            prompt=template.fill(types=marks.comma.join(dict.fromkeys(shown.values())), text=record.text),
            answer=answer,
            gold=Happenings(items=tuple(found)),
            content=fingerprints(*self.texts(record)),
            identifier=identifier,
            types=types,
        )

    def parse(self, text: str, example: Example) -> Happenings:
        read = _read_json if example.form == "json" else _read_list
        names = {shown.shown: shown.name for shown in reversed(example.types)}
        return Happenings(items=tuple(_placed(read(text, names, example))))

    def cut(self, text: str, example: Example) -> str:
        return json_answer.cut(text) if example.form == "json" else listing.cut_lines(text)

    def merge(self, answers: Sequence[tuple[Example, Answer]]) -> Happenings:
        merged: list[Happening] = []
        for _, answer in answers:
            assert isinstance(answer, Happenings)
            before = len(merged)
            merged += [_moved(event, range(before, before + len(answer.items))) for event in answer.items]
        return Happenings(items=tuple(_distinct(merged)))

    def score(self, gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
        assert isinstance(gold, Happenings)
        assert predicted is None or isinstance(predicted, Happenings)
        return set_score(_items(gold), None if predicted is None else _items(predicted), record=record, reason=reason)


# --- from a record to its events -------------------------------------------------------------------------------------


def _happenings(document: Document, asked: set[str]) -> list[Happening] | str:
    """Return the events of the asked types in the order of the text, those without a place as the corpus has them.

    An argument that is an event of another type goes by its trigger. Returns the id of an event of which an argument
    has no text.
    """
    named = relations.surfaces(document)
    events = sorted((event for event in document.events if event.type in asked), key=_place)
    places = {event.id: place for place, event in enumerate(events)}
    found: list[Happening] = []
    for event in events:
        fillers: dict[Filler, None] = {}
        for argument in event.arguments:
            if argument.kind == "event" and argument.ref in places:
                place = places[argument.ref]
                fillers[Filler(role=argument.role, text=events[place].trigger.strip(), event=place)] = None
                continue
            texts = relations.texts(argument, named)
            if not texts:
                return event.id
            fillers.update((Filler(role=argument.role, text=text), None) for text in texts)
        said = ((role.strip(), text.strip()) for role, text in event.attributes.items())
        fillers.update((Filler(role=role, text=text), None) for role, text in said if text)
        found.append(Happening(type=event.type, trigger=event.trigger.strip(), fillers=tuple(fillers)))
    return _distinct(found)


def _place(event: Event) -> tuple[int, int]:
    return (event.trigger_spans[0].start, -event.trigger_spans[-1].end) if event.trigger_spans else (-1, 0)


def _keys(events: Sequence[Happening]) -> list[str]:
    """Return what events have in common that say the same, the events in them included, whatever their places.

    What is known of each event grows by a level a round, as in the refinement of colours (Weisfeiler and Leman): so
    events that refer to each other in a circle need no rule of their own.
    """
    keys = [""] * len(events)
    for _ in range(MAX_DEPTH):
        before, keys = keys, [_key(event, keys) for event in events]
        if keys == before:
            break
    return keys


def _key(event: Happening, keys: Sequence[str]) -> str:
    fillers = sorted({(f.role, f.text, "" if f.event is None else f"#{keys[f.event]}") for f in event.fillers})
    return xxhash.xxh3_128_hexdigest(repr((event.type, event.trigger, fillers)).encode())


def _moved(event: Happening, places: Sequence[int]) -> Happening:
    """Return an event whose arguments are at other places, given for each place."""
    fillers = (
        filler if filler.event is None else Filler(role=filler.role, text=filler.text, event=places[filler.event])
        for filler in event.fillers
    )
    return Happening(type=event.type, trigger=event.trigger, fillers=tuple(dict.fromkeys(fillers)))


def _distinct(events: Sequence[Happening]) -> list[Happening]:
    """Return each event once, where several say the same."""
    keys = _keys(events)
    order = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    first: dict[str, Happening] = {}
    for key, event in zip(keys, events, strict=True):
        first.setdefault(key, event)
    places = [order[key] for key in keys]
    return [_moved(event, places) for event in first.values()]


def _items(answer: Happenings) -> set[tuple[str, str]]:
    return {(event.type, key) for event, key in zip(answer.items, _keys(answer.items), strict=True)}


# --- how events are written ------------------------------------------------------------------------------------------


def _line(event: Happening, number: int, shown: Mapping[str, str], colon: str) -> str:
    head = _name(shown[event.type]) + (colon + _escape(event.trigger) if event.trigger else "")
    parts = [head]
    for filler in event.fillers:
        text = _escape(filler.text) if filler.event is None else f"#{filler.event + 1}"
        if filler.event is None and _REFERENCE.match(text):
            text = "\\" + text
        parts.append(_name(filler.role) + colon + text)
    return f"{number}. " + _BAR.join(parts)


def _name(name: str) -> str:
    return _BARS.sub(lambda match: "\\" + match[0], fields.escape_name(name))


def _escape(text: str) -> str:
    return _MARKS.sub(lambda match: "\\" + match[0], text).replace("\n", "\\n")


def _object(event: Happening, number: int, shown: Mapping[str, str]) -> dict[str, Any]:
    arguments = [
        {"role": f.role, "text": f.text} if f.event is None else {"role": f.role, "event": f.event + 1}
        for f in event.fillers
    ]
    trigger = {"trigger": event.trigger} if event.trigger else {}
    return {"id": number, "type": shown[event.type], **trigger, "arguments": arguments}


# --- and read --------------------------------------------------------------------------------------------------------


def _placed(drafts: Sequence[_Draft]) -> list[Happening]:
    """Return events with places for numbers; a number that no event has is a text."""
    places: dict[int, int] = {}
    for place, draft in enumerate(drafts):
        places.setdefault(draft.number, place)
    found: list[Happening] = []
    for draft in drafts:
        fillers: dict[Filler, None] = {}
        for role, text, number in draft.fillers:
            place = None if number is None else places.get(number)
            filler = Filler(role=role, text=text if place is None else drafts[place].trigger, event=place)
            fillers[filler] = None
        found.append(Happening(type=draft.type, trigger=draft.trigger, fillers=tuple(fillers)))
    return found


def _read_list(text: str, names: Mapping[str, str], example: Example) -> list[_Draft]:
    if not text.strip():
        raise Unparsable("the answer is empty", where=example.id, expected="events, or the word for none")
    found: list[_Draft] = []
    for line in text.strip().split("\n"):
        if not line.strip() or line.strip(" .。") == words(example.lang).none:
            continue
        number = _NUMBER.match(line)
        head, *rest = _SEVERAL.split(line[number.end() if number else 0 :])
        type, trigger = fields.split_name(head) or (listing.unescape(head.strip()), "")
        fillers: list[tuple[str, str, int | None]] = []
        for part in rest:
            pair = fields.split_name(part)
            if pair is None:
                raise Unparsable("an argument names no role", got=repr(part[:60]), expected="role: text")
            reference = _REFERENCE.fullmatch(pair[1])
            fillers.append((pair[0], listing.unescape(pair[1]), int(reference[1]) if reference else None))
        place = int(number[1]) if number else len(found) + 1
        found.append(_Draft(place, names.get(type, type), listing.unescape(trigger), fillers))
    return found


def _read_json(text: str, names: Mapping[str, str], example: Example) -> list[_Draft]:
    found: list[_Draft] = []
    for row in json_answer.rows(json_answer.read(text, example.lang)):
        type = json_answer.text_of(row, "type")
        trigger = json_answer.text_of(row, "trigger") if row.get("trigger") is not None else ""
        arguments: Any = row.get("arguments", [])
        if not isinstance(arguments, list):
            raise Unparsable("arguments are no array", got=json_answer.shown(arguments))
        fillers: list[tuple[str, str, int | None]] = []
        for argument in json_answer.rows(cast("list[Any]", arguments)):
            place = argument.get("event")
            if isinstance(place, int):
                fillers.append((json_answer.text_of(argument, "role"), f"#{place}", place))
            else:
                fillers.append((json_answer.text_of(argument, "role"), json_answer.text_of(argument, "text"), None))
        number = row.get("id")
        place = number if isinstance(number, int) else len(found) + 1
        found.append(_Draft(place, names.get(type, type), trigger, fillers))
    return found
