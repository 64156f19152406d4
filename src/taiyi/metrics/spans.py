"""Spans compared with spans: flat ones, those that overlap, and the four ways of SemEval-2013 task 9."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from taiyi.metrics.measures import f1_of


class Typed(NamedTuple):
    """A half-open span of characters with the type of what stands there."""

    start: int
    end: int
    type: str


def flat(spans: Sequence[Typed]) -> list[Typed]:
    """Return the spans that tags of a sequence (BIO) can hold beside each other.

    Where two overlap, the one that begins first stays, of these the longer, of equal ones the first type by name.
    """
    kept: list[Typed] = []
    for span in sorted(set(spans), key=lambda span: (span.start, -span.end, span.type)):
        if not kept or kept[-1].end <= span.start:
            kept.append(span)
    return kept


def overlapping(gold: Sequence[Typed], answers: Sequence[Typed]) -> tuple[int, int]:
    """Return how many answers overlap gold of their type, and how many of the gold is overlapped by answers of its
    type."""
    right = sum(any(_share(a, g) for g in gold if g.type == a.type) for a in answers)
    found = sum(any(_share(a, g) for a in answers if g.type == a.type) for g in gold)
    return right, found


LENIENT_F1 = f1_of("overlap_f1", "F1", 0, 1, 2, 3)
"""Of sums of: right answers, answers, found gold, gold."""


# --- SemEval-2013 task 9, as nervaluate counts it --------------------------------------------------------------------

# An answer touches gold of which it covers one part in a hundred.
_LEAST_SHARE = 0.01


class _Scheme(NamedTuple):
    """What is right, and what an answer is worth that is not, but touches gold; whether of several the nearest is
    right."""

    right: Callable[[Typed, Typed], bool]
    touching: float = 0.0
    nearest: bool = False


def _same(answer: Typed, gold: Typed) -> bool:
    return answer == gold


def _same_span(answer: Typed, gold: Typed) -> bool:
    return (answer.start, answer.end) == (gold.start, gold.end)


def _same_type(answer: Typed, gold: Typed) -> bool:
    return answer.type == gold.type and _touches(answer, gold)


_SCHEMES = (
    _Scheme(_same),
    _Scheme(_same_span),
    _Scheme(_same_span, touching=0.5),
    _Scheme(_same_type, nearest=True),
)

SEMEVAL = (
    f1_of("semeval_strict_f1", "strict F1", 0, 4, 0, 5),
    f1_of("semeval_exact_f1", "exact F1", 1, 4, 1, 5),
    f1_of("semeval_partial_f1", "partial F1", 2, 4, 2, 5),
    f1_of("semeval_type_f1", "type F1", 3, 4, 3, 5),
)
"""F1s of what `semeval` returns."""


def semeval(gold: Sequence[Typed], answers: Sequence[Typed]) -> tuple[float, ...]:
    """Return what is right by each scheme of SemEval-2013 task 9.1, and the numbers of answers and of gold.

    Strict is the same span and type, exact the same span, partial the same span or, for half, one that overlaps, type
    an overlap under the same type. Each gold mention answers for one answer at most; answers are taken in the order of
    the text, and the gold for them as nervaluate 1.2 takes it.
    """
    ordered, given = sorted(gold), sorted(answers)
    return (*(_right(scheme, ordered, given) for scheme in _SCHEMES), float(len(given)), float(len(ordered)))


def _right(scheme: _Scheme, gold: Sequence[Typed], answers: Sequence[Typed]) -> float:
    left = dict(enumerate(gold))
    found = 0.0
    for answer in answers:
        fitting = [number for number, span in left.items() if scheme.right(answer, span)]
        if fitting:
            number = min(fitting, key=lambda n: _distance(answer, left[n])) if scheme.nearest else fitting[0]
            found += 1.0
        else:
            number = next((number for number, span in left.items() if _touches(answer, span)), None)
            found += scheme.touching if number is not None else 0.0
        if number is not None:
            del left[number]
    return found


def _share(one: Typed, other: Typed) -> int:
    """Return how many characters two spans share."""
    return max(0, min(one.end, other.end) - max(one.start, other.start))


def _touches(answer: Typed, gold: Typed) -> bool:
    return (shared := _share(answer, gold)) > 0 and shared / (gold.end - gold.start) >= _LEAST_SHARE


def _distance(one: Typed, other: Typed) -> int:
    return abs(one.start - other.start) + abs(one.end - other.end)
