"""The tables of a report, as plain cells that Markdown, HTML and the terminal show alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

import msgspec

from taiyi.evaluate import paper
from taiyi.evaluate.aggregate import SetResult
from taiyi.evaluate.protocols import OWN, PROTOCOLS
from taiyi.metrics import f1
from taiyi.metrics.measures import MEASURES
from taiyi.schema import Counts, Lang
from taiyi.tasks import TEXT

NOT_AVAILABLE = "n/a"
_TITLES = {m.name: m.title for m in (*MEASURES.values(), *(m for p in PROTOCOLS for m in p.measures))}


class StatisticsRow(msgspec.Struct, frozen=True, kw_only=True):
    """How many examples of a task and language a stage is trained on.

    `table_1_row` is the row of the paper's Table 1 to count under where the task does not tell (general dialogue).
    """

    task: str
    lang: Lang
    stage: int | str
    count: int
    table_1_row: str = ""


class Column(NamedTuple):
    """The head of a column, and what its cells are: names, numbers (set to the right), or remarks that may be long."""

    name: str
    kind: Literal["text", "number", "note"] = "number"


class Row(NamedTuple):
    """Cells, and how the row stands: a total, a detail of the row above it, or one without a value."""

    cells: tuple[str, ...]
    kind: Literal["plain", "total", "detail", "missing"] = "plain"


class Table(NamedTuple):
    """A table of shown texts; every row has a cell for each column."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def percent(value: float | None) -> str:
    """Show a score from 0 to 1, or a correlation from -1, in percent with one decimal, or n/a."""
    return NOT_AVAILABLE if value is None else f"{100 * value:.1f}"


def cut_note(result: SetResult) -> str:
    """Say how many answers of a set were cut at the limit of tokens; empty where none was."""
    return f"answers cut at the limit of tokens: {result.num_cut:,}" if result.num_cut else ""


def ungrounded_note(result: SetResult) -> str:
    """Say how many mentions of the answers do not stand in the source, and of the gold; empty where all do."""
    if not result.num_ungrounded:
        return ""
    said = f"mentions that the source does not have: {result.num_ungrounded:,}"
    said += f" ({percent(result.num_ungrounded / result.num_mentions)}%"
    if result.num_gold_ungrounded:
        said += f"; of the gold {percent(result.num_gold_ungrounded / result.num_gold_mentions)}%"
    return said + ")"


def outside_note(result: SetResult) -> str:
    """Say how many types or labels that are not of the set stand in answers; empty where there are none."""
    if not result.outside:
        return ""
    return f"types or labels of answers that are not in the set: {sum(result.outside.values()):,}"


def interval(low: float | None, high: float | None) -> str:
    """Show an interval in percent with one decimal, or n/a."""
    return NOT_AVAILABLE if low is None or high is None else f"{100 * low:.1f} to {100 * high:.1f}"


def stage_name(stage: int | str) -> str:
    """Show a stage: a bare number becomes `stage 1`."""
    return f"stage {stage}" if str(stage).isdigit() else str(stage)


def score_table(results: Sequence[SetResult]) -> Table:
    """Return the paper's Table 2 beside our scores; without the paper's columns where it has none of the sets."""
    published = any(result.paper for result in results)
    columns = [Column("Task", "text"), Column("Test set", "text"), Column("Ours"), Column("95% interval")]
    if published:
        columns += [Column("Taiyi 7B"), Column("ChatGPT 3.5"), Column("SOTA")]
    columns += [Column("Unparsable"), Column("n"), Column("Note", "note")]
    # The average stands under the sets that it is of.
    order = list(paper.TABLE_2)
    averaged = sorted((r for r in results if r.name in paper.TABLE_2), key=lambda result: order.index(result.name))
    rows = [_score_row(result, published) for result in averaged]
    rows += _averages(averaged)
    rows += [_score_row(result, published) for result in results if result.name not in paper.TABLE_2]
    return Table(tuple(columns), tuple(rows))


def table_3(result: SetResult) -> Table:
    """Return the paper's Table 3, P, R and F1 of each BioRED entity type, beside ours."""
    columns = (
        Column("Type", "text"),
        *(Column(f"{who} {what}") for who in ("Ours", "Taiyi") for what in ("P", "R", "F1")),
        Column("Gold"),
    )
    rows: list[Row] = []
    others = [name for name in result.per_type if name not in paper.TABLE_3]
    for name in [*paper.TABLE_3, *others]:
        ours, theirs = result.per_type.get(name), paper.TABLE_3.get(name)
        cells = [percent(x) for x in ((ours.precision, ours.recall, ours.f1) if ours else (None, None, None))]
        cells += [percent(x) for x in ((theirs.precision, theirs.recall, theirs.f1) if theirs else (None, None, None))]
        gold = f"{ours.tp + ours.fn:,}" if ours else "0"
        rows.append(Row((paper.TABLE_3_NAMES.get(name, name), *cells, gold)))
    every = paper.TABLE_3_ALL
    gold = sum(t.tp + t.fn for t in result.per_type.values())
    ours_all = (result.precision, result.recall, result.value, every.precision, every.recall, every.f1)
    rows.append(Row(("All", *map(percent, ours_all), f"{gold:,}"), "total"))
    return Table(columns, tuple(rows))


def type_table(result: SetResult) -> Table:
    """Return precision, recall and F1 of each type or label of a set, with the counts that they come from."""
    names = ("P", "R", "F1", "True positives", "False positives", "False negatives")
    rows = [
        Row((_named(name, result), *_rates(Counts(t.tp, t.fp, t.fn)), f"{t.tp:,}", f"{t.fp:,}", f"{t.fn:,}"))
        for name, t in result.per_type.items()
    ]
    every = f1.total(Counts(t.tp, t.fp, t.fn) for t in result.per_type.values())
    rows.append(Row(("All (micro)", *_rates(every), f"{every.tp:,}", f"{every.fp:,}", f"{every.fn:,}"), "total"))
    rows.append(Row(("All (macro)", "", "", percent(result.macro_f1), "", "", ""), "total"))
    return Table((Column("Type", "text"), *map(Column, names)), tuple(rows))


def _named(name: str, result: SetResult) -> str:
    return f"{name} (not in the set)" if name in result.outside else name


def _rates(counts: Counts) -> tuple[str, str, str]:
    return percent(f1.precision(counts)), percent(f1.recall(counts)), percent(f1.f1(counts))


def statistics_table(statistics: Sequence[StatisticsRow]) -> Table:
    """Return the instruction data by task, language and stage, beside the paper's Table 1; texts that are learned as
    they stand are no instructions, and stand below."""
    stages = list(dict.fromkeys(row.stage for row in statistics))
    keys: list[tuple[int | str, Lang]] = [(stage, lang) for stage in stages for lang in ("en", "zh")]

    def counts(keep: Callable[[StatisticsRow], bool]) -> list[str]:
        kept = [row for row in statistics if keep(row)]
        return [_count(sum(r.count for r in kept if (r.stage, r.lang) == key)) for key in keys]

    rows: list[Row] = []
    for name, size in paper.TABLE_1.items():
        theirs = (size.english, size.chinese, size.both or (size.english or 0) + (size.chinese or 0))
        rows.append(Row((name, *counts(lambda r, name=name: _table_1_row(r) == name), *map(_count, theirs))))
        tasks = list(dict.fromkeys(r.task for r in statistics if _table_1_row(r) == name))
        if len(tasks) > 1:
            for task in tasks:
                own = counts(lambda r, name=name, task=task: _table_1_row(r) == name and r.task == task)
                rows.append(Row((task, *own, "", "", ""), "detail"))
    rows.append(Row(("Total", *counts(lambda r: r.task != TEXT), "", "", _count(paper.TABLE_1_TOTAL)), "total"))
    if any(r.task == TEXT for r in statistics):
        rows.append(Row(("Texts as they stand", *counts(lambda r: r.task == TEXT), "", "", "")))
    columns = [Column("Task type", "text"), *(Column(f"{stage_name(stage)} {lang}") for stage, lang in keys)]
    return Table((*columns, Column("Taiyi en"), Column("Taiyi zh"), Column("Taiyi all")), tuple(rows))


def _score_row(result: SetResult, published: bool) -> Row:
    ours = ("–", "–") if result.missing else (percent(result.value), interval(result.ci_low, result.ci_high))
    cells = [f"{result.task}, {_metric(result)}", f"{result.title} ({', '.join(result.langs)})", *ours]
    notes = [result.missing, cut_note(result), ungrounded_note(result), outside_note(result), result.note]
    if published:
        theirs = result.paper or paper.Published()
        cells += [_published(theirs.taiyi), _published(theirs.chatgpt), _published(theirs.sota)]
        notes.append(f"SOTA: {theirs.sota_system}" if theirs.sota_system else "")
    cells += ["–", "–"] if result.missing else [_failures(result), f"{result.num_records:,}"]
    return Row((*cells, "; ".join(filter(None, notes))), "missing" if result.missing else "plain")


def _averages(results: Sequence[SetResult]) -> Iterable[Row]:
    """Average over the paper's sets that were scored here, ours and theirs over the same ones; then the paper's own."""
    scored = [r for r in results if r.value is not None]
    if not scored:
        return
    size = len(scored)

    def mean(values: Iterable[float | None]) -> str:
        return percent(sum(value or 0.0 for value in values) / size)

    theirs = [paper.TABLE_2[r.name] for r in scored]
    cells = (f"Average of {size}", "", mean(r.value for r in scored), "", mean(p.taiyi for p in theirs))
    cells += (mean(p.chatgpt for p in theirs), mean(p.sota for p in theirs), "", "")
    yield Row((*cells, f"of the paper's {len(paper.TABLE_2)} sets, those that are scored here"), "total")
    if size < len(paper.TABLE_2):
        every = paper.TABLE_2_AVERAGE
        numbers = (percent(every.taiyi), percent(every.chatgpt), percent(every.sota))
        yield Row((f"Average of {len(paper.TABLE_2)}", "", "", "", *numbers, "", "", "as the paper prints"), "total")


def measure_title(result: SetResult) -> str:
    """Return what the score of a set is, such as micro-F1."""
    first = next(iter(result.protocols), None)
    if first is not None and first.measures:
        return first.measures[0].title
    return _TITLES.get(result.metric, result.metric)


def _metric(result: SetResult) -> str:
    """Return what the score of a set is; with the protocol that it is of, where that is not the task's own."""
    first = next(iter(result.protocols), None)
    if first is None or not first.measures or first.name == OWN:
        return measure_title(result)
    return f"{measure_title(result)}, {first.title}"


def _failures(result: SetResult) -> str:
    if result.parse_failure_rate is None:
        return NOT_AVAILABLE
    if not result.num_unparsable:
        return "0"
    # Where each record has one answer, the number of records tells how many there are.
    every = f" of {result.num_answers:,}" if result.num_answers > result.num_records else ""
    return f"{result.num_unparsable:,}{every} ({percent(result.parse_failure_rate)}%)"


def _published(value: float | None) -> str:
    return "–" if value is None else percent(value)


def _count(value: int | None) -> str:
    return f"{value:,}" if value else "–"


def _table_1_row(row: StatisticsRow) -> str:
    if row.task == TEXT:
        return ""
    return row.table_1_row or paper.TABLE_1_ROW.get(row.task, paper.TABLE_1_OTHER)
