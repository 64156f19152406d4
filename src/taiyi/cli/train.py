"""`taiyi train RECIPE`: the stages of a recipe, without its evaluation."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from taiyi.cli.recipes import CorporaOption, RecipeArgument, RunsOption, prepared
from taiyi.errors import RecipeError


def train(recipe: RecipeArgument, corpora: CorporaOption = None, runs: RunsOption = Path("runs")) -> None:
    """Build the data of a recipe and train its stages one after the other.

    Steps that are done are not run again, so the same command goes on after an interruption.

    Example: taiyi train recipes/demo.yaml
    """
    from taiyi import steps

    job = prepared(recipe, corpora, runs)
    if not job.recipe.stages:
        raise RecipeError("the recipe has no stage to train", where=recipe, mend=f"evaluate it: taiyi run {recipe}")
    model = Path(steps.train_stages(job, steps.build(job)))
    console = Console()
    for line in (
        f"Model: {model.resolve()}",
        f"Evaluate it: taiyi run {recipe}",
        f"Talk with it: taiyi chat {job.folder}",
    ):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
