"""Whether a model is right as often as it is sure: confidences of answers beside the share of them that is right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from taiyi import tagged
from taiyi.schema import Example, Mentions, Prediction, Span

if TYPE_CHECKING:
    from taiyi.evaluate.run import Answered

NUM_BINS = 10


class Sure(NamedTuple):
    """An answer, or a mention of one: how probable the model held it, from 0 to 1, and whether it is right."""

    confidence: float
    right: bool


class Bin(msgspec.Struct, frozen=True):
    """Answers with confidences from `low` to `high`: how many, their mean confidence, and the share that is right."""

    low: float
    high: float
    num: int
    confidence: float
    right: float


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """How confidences and right answers go together.

    Attributes:
        num: how many answers, or mentions of answers.
        confidence: their mean confidence.
        right: the share of them that is right; of mentions it is the precision by type and place.
        error: the expected calibration error, from 0 to 1: the mean distance of confidence and share in a bin, weighted
            by what is in it (Naeini et al., AAAI 2015; Guo et al., ICML 2017), over ten bins of equal width.
        bins: those with something in them, from low to high.
    """

    num: int
    confidence: float
    right: float
    error: float
    bins: tuple[Bin, ...]


def calibration(found: Sequence[Sure]) -> Calibration | None:
    """Compare confidences with what is right; None where there are none."""
    if not found:
        return None
    by_bin: dict[int, list[Sure]] = {}
    for one in found:
        by_bin.setdefault(min(int(one.confidence * NUM_BINS), NUM_BINS - 1), []).append(one)
    bins = tuple(
        Bin(number / NUM_BINS, (number + 1) / NUM_BINS, len(of), *_means(of)) for number, of in sorted(by_bin.items())
    )
    confidence, right = _means(found)
    error = sum(b.num * abs(b.confidence - b.right) for b in bins) / len(found)
    return Calibration(num=len(found), confidence=confidence, right=right, error=error, bins=bins)


def _means(of: Sequence[Sure]) -> tuple[float, float]:
    return sum(one.confidence for one in of) / len(of), sum(one.right for one in of) / len(of)


def of_records(records: Iterable[Answered]) -> Iterator[Sure]:
    """Yield the confidences that the answers to records have: of each mention once, of a choice one."""
    for record in records:
        if isinstance(record.gold, Mentions):
            yield from _of_mentions(record, record.gold)
        elif len(record.predictions) == 1 and record.predictions[0].confidences and record.answer is not None:
            yield Sure(record.predictions[0].confidences[0], record.answer == record.gold)


def _of_mentions(record: Answered, gold: Mentions) -> Iterator[Sure]:
    shown = {t.name: t.shown for example in record.examples for t in example.types}
    there = {(shown.get(m.type, m.type), m.span) for m in gold.items}
    best: dict[tuple[str, Span], float] = {}
    for example, prediction in zip(record.examples, record.predictions, strict=True):
        for place, confidence in mentions(example, prediction):
            best[place] = max(confidence, best.get(place, 0.0))
    for place, confidence in best.items():
        yield Sure(confidence, place in there)


def mentions(example: Example, prediction: Prediction) -> Iterator[tuple[tuple[str, Span], float]]:
    """Yield how probable each mention of an answer in tags is, with its shown type and its place in the record."""
    if example.tagging is None or not prediction.confidences:
        return
    for mention, value in zip(tagged.marked(prediction.text, example.tagging), prediction.confidences, strict=True):
        assert mention.span is not None
        place = Span(mention.span.start + example.offset, mention.span.end + example.offset)
        yield (mention.type, place), value
