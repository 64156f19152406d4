"""`taiyi build RECIPE`: the instruction data of a recipe, and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from taiyi.cli.recipes import CorporaOption, EngineOption, RecipeArgument, RunsOption, WorkersOption, prepared

if TYPE_CHECKING:
    from taiyi.evaluate.tables import Table
    from taiyi.steps.rendering import Epochs


_UNLIMITED = 1 << 16
"""Columns of what is no terminal."""


def build(
    recipe: RecipeArgument,
    corpora: CorporaOption = None,
    runs: RunsOption = Path("runs"),
    workers: WorkersOption = None,
    engine: EngineOption = "local",
) -> None:
    """Make the examples of every stage and test set, and count them beside the paper's Table 1.

    Example: taiyi build recipes/demo.yaml
    """
    from taiyi import steps, storage
    from taiyi.evaluate.tables import statistics_table
    from taiyi.manifest import manifest
    from taiyi.steps.rendering import Epochs

    job = prepared(recipe, corpora, runs, workers, engine)
    folder = steps.build(job)
    facts = manifest(folder).facts
    console = Console()
    if not console.is_terminal:
        # A file or a program has no width: its lines are as long as what they say.
        console.width = _UNLIMITED
    if rows := list(steps.statistics_rows(folder)):
        _print_table(console, "Instruction examples, and those of the paper's Table 1", statistics_table(rows))
    training: Mapping[str, Mapping[str, int]] = facts["training"]
    for stage, counts in training.items():
        _print_counts(console, f"{stage}: {sum(counts.values()):,} examples of its own", counts)
    _print_epochs(console, storage.read_json(folder / "epochs.json", dict[str, list[Epochs]]))
    tests: Mapping[str, int] = facts["tests"]
    _print_counts(console, f"test sets: {sum(tests.values()):,} examples", tests)
    dev: Mapping[str, Mapping[str, int]] = facts["dev"]
    for stage, counts in dev.items():
        _print_counts(console, f"dev-{stage}: {sum(counts.values()):,} records, asked about during training", counts)
    absent: Mapping[str, list[str]] = facts["absent"]
    for stage, missing in absent.items():
        console.print(Text(f"{stage}: not there, and so left out: {len(missing)}", style="bold"))
        console.print(Text(f"  {', '.join(missing)}"))
    rejects: Mapping[str, Mapping[str, int]] = facts["rejects"]
    for name, reasons in rejects.items():
        _print_counts(console, f"{name}: {sum(reasons.values()):,} left out", reasons)
    num_rejects = sum(sum(reasons.values()) for reasons in rejects.values())
    num_matches = (
        f"{_num_lines(folder / 'decontamination.jsonl'):,}" if facts["decontaminated"] or dev else "not looked for"
    )
    for what, name in (
        ("Examples", ""),
        (f"Left out, and why ({num_rejects:,})", "rejects.jsonl"),
        (
            f"Training records found in {'dev samples or ' if dev else ''}test sets ({num_matches})",
            "decontamination.jsonl",
        ),
    ):
        console.print(f"{what}: {(folder / name).resolve()}", soft_wrap=True, highlight=False, markup=False)
    if job.recipe.stages:
        console.print(f"Train on it: taiyi train {recipe}", soft_wrap=True, highlight=False, markup=False)


def _print_table(console: Console, title: str, table: Table) -> None:
    """Print a table in which no number is cut and names wrap between words, even where the terminal is too narrow."""
    grid = RichTable(title=Text(title), box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in table.columns:
        grid.add_column(column.name, justify="right" if column.kind == "number" else "left")
    for row in table.rows:
        style = {"total": "bold", "detail": "dim"}.get(row.kind)
        indent = "  " if row.kind == "detail" else ""
        grid.add_row(Text(indent + row.cells[0]), *map(Text, row.cells[1:]), style=style)
    wide = console.options.update(width=_UNLIMITED)
    if console.measure(grid, options=wide).maximum > console.width:
        for i, (shown, column) in enumerate(zip(grid.columns, table.columns, strict=True)):
            words = [word for row in table.rows for word in row.cells[i].split()] + column.name.split()
            shown.min_width = max(map(len, words))
            if column.kind == "number":
                shown.width = shown.min_width
        if (least := console.measure(grid, options=wide).minimum) > console.width:
            grid.width = least
    console.print(grid, crop=False)


def _print_epochs(console: Console, epochs: Mapping[str, Sequence[Epochs]]) -> None:
    """Print how often the stages train on a record of each selection, those that replay it too."""
    rows = [row for of_stage in epochs.values() for row in of_stage]
    if not rows:
        return
    grid = RichTable(title=Text("Effective epochs: how often a record is trained on"), box=box.SIMPLE_HEAD)
    for name in ("Corpus", "Task", "Lang"):
        grid.add_column(name, overflow="fold")
    for name in ("Records", "Drawn", *epochs, "All"):
        grid.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        passes = [row.passes.get(stage, 0.0) for stage in epochs]
        shown = [f"{count:.1f}" if count else "–" for count in (*passes, sum(passes))]
        grid.add_row(row.corpus, row.task, row.lang, f"{row.num_records:,}", f"{row.num_drawn:,}", *shown)
    console.print(grid, crop=False)


def _print_counts(console: Console, title: str, counts: Mapping[str, int]) -> None:
    console.print(Text(title, style="bold"))
    grid = RichTable.grid(padding=(0, 2))
    grid.add_column(justify="right")
    for name, count in counts.items():
        grid.add_row(f"  {count:,}", Text(name))
    console.print(grid)


def _num_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)
