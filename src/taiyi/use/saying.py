"""Labels, choices and texts: what is said of a text as a whole. Many are answered together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from taiyi import tasks
from taiyi.errors import TaiyiError, Unparsable
from taiyi.generate.engine import NO_ROOM
from taiyi.generate.likelihood import shares
from taiyi.schema import Answer, Choice, Example, FreeText, Labels, Prediction
from taiyi.use.extraction import LIMITS, of_log_odds, refusal
from taiyi.use.results import Label, Said

if TYPE_CHECKING:
    from taiyi.generate import Engine

_TOGETHER = 64
"""So many are answered together."""


How = Literal["each", "one", "several", "text"]


class Ask(NamedTuple):
    """Something that is asked of a model.

    Attributes:
        example: the question.
        how: whether all answers that it has are weighed (`each`) or the best of them is wanted (`one`), whether several
            labels may be written (`several`), or a text.
        fault: why it cannot be asked; then there is no example.
        error: the same, where it says more.
    """

    example: Example | None
    how: How
    fault: str = ""
    error: TaiyiError | None = None


def said(asks: Iterable[Ask], engine: Engine) -> Iterator[Said]:
    """Answer in order what is asked."""
    rest = iter(asks)
    while together := list(islice(rest, _TOGETHER)):
        # Ids tell questions apart that are the same.
        numbered = [
            ask if ask.example is None else ask._replace(example=msgspec.structs.replace(ask.example, id=str(number)))
            for number, ask in enumerate(together)
        ]
        found: dict[str, Said] = {}
        found |= _weighed(_of(numbered, "each", "one"), engine)
        found |= _labelled(_of(numbered, "several"), engine)
        found |= _written(_of(numbered, "text"), engine)
        for ask in numbered:
            if ask.example is None:
                yield Said(fault=ask.fault)
                continue
            answer = found[ask.example.id]
            yield msgspec.structs.replace(answer, labels=answer.labels[:1]) if ask.how == "one" else answer


def _of(asks: Sequence[Ask], *how: str) -> list[Example]:
    return [ask.example for ask in asks if ask.example is not None and ask.how in how]


def _written(examples: Sequence[Example], engine: Engine) -> dict[str, Said]:
    """Answer with a text."""
    found: dict[str, Said] = {}
    for example, prediction in _answers(examples, engine):
        if prediction.finish == "refused":
            found[example.id] = Said(fault=refusal(prediction.reason))
            continue
        answer = (
            tasks.get(example.task).parse(prediction.text, example) if prediction.text.strip() else FreeText(text="")
        )
        assert isinstance(answer, FreeText)
        found[example.id] = Said(text=answer.text, cut=prediction.finish == "length")
    return found


def _answers(examples: Sequence[Example], engine: Engine) -> Iterator[tuple[Example, Prediction]]:
    by_id = {example.id: example for example in examples}
    if examples:
        for prediction in engine.generate(examples, **LIMITS):
            yield by_id[prediction.example], prediction


def _labelled(examples: Sequence[Example], engine: Engine) -> dict[str, Said]:
    """Answer with the labels that are written, each as sure as the answer is with it beside that without it."""
    found: dict[str, Said] = {}
    asked: list[tuple[Example, Labels]] = []
    for example, prediction in _answers(examples, engine):
        task = tasks.get(example.task)
        if prediction.finish == "refused":
            found[example.id] = Said(fault=refusal(prediction.reason))
            continue
        cut = prediction.finish == "length"
        try:
            answer = task.parse(task.cut(prediction.text, example) if cut else prediction.text, example)
        except Unparsable as error:
            found[example.id] = Said(fault=str(error))
            continue
        assert isinstance(answer, Labels)
        found[example.id] = Said(cut=cut)
        asked.append((example, answer))
    scores = _scores([(example, _without_each(example, answer)) for example, answer in asked if answer.items], engine)
    for example, answer in asked:
        whole, *without = scores.get(example.id) or [0.0]
        sure = [of_log_odds(whole - score) for score in without] or [None] * len(answer.items)
        labels = [Label(name=n, confidence=s) for n, s in zip(_named(answer, example), sure, strict=True)]
        found[example.id] = msgspec.structs.replace(found[example.id], labels=_ordered(labels))
    return found


def _without_each(example: Example, answer: Labels) -> list[str]:
    """Return an answer, and each that has one label less."""
    task = tasks.get(example.task)
    assert isinstance(task, tasks.Writing)
    less = (Labels(items=tuple(name for name in answer.items if name != label)) for label in answer.items)
    return [task.write(one, example) for one in (answer, *less)]


def _weighed(examples: Sequence[Example], engine: Engine) -> dict[str, Said]:
    """Answer with all answers that an example has, the most probable first."""
    asked = [(example, _candidates(example)) for example in examples]
    scores = _scores(asked, engine)
    if asked and not scores:
        # A server that does not tell how probable answers are writes one.
        return {example.id: _read(example, prediction) for example, prediction in _answers(examples, engine)}
    found: dict[str, Said] = {}
    for example, candidates in asked:
        if not (of_example := scores[example.id]):
            found[example.id] = Said(fault=refusal(NO_ROOM))
            continue
        names = candidates.values()
        labels = [Label(name=n, confidence=c) for n, c in zip(names, shares(of_example), strict=True)]
        found[example.id] = Said(labels=_ordered(labels))
    return found


def _read(example: Example, prediction: Prediction) -> Said:
    """Return the answer that was written, of those that an example has."""
    if prediction.finish == "refused":
        return Said(fault=refusal(prediction.reason))
    try:
        answer = tasks.get(example.task).parse(prediction.text, example)
    except Unparsable as error:
        return Said(fault=str(error))
    return Said(labels=tuple(Label(name=name) for name in _named(answer, example)), cut=prediction.finish == "length")


def _candidates(example: Example) -> dict[str, str]:
    """Return the answers that an example has, as they are written, and what each is called."""
    task = tasks.get(example.task)
    if isinstance(task, tasks.Closed):
        keys = {t.name for t in example.types} | {t.shown for t in example.types}
        # Yes, no and maybe are called so in any language.
        return {
            text: text if text in keys else _named(task.parse(text, example), example)[0]
            for text in task.candidates(example)
        }
    assert isinstance(task, tasks.Writing)
    return {task.write(Labels(items=(shown.name,)), example): shown.shown for shown in example.types}


def _named(answer: Answer, example: Example) -> list[str]:
    """Return what an answer chooses: keys, or labels as who asks calls them."""
    if isinstance(answer, Choice):
        return [answer.key]
    assert isinstance(answer, Labels)
    shown = {t.name: t.shown for t in example.types}
    return [shown.get(name, name) for name in answer.items]


def _scores(asked: Sequence[tuple[Example, Iterable[str]]], engine: Engine) -> dict[str, list[float]]:
    """Return the log-probabilities of the candidates of each example; nothing from an engine that does not tell."""
    from taiyi.generate import Asked, Weighing

    if not isinstance(engine, Weighing):
        return {}
    pairs = [Asked(example, [*candidates]) for example, candidates in asked]
    return {w.example: list(w.scores) for w in engine.weigh(pairs, batch_tokens=LIMITS["batch_tokens"])}


def _ordered(labels: Iterable[Label]) -> tuple[Label, ...]:
    return tuple(sorted(labels, key=lambda label: -(label.confidence or 0.0)))
