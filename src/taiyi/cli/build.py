"""`taiyi build RECIPE`: the instruction data of a recipe, and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from taiyi.cli.recipes import CorporaOption, EngineOption, RecipeArgument, RunsOption, WorkersOption, prepared

if TYPE_CHECKING:
    from taiyi.evaluate.tables import Table


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
    from taiyi import steps
    from taiyi.evaluate.tables import statistics_table
    from taiyi.manifest import manifest

    job = prepared(recipe, corpora, runs, workers, engine)
    folder = steps.build(job)
    facts = manifest(folder).facts
    console = Console()
    if rows := list(steps.statistics_rows(folder)):
        _print_table(console, "Instruction examples, and those of the paper's Table 1", statistics_table(rows))
    training: Mapping[str, Mapping[str, int]] = facts["training"]
    for stage, counts in training.items():
        _print_counts(console, f"{stage}: {sum(counts.values()):,} examples of its own", counts)
    tests: Mapping[str, int] = facts["tests"]
    _print_counts(console, f"test sets: {sum(tests.values()):,} examples", tests)
    absent: Mapping[str, list[str]] = facts["absent"]
    for stage, missing in absent.items():
        console.print(Text(f"{stage}: not there, and so left out: {len(missing)}", style="bold"))
        console.print(Text(f"  {', '.join(missing)}"))
    rejects: Mapping[str, Mapping[str, int]] = facts["rejects"]
    for name, reasons in rejects.items():
        _print_counts(console, f"{name}: {sum(reasons.values()):,} left out", reasons)
    for what, name in (
        ("Examples", ""),
        ("Left out, and why", "rejects.jsonl"),
        ("Training examples found in test sets", "decontamination.jsonl"),
    ):
        console.print(f"{what}: {(folder / name).resolve()}", soft_wrap=True, highlight=False, markup=False)
    if job.recipe.stages:
        console.print(f"Train on it: taiyi train {recipe}", soft_wrap=True, highlight=False, markup=False)


def _print_table(console: Console, title: str, table: Table) -> None:
    grid = RichTable(title=Text(title), box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in table.columns:
        grid.add_column(column.name, justify="right" if column.kind == "number" else "left")
    for row in table.rows:
        style = {"total": "bold", "detail": "dim"}.get(row.kind)
        indent = "  " if row.kind == "detail" else ""
        grid.add_row(Text(indent + row.cells[0]), *map(Text, row.cells[1:]), style=style)
    console.print(grid)


def _print_counts(console: Console, title: str, counts: Mapping[str, int]) -> None:
    console.print(Text(title, style="bold"))
    grid = RichTable.grid(padding=(0, 2))
    grid.add_column(justify="right")
    for name, count in counts.items():
        grid.add_row(f"  {count:,}", Text(name))
    console.print(grid)
