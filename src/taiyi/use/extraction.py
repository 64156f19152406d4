"""Entities, relations and events of texts: many texts are answered together, and no more are held than that."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from taiyi import tagged, tasks
from taiyi.errors import Unparsable
from taiyi.evaluate.calibration import mentions
from taiyi.evaluate.places import placed
from taiyi.generate.engine import NO_ROOM
from taiyi.schema import (
    Answer,
    Document,
    Example,
    Happenings,
    Lang,
    Mentions,
    Prediction,
    Reject,
    Shown,
    Span,
    Triples,
)
from taiyi.use.asking import Asking
from taiyi.use.results import Argument, Entity, Event, Extraction, Relation
from taiyi.use.texts import too_long

if TYPE_CHECKING:
    from taiyi.cascade import Cascade, Judged
    from taiyi.generate import Engine

Kind = Literal["entities", "relations", "events"]

TASKS: Mapping[Kind, str] = {"entities": "ner", "relations": "re", "events": "ee"}
LIMITS = {"max_new_tokens": 1024, "batch_tokens": 16384}
"""Of one answer, and of a batch."""
_TOGETHER = 256
"""So many examples at least are answered together: they fill batches."""


@dataclass(slots=True)
class Piece:
    """A text, or a part of a long one, to be answered.

    Attributes:
        text: what is asked about.
        asking: how; None where it cannot be.
        at: where it begins in the whole text.
        windows: what of it is read together; None for all of it.
        fault: why there is no answer.
        examples: what is asked of the model.
    """

    text: str
    asking: Asking | None
    at: int = 0
    windows: Sequence[Span | None] = (None,)
    fault: str = ""
    examples: list[Example] = field(default_factory=list[Example])

    def render(self, number: int) -> None:
        """Make the examples; `number` tells them from those of others."""
        if self.asking is None or self.fault:
            return
        if wrong := too_long(max((w.end - w.start if w else len(self.text) for w in self.windows), default=0)):
            self.fault = wrong
            return
        task, template, form = self.asking.task, self.asking.template, self.asking.form
        types = self.asking.prompted or self.asking.types
        text = _unmarked(self.text, types) if form == "tagged" else self.text
        record = Document(id=str(number), corpus="input", split="test", lang=template.lang, text=text)
        for window in self.windows:
            made = task.render(record, template, form=form, types=types, window=window)
            if isinstance(made, Reject):
                self.fault, self.examples = made.reason, []
                return
            self.examples.append(made)

    def extraction(self, **found: Any) -> Extraction:
        lang: Lang = "en" if self.asking is None else self.asking.lang
        return Extraction(text=self.text, lang=lang, at=self.at, fault=self.fault, **found)


def extracted(pieces: Iterable[Piece], engine: Engine, cascade: Cascade | None) -> Iterator[Extraction]:
    """Answer pieces in order, with the engine, or where there is one with a cascade."""
    waiting: list[Piece] = []
    num_examples = 0
    for number, piece in enumerate(pieces):
        piece.render(number)
        waiting.append(piece)
        num_examples += len(piece.examples)
        if num_examples >= _TOGETHER:
            yield from _answered(waiting, engine, cascade)
            waiting, num_examples = [], 0
    yield from _answered(waiting, engine, cascade)


def _answered(pieces: Sequence[Piece], engine: Engine, cascade: Cascade | None) -> Iterator[Extraction]:
    examples = [example for piece in pieces for example in piece.examples]
    if cascade is not None:
        judged = {one.example.id: one for one in cascade.judge(examples, **LIMITS)}
        for piece in pieces:
            yield _related(piece, [judged[example.id] for example in piece.examples], cascade.pair_bias)
        return
    predictions = {p.example: p for p in engine.generate(examples, **LIMITS)} if examples else {}
    for piece in pieces:
        yield _read(piece, [predictions[example.id] for example in piece.examples])


def _related(piece: Piece, judged: Sequence[Judged], bias: float) -> Extraction:
    """Return the relations that a cascade found, the most probable first."""
    found: dict[tuple[str, str, str], Relation] = {}
    for one in judged:
        piece.fault = piece.fault or one.refused
        shown = {t.name: t.shown for t in one.example.types}
        for weight in sorted(one.weights, key=lambda weight: -weight.margin):
            if weight.margin + bias > 0:
                sure = of_log_odds(weight.margin)
                for t in weight.triples:
                    relation = Relation(head=t.head, tail=t.tail, type=shown.get(t.type, t.type), confidence=sure)
                    found.setdefault((t.head, t.tail, t.type), relation)
    return piece.extraction(relations=tuple(found.values()) if not piece.fault else ())


def _read(piece: Piece, predictions: Sequence[Prediction]) -> Extraction:
    """Put the answers to a piece together."""
    read: list[tuple[Example, Answer]] = []
    sure: dict[tuple[str, Span], float] = {}
    cut = lost = 0
    for example, prediction in zip(piece.examples, predictions, strict=True):
        if prediction.finish == "refused":
            piece.fault = refusal(prediction.reason)
            return piece.extraction()
        task, written = tasks.get(example.task), prediction.text
        if prediction.finish == "length":
            cut += 1
            written = task.cut(written, example)
        try:
            answer = task.parse(written, example)
        except Unparsable:
            # Cut before its first whole item, or written in no form that can be read: it says nothing.
            cut += prediction.finish != "length"
            continue
        if isinstance(answer, Mentions) and example.tagging is None:
            answer, num_lost = placed(answer, example.source_text)
            lost += num_lost
        read.append((example, answer))
        for place, value in mentions(example, prediction):
            sure[place] = max(value, sure.get(place, 0.0))
    if not read:
        return piece.extraction(cut=cut)
    answer = tasks.get(read[0][0].task).merge(read)
    shown = {t.name: t.shown for t in read[0][0].types}
    if isinstance(answer, Mentions):
        return piece.extraction(entities=_entities(answer, piece, shown, sure), not_there=lost, cut=cut)
    if isinstance(answer, Triples):
        relations = (Relation(head=t.head, tail=t.tail, type=shown.get(t.type, t.type)) for t in answer.items)
        return piece.extraction(relations=tuple(dict.fromkeys(relations)), cut=cut)
    assert isinstance(answer, Happenings)
    return piece.extraction(events=tuple(_events(answer, shown)), cut=cut)


def refusal(reason: str) -> str:
    """Return why there is no answer, in words for who asked."""
    return f"{reason}: the text and its answer are longer than the model's context" if reason == NO_ROOM else reason


def _events(answer: Happenings, shown: Mapping[str, str]) -> Iterator[Event]:
    for event in answer.items:
        arguments = (Argument(role=f.role, text=f.text, event=f.event) for f in event.fillers)
        yield Event(type=shown.get(event.type, event.type), trigger=event.trigger, arguments=tuple(arguments))


def of_log_odds(difference: float) -> float:
    """Return how probable one of two answers is, from the difference of their log-probabilities."""
    return 1 / (1 + math.exp(min(700.0, -difference)))


def _entities(
    answer: Mentions, piece: Piece, shown: Mapping[str, str], sure: Mapping[tuple[str, Span], float]
) -> tuple[Entity, ...]:
    """Return mentions with their places in the whole text, in order."""
    found: dict[tuple[int, int, str], Entity] = {}
    assert piece.asking is not None
    more = {t.shown for t in piece.asking.prompted} - {t.shown for t in piece.asking.types}
    for mention in answer.items:
        assert mention.span is not None
        (start, end), kind = mention.span, shown.get(mention.type, mention.type)
        if kind in more:
            continue
        found[start, -end, kind] = Entity(
            start=start + piece.at,
            end=end + piece.at,
            text=piece.text[start:end],
            type=kind,
            confidence=sure.get((kind, mention.span)),
        )
    return tuple(found[key] for key in sorted(found))


def _unmarked(text: str, types: Sequence[Shown]) -> str:
    """Return a text whose stretches that look like tags do not: as long, so that offsets are those of the text."""
    for shown in types:
        for mark in (tagged.open_tag(shown.shown), tagged.close_tag(shown.shown)):
            text = text.replace(mark, "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}" + mark[1:])
    return text
