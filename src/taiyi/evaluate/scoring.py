"""A test set under all protocols that apply to it, from one set of predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import msgspec

from taiyi.evaluate import protocols, ungrounded
from taiyi.evaluate.aggregate import ProtocolResult, SetResult, measured, scored
from taiyi.evaluate.protocols import OWN, Protocol, Scores
from taiyi.evaluate.run import Answered
from taiyi.evaluate.suites import TestSet
from taiyi.metrics import f1
from taiyi.schema import Counts, Score


class ScoreRow(msgspec.Struct, frozen=True, kw_only=True):
    """The score of an item under a protocol, in columns that any reader of Parquet understands.

    Attributes:
        protocol: the name of the protocol.
        record: the item, a record or what the protocol puts together; `cluster` is what the bootstrap draws it with.
        state: `parsed` or `unparsable`, with the `reason`.
        num_answers: how many answers it comes from; `num_unparsable` of them cannot be parsed.
        value: of choices, texts and grades; NaN where there is none.
        tp: of counts, those of all types together; so are `fp` and `fn`.
        counts: by type, as JSON; `grades` are gold and answer, `sums` what the protocol adds up.
    """

    protocol: str
    record: str
    cluster: str
    state: str
    reason: str
    num_answers: int
    num_unparsable: int
    value: float
    tp: int
    fp: int
    fn: int
    counts: dict[str, Counts]
    grades: tuple[float, float] | None
    sums: tuple[float, ...]
    unparsable: dict[str, int]

    def score(self) -> Score:
        """Return the score: with those of all rows of a protocol, its measures can be computed again."""
        kept = {name: getattr(self, name) for name in _KEPT}
        return Score(**kept, state=cast("Any", self.state), value=None if math.isnan(self.value) else self.value)


_KEPT = ("record", "counts", "grades", "sums", "reason", "num_answers", "unparsable")


class ScoredSet(NamedTuple):
    """The result of a test set, the scores that it comes from, protocol by protocol, and those of its records under the
    task's own."""

    result: SetResult
    scores: list[ScoreRow]
    own: list[Score]


def score_set(test_set: TestSet, answered: Sequence[Answered], *, resamples: int = 1000, seed: int = 0) -> ScoredSet:
    """Score what was answered to a test set under all protocols that apply.

    Args:
        test_set: which one.
        answered: its records.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    results: list[ProtocolResult] = []
    rows: list[ScoreRow] = []
    own = Scores([], [])
    for protocol in protocols.of(test_set):
        if reason := protocol.unfit(answered):
            results.append(_described(protocol, missing=reason))
            continue
        found = protocol.scores(answered)
        if protocol.name == OWN:
            own = found
        results.append(_result(protocol, found, resamples, seed))
        rows += [_row(protocol, *pair) for pair in zip(found.scores, found.clusters, strict=True)]
    result = scored(test_set, own.scores, own.clusters, results, num_cut=sum(record.num_cut for record in answered))
    given, gold = ungrounded.mentioned(answered)
    result = msgspec.structs.replace(
        result,
        num_mentions=given.num_mentions,
        num_ungrounded=given.num_ungrounded,
        num_gold_mentions=gold.num_mentions,
        num_gold_ungrounded=gold.num_ungrounded,
        outside=ungrounded.outside(answered),
    )
    return ScoredSet(result, rows, own.scores)


def _result(protocol: Protocol, found: Scores, resamples: int, seed: int) -> ProtocolResult:
    measures, per_type = measured(protocol.measures, *found, resamples=resamples, seed=seed)
    return msgspec.structs.replace(
        _described(protocol), measures=tuple(measures), num_units=len(found.scores), per_type=per_type
    )


def _described(protocol: Protocol, missing: str = "") -> ProtocolResult:
    return ProtocolResult(
        name=protocol.name, title=protocol.title, about=protocol.about, unit=protocol.unit, missing=missing
    )


def _row(protocol: Protocol, score: Score, cluster: str) -> ScoreRow:
    total = f1.total(score.counts.values())
    return ScoreRow(
        protocol=protocol.name,
        cluster=cluster,
        state=score.state,
        num_unparsable=sum(score.unparsable.values()),
        value=math.nan if score.value is None else score.value,
        tp=total.tp,
        fp=total.fp,
        fn=total.fn,
        **{name: getattr(score, name) for name in _KEPT},
    )
