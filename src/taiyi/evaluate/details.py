"""What a report tells of a test set beyond its score: its errors by kind, and the scores of its parts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from taiyi.evaluate.aggregate import SetResult
from taiyi.evaluate.calibration import Calibration, calibration, of_records
from taiyi.evaluate.differences import KINDS, TITLES, Kind, differences, tally
from taiyi.evaluate.slices import FEWEST, Seen, Slice, slices
from taiyi.evaluate.tables import Column, Row, Table, percent
from taiyi.metrics.measures import Measure
from taiyi.schema import Score

if TYPE_CHECKING:
    from taiyi.evaluate.run import Answered

ERRORS_ARE = (
    "Items of the gold beside those of the answers, each with one at most: where both have offsets by place, else by "
    "text. A boundary is wrong where the places overlap, or one text holds the other. What stands at several places "
    "counts at each, so that these are not the counts of a score over unique texts."
)
SLICES_ARE = (
    "Each part is scored by itself, under the task's own protocol (own), also where the score of the set is of another "
    "one. A part of fewer than 10 records shows how many there are, and no score. A slice of items, such as mentions "
    "that training has seen, takes those of the gold and of the answers that are of this kind; recall is the share of "
    "the gold that was found at its place."
)

CALIBRATION_IS = (
    "How probable the model held its answers, from 0 to 100, and the share of them that is right: of each mention in a "
    "tagged answer, by type and place, and of each choice by likelihood. The error is the expected calibration error: "
    "the mean distance of both in ten bins of equal width."
)


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """The errors of a test set by type and kind, its slices, and how its answers were calibrated, where confidences are
    known; `set` is its name, `types` are what it asks for."""

    set: str
    types: tuple[str, ...] = ()
    errors: dict[str, dict[Kind, int]] = {}
    slices: tuple[Slice, ...] = ()
    calibration: Calibration | None = None


def details(
    name: str,
    records: Sequence[Answered],
    scores: Sequence[Score],
    measure: Measure,
    *,
    seen: Seen | None = None,
    seed: int = 0,
) -> Details:
    """Return the details of a test set: of its records, and their scores under its own protocol.

    Args:
        name: of the test set.
        records: what was asked and answered.
        scores: of the records, in the same order.
        measure: of the protocol.
        seen: mentions of the training data, where it is known.
        seed: of the bootstrap.
    """
    found = [difference for record in records for difference in differences(record.gold, record.answer) or ()]
    counts = tally(found)
    # Types with the most gold come first.
    order = sorted(counts, key=lambda of: (-sum(n for kind, n in counts[of].items() if kind != "spurious"), of))
    return Details(
        set=name,
        types=tuple(sorted({shown.name for record in records for e in record.examples for shown in e.types})),
        errors={of: counts[of] for of in order},
        slices=slices(records, scores, measure, seen=seen, seed=seed),
        calibration=calibration(list(of_records(records))),
    )


def error_table(results: Sequence[SetResult], found: Sequence[Details]) -> Table:
    """Return the errors of each test set by kind; those without items are left out."""
    titles = {result.name: result.title for result in results}
    rows = [Row((titles.get(of.set, of.set), *_counts(total_errors(of.errors.values())))) for of in found if of.errors]
    return Table((Column("Test set", "text"), *_columns()), tuple(rows))


def type_error_table(of: Details) -> Table:
    """Return the errors of a test set by type and kind."""
    rows = [Row((name, *_counts(counts))) for name, counts in of.errors.items()]
    rows.append(Row(("All", *_counts(total_errors(of.errors.values()))), "total"))
    return Table((Column("Type", "text"), *_columns()), tuple(rows))


def slice_table(of: Details) -> Table:
    """Return the slices of a test set."""
    columns = (Column("By", "text"), Column("Part", "text"), Column("Measure", "text"))
    rows: list[Row] = []
    for number, part in enumerate(of.slices):
        first = not number or of.slices[number - 1].by != part.by
        shown = percent(part.value) if part.num_records >= FEWEST else "–"
        gold = "" if part.num_gold is None else f"{part.num_gold:,}"
        cells = (
            part.by if first else "",
            part.name,
            part.measure,
            shown,
            _interval(part),
            f"{part.num_records:,}",
            gold,
        )
        rows.append(Row(cells))
    numbers = ("Value", "95% interval", "Records", "Gold items")
    return Table((*columns, *map(Column, numbers)), tuple(rows))


def calibration_table(results: Sequence[SetResult], found: Sequence[Details]) -> Table:
    """Return how sure the answers to each test set were, and how many were right; those not known are left out."""
    titles = {result.name: result.title for result in results}
    columns = (Column("Test set", "text"), *map(Column, ("Answers", "Confidence", "Right", "Calibration error")))
    known = [(titles.get(of.set, of.set), of.calibration) for of in found if of.calibration is not None]
    rows = (Row((title, f"{c.num:,}", *map(percent, (c.confidence, c.right, c.error)))) for title, c in known)
    return Table(columns, tuple(rows))


def bin_table(of: Calibration) -> Table:
    """Return the answers of a test set by how sure they were."""
    columns = (Column("Confidence", "text"), *map(Column, ("Answers", "Mean confidence", "Right")))
    rows = (
        Row((f"{100 * b.low:.0f} to {100 * b.high:.0f}", f"{b.num:,}", percent(b.confidence), percent(b.right)))
        for b in of.bins
    )
    return Table(columns, tuple(rows))


def _interval(part: Slice) -> str:
    if part.ci_low is None or part.ci_high is None:
        return "–"
    return f"{100 * part.ci_low:.1f} to {100 * part.ci_high:.1f}"


def _columns() -> tuple[Column, ...]:
    return tuple(Column(TITLES[kind].capitalize()) for kind in KINDS)


def _counts(counts: dict[Kind, int]) -> tuple[str, ...]:
    return tuple(f"{counts.get(kind, 0):,}" for kind in KINDS)


def total_errors(tallies: Collection[Mapping[Kind, int]]) -> dict[Kind, int]:
    """Add up errors by kind; kinds that there are none of are left out."""
    return {kind: count for kind in KINDS if (count := sum(tally.get(kind, 0) for tally in tallies))}
