"""From the scores of records to the score of a test set, with its interval."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from taiyi.evaluate.paper import Published
from taiyi.evaluate.suites import Metric, TestSet
from taiyi.metrics import bootstrap, correlation, f1
from taiyi.schema import Counts, Lang, Score, Split


class TypeResult(msgspec.Struct, frozen=True, kw_only=True):
    """Precision, recall and F1 of one type with the counts that they come from; None is "n/a" (see metrics.f1)."""

    precision: float | None
    recall: float | None
    f1: float | None
    tp: int
    fp: int
    fn: int


class SetResult(msgspec.Struct, frozen=True, kw_only=True):
    """The score of one test set; `value` and the interval are from 0 to 1, of correlations from -1.

    `value` is micro-F1, accuracy, the mean of the records' chrF or Pearson's r of their grades, as `metric` says. It is
    None ("n/a") where the set is missing, has no record, has neither gold nor predictions, or where all grades are the
    same; the interval is None where there are fewer than two clusters, which are records, or documents where several
    records are of one (see evaluate). The records were asked about in `num_answers` answers, one for each record or
    for each part of it; `num_unparsable` of these could not be parsed, and `parse_failure_rate` is their share.
    `num_cut` answers were cut at the limit of tokens, and what is whole of them counts. `missing` says why a set could
    not be scored at all.
    """

    name: str
    title: str
    corpus: str
    split: Split
    task: str
    langs: tuple[Lang, ...]
    metric: Metric
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
    per_type: dict[str, TypeResult] = {}
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
    """Aggregate the scores of a test set.

    An unparsable answer counts as wrong: the counts carry the gold of its part as false negatives, its value is 0, and
    its grade the middle of the scale.

    Args:
        clusters: for each score what the bootstrap draws it with (see run.clusters); its record where none are given,
            so that several scores of one record stay together.
        num_cut: how many answers were cut at the limit of tokens, to be reported.
    """
    by_cluster: dict[str, list[Score]] = {}
    # In the order of their ids, so that the interval does not depend on the order in which answers were made.
    drawn = zip(scores, clusters or [score.record for score in scores], strict=True)
    for score, cluster in sorted(drawn, key=lambda pair: (pair[0].record, pair[1])):
        by_cluster.setdefault(cluster, []).append(score)
    num_answers = sum(score.num_answers for score in scores)
    unparsable = _total(map(_unparsable, scores))
    failed = sum(unparsable.values())
    result = SetResult(
        name=test_set.name,
        title=test_set.title,
        corpus=test_set.corpus,
        split=test_set.split,
        task=test_set.task,
        langs=test_set.langs,
        metric=test_set.metric,
        num_records=len({score.record for score in scores}),
        num_clusters=len(by_cluster),
        num_answers=num_answers,
        num_unparsable=failed,
        num_cut=num_cut,
        parse_failure_rate=failed / num_answers if num_answers else None,
        unparsable_reasons=unparsable,
        paper=test_set.paper,
        note=test_set.note,
    )
    if test_set.metric == "micro_f1":
        return _with_f1(result, list(by_cluster.values()), resamples, seed)
    if test_set.metric == "pearson":
        return _with_pearson(result, list(by_cluster.values()), resamples, seed)
    return _with_mean(result, list(by_cluster.values()), resamples, seed)


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


def _with_f1(result: SetResult, clusters: list[list[Score]], resamples: int, seed: int) -> SetResult:
    by_type = f1.total_by_type(score.counts for cluster in clusters for score in cluster)
    total = f1.total(by_type.values())
    interval = bootstrap.micro_f1_interval(
        [[count for score in cluster for count in score.counts.values()] for cluster in clusters],
        resamples=resamples,
        seed=seed,
    )
    # Types with the most gold come first.
    order = sorted(by_type, key=lambda name: (-by_type[name].tp - by_type[name].fn, name))
    return msgspec.structs.replace(
        result,
        value=f1.f1(total),
        ci_low=interval.low if interval else None,
        ci_high=interval.high if interval else None,
        precision=f1.precision(total),
        recall=f1.recall(total),
        macro_f1=f1.macro_f1(by_type),
        per_type={name: _type_result(by_type[name]) for name in order},
    )


def _with_mean(result: SetResult, clusters: list[list[Score]], resamples: int, seed: int) -> SetResult:
    values = [[_value(result.name, score) for score in cluster] for cluster in clusters]
    sums, sizes = [math.fsum(cluster) for cluster in values], [float(len(cluster)) for cluster in values]
    interval = bootstrap.ratio_interval(sums, sizes, resamples=resamples, seed=seed)
    return msgspec.structs.replace(
        result,
        value=math.fsum(sums) / math.fsum(sizes) if sizes else None,
        ci_low=interval.low if interval else None,
        ci_high=interval.high if interval else None,
    )


def _with_pearson(result: SetResult, clusters: list[list[Score]], resamples: int, seed: int) -> SetResult:
    graded = [(_grades(result.name, score), number) for number, cluster in enumerate(clusters) for score in cluster]
    gold, answers = [grades[0] for grades, _ in graded], [grades[1] for grades, _ in graded]
    numbers = [number for _, number in graded]
    interval = correlation.pearson_interval(gold, answers, numbers, resamples=resamples, seed=seed)
    return msgspec.structs.replace(
        result,
        value=correlation.pearson(gold, answers),
        ci_low=interval.low if interval else None,
        ci_high=interval.high if interval else None,
    )


def _grades(name: str, score: Score) -> tuple[float, float]:
    if score.grades is None:
        raise ValueError(f"{name}/{score.record}: an answer was given no grades, which this set's metric needs")
    return score.grades


def _value(name: str, score: Score) -> float:
    if score.state == "unparsable":
        return 0.0
    if score.value is None:
        raise ValueError(f"{name}/{score.record}: a parsed answer was given no value, which this set's metric needs")
    return score.value


def _type_result(counts: Counts) -> TypeResult:
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
