"""What a protocol is: a way of scoring the answers to a test set that somebody in the field uses.

A test set is scored under all protocols that apply to it, from one set of predictions. What a protocol adds up of a
record is a `Score`; the values of a test set, their intervals and comparisons follow from its measures (metrics).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from taiyi.evaluate.suites import TestSet
from taiyi.metrics.measures import MACRO_F1, MICRO_F1, WEIGHTED_F1, Measure
from taiyi.schema import Counts, Score

if TYPE_CHECKING:
    from taiyi.evaluate.run import Answered

OWN = "own"
"""The name of the protocol that every test set has: what its task counts by itself."""

F1S = (MICRO_F1, MACRO_F1, WEIGHTED_F1)
"""What follows from counts by type."""


class Scores(NamedTuple):
    """The scores of what a protocol takes for one item, and for each what the bootstrap draws it with."""

    scores: list[Score]
    clusters: list[str]


def _anything(answered: Sequence[Answered]) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """A way of scoring.

    Attributes:
        name: as in results and options, such as `strict`; a test set has one of a name.
        title: as reports show it.
        about: what counts as right, and whose way that is, in one or two sentences.
        tasks: the names of the tasks that it scores.
        measures: what it tells of a test set; the first is its value.
        score: what it adds up of a record.
        corpora: the corpora that it is for; all where none is named.
        graded: whether it is for pairs with grades or for those with labels, where it is not for both.
        unit: what it counts as one item.
        together: puts records together whose answers are one item; each is an item by itself if not given.
        unfit: says why answers cannot be scored so, such as for want of offsets; empty where they can.
    """

    name: str
    title: str
    about: str
    tasks: frozenset[str]
    measures: tuple[Measure, ...]
    score: Callable[[Answered], Score]
    corpora: frozenset[str] = frozenset()
    graded: bool | None = None
    unit: str = "record"
    together: Callable[[Sequence[Answered]], list[Answered]] | None = None
    unfit: Callable[[Sequence[Answered]], str] = _anything

    def applies(self, test_set: TestSet) -> bool:
        """Whether a test set can be scored so."""
        return (
            test_set.task in self.tasks
            and (not self.corpora or test_set.corpus in self.corpora)
            and (self.graded is None or self.graded == test_set.graded)
        )

    def scores(self, answered: Sequence[Answered]) -> Scores:
        """Score the records of a test set."""
        items = answered if self.together is None else self.together(answered)
        return Scores([self.score(item) for item in items], [item.cluster for item in items])


def score_of(answered: Answered, **found: object) -> Score:
    """Return a score with what was found of a record, and what every score says of its answers."""
    unparsable = answered.answer is None
    return Score(
        record=answered.record,
        state="unparsable" if unparsable else "parsed",
        reason=next(iter(answered.unparsable), "") if unparsable else "",
        num_answers=len(answered.examples),
        unparsable=dict(answered.unparsable),
        **found,  # pyright: ignore[reportArgumentType]
    )


def counted(gold: Iterable[tuple[str, Hashable]], answers: Iterable[tuple[str, Hashable]]) -> dict[str, Counts]:
    """Count items, each under its type, as right, too many and missed; items that are equal are one."""
    ours, theirs = (dict.fromkeys(items) for items in (gold, answers))
    counts: dict[str, list[int]] = {}
    for item in theirs:
        counts.setdefault(item[0], [0, 0, 0])[item not in ours] += 1
    for item in ours:
        counts.setdefault(item[0], [0, 0, 0])[2] += item not in theirs
    return {name: Counts(*counts[name]) for name in sorted(counts)}
