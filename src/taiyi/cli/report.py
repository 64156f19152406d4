"""`taiyi report RUN`: the scores of a run, and its report written again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from taiyi.errors import TaiyiError

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run, such as runs/demo.")]
Share = Annotated[
    Path | None,
    typer.Option(
        help="Write a report here without sample answers and documents: they hold texts of corpora.",
        show_default=False,
    ),
]
Table = Annotated[bool, typer.Option("--table", help="Print the table of scores alone, as Markdown.")]
Json = Annotated[bool, typer.Option("--json", help="Print the results as JSON for programs.")]


def report(run: RunArgument, share: Share = None, table: Table = False, as_json: Json = False) -> None:
    """Print the scores of a run and write its report again from them.

    Example: taiyi report runs/demo
    """
    import msgspec

    from taiyi.evaluate import report as reports
    from taiyi.evaluate.sharing import shared

    folder = _folder(run)
    results = reports.load(folder / "results.json")
    if table:
        typer.echo(reports.score_table(results))
        return
    page = reports.write(results, folder).html
    if share is not None:
        page = reports.write(shared(results), share).html
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(results)).decode())
        return
    console = Console()
    reports.print_summary(results, console)
    console.print(f"\nReport: {page.resolve()}", soft_wrap=True, highlight=False, markup=False)


def _folder(run: Path) -> Path:
    """Return the folder of a run's report: the one that the run points to, or the folder that is given itself."""
    from taiyi.checkpoint import RUN_FILE
    from taiyi.storage import read_json

    folder = run
    if (run / RUN_FILE).exists():
        pointer: dict[str, str] = read_json(run / RUN_FILE, dict[str, str])
        if "report" not in pointer:
            raise TaiyiError("the run was not evaluated yet", where=run, mend="give its recipe to taiyi run")
        folder = run / pointer["report"]
    if not (folder / "results.json").exists():
        raise TaiyiError(
            "no report here",
            where=run,
            expected=f"a run with {RUN_FILE}, or a folder with results.json",
            mend="make one with: taiyi run RECIPE",
        )
    return folder
