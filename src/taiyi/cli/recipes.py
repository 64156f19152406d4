"""What the commands that take a recipe share: their arguments, and the run that they begin or go on with."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from taiyi.steps import Run

RecipeArgument = Annotated[Path, typer.Argument(metavar="RECIPE", help="A YAML file, such as recipes/demo.yaml.")]
CorporaOption = Annotated[
    Path | None,
    typer.Option(help="Folder of raw corpora; else TAIYI_CORPORA, else the user's cache.", show_default=False),
]
RunsOption = Annotated[Path, typer.Option(help="Folder that runs are written into.")]


def prepared(recipe: Path, corpora: Path | None, runs: Path) -> Run:
    """Read a recipe and return its run, with everything that can be checked without running it checked."""
    from taiyi import catalogue
    from taiyi.manifest import Log
    from taiyi.recipe import load
    from taiyi.steps import Run

    loaded = load(recipe)
    folder = runs / loaded.name
    command = "taiyi " + shlex.join(sys.argv[1:])
    return Run(loaded, folder, catalogue.corpora_dir(corpora), Log(folder), command)
