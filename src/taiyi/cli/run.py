"""`taiyi run RECIPE`: every step, from raw corpora to the report."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from taiyi.checkpoint import model_folder
from taiyi.cli.recipes import CorporaOption, EngineOption, RecipeArgument, RunsOption, WorkersOption, asked_by, prepared

if TYPE_CHECKING:
    from taiyi.steps import Run


def run(
    recipe: RecipeArgument,
    corpora: CorporaOption = None,
    runs: RunsOption = Path("runs"),
    workers: WorkersOption = None,
    engine: EngineOption = "local",
    processes: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many processes train together. If not given, on a machine without a GPU one for every core, up to"
            " the micro-batches of a step (accumulation); else one.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Carry out a recipe: data, training stage by stage, predictions, scores and a report.

    Steps that are done are not run again, so the same command goes on after an interruption.

    Example: taiyi run recipes/demo.yaml
    """
    from taiyi import steps
    from taiyi.errors import TaiyiError
    from taiyi.evaluate import report
    from taiyi.train import launch

    if not launch.alone():
        raise TaiyiError(
            "several processes train together, but do not evaluate",
            where="taiyi run",
            got=f"{os.environ['WORLD_SIZE']} processes",
            mend=f"train first: torchrun ... -m taiyi train {recipe}; then, in one process: taiyi run {recipe}",
        )

    job = prepared(recipe, corpora, runs, workers, engine, trains=True)
    job = replace(job, together=lambda: _train_together(job, recipe, processes))
    results = steps.carry_out(job)
    console = Console()
    report.print_summary(results, console)
    page = steps.report_folder(job) / "report.html"
    console.print(f"\nReport: {page.resolve()}", soft_wrap=True, highlight=False)
    if job.recipe.stages:
        console.print(
            f"Ask the model: {asked_by(job.folder, model_folder(job.folder))}", soft_wrap=True, highlight=False
        )


def _train_together(job: Run, recipe: Path, processes: int | None) -> None:
    """Train the stages in several processes, where there are to be several; what they did is then done already."""
    from taiyi.train import launch

    count = processes or launch.fitting(max(stage.accumulation for stage in job.recipe.stages))
    if count > 1:
        where = ["--corpora", str(job.corpora), "--runs", str(job.folder.parent)]
        launch.start(count, ["train", str(recipe), *where])
