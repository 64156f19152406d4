"""Event extraction (EE): events of the asked types with their triggers and what fills their roles.

    1. Positive regulation: induces | Theme: #2 | Cause: IL-4
    2. Gene expression: expression | Theme: c-fos

An argument that is an event is given by its number. What a corpus says of an event beyond its arguments, such as a
negation, fills a role of that name. Events that say the same at two places of a text are one, as mentions are in NER.

Scored as micro-F1 over whole events, as CHIP-CDEE's own scorer and the strict matching of the BioNLP shared tasks do:
type, trigger and all fillers must be right, those of events in it too.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Literal, Self

import xxhash

from taiyi.schema import (
    Answer,
    Argument,
    Document,
    Event,
    Example,
    Filler,
    Happening,
    Happenings,
    Lang,
    Record,
    Reject,
    Score,
    Shown,
    Span,
)
from taiyi.tasks import event_forms, json_answer, listing
from taiyi.tasks.task import Kind, example, example_id, set_score
from taiyi.tasks.windowed import Surfaces, Windowed, surfaces, text_of
from taiyi.templates import Template, words

MAX_DEPTH = 10
"""How deep two events are compared; the corpora nest four deep."""


class Events(Windowed):
    """Events of the asked types.

    Told the names of roles, it says in its prompts which there are, and shows them by these names.
    """

    name = "ee"
    forms: tuple[str, ...] = ("list", "json")
    slots = frozenset({"types", "text"})
    kind: Kind | None = "events"
    metric: Literal["micro_f1", "accuracy", "chrf"] = "micro_f1"
    generative = False

    def __init__(self, roles: Mapping[Lang, Sequence[Shown]] | None = None) -> None:
        self.roles = roles or {}

    def naming(self, roles: Mapping[Lang, Sequence[Shown]]) -> Self:
        return type(self)(roles)

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
        gold = self.gold(record, types, window)
        if isinstance(gold, str):
            return Reject(where=identifier, reason="an argument of an event has no text", detail=gold)
        marks, source, roles = words(template.lang), text_of(record, window), self.roles.get(template.lang, ())
        named = marks.comma.join(dict.fromkeys(role.shown for role in roles))
        asked = marks.comma.join(dict.fromkeys(shown.shown for shown in types))
        dressed = template.dressed(f"{marks.roles}{named}\n") if named else template
        prompt, at = dressed.fill_at("text", types=asked, text=source)
        return example(
            record,
            template,
            form,
            prompt=prompt,
            answer=event_forms.write(gold.items, form, template.lang, types, roles),
            gold=gold,
            identifier=identifier,
            types=types,
            roles=roles,
            source=Span(at, at + len(source)),
            offset=window.start if window else 0,
        )

    def gold(self, document: Document, types: Sequence[Shown], window: Span | None = None) -> Happenings | str:
        """Return the events of a document or of a window of it; or the id of one of which an argument has no text."""
        found = _happenings(document, {shown.name for shown in types}, window)
        return found if isinstance(found, str) else Happenings(items=tuple(found))

    def items(self, answer: Answer) -> Mapping[str, Answer]:
        assert isinstance(answer, Happenings)
        return {key: _alone(answer.items, place) for place, key in enumerate(_keys(answer.items))}

    def parse(self, text: str, example: Example) -> Happenings:
        return Happenings(items=tuple(event_forms.read(text, example)))

    def grammar(self, example: Example) -> str:
        return event_forms.grammar(example)

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


def _happenings(document: Document, asked: set[str], window: Span | None) -> list[Happening] | str:
    """Return the events of the asked types in the order of the text, those without a place as the corpus has them.

    An argument that is an event of another type goes by its trigger. In a window are the events of which all lies in
    it, the events that fill their roles included. Returns the id of an event of which an argument has no text.
    """
    named, here = surfaces(document), surfaces(document, window)
    events = sorted((event for event in document.events if event.type in asked), key=_place)
    ids = {event.id for event in events}
    for event in events:
        if any(not named.of(a) for a in event.arguments if not _is_event(a, ids)):
            return event.id
    if here.source is not None:
        events = _within(events, named, here)
    places = {event.id: place for place, event in enumerate(events)}
    found: list[Happening] = []
    for event in events:
        fillers: dict[Filler, None] = {}
        for argument in event.arguments:
            if _is_event(argument, ids):
                place = places[argument.ref]
                fillers[Filler(role=argument.role, text=events[place].trigger.strip(), event=place)] = None
            else:
                fillers.update((Filler(role=argument.role, text=text), None) for text in named.of(argument))
        said = ((role.strip(), text.strip()) for role, text in event.attributes.items())
        fillers.update((Filler(role=role, text=text), None) for role, text in said if text)
        found.append(Happening(type=event.type, trigger=event.trigger.strip(), fillers=tuple(fillers)))
    return _distinct(found)


def _is_event(argument: Argument, ids: Container[str]) -> bool:
    return argument.kind == "event" and argument.ref in ids


def _within(events: Sequence[Event], named: Surfaces, here: Surfaces) -> list[Event]:
    """Return the events that lie in a window with trigger, arguments, and the events among these.

    One that has none of these, only attributes, lies in no part of a text.
    """
    ids = {event.id for event in events}
    found = [event for event in events if _is_placed(event, named, here, ids)]
    while True:
        lost = ids - {event.id for event in found}
        kept = [e for e in found if not any(_is_event(a, lost) for a in e.arguments)]
        if len(kept) == len(found):
            return found
        found = kept


def _is_placed(event: Event, named: Surfaces, here: Surfaces, ids: Container[str]) -> bool:
    if event.trigger.strip():
        trigger = Argument(role="", kind="event", ref=event.id)
        if not here.of(trigger):
            return False
    elif not event.arguments:
        return False
    others = (argument for argument in event.arguments if not _is_event(argument, ids))
    return all(here.of(argument) == named.of(argument) for argument in others)


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


def _moved(event: Happening, places: Sequence[int] | Mapping[int, int]) -> Happening:
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


def _alone(events: Sequence[Happening], place: int) -> Happenings:
    """Return an event as an answer: itself first, and the events that it refers to."""
    reached = [place]
    order = {place: 0}
    for at in reached:
        for filler in events[at].fillers:
            if filler.event is not None and filler.event not in order:
                order[filler.event] = len(reached)
                reached.append(filler.event)
    return Happenings(items=tuple(_moved(events[at], order) for at in reached))


def _items(answer: Happenings) -> set[tuple[str, str]]:
    return {(event.type, key) for event, key in zip(answer.items, _keys(answer.items), strict=True)}
