"""The report of a run: results.json, report.md and a self-contained report.html; and its summary for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import jinja2
import msgspec
import regex
from markupsafe import Markup
from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from taiyi.errors import FormatError
from taiyi.evaluate import curves, tables
from taiyi.evaluate.aggregate import SetResult
from taiyi.evaluate.curves import StageCurves
from taiyi.evaluate.tables import StatisticsRow, Table
from taiyi.schema import Lang

SAMPLES_PER_TASK = 3
BIORED = "biored_unseen"
_CONTROL = regex.compile(r"[\p{Cc}\p{Cf}--[\n\t\u200c\u200d]]", regex.VERSION1)


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One prompt with its gold answer, what the model wrote, and how that was scored (see aggregate.verdict)."""

    task: str
    set: str
    prompt: str
    gold: str
    answer: str
    verdict: str
    lang: Lang = "en"


class LossPoint(msgspec.Struct, frozen=True):
    """The training loss at one step of a stage, as reports had it before they had curves."""

    stage: int | str
    step: int
    loss: float


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """All that a report tells of a run. `description` is one honest line that says what was trained, and on what.

    `loss` is what older reports have in place of `training`.
    """

    name: str
    title: str
    description: str
    results: tuple[SetResult, ...]
    samples: tuple[Sample, ...] = ()
    loss: tuple[LossPoint, ...] = ()
    training: tuple[StageCurves, ...] = ()
    statistics: tuple[StatisticsRow, ...] = ()
    facts: dict[str, str] = {}
    recipe: str = ""


class ReportPaths(NamedTuple):
    """The files of a report."""

    json: Path
    markdown: Path
    html: Path


HOW_TO_READ: tuple[str, ...] = (
    "Scores are in %. Named entities count as unique (text, type) pairs of a record, relations as unique (head, tail, "
    "type) triples, labels as they are: micro-F1, as in the paper. Questions with options: accuracy. Free text: mean "
    "chrF. Grades: Pearson's r, from -100 to 100.",
    "An answer that cannot be parsed counts as wrong, its gold as missed; how many there were, and their share of all "
    "answers, stands under Unparsable. A document may be asked about in several answers, about windows, pairs or some "
    "types: those that can be parsed count all the same. In place of a grade that cannot be parsed stands the middle "
    "of the scale. Of a list that was cut at the limit of tokens, all but the last item counts; how many answers were "
    "cut is noted.",
    "The interval is a 95% percentile bootstrap: 1,000 resamples of records, or of documents where several records "
    "(sentences) come from one. It tells how the score would vary with other test data, not with another training "
    "run. An interval without width means that all records scored alike; it does not mean certainty.",
    "n/a: nothing to divide by (no gold, no prediction, or too few records), or grades that are all the same. A dash: "
    "not scored, or not published.",
    "Taiyi 7B, ChatGPT 3.5 and SOTA are the numbers that Luo et al., Taiyi (JAMIA 2024), print in Tables 2 and 3. "
    "Where their test set differs from ours, the note says so.",
)


def write(run: RunResult, folder: Path) -> ReportPaths:
    """Write the report of a run into a folder and return its files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = ReportPaths(folder / "results.json", folder / "report.md", folder / "report.html")
    paths.json.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n")
    paths.markdown.write_text(markdown(run), encoding="utf-8", newline="\n")
    paths.html.write_text(html(run), encoding="utf-8", newline="\n")
    return paths


def load(path: Path) -> RunResult:
    """Read the results.json of a report."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunResult)
    except msgspec.DecodeError as error:
        raise FormatError(
            "not the results of a run", where=path, got=error, mend="write the report of the run again"
        ) from error


def html(run: RunResult) -> str:
    """Return the report as one HTML page that needs no other file."""
    # matplotlib takes a second to import, and only pages have plots.
    from taiyi.evaluate.plots import scores_svg

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(
        resources.files("taiyi.evaluate").joinpath("report.html.jinja").read_text(encoding="utf-8")
    )
    return template.render(
        run=run,
        scores=tables.score_table(run.results),
        scores_plot=Markup(scores_svg(run.results)) if any(r.value is not None for r in run.results) else "",
        table_3=_table_3(run),
        types=[(r, tables.type_table(r)) for r in run.results if r.per_type],
        samples=samples_by_task(run.samples),
        training=[[Markup(plot) for plot in plots] for plots in _training_plots(run.training or _older(run.loss))],
        statistics=tables.statistics_table(run.statistics) if run.statistics else None,
        unparsable=[r for r in run.results if r.unparsable_reasons],
        how_to_read=HOW_TO_READ,
        legible=legible,
    )


def markdown(run: RunResult) -> str:
    """Return the report as Markdown; plots are left to the page, of long texts the beginning is shown."""
    parts = [
        f"# {_escape(run.title)}",
        _escape(run.description),
        "## Scores",
        _markdown_table(tables.score_table(run.results)),
    ]
    parts.append("\n".join(f"- {line}" for line in HOW_TO_READ))
    if table_3 := _table_3(run):
        parts += ["## BioRED by entity type", _markdown_table(table_3)]
    for result in run.results:
        if result.per_type:
            parts += [f"### {_escape(result.title)}", _markdown_table(tables.type_table(result))]
    if run.samples:
        parts.append("## Sample answers")
    for task, samples in samples_by_task(run.samples):
        parts.append(f"### {_escape(task)}")
        for sample in samples:
            lines = [("prompt", sample.prompt), ("gold", sample.gold), ("answer", sample.answer)]
            shown = [f"- {_escape(sample.set)}: {_escape(legible(sample.verdict))}"]
            shown += [f"  - {name}: {_escape(_short(legible(text), 400))}" for name, text in lines]
            parts.append("\n".join(shown))
    if run.statistics:
        parts += ["## Instruction data", _markdown_table(tables.statistics_table(run.statistics))]
    if run.facts:
        parts += ["## Facts", "\n".join(f"- {_escape(name)}: {_escape(value)}" for name, value in run.facts.items())]
    if run.recipe:
        fence = "`" * max(3, *(len(ticks) + 1 for ticks in regex.findall(r"`+", run.recipe)), 3)
        parts += ["## Recipe", f"{fence}yaml\n{run.recipe.rstrip()}\n{fence}"]
    return "\n\n".join(parts) + "\n"


def score_table(run: RunResult) -> str:
    """Return the table of scores alone as Markdown, as a README shows it."""
    return _markdown_table(tables.score_table(run.results))


def print_summary(run: RunResult, console: Console) -> None:
    """Print the table of scores and three sample answers for each task."""
    table = tables.score_table(run.results)
    shown = [i for i, column in enumerate(table.columns) if column.kind != "note"]
    caption = "scores in %; unparsable answers count as wrong"
    grid = RichTable(title=Text(run.title), caption=caption, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for i in shown:
        number = table.columns[i].kind == "number"
        grid.add_column(table.columns[i].name, justify="right" if number else "left", no_wrap=number)
    for row in table.rows:
        style = {"total": "bold", "missing": "dim"}.get(row.kind)
        grid.add_row(*(Text(row.cells[i]) for i in shown), style=style)
    console.print(grid)
    for result in run.results:
        if remark := result.missing or tables.cut_note(result):
            console.print(Text(f"{result.title}: {remark}", style="dim"))
    for task, samples in samples_by_task(run.samples):
        console.print(Text(f"\n{task}: {len(samples)} sample answers", style="bold"))
        for sample in samples:
            console.print(Text(f"  {sample.set}: {legible(sample.verdict)}", style=_colour(sample.verdict)))
            parts = RichTable.grid(padding=(0, 1))
            for name, text in (("prompt", sample.prompt), ("gold", sample.gold), ("answer", sample.answer)):
                parts.add_row(Text(f"    {name}", style="dim"), Text(_short(legible(text), 240), overflow="fold"))
            console.print(parts)


def samples_by_task(samples: Sequence[Sample]) -> list[tuple[str, list[Sample]]]:
    """Group samples by task and choose three of each, from as many test sets, and so languages, as there are."""
    by_task: dict[str, dict[str, list[Sample]]] = {}
    for sample in samples:
        by_task.setdefault(sample.task, {}).setdefault(sample.set, []).append(sample)
    return [(task, _spread(list(sets.values()))) for task, sets in by_task.items()]


def _spread(sets: list[list[Sample]]) -> list[Sample]:
    """Take samples from the first set, the last and one between; from fewer sets in turn."""
    if len(sets) > SAMPLES_PER_TASK:
        sets = [sets[i * (len(sets) - 1) // (SAMPLES_PER_TASK - 1)] for i in range(SAMPLES_PER_TASK)]
    turns = [sample for turn in zip_longest(*sets) for sample in turn if sample is not None]
    chosen = turns[:SAMPLES_PER_TASK]
    return [sample for group in sets for sample in group if sample in chosen]


def legible(text: str) -> str:
    """Replace control characters, which a model may write and a terminal would obey, by U+FFFD."""
    return _CONTROL.sub("\ufffd", text)


def _table_3(run: RunResult) -> Table | None:
    return next((tables.table_3(r) for r in run.results if r.name == BIORED and r.per_type), None)


def _older(loss: Sequence[LossPoint]) -> list[StageCurves]:
    stages: dict[int | str, list[tuple[int, float]]] = {}
    for point in loss:
        stages.setdefault(point.stage, []).append((point.step, point.loss))
    return [curves.of_measures({"loss": points}, name=tables.stage_name(stage)) for stage, points in stages.items()]


def _training_plots(stages: Sequence[StageCurves]) -> list[list[str]]:
    """Return the plots of each stage; a task has one colour in all of them."""
    from taiyi.evaluate.plots import PANELS, dev_svg, training_svg

    named = [curve.name.partition("/")[2] for stage in stages for curve in stage.smooth]
    named += [name for stage in stages for point in stage.dev for name in point.tasks]
    tasks = sorted({curves.task(name) for name in named if name})
    plots: list[list[str]] = []
    for stage in stages:
        there = {curves.group(curve.name) for curve in stage.smooth}
        own = [training_svg(stage, key, label, tasks) for key, label in PANELS[stage.kind] if key in there]
        plots.append(own + ([dev_svg(stage, tasks)] if stage.dev else []))
    return plots


def _short(text: str, limit: int) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= limit else f"{one_line[:limit]}… ({len(text):,} characters)"


def _escape(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return regex.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))


def _markdown_table(table: Table) -> str:
    lines = [[column.name for column in table.columns]]
    lines.append(["--:" if column.kind == "number" else "---" for column in table.columns])
    for row in table.rows:
        mark = "**" if row.kind == "total" else ""
        indent = "&nbsp;&nbsp;" if row.kind == "detail" else ""
        cells = [f"{mark}{_escape(cell)}{mark}" if cell else "" for cell in row.cells]
        lines.append([indent + cells[0], *cells[1:]])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _colour(verdict: str) -> str:
    first = verdict.split(":")[0].split()[0] if verdict.strip() else ""
    return {"right": "green", "wrong": "red", "unparsable": "red", "partly": "yellow"}.get(first, "cyan")
