"""`taiyi train RECIPE`: the stages of a recipe, without its evaluation; and a person's choice among their models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from taiyi.cli.recipes import CorporaOption, EngineOption, RecipeArgument, RunsOption, WorkersOption, asked_by, prepared
from taiyi.errors import RecipeError

ParallelOption = Annotated[
    Literal["ddp", "fsdp"],
    typer.Option(help="Under torchrun: whole weights on each process, or a share of them (FSDP2)."),
]


class _Recipe(TyperGroup):
    """A group whose first argument may be a recipe instead of a command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, "-h", "--help"):
            args = ["stages", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="train",
    cls=_Recipe,
    help="""Train the stages of a recipe: taiyi train RECIPE

    With its options: taiyi train RECIPE --corpora DIR --runs DIR --parallel fsdp

    On several devices: torchrun --nproc-per-node N -m taiyi train RECIPE

    What the options mean: taiyi train stages --help

    Example: taiyi train recipes/demo.yaml
    """,
    subcommand_metavar="RECIPE | COMMAND [ARGS]...",
    no_args_is_help=True,
)


@app.command("stages")
def stages(
    recipe: RecipeArgument,
    corpora: CorporaOption = None,
    runs: RunsOption = Path("runs"),
    workers: WorkersOption = None,
    engine: EngineOption = "local",
    parallel: ParallelOption = "ddp",
) -> None:
    """Build the data of a recipe and train its stages one after the other; `taiyi train RECIPE` for short.

    Steps that are done are not run again, so the same command goes on after an interruption.

    On several devices: torchrun --nproc-per-node N -m taiyi train RECIPE

    Example: taiyi train recipes/demo.yaml
    """
    from taiyi import steps
    from taiyi.steps import sharing
    from taiyi.train import launch

    job = prepared(recipe, corpora, runs, workers, engine, parallel, trains=True)
    if not job.recipe.stages:
        raise RecipeError("the recipe has no stage to train", where=recipe, mend=f"evaluate it: taiyi run {recipe}")
    model = Path(steps.train_stages(job, sharing.together(job, lambda: steps.build(job))))
    if not launch.is_main():
        return
    console = Console()
    for line in (
        f"Model: {model.resolve()}",
        f"Evaluate it: taiyi run {recipe}",
        f"Ask it: {asked_by(job.folder, model)}",
    ):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


@app.command("choose")
def choose(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="A stage that was evaluated during training.")],
    step: Annotated[
        int | None, typer.Option(help="The step whose model is chosen; the candidates are shown else.")
    ] = None,
    why: Annotated[str, typer.Option(help="Why, to be kept with the choice.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the candidates as JSON.")] = False,
) -> None:
    """Choose the model that a stage leaves, where scores alone are not to decide.

    The paper's authors, too, looked at answers beside automated metrics. Stages that begin from this one, and the
    evaluation of the run, take the chosen model when the recipe is run again.

    Example: taiyi train choose runs/demo stage2 --step 400 --why "fewer invented doses"
    """
    from taiyi.steps import choice

    there = choice.candidates(run, stage) if step is None else choice.choose(run, stage, step, why)
    if as_json:
        typer.echo(json.dumps(_as_json(there), ensure_ascii=False, indent=2))
        return
    console = Console()
    console.print(_table(there))
    console.print(f"Sample answers: {(there.folder / 'answers').resolve()}", soft_wrap=True, highlight=False)
    if step is None:
        console.print(f"Choose: taiyi train choose {run} {stage} --step N", soft_wrap=True, highlight=False)
    else:
        console.print(f"Chosen: step {step}. Give the recipe to `taiyi run` again to go on from it.", highlight=False)


def _table(there: Any) -> Table:
    tasks = sorted({task for score in there.scores for task in score.tasks})
    grid = Table(title=Text("Evaluations during training"), box=box.SIMPLE_HEAD)
    for name in ("Step", "Score", *tasks, "Model"):
        grid.add_column(name, justify="left" if name == "Model" else "right")
    picked = there.kept if there.choice is None else there.choice.step
    for score in there.scores:
        told = "chosen" if there.choice is not None else "left by the stage"
        place = there.steps.get(score.step, "")
        grid.add_row(
            str(score.step),
            f"{100 * score.score:.1f}",
            *(f"{100 * score.tasks[task]:.1f}" if task in score.tasks else "–" for task in tasks),
            f"{place} ({told})" if score.step == picked else place,
            style="bold" if score.step == picked else None,
        )
    return grid


def _as_json(there: Any) -> dict[str, Any]:
    return {
        "kept": there.kept,
        "chosen": None if there.choice is None else there.choice.step,
        "candidates": [
            {
                "step": score.step,
                "score": score.score,
                "tasks": score.tasks,
                "model": str(there.folder / there.steps[score.step]),
            }
            for score in there.scores
            if score.step in there.steps
        ],
    }
