"""`taiyi run RECIPE`: every step, from raw corpora to the report."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console

from taiyi.cli.recipes import CorporaOption, EngineOption, RecipeArgument, RunsOption, WorkersOption, prepared


def run(
    recipe: RecipeArgument,
    corpora: CorporaOption = None,
    runs: RunsOption = Path("runs"),
    workers: WorkersOption = None,
    engine: EngineOption = "local",
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
    results = steps.carry_out(job)
    console = Console()
    report.print_summary(results, console)
    page = steps.report_folder(job) / "report.html"
    console.print(f"\nReport: {page.resolve()}", soft_wrap=True, highlight=False)
    console.print(f"Talk with the model: taiyi chat --model {job.folder}", soft_wrap=True, highlight=False)
