"""The command line: parsing of arguments and printing only, one file per command.

Exit codes: 0 done, 1 what was asked could not be done (said in one line), 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import importlib
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from taiyi.errors import TaiyiError, machine_fault

# What `taiyi --help` lists, in the order of the line. A command lives in the module of its name beside this file, which
# exports a typer app called `app` or a function called as the command; it is imported when the command is given.
COMMANDS: dict[str, str] = {
    "corpora": "List, show and check the corpora of the catalogue.",
    "recipes": "Check a recipe, and show what one can say.",
    "run": "Carry out a recipe from raw corpora to the report.",
    "build": "Build the instruction data of a recipe.",
    "data": "Look at the instruction data of a run, and export it.",
    "train": "Train the stages of a recipe.",
    "plan": "Tell what training a recipe would take, before it is trained.",
    "eval": "Evaluate a model on a suite of test sets.",
    "report": "Print the scores of a run and write its report again.",
    "export": "Write a model for other programs, with its card.",
    "chat": "Talk with a model in the terminal.",
    "serve": "Serve a model over HTTP: OpenAI's chat, and typed addresses.",
    "terms": "Flag terms of a question that are unknown and near to known names.",
    "extract": "Find entities or relations in a text or file.",
    "classify": "Give a text one or more of a set of labels.",
    "pair": "Say how two texts relate.",
    "answer": "Answer a question: an option, yes or no, or a text.",
    "translate": "Translate a text, English or Chinese.",
    "title": "Write the title of an abstract.",
    "summarize": "Say a text in short.",
    "medical-report": "Write the report of a consultation.",
    "index": "Make an index of documents to answer from, and search it.",
    "doctor": "Show what this machine has, and what Taiyi misses on it.",
}


def load(name: str) -> Any:
    """Import the command `name` (typer keeps the type of commands to itself)."""
    own = name.replace("-", "_")
    module = importlib.import_module(f"{__name__}.{own}")
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False)
        app.command(name)(getattr(module, own))
    command = get_command(app)
    command.name = name
    # Only the outermost command installs completion.
    command.params = [p for p in command.params if p.name not in ("install_completion", "show_completion")]
    return command


class _Commands(TyperGroup):
    """A group that knows its commands by name and help, and imports one only to invoke it."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, summary in COMMANDS.items():
            self.add_command(TyperCommand(name, help=summary), name)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else load(name), rest

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except TaiyiError as error:
            _say(str(error))
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            _say("interrupted. The same command goes on from the steps, or the answers in --out, that are there")
            raise typer.Exit(130) from error
        except Exception as error:
            # What is none of the user's faults is one of the program's, and keeps its traceback.
            if (fault := machine_fault(error)) is None:
                raise
            _say(str(fault))
            raise typer.Exit(1) from error


def _say(text: str) -> None:
    typer.echo(f"taiyi: {' '.join(text.splitlines())}", err=True)


app = typer.Typer(
    name="taiyi",
    cls=_Commands,
    help="Raw biomedical corpora in, English and Chinese, an evaluated bilingual language model out.",
    epilog="For example: taiyi run recipes/demo.yaml",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from taiyi import __version__

        typer.echo(f"taiyi {__version__}")
        raise typer.Exit


@app.callback()
def taiyi(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    """Raw biomedical corpora in, English and Chinese, an evaluated bilingual language model out."""


def main() -> None:
    """Run the command line and exit."""
    app(prog_name="taiyi")
