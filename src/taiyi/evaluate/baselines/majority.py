"""The baseline that knows nothing of a text: its answer is what is most frequent in training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any

import msgspec

from taiyi.schema import Answer, Choice, Example, Mention, Mentions, Span, Triples, Value
from taiyi.tasks.material import material


class Majority(msgspec.Struct, frozen=True, tag="majority"):
    """What is most frequent in training.

    Attributes:
        ranked: answers, the most frequent first: all of those that not every question allows for, else one.
        share: how many of the training examples have the first.
    """

    ranked: tuple[Answer, ...]
    share: float

    def answers(self, examples: Sequence[Example]) -> Iterator[Answer]:
        return (_allowed(self.ranked, example) for example in examples)


def learn_majority(train: Sequence[Example]) -> Majority:
    """Return the most frequent answer; of grades their mean, of entities and relations the most frequent set.

    Of answers that are equally frequent the one that comes first in training counts.
    """
    grades = [(example.gold.value, example.gold.scale) for example in train if isinstance(example.gold, Value)]
    if grades:
        mean = Value(value=fmean(value for value, _ in grades), scale=grades[0][1])
        return Majority(ranked=(mean,), share=0.0)
    counts = Counter(msgspec.json.encode(_without_places(example.gold)) for example in train)
    ranked = [msgspec.json.decode(answer, type=Answer) for answer, _ in counts.most_common()]
    of_options = any(isinstance(example.gold, Choice) and example.types for example in train)
    return Majority(ranked=tuple(ranked if of_options else ranked[:1]), share=max(counts.values()) / len(train))


def _without_places(answer: Answer) -> Answer:
    """Return what of an answer several texts can have in common."""
    match answer:
        case Mentions(items=items):
            same = sorted({(m.type, m.text) for m in items})
            return Mentions(items=tuple(Mention(type=type, text=text) for type, text in same))
        case Triples(items=items):
            return Triples(items=tuple(sorted(items, key=lambda t: (t.type, t.head, t.tail))))
        case _:
            return answer


def _allowed(ranked: Sequence[Answer], example: Example) -> Answer:
    """Return the first answer that an example can have: one of its options; mentions and triples that its text has."""
    first: Any = ranked[0]
    if isinstance(first, Choice) and example.types:
        keys = [shown.name for shown in example.types]
        return next((a for a in ranked if isinstance(a, Choice) and a.key in keys), Choice(key=keys[0]))
    if not isinstance(first, Mentions | Triples) or not first.items:
        return first
    source = material(example)["text"]
    if isinstance(first, Triples):
        return Triples(items=tuple(t for t in first.items if t.head in source and t.tail in source))
    placed = ((m, source.find(m.text)) for m in first.items)
    return Mentions(
        items=tuple(Mention(type=m.type, text=m.text, span=Span(at, at + len(m.text))) for m, at in placed if at >= 0)
    )
