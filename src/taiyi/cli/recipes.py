"""`taiyi recipes`: what a recipe can say, and whether one is right.

And what the commands that take a recipe share: their arguments, and the run that they begin or go on with.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from taiyi.build.workers import EngineName
    from taiyi.steps import Run

RecipeArgument = Annotated[Path, typer.Argument(metavar="RECIPE", help="A YAML file, such as recipes/demo.yaml.")]
CorporaOption = Annotated[
    Path | None,
    typer.Option(help="Folder of raw corpora; else TAIYI_CORPORA, else the user's cache.", show_default=False),
]
RunsOption = Annotated[Path, typer.Option(help="Folder that runs are written into.")]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="How many processes make the data; else one for every core where the raw files have more than 50 MB.",
        show_default=False,
    ),
]
EngineOption = Annotated[
    Literal["local", "ray"],
    typer.Option(help="What makes the data: processes of this machine, or a Ray cluster (RAY_ADDRESS, else its own)."),
]
app = typer.Typer(
    name="recipes",
    help="Check a recipe, or show what a recipe can say. Example: taiyi recipes check recipes/demo.yaml",
    no_args_is_help=True,
)


def asked_by(run: Path, model: Path) -> str:
    """Return the command that asks the model of a run, by its own folder: to talk, where it may have learned to."""
    from taiyi.checkpoint import Checkpoint

    return f"taiyi {'chat' if Checkpoint.load(model).talks else 'extract TEXT'} --model {run}"


@app.command("check")
def check(recipe: RecipeArgument) -> None:
    """Check a recipe without running it: its keys, and the names in it. Corpora are not looked for.

    Example: taiyi recipes check recipes/demo.yaml
    """
    from taiyi.recipe import load

    loaded = load(recipe)
    typer.echo(f"{recipe} is a valid recipe")
    for stage in loaded.stages:
        data = [f"{selection.corpus} {selection.task}" for selection in stage.data]
        typer.echo(f"{stage.name}: {', '.join([*data, *(f'all of {name}' for name in stage.replay)])}")
        if stage.dev is not None:
            own = [f"{selection.corpus} {selection.task}" for selection in stage.dev_data]
            typer.echo(f"{stage.name}, during training: {', '.join(own) or 'a sample of its own data, kept out'}")
    typer.echo(f"evaluated on: {', '.join(loaded.evaluate.suites) or 'nothing'}")


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of a recipe, by which editors check and complete YAML.

    Example: taiyi recipes schema > recipe.schema.json
    """
    from taiyi.recipe import json_schema

    typer.echo(json.dumps(json_schema(), ensure_ascii=False, indent=2))


@app.command("docs")
def docs(page: Annotated[Path, typer.Argument(metavar="PAGE", help="A page with the two comments.")]) -> None:
    """Write the reference of all settings into a page, between its comments settings:begin and settings:end.

    Example: taiyi recipes docs docs/recipes.md
    """
    from taiyi import reference, storage
    from taiyi.recipe import Recipe

    root = reference.schema(Recipe)
    text = reference.renewed(page, root)
    with storage.writing(page) as file:
        file.write(text.encode())
    typer.echo(f"{sum(len(part.settings) for part in reference.parts(root))} settings in {page}")


def prepared(
    recipe: Path,
    corpora: Path | None,
    runs: Path,
    workers: int | None = 1,
    engine: EngineName = "local",
    parallel: Literal["ddp", "fsdp"] = "ddp",
    *,
    trains: bool = False,
) -> Run:
    """Read a recipe and return its run, with everything that can be checked without running it checked.

    What is needed for training alone is looked for where the command trains.
    """
    from taiyi import catalogue
    from taiyi.build import workers as engines
    from taiyi.manifest import Log
    from taiyi.recipe import load
    from taiyi.steps import Run
    from taiyi.steps.raw import raw_bytes
    from taiyi.steps.training import check as check_training
    from taiyi.train import launch

    launch.check()
    loaded = load(recipe)
    if trains:
        check_training(loaded, parallel)
    root = catalogue.corpora_dir(corpora)
    main = launch.is_main()
    num_bytes = raw_bytes(loaded, root) if main and workers is None and engine == "local" else 0
    folder = runs / loaded.name
    command = "taiyi " + shlex.join(sys.argv[1:])
    # The first process makes the data; the others find it.
    made_with = engines.engine(engine, workers, num_bytes=num_bytes) if main else engines.Local(1)
    log = Log(folder, quiet=not main)
    return Run(loaded, folder, root, log, command, made_with, parallel)
