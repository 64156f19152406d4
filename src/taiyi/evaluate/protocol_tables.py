"""What a report shows of the protocols of a test set: a table of all, and one line of their values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from taiyi import tasks
from taiyi.evaluate.aggregate import MeasureResult, ProtocolResult, SetResult
from taiyi.evaluate.protocols import PROTOCOLS, Protocol, own
from taiyi.evaluate.suites import TestSet
from taiyi.evaluate.tables import Column, Row, Table, interval, percent

# Of one type there is nothing to take the mean of.
_MEANS_OF_TYPES = frozenset({"macro_f1", "weighted_f1"})
PROTOCOLS_ARE = (
    "The same answers as others score them. The first row is the score of the table above; below it stand the ways of "
    "the field's benchmarks and scorers, with what each counts as right. Numbers of different protocols are not "
    "comparable with one another: compare a published number with the row of its own. How each is computed stands in "
    "docs/evaluation.md."
)


def described(results: Iterable[SetResult]) -> list[tuple[str, str]]:
    """Return the titles of the protocols of several test sets, each with what it counts as right.

    Of those that have one title, and are not the same for every task, the title names the tasks.
    """
    tasks: dict[tuple[str, str], dict[str, None]] = {}
    for result in results:
        for protocol in result.protocols:
            tasks.setdefault((protocol.title, protocol.about), {})[result.task] = None
    several = Counter(title for title, _ in tasks)
    return [
        (f"{title} ({', '.join(of)})" if several[title] > 1 else title, about) for (title, about), of in tasks.items()
    ]


def every_protocol() -> Table:
    """Return the protocols that there are, for which tasks and corpora, with their measures: the table of the docs."""
    of_tasks: dict[tuple[str, str], list[str]] = {}
    for name in tasks.names():
        task = TestSet(name="", title="", corpus="", split="test", task=name, metric=tasks.get(name).metric, langs=())
        of_tasks.setdefault((own(task).about, _measures(own(task))), []).append(name)
    rows = [("`own`", ", ".join(names), about, measures) for (about, measures), names in of_tasks.items()]
    rows += [_declared(protocol) for protocol in PROTOCOLS]
    columns = ("Protocol", "For", "What counts as right", "Measures")
    return Table(tuple(Column(name, "text") for name in columns), tuple(map(Row, rows)))


def _declared(protocol: Protocol) -> tuple[str, str, str, str]:
    names = ", ".join(sorted(protocol.tasks))
    # Those of the demo are copies in form of others.
    corpora = ", ".join(sorted(name for name in protocol.corpora if not name.startswith("demo_")))
    return f"`{protocol.name}`", f"{names}: {corpora}" if corpora else names, protocol.about, _measures(protocol)


def _measures(protocol: Protocol) -> str:
    return ", ".join(f"`{measure.name}`" for measure in protocol.measures)


def protocol_table(result: SetResult, *, about: bool = True) -> Table:
    """Return the values of a test set under each protocol; with `about`, what each of these counts as right."""
    with_rates = any(m.precision is not None or m.recall is not None for p in result.protocols for m in p.measures)
    columns = [Column("Protocol", "text"), Column("Measure", "text"), Column("Value"), Column("95% interval")]
    columns += [Column("P"), Column("R")] if with_rates else []
    columns += [Column("n"), Column("What counts as right" if about else "Note", "note")]
    rows: list[Row] = []
    for protocol in result.protocols:
        if protocol.missing:
            dashes = ("–",) * (len(columns) - 2)
            rows.append(Row((protocol.title, *dashes, f"not scored: {protocol.missing}"), "missing"))
        for place, measure in enumerate(shown(protocol)):
            cells = ["" if place else protocol.title, measure.title, percent(measure.value)]
            cells.append(interval(measure.ci_low, measure.ci_high))
            if with_rates:
                cells += [_rate(measure, measure.precision), _rate(measure, measure.recall)]
            cells += ["", ""] if place else [_num_units(protocol), protocol.about if about else ""]
            rows.append(Row(tuple(cells), "detail" if place else "plain"))
    if not any(row.cells[-1] for row in rows):
        columns, rows = columns[:-1], [row._replace(cells=row.cells[:-1]) for row in rows]
    return Table(tuple(columns), tuple(rows))


def protocol_line(result: SetResult) -> str:
    """Return the values of the other protocols of a test set, one after the other; empty where there are none."""
    return ", ".join(
        f"{protocol.title} {percent(protocol.measures[0].value)}"
        for protocol in result.protocols[1:]
        if protocol.measures
    )


def shown(protocol: ProtocolResult) -> Iterator[MeasureResult]:
    """Yield the measures of a protocol that tell something: means of types only where there are several."""
    for measure in protocol.measures:
        if measure.name not in _MEANS_OF_TYPES or len(protocol.per_type) > 1:
            yield measure


def _rate(measure: MeasureResult, rate: float | None) -> str:
    return "" if measure.precision is None and measure.recall is None else percent(rate)


def _num_units(protocol: ProtocolResult) -> str:
    return f"{protocol.num_units:,} {protocol.unit}{'s' * (protocol.num_units != 1)}"
