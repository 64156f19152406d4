"""Scores of parts of a test set: by length, language, number of items, rare types, what training has seen, nesting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from taiyi.evaluate.differences import Item, items
from taiyi.evaluate.places import source
from taiyi.metrics import bootstrap, f1
from taiyi.metrics.measures import MICRO_F1, Measure, Sums
from taiyi.schema import Answer, Counts, Mentions, Score, Shown, Span

if TYPE_CHECKING:
    from taiyi.evaluate.run import Answered

FEWEST = 10
"""A slice of fewer records shows how many, and no score: it would say more of these records than of the model."""
RARE = 20
"""Types with fewer gold items in a test set are rare."""
_NUMBERS = ((0, 0, "none"), (1, 1, "1"), (2, 4, "2 to 4"), (5, 9, "5 to 9"), (10, None, "10 and more"))

Seen = Set[tuple[str, str]]
"""Mentions of training data: the type as prompts show it and the text, both without case."""


class Slice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of a test set with its score.

    Attributes:
        by: what the set is cut by, such as `length of the text`.
        name: which part this is.
        measure: what the value is.
        num_records: how many records it has; of a slice of items, how many records have some in the gold.
        num_gold: of a slice of items, how many of them are in the gold.
        value: None where there are fewer than 10 records, or nothing to divide by; so are the ends of its interval.
    """

    by: str
    name: str
    measure: str
    num_records: int
    num_gold: int | None = None
    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None


RECALL = Measure("recall", "recall", lambda scores: _recall(scores))


def slices(
    records: Sequence[Answered],
    scores: Sequence[Score],
    measure: Measure,
    *,
    seen: Seen | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[Slice, ...]:
    """Cut a test set in several ways and score each part.

    Args:
        records: what was asked and answered.
        scores: of the records, in the same order, under the protocol of the measure.
        measure: of the test set.
        seen: mentions of the training data; None where it is not known what a model was trained on.

    A way to cut the set that leaves all of it in one part is left out.
    """
    if not records:
        return ()
    cut = _Cut([record.cluster for record in records], resamples, seed)
    found: list[Slice] = []
    for by, parts in _of_records(records):
        if len(parts) > 1:
            found += [cut.records(by, name, scores, inside, measure) for name, inside in parts.items()]
    found += cut.types(scores, measure)
    if all(isinstance(record.gold, Mentions) for record in records):
        found += cut.mentions(records, seen)
    return tuple(found)


def mentions(gold: Answer, types: Sequence[Shown]) -> Iterator[tuple[str, str]]:
    """Yield the mentions of an example of training data, as `Seen` has them; none of answers of other kinds."""
    if isinstance(gold, Mentions):
        shown = {t.name: t.shown for t in types}
        yield from (_key(item, shown) for item in items(gold) or ())


def _key(item: Item, shown: Mapping[str, str]) -> tuple[str, str]:
    return shown.get(item.type, item.type).casefold(), item.texts[0].casefold()


class _Cut(NamedTuple):
    """What the scores of all slices of a set are made with."""

    clusters: Sequence[str]
    resamples: int
    seed: int

    def records(self, by: str, name: str, scores: Sequence[Score], inside: Sequence[int], measure: Measure) -> Slice:
        found = Slice(by=by, name=name, measure=measure.title, num_records=len(inside))
        return self._scored(found, [scores[i] for i in inside], inside, measure)

    def types(self, scores: Sequence[Score], measure: Measure) -> Iterator[Slice]:
        """Yield the slices of the rare types and of the others; both are scored by micro-F1."""
        if measure.name not in ("micro_f1", "macro_f1", "weighted_f1"):
            return
        total = f1.total_by_type(score.counts for score in scores)
        gold = {name: counts.tp + counts.fn for name, counts in total.items()}
        rare = {name for name, count in gold.items() if 0 < count < RARE}
        if not rare or len(rare) == len(gold):
            return
        for name, kept in (
            (f"rare: fewer than {RARE} in the gold", rare),
            ("others", {name for name in gold if name not in rare}),
        ):
            parts = [{name: counts for name, counts in score.counts.items() if name in kept} for score in scores]
            yield self._items("how often the type occurs", f"{name} ({len(kept)})", parts, MICRO_F1)

    def mentions(self, records: Sequence[Answered], seen: Seen | None) -> Iterator[Slice]:
        """Yield slices of mentions: those that training has seen and not, and those that are nested and not."""
        every = [_Mentions.of(record) for record in records]
        if seen is not None:
            held = seen
            for name, known in (("seen in training", True), ("not seen in training", False)):
                parts = [
                    found.counts(lambda item, shown, known=known: (_key(item, shown) in held) == known)
                    for found in every
                ]
                yield self._items("mentions of training data", name, parts, MICRO_F1)
        if not any(item.span for found in every for item in found.gold):
            return
        shapes = {"flat": "flat", "nested": "nested", "of several parts, or cut by a window": "apart"}
        by_shape = {name: [found.recall(shape) for found in every] for name, shape in shapes.items()}
        there = {name: parts for name, parts in by_shape.items() if any(parts)}
        if len(there) > 1:
            yield from (self._items("nesting", name, parts, RECALL) for name, parts in there.items())

    def _items(self, by: str, name: str, parts: Sequence[Mapping[str, Counts]], measure: Measure) -> Slice:
        scores = [Score(record=str(number), counts=dict(part)) for number, part in enumerate(parts)]
        gold = [sum(count.tp + count.fn for count in part.values()) for part in parts]
        found = Slice(by=by, name=name, measure=measure.title, num_records=sum(map(bool, gold)), num_gold=sum(gold))
        return self._scored(found, scores, range(len(scores)), measure)

    def _scored(self, found: Slice, scores: Sequence[Score], inside: Sequence[int], measure: Measure) -> Slice:
        if found.num_records < FEWEST:
            return found
        clusters = [self.clusters[i] for i in inside]
        interval = bootstrap.interval(measure.sums(scores), clusters, resamples=self.resamples, seed=self.seed)
        return msgspec.structs.replace(
            found,
            value=measure.of(scores),
            ci_low=interval.low if interval else None,
            ci_high=interval.high if interval else None,
        )


class _Mentions(NamedTuple):
    """The mentions of a record's gold and answer, with the names that its prompts show types by."""

    gold: Sequence[Item]
    answer: Sequence[Item]
    shown: Mapping[str, str]

    @classmethod
    def of(cls, record: Answered) -> _Mentions:
        shown = {t.name: t.shown for example in record.examples for t in example.types}
        return cls(items(record.gold) or [], (items(record.answer) or []) if record.answer else [], shown)

    def counts(self, keep: Callable[[Item, Mapping[str, str]], bool]) -> dict[str, Counts]:
        """Count the unique texts of each type as the paper does, of the mentions that are kept."""
        ours, theirs = (
            {(item.type, item.texts[0]) for item in side if keep(item, self.shown)} for side in (self.gold, self.answer)
        )
        return {"": Counts(tp=len(ours & theirs), fp=len(theirs - ours), fn=len(ours - theirs))}

    def recall(self, shape: str) -> dict[str, Counts]:
        """Count how many gold mentions of a shape are found: at their place, or by text where they have none."""
        answers = {(item.type, item.texts[0], item.span) for item in self.answer}
        texts = {(item.type, item.texts[0]) for item in self.answer}
        kept = [item for item in self.gold if self._shape(item) == shape]
        found = sum(
            (item.type, item.texts[0], item.span) in answers if item.span else (item.type, item.texts[0]) in texts
            for item in kept
        )
        return {"": Counts(tp=found, fn=len(kept) - found)} if kept else {}

    def _shape(self, item: Item) -> str:
        if item.span is None:
            return "apart"
        return "nested" if any(_nested(item.span, other.span) for other in self.gold if other.span) else "flat"


def _nested(one: Span, other: Span) -> bool:
    """Whether one of two places holds the other, or they cross; equal places of two types are not nested."""
    return one != other and one.start < other.end and other.start < one.end


def _of_records(records: Sequence[Answered]) -> Iterator[tuple[str, dict[str, list[int]]]]:
    """Yield the ways to cut records into parts, with the records of each part by number."""
    yield "length of the text", _quartiles([len(source(record.examples).text) for record in records])
    by_lang: dict[str, list[int]] = {}
    for number, record in enumerate(records):
        by_lang.setdefault(record.examples[0].lang, []).append(number)
    yield "language", dict(sorted(by_lang.items()))
    found = [items(record.gold) for record in records]
    if all(gold is not None for gold in found):
        yield "number of gold items", _numbers([len(gold or ()) for gold in found])


def _quartiles(lengths: Sequence[int]) -> dict[str, list[int]]:
    """Cut records into four parts of about as many records each, by length; equal lengths stay together."""
    edges = sorted({int(edge) for edge in np.quantile(lengths, [0.25, 0.5, 0.75, 1.0], method="lower")})
    parts: dict[str, list[int]] = {}
    for low, high in pairwise([min(lengths) - 1, *edges]):
        inside = [number for number, length in enumerate(lengths) if low < length <= high]
        if inside:
            parts[f"{low + 1:,} to {high:,} characters"] = inside
    return parts


def _numbers(counts: Sequence[int]) -> dict[str, list[int]]:
    parts = {
        name: [number for number, count in enumerate(counts) if low <= count and (high is None or count <= high)]
        for low, high, name in _NUMBERS
    }
    return {name: inside for name, inside in parts.items() if inside}


def _recall(scores: Sequence[Score]) -> Sums:
    counts = [f1.total(score.counts.values()) for score in scores]
    rows = np.asarray([(c.tp, c.tp + c.fn) for c in counts], dtype=np.float64).reshape(-1, 2)

    def value(
        sums: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.divide(sums[:, 0], sums[:, 1], out=np.full(len(sums), np.nan), where=sums[:, 1] != 0)

    return Sums(rows, value)
