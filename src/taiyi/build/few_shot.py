"""Worked examples before a question, as earlier turns of the dialogue (in-context learning, Brown et al., 2020)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from taiyi.schema import (
    Answer,
    Choice,
    Example,
    Happenings,
    Labels,
    Lang,
    Mentions,
    Message,
    Normalisations,
    Triples,
)


class Shots(msgspec.Struct, frozen=True):
    """What every example of a test set is shown before it, by language: the same ones, in the same order."""

    examples: dict[Lang, tuple[Example, ...]] = {}

    def before(self, example: Example) -> Example:
        """Return an example with the turns of the shots before its own; its id says how many they are."""
        shots = self.examples.get(example.lang, ())
        if not shots:
            return example
        turns = [turn for shot in shots for turn in _turns(shot)]
        begin = _num_system(example)
        messages = (*example.messages[:begin], *turns, *example.messages[begin:])
        return msgspec.structs.replace(example, id=f"{example.id}~{len(shots)}shots", messages=messages)

    def ids(self) -> dict[str, list[str]]:
        """Return which examples are shown, by language."""
        return {lang: [shot.id for shot in shots] for lang, shots in self.examples.items()}


def balanced(examples: Sequence[Example], number: int) -> list[Example]:
    """Return so many examples, in their order, or all: of those left the next one is the first that has the label, or
    the type, which the fewest of the chosen ones have."""
    chosen: list[int] = []
    counts = Counter[str]()
    told = [_labels(example.gold) for example in examples]
    while len(chosen) < min(number, len(examples)):
        others = (index for index in range(len(examples)) if index not in chosen)
        best = min(others, key=lambda index: (min(counts[label] for label in told[index]), index))
        chosen.append(best)
        counts.update(told[best])
    return [examples[index] for index in sorted(chosen)]


def _labels(gold: Answer) -> frozenset[str]:
    """Return what an answer is an example of; an answer that finds nothing is one of that."""
    match gold:
        case Choice(key=key):
            return frozenset({key})
        case Labels(items=items):
            return frozenset(items) or frozenset({""})
        case Mentions(items=found) | Triples(items=found) | Happenings(items=found) | Normalisations(items=found):
            return frozenset(item.type for item in found) or frozenset({""})
        case _:
            return frozenset({""})


def _turns(shot: Example) -> list[Message]:
    return [*shot.messages[_num_system(shot) :], Message(role="assistant", content=shot.answer)]


def _num_system(example: Example) -> int:
    return int(bool(example.messages) and example.messages[0].role == "system")


def missing(shots: Mapping[Lang, Sequence[Example]], langs: Sequence[Lang], number: int) -> dict[Lang, int]:
    """Return, by language, how many examples there are where they are fewer than asked for."""
    return {lang: len(shots.get(lang, ())) for lang in langs if len(shots.get(lang, ())) < number}
