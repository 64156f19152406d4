"""From the scores of records to the score of a test set, with its interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from taiyi.evaluate.paper import Published
from taiyi.evaluate.suites import TestSet
from taiyi.metrics import bootstrap, f1
from taiyi.metrics.measures import MEASURES, Measure, Rates
from taiyi.schema import Counts, Lang, Score, Split


class TypeResult(msgspec.Struct, frozen=True, kw_only=True):
    """Precision, recall and F1 of one type with the counts that they come from; None is "n/a" (see metrics.f1)."""

    precision: float | None
    recall: float | None
    f1: float | None
    tp: int
    fp: int
    fn: int


class MeasureResult(msgspec.Struct, frozen=True, kw_only=True):
    """The value of one measure with its interval, and of an F1 the precision and recall that it is of; None is n/a."""

    name: str
    title: str
    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    precision: float | None = None
    recall: float | None = None


class ProtocolResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a protocol says of a test set: its measures, the first of which is its value, over `num_units` items.

    `missing` says why the answers cannot be scored so; there are no values then.
    """

    name: str
    title: str
    about: str
    measures: tuple[MeasureResult, ...] = ()
    unit: str = "record"
    num_units: int = 0
    per_type: dict[str, TypeResult] = {}
    missing: str = ""


class SetResult(msgspec.Struct, frozen=True, kw_only=True):
    """The score of one test set; `value` and the interval are from 0 to 1, of correlations from -1.

    `value` is that of the first measure, `metric`, of the first of the `protocols`: micro-F1, accuracy, the mean of the
    records' chrF or Pearson's r of their grades where it is the task's own. It is None ("n/a") where the set is
    missing, has no record, has neither gold nor predictions, or where all grades are the same; the interval is None
    where there are fewer than two clusters, which are records, or documents where several records are of one (see
    evaluate). The records were asked about in `num_answers` answers, one for each record or for each part of it;
    `num_unparsable` of these could not be parsed, and `parse_failure_rate` is their share. `num_cut` answers were cut
    at the limit of tokens, and what is whole of them counts. Of the `num_mentions` texts that the answers name,
    `num_ungrounded` do not stand in their source; of the gold it is `num_gold_ungrounded` of `num_gold_mentions`.
    `outside` counts the types and labels of answers that were not asked for. `missing` says why a set could not be
    scored at all.
    """

    name: str
    title: str
    corpus: str
    split: Split
    task: str
    langs: tuple[Lang, ...]
    metric: str
    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    precision: float | None = None
    recall: float | None = None
    macro_f1: float | None = None
    num_records: int = 0
    num_clusters: int = 0
    num_answers: int = 0
    num_unparsable: int = 0
    num_cut: int = 0
    parse_failure_rate: float | None = None
    unparsable_reasons: dict[str, int] = {}
    num_mentions: int = 0
    num_ungrounded: int = 0
    num_gold_mentions: int = 0
    num_gold_ungrounded: int = 0
    outside: dict[str, int] = {}
    per_type: dict[str, TypeResult] = {}
    protocols: tuple[ProtocolResult, ...] = ()
    paper: Published | None = None
    missing: str = ""
    note: str = ""


def evaluate(
    test_set: TestSet,
    scores: Sequence[Score],
    *,
    clusters: Sequence[str] | None = None,
    num_cut: int = 0,
    resamples: int = 1000,
    seed: int = 0,
) -> SetResult:
    """Aggregate the scores of a test set under its task's own protocol.

    An unparsable answer counts as wrong: the counts carry the gold of its part as false negatives, its value is 0, and
    its grade the middle of the scale.

    Args:
        clusters: for each score what the bootstrap draws it with (see run.Answered); its record where none are given,
            so that several scores of one record stay together.
        num_cut: how many answers were cut at the limit of tokens, to be reported.
    """
    clusters = clusters or [score.record for score in scores]
    measures, per_type = measured([MEASURES[test_set.metric]], scores, clusters, resamples=resamples, seed=seed)
    result = _described(test_set, scores, clusters, num_cut)
    return _with_values(result, measures[0], per_type)


def scored(
    test_set: TestSet,
    scores: Sequence[Score],
    clusters: Sequence[str],
    protocols: Sequence[ProtocolResult],
    num_cut: int,
) -> SetResult:
    """Return the result of a test set that was scored under several protocols.

    Args:
        scores: of its records, under its task's own protocol.
        clusters: what the records are drawn with.
        protocols: the results of all protocols; the first is the set's own.
        num_cut: how many answers were cut at the limit of tokens.
    """
    result = msgspec.structs.replace(_described(test_set, scores, clusters, num_cut), protocols=tuple(protocols))
    first = protocols[0]
    if first.missing:
        note = "; ".join(filter(None, (f"not scored as {first.title}: {first.missing}", result.note)))
        return msgspec.structs.replace(result, note=note)
    per_type = first.per_type or next((p.per_type for p in protocols if p.per_type), first.per_type)
    return _with_values(result, first.measures[0], per_type)


def measured(
    measures: Sequence[Measure],
    scores: Sequence[Score],
    clusters: Sequence[str],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[list[MeasureResult], dict[str, TypeResult]]:
    """Return the values of measures with their intervals, and what is counted of each type, if anything is."""
    # In the order of their ids, so that the interval does not depend on the order in which answers were made.
    drawn = sorted(zip(scores, clusters, strict=True), key=lambda pair: (pair[0].record, pair[1]))
    ordered, names = [score for score, _ in drawn], [cluster for _, cluster in drawn]
    sums = [measure.sums(ordered) for measure in measures]
    intervals = bootstrap.intervals(sums, names, resamples=resamples, seed=seed)
    found: list[MeasureResult] = []
    for measure, interval in zip(measures, intervals, strict=True):
        rates = measure.rates(ordered) if measure.rates is not None else Rates(None, None)
        found.append(
            MeasureResult(
                name=measure.name,
                title=measure.title,
                value=measure.of(ordered),
                ci_low=interval.low if interval else None,
                ci_high=interval.high if interval else None,
                precision=rates.precision,
                recall=rates.recall,
            )
        )
    return found, _by_type(ordered)


def missing(test_set: TestSet, reason: str = "") -> SetResult:
    """Return the result of a test set that could not be scored, with the reason."""
    return SetResult(
        name=test_set.name,
        title=test_set.title,
        corpus=test_set.corpus,
        split=test_set.split,
        task=test_set.task,
        langs=test_set.langs,
        metric=test_set.metric,
        paper=test_set.paper,
        missing=reason or test_set.missing or "corpus not at hand",
        note=test_set.note,
    )


def verdict(score: Score) -> str:
    """Say in a few words how one record was scored, for the sample answers of a report."""
    if score.state == "unparsable":
        return f"unparsable: {score.reason}" if score.reason else "unparsable"
    if score.grades is not None and score.value != 1.0:
        return "{1:g} where the gold is {0:g}".format(*score.grades)
    if score.value is not None:
        return {0.0: "wrong", 1.0: "right"}.get(score.value, f"scores {score.value:.2f}")
    counts = f1.total(score.counts.values())
    if not counts.fp and not counts.fn:
        return "right"
    found = f"{counts.tp} of {counts.tp + counts.fn} found, {counts.fp} too many"
    return f"partly right: {found}" if counts.tp else f"wrong: {found}"


def _described(test_set: TestSet, scores: Sequence[Score], clusters: Sequence[str], num_cut: int) -> SetResult:
    """Return what is told of a test set beside its score."""
    num_answers = sum(score.num_answers for score in scores)
    unparsable = _total(map(_unparsable, scores))
    failed = sum(unparsable.values())
    return SetResult(
        name=test_set.name,
        title=test_set.title,
        corpus=test_set.corpus,
        split=test_set.split,
        task=test_set.task,
        langs=test_set.langs,
        metric=test_set.metric,
        num_records=len({score.record for score in scores}),
        num_clusters=len(set(clusters)),
        num_answers=num_answers,
        num_unparsable=failed,
        num_cut=num_cut,
        parse_failure_rate=failed / num_answers if num_answers else None,
        unparsable_reasons=unparsable,
        paper=test_set.paper,
        note=test_set.note,
    )


def _with_values(result: SetResult, measure: MeasureResult, per_type: Mapping[str, TypeResult]) -> SetResult:
    return msgspec.structs.replace(
        result,
        metric=measure.name,
        value=measure.value,
        ci_low=measure.ci_low,
        ci_high=measure.ci_high,
        precision=measure.precision,
        recall=measure.recall,
        macro_f1=f1.macro_f1({name: Counts(t.tp, t.fp, t.fn) for name, t in per_type.items()}),
        per_type=dict(per_type),
    )


def _by_type(scores: Sequence[Score]) -> dict[str, TypeResult]:
    """Return precision, recall and F1 of each type, those with the most gold first."""
    by_type = f1.total_by_type(score.counts for score in scores)
    order = sorted(by_type, key=lambda name: (-by_type[name].tp - by_type[name].fn, name))
    return {name: type_result(by_type[name]) for name in order}


def type_result(counts: Counts) -> TypeResult:
    """Return precision, recall and F1 of the counts of a type."""
    return TypeResult(
        precision=f1.precision(counts),
        recall=f1.recall(counts),
        f1=f1.f1(counts),
        tp=counts.tp,
        fp=counts.fp,
        fn=counts.fn,
    )


def _unparsable(score: Score) -> Mapping[str, int]:
    """Return how many answers to the parts of a record could not be parsed, by reason."""
    if score.state == "unparsable" and not score.unparsable:
        return {score.reason or "no reason given": score.num_answers}
    return score.unparsable


def _total(tallies: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Sum tallies, the most first."""
    total: dict[str, int] = {}
    for tally in tallies:
        for name, count in tally.items():
            total[name] = total.get(name, 0) + count
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))
