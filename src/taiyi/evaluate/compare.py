"""Two systems on the same test sets: how much better one is, whether that can be chance, and which records changed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from taiyi.errors import TaiyiError
from taiyi.evaluate.aggregate import verdict
from taiyi.evaluate.differences import Kind, differences, tally
from taiyi.evaluate.protocols import Protocol
from taiyi.evaluate.run import Answered
from taiyi.evaluate.suites import TestSet
from taiyi.metrics import bootstrap, f1
from taiyi.metrics.measures import Measure
from taiyi.schema import Score


class CompareError(TaiyiError):
    """Two runs have nothing that can be compared."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A record that two systems answered otherwise, and how it is scored for each.

    Attributes:
        record: as `corpus/split/record`.
        to: whether the second system is better on it.
        first: how the first system's answer is scored, in words; `second` that of the second.
        first_errors: its errors by kind, of answers with items; so are `second_errors`.
    """

    record: str
    to: Literal["better", "worse"]
    first: str
    second: str
    first_errors: dict[Kind, int] = {}
    second_errors: dict[Kind, int] = {}


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two systems on a test set under a protocol.

    Attributes:
        run: the letter of the second system: B, and of several that are compared with the first C and so on.
        set: the name of the test set, and `title` what it is shown as.
        protocol: the name of the protocol, `shown` what it is shown as, and `measure` its first measure.
        unfit: why the answers of one of them cannot be scored so; then there is nothing else.
        first: the value of the first system, and `second` of the second; None where it is undefined.
        difference: the second less the first, with the ends of its interval.
        p: of approximate randomisation; `p_holm` is the same corrected for all comparisons under this protocol, on
            other test sets and of other runs.
        num_records: how many both answered; the second system is better on `num_better` of them, worse on `num_worse`.
        changes: the records that changed, those that changed the most first.
    """

    set: str
    title: str
    protocol: str
    shown: str
    measure: str
    run: str = "B"
    unfit: str = ""
    first: float | None = None
    second: float | None = None
    difference: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    p: float | None = None
    p_holm: float | None = None
    num_records: int = 0
    num_better: int = 0
    num_worse: int = 0
    changes: tuple[Change, ...] = ()


def same_records(name: str, first: Sequence[Answered], second: Sequence[Answered]) -> list[tuple[Answered, Answered]]:
    """Return the records of a test set in pairs.

    Raises:
        CompareError: one side lacks a record of the other, or has one twice.
    """
    sides: list[dict[str, Answered]] = []
    for which, records in (("first", first), ("second", second)):
        twice = [record for record, count in Counter(r.record for r in records).items() if count > 1]
        if twice:
            raise CompareError(f"the {which} run answers a record twice", where=name, got=_some(twice))
        sides.append({record.record: record for record in records})
    for which, ours, theirs in (("first", *sides), ("second", *reversed(sides))):
        if lacking := [record for record in theirs if record not in ours]:
            raise CompareError(
                f"the {which} run lacks records that the other has",
                where=name,
                got=_some(lacking),
                expected="the same records in both",
                mend="evaluate both with the same --max-records, or name the sets to compare with --set",
            )
    return [(record, sides[1][record.record]) for record in first]


def compare(
    test_set: TestSet,
    protocol: Protocol,
    pairs: Sequence[tuple[Answered, Answered]],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare two systems on a test set under a protocol, by its first measure.

    Args:
        test_set: which one.
        protocol: how it is scored.
        pairs: what each system was asked and answered, record by record.
        resamples: of the bootstrap and of the randomisation.
        seed: of both.

    Raises:
        CompareError: a record has other gold in one of them.
    """
    measure = protocol.measures[0]
    whole = Comparison(
        set=test_set.name, title=test_set.title, protocol=protocol.name, shown=protocol.title, measure=measure.title
    )
    sides = [list(side) for side in zip(*pairs, strict=True)] or [[], []]
    for which, side in zip(("first", "second"), sides, strict=True):
        if unfit := protocol.unfit(side):
            return msgspec.structs.replace(whole, unfit=f"{which}: {unfit}")
    items = sides if protocol.together is None else [protocol.together(side) for side in sides]
    (first, clusters), (second, _) = (protocol.scores(side) for side in sides)
    for item, one, other in zip(items[0], first, second, strict=True):
        if _gold(one) != _gold(other):
            raise CompareError(
                "the gold of a record differs between the runs",
                where=f"{test_set.name}, {protocol.name}, {item.record}",
                mend="evaluate both again",
            )
    found = bootstrap.difference(measure, second, first, clusters, resamples=resamples, seed=seed)
    changes = _changes(items, (first, second), measure)
    return msgspec.structs.replace(
        whole,
        first=measure.of(first),
        second=measure.of(second),
        difference=found.value,
        ci_low=found.interval.low if found.interval else None,
        ci_high=found.interval.high if found.interval else None,
        p=found.p,
        num_records=len(first),
        num_better=sum(change.to == "better" for change in changes),
        num_worse=sum(change.to == "worse" for change in changes),
        changes=changes,
    )


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """Correct p-values for how many there are, so that any of them is wrongly small with the probability it says.

    Holm, A simple sequentially rejective multiple test procedure (1979). What is None was not tested.
    """
    order = sorted((p, number) for number, p in enumerate(ps) if p is not None)
    found: list[float | None] = [None] * len(ps)
    highest = 0.0
    for rank, (p, number) in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p))
        found[number] = highest
    return found


def corrected(comparisons: Iterable[Comparison]) -> list[Comparison]:
    """Correct the p-values of each protocol for all that is compared under it: test sets, and runs."""
    every = list(comparisons)
    by_protocol: dict[str, list[int]] = {}
    for number, comparison in enumerate(every):
        by_protocol.setdefault(comparison.protocol, []).append(number)
    for numbers in by_protocol.values():
        for number, p in zip(numbers, holm([every[n].p for n in numbers]), strict=True):
            every[number] = msgspec.structs.replace(every[number], p_holm=p)
    return every


def _changes(
    items: Sequence[Sequence[Answered]], scores: tuple[Sequence[Score], Sequence[Score]], measure: Measure
) -> tuple[Change, ...]:
    """Return the records that changed, those that changed the most first."""
    worths = _worths([*scores[0], *scores[1]], measure)
    found: list[tuple[float, Change]] = []
    for number, answers in enumerate(zip(*items, strict=True)):
        before, after = worths[number], worths[number + len(scores[0])]
        if change := after.value - before.value or after.less_wrong(before):
            first, second = (_errors(record) for record in answers)
            told = Change(
                record=answers[0].record,
                to="better" if change > 0 else "worse",
                first=_said(scores[0][number], before),
                second=_said(scores[1][number], after),
                first_errors=first,
                second_errors=second,
            )
            found.append((-abs(after.value - before.value), told))
    return tuple(change for _, change in sorted(found, key=lambda pair: pair[0]))


class _Worth(NamedTuple):
    """What tells a better answer from a worse one: its value by itself, and where that is equal the number of errors.

    Of an answer that cannot be parsed the errors are not known: it is no better than a wrong one.
    """

    value: float
    errors: int | None = None

    def less_wrong(self, other: _Worth) -> int:
        return 0 if self.errors is None or other.errors is None else other.errors - self.errors


def _worths(scores: Sequence[Score], measure: Measure) -> list[_Worth]:
    sums, value = measure.sums(scores)[:2]
    return [_worth(score, float(alone)) for score, alone in zip(scores, value(sums), strict=True)]


def _worth(score: Score, value: float) -> _Worth:
    if score.grades is not None:
        gold, answer = score.grades
        return _Worth(-abs(gold - answer))
    if score.state == "unparsable" and (score.counts or math.isnan(value)):
        return _Worth(0.0)
    total = f1.total(score.counts.values())
    # Where there is nothing to find and nothing was found, all is right.
    return _Worth(1.0 if math.isnan(value) else value, total.fp + total.fn)


def _said(score: Score, worth: _Worth) -> str:
    """Say how a record was scored; of one that has nothing but sums, its measure by itself."""
    alone = score.sums and not score.counts and score.value is None and score.grades is None
    return f"scores {worth.value:.2f}" if alone and score.state == "parsed" else verdict(score)


def _errors(record: Answered) -> dict[Kind, int]:
    found = differences(record.gold, record.answer)
    counts: dict[Kind, int] = {}
    for of_type in tally(found or ()).values():
        for kind, count in of_type.items():
            if kind != "right":
                counts[kind] = counts.get(kind, 0) + count
    return counts


def _gold(score: Score) -> Mapping[str, int]:
    """Return how many gold items of each type a score is about."""
    return {name: count.tp + count.fn for name, count in score.counts.items() if count.tp + count.fn}


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"
