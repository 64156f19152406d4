"""The report of a run: results.json, report.md and a self-contained report.html; and its summary for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import jinja2
import msgspec
from markupsafe import Markup
from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from taiyi.errors import FormatError
from taiyi.evaluate import curves, details, protocol_tables, tables
from taiyi.evaluate import markdown as md
from taiyi.evaluate.aggregate import SetResult
from taiyi.evaluate.curves import StageCurves
from taiyi.evaluate.details import Details
from taiyi.evaluate.tables import StatisticsRow, Table
from taiyi.schema import Lang
from taiyi.text import legible

SAMPLES_PER_TASK = 3
BIORED = "biored_unseen"


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

    `details` are those of the test sets that were scored. `documents` is the name of the page beside the report that
    shows every document; empty where there is none. `loss` is what older reports have in place of `training`.
    """

    name: str
    title: str
    description: str
    results: tuple[SetResult, ...]
    details: tuple[Details, ...] = ()
    documents: str = ""
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
    "chrF. Grades: Pearson's r, from -100 to 100. Where the score of a set is of another protocol, it is named there.",
    "An answer that cannot be parsed counts as wrong, its gold as missed; how many there were, and their share of all "
    "answers, stands under Unparsable. A document may be asked about in several answers, about windows, pairs or some "
    "types: those that can be parsed count all the same. In place of a grade that cannot be parsed stands the middle "
    "of the scale. Of a list that was cut at the limit of tokens, all but the last item counts; how many answers were "
    "cut is noted.",
    "Noted too, where there are any: mentions of answers that do not stand in the source as they are, and types or "
    "labels that were not asked for. Both are wrong.",
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
        protocols=[(r, protocol_tables.protocol_table(r)) for r in run.results if len(r.protocols) > 1],
        protocols_are=protocol_tables.PROTOCOLS_ARE,
        types=[(r, tables.type_table(r)) for r in run.results if r.per_type],
        errors=details.error_table(run.results, run.details),
        details=[(next(r for r in run.results if r.name == of.set), of) for of in run.details],
        type_error_table=details.type_error_table,
        slice_table=details.slice_table,
        calibration=details.calibration_table(run.results, run.details),
        bin_table=details.bin_table,
        calibration_is=details.CALIBRATION_IS,
        errors_are=details.ERRORS_ARE,
        slices_are=details.SLICES_ARE,
        samples=samples_by_task(run.samples),
        training=[[Markup(plot) for plot in plots] for plots in _training_plots(run.training or _older(run.loss))],
        statistics=tables.statistics_table(run.statistics) if run.statistics else None,
        unparsable=[r for r in run.results if r.unparsable_reasons],
        how_to_read=HOW_TO_READ,
        legible=legible,
    )


def markdown(run: RunResult) -> str:
    """Return the report as Markdown; plots are left to the page, of long texts the beginning is shown.

    What there is of every test set is folded, so that the scores stand together.
    """
    parts = [
        f"# {md.escape(run.title)}",
        md.escape(run.description),
        "## Scores",
        md.table(tables.score_table(run.results)),
        md.bullets(HOW_TO_READ),
    ]
    if table_3 := _table_3(run):
        parts += ["## BioRED by entity type", md.table(table_3)]
    if several := [result for result in run.results if len(result.protocols) > 1]:
        about = (f"**{md.escape(title)}**: {md.escape(said)}" for title, said in protocol_tables.described(several))
        parts += ["## Under other protocols", protocol_tables.PROTOCOLS_ARE, md.bullets(about)]
        parts += [md.folded(r.title, md.table(protocol_tables.protocol_table(r, about=False))) for r in several]
    if typed := [result for result in run.results if result.per_type]:
        parts.append("## By type and label")
        parts += [md.folded(result.title, md.table(tables.type_table(result))) for result in typed]
    if any(of.errors for of in run.details):
        errors = details.error_table(run.results, run.details)
        parts += ["## Errors by kind", details.ERRORS_ARE, md.table(errors)]
    titles = {result.name: result.title for result in run.results}
    if cut := [of for of in run.details if of.slices]:
        parts += ["## Slices", details.SLICES_ARE]
        parts += [md.folded(titles[of.set], md.table(details.slice_table(of))) for of in cut]
    if known := [(titles[of.set], of.calibration) for of in run.details if of.calibration is not None]:
        table = details.calibration_table(run.results, run.details)
        parts += ["## Calibration", details.CALIBRATION_IS, md.table(table)]
        parts += [md.folded(title, md.table(details.bin_table(of))) for title, of in known]
    if unparsable := [result for result in run.results if result.unparsable_reasons]:
        parts += ["## Answers that could not be parsed", md.bullets(map(_unparsable, unparsable))]
    if run.samples:
        parts.append("## Sample answers")
    for task, samples in samples_by_task(run.samples):
        parts.append(f"### {md.escape(task)}")
        for sample in samples:
            lines = [("prompt", sample.prompt), ("gold", sample.gold), ("answer", sample.answer)]
            shown = [f"- {md.escape(sample.set)}: {md.escape(legible(sample.verdict))}"]
            shown += [f"  - {name}: {md.escape(md.shortened(legible(text), 400))}" for name, text in lines]
            parts.append("\n".join(shown))
    if run.statistics:
        parts += ["## Instruction data", md.table(tables.statistics_table(run.statistics))]
    if run.facts:
        parts += ["## Facts", md.bullets(f"{md.escape(name)}: {md.escape(told)}" for name, told in run.facts.items())]
    if run.recipe:
        parts += ["## Recipe", md.fenced(run.recipe, "yaml")]
    return "\n\n".join(parts) + "\n"


def _unparsable(result: SetResult) -> str:
    """Say in Markdown why answers to a test set could not be parsed, and how many."""
    reasons = "; ".join(
        f"{md.escape(legible(reason))}: {count:,}" for reason, count in result.unparsable_reasons.items()
    )
    return f"{md.escape(result.title)}, {result.num_unparsable:,} of {result.num_answers:,}: {reasons}"


def score_table(run: RunResult) -> str:
    """Return the table of scores alone as Markdown, as a README shows it."""
    return md.table(tables.score_table(run.results))


def print_summary(run: RunResult, console: Console) -> None:
    """Print the table of scores and three sample answers for each task."""
    table = tables.score_table(run.results)
    shown = [i for i, column in enumerate(table.columns) if column.kind != "note"]
    caption = "scores in %; unparsable answers count as wrong"
    wide = console.width > 100
    grid = RichTable(title=Text(run.title), caption=caption, box=box.SIMPLE_HEAD, padding=(0, int(wide), 0, 0))
    for i in shown:
        number = table.columns[i].kind == "number"
        # Narrow, so that names have room in a terminal of 80 columns; nothing of them is lost.
        head = table.columns[i].name.replace(" ", "\n") if number else table.columns[i].name
        grid.add_column(head, justify="right" if number else "left", no_wrap=number, overflow="fold")
    for row in table.rows:
        style = {"total": "bold", "missing": "dim"}.get(row.kind)
        grid.add_row(*(Text(row.cells[i]) for i in shown), style=style)
    console.print(grid)
    for result in run.results:
        notes = (tables.cut_note(result), tables.ungrounded_note(result), tables.outside_note(result))
        if remark := result.missing or "; ".join(filter(None, notes)):
            console.print(Text(f"{result.title}: {remark}", style="dim"))
    if lines := [(r.title, line) for r in run.results if (line := protocol_tables.protocol_line(r))]:
        console.print(Text("\nThe same answers under other protocols", style="bold"))
        for title, line in lines:
            console.print(Text(f"  {title}: {line}", style="dim"))
    for task, samples in samples_by_task(run.samples):
        console.print(Text(f"\n{task}: {len(samples)} sample answers", style="bold"))
        for sample in samples:
            console.print(Text(f"  {sample.set}: {legible(sample.verdict)}", style=_colour(sample.verdict)))
            parts = RichTable.grid(padding=(0, 1))
            for name, text in (("prompt", sample.prompt), ("gold", sample.gold), ("answer", sample.answer)):
                parts.add_row(Text(f"    {name}", style="dim"), Text(md.shortened(legible(text), 240), overflow="fold"))
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


def _colour(verdict: str) -> str:
    first = verdict.split(":")[0].split()[0] if verdict.strip() else ""
    return {"right": "green", "wrong": "red", "unparsable": "red", "partly": "yellow"}.get(first, "cyan")
