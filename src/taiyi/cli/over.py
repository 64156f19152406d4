"""Answers about one text, or about all of a file, folder or table: what the commands that give them share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taiyi.errors import TaiyiError
from taiyi.schema import Reject
from taiyi.use import results

if TYPE_CHECKING:
    from taiyi.use.reading import Given
    from taiyi.use.results import Extraction, Said
    from taiyi.use.writing import Tally, To

Answers = Callable[[Iterable["Given"]], "Iterator[Extraction] | Iterator[Said]"]

OutOption = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Write what is found there; the same command goes on where it was cut."),
]
ToOption = Annotated[
    str, typer.Option("--to", help="jsonl or csv; and of entities bioc, pubtator, brat or conll, for other tools.")
]
TO = "jsonl"
IdOption = Annotated[str, typer.Option("--id", metavar="COLUMN", help="Which column of a table is the id of an item.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object an item.")]


def column_option(default: str) -> Any:
    """Return the option that names the columns of a table that are asked about."""
    return typer.Option("--column", metavar="NAMES", help=f"Which column of a table or of JSON lines: {default}.")


def over(
    items: Iterable[Given | Reject],
    answers: Answers,
    show: Callable[[Extraction | Said], None],
    ctx: typer.Context,
    *,
    out: Path | None,
    to: str,
    as_json: bool,
    alone: bool = False,
) -> None:
    """Answer items: write what is found to `out`, else print it, as JSON lines or as `show` does.

    Of an item that is `alone` the id is not told, and what is wrong with it is an error. What is written under the same
    options of the command, `ctx`, is gone on with.

    Raises:
        TaiyiError: a format is given and no place to write to, or answers cannot be written.
    """
    from taiyi.use import writing

    check_place(out, to)
    if out is not None:
        _told(_written(items, answers, out, to, ctx), out)
        return
    asked: list[Given] = []

    def given() -> Iterator[Given]:
        for item in items:
            if isinstance(item, Reject):
                typer.secho(f"{item.where}: left out: {item.reason}", fg="yellow", err=True)
            else:
                asked.append(item)
                yield item

    for found in answers(given()):
        id = asked.pop(0).id
        if alone and found.fault:
            raise TaiyiError(found.fault)
        if as_json:
            row = writing.row(id, found)
            if alone:
                del row["id"]
            typer.echo(json.dumps(row, ensure_ascii=False))
            continue
        if not alone:
            typer.secho(id, bold=True)
        if found.fault:
            typer.secho(f"{id}: {found.fault}", fg="yellow", err=True)
        else:
            show(found)


def check_place(out: Path | None, to: str) -> None:
    """Raise TaiyiError where a format is given that nothing is written in."""
    if out is None and to != TO:
        raise TaiyiError("it is not said where this is written", where="--to", got=to, mend="give --out PATH")


def show_said(found: Extraction | Said) -> None:
    """Print labels with how probable they are, or a text."""
    assert isinstance(found, results.Said)
    for label in found.labels:
        sure = "" if label.confidence is None else f"  {label.confidence:.2f}"
        typer.echo(f"{label.name}{sure}")
    if found.text:
        typer.echo(found.text)
    if not (found.labels or found.text):
        typer.secho("none", dim=True)
    if found.cut:
        typer.secho("the answer was cut at its limit", fg="yellow", err=True)


# What of a command is no matter of what is asked; its texts are known by their ids.
_NOT_ASKED = ("out", "to", "as_json", "device")


def _written(items: Iterable[Given | Reject], answers: Answers, out: Path, to: str, ctx: typer.Context) -> Tally:
    from typing import cast, get_args

    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from taiyi.use import writing

    if to not in (known := get_args(writing.To)):
        raise TaiyiError("answers are not written so", where="--to", got=to, expected=", ".join(known))
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("answered", total=None)
        return writing.write(
            items, answers, out, cast("To", to), asked=_asked(ctx), advance=lambda: progress.advance(bar)
        )


def _asked(ctx: typer.Context) -> dict[str, str]:
    """Return the command and its options as they were given, as far as answers depend on them."""
    given = {k: v for k, v in ctx.params.items() if k not in _NOT_ASKED and v not in (None, "", (), [])}
    return {"command": ctx.info_name or ""} | {f"--{k.replace('_', '-')}": str(v) for k, v in given.items()}


def _told(tally: Tally, out: Path) -> None:
    """Say what was written, and what was not."""
    typer.echo(f"{out}: {tally.items:,} answers", err=True)
    if tally.earlier:
        typer.echo(f"  {tally.earlier:,} of them by an earlier run", err=True)
    for reason, count in tally.faults.most_common():
        typer.secho(f"  {count:,} without an answer: {reason}", fg="yellow", err=True)
    for what, count in tally.losses.items():
        typer.secho(f"  not in this format: {count:,} {what}", fg="yellow", err=True)
