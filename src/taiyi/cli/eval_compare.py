"""`taiyi eval compare A B`: evaluations beside one another, and which records changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from taiyi.errors import RecipeError

if TYPE_CHECKING:
    from taiyi.evaluate.compare import Comparison

_HOW = (
    "Scores in %. The difference is that of {second} less {first}; its interval is a 95% paired bootstrap over "
    "documents, p that of approximate randomisation. Holm is p corrected for {tests} of the same table: where nothing "
    "really differs, any of them is below 0.05 in fewer than 5 of 100 cases."
)


class Evaluation(TyperGroup):
    """A group that is a command as well: its first argument is a model unless it is the name of a command."""

    allow_interspersed_args = True

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] in self.commands:
            # A command has arguments and options of its own.
            self.params = []
            ctx.allow_interspersed_args = False
        return super().parse_args(ctx, args)


def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="A run that was evaluated, or the folder of a report.")],
    others: Annotated[list[Path], typer.Argument(metavar="B [C]...", help="Others, each compared with the first.")],
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME", help="A test set; give it again for more.", show_default="all they share"
        ),
    ] = None,
    show: Annotated[int, typer.Option(min=0, help="Of each test set, show so many records that changed.")] = 3,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.svg", help="Draw the scores of all runs on each test set, with intervals.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs, with all changes.")] = False,
) -> None:
    """Compare evaluations on every test set that all have: scores, differences, their significance, changes.

    Example: taiyi eval compare runs/one-stage runs/two-stage --show 5
    """
    import msgspec

    from taiyi.steps.comparison import compared, letter, reported

    if plot is not None and plot.suffix != ".svg":
        raise RecipeError("plots are SVG", where="--plot", got=plot, expected=f"such as {plot.with_suffix('.svg')}")
    found = compared(first, *others, sets=sets or ())
    if plot is not None:
        from taiyi.evaluate.plots_runs import runs_svg
        from taiyi.storage import writing

        drawn = runs_svg(reported(first, *others, sets=sets or ()))
        with writing(plot) as file:
            file.write(drawn.encode())
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
        return
    console = Console(highlight=False)
    places = {letter(number): place for number, place in enumerate((first, *others))}
    for name, place in places.items():
        console.print(Text(f"{name}: {place}"), soft_wrap=True)
    several = len(others) > 1
    for protocol in dict.fromkeys(comparison.protocol for comparison in found):
        of_protocol = [comparison for comparison in found if comparison.protocol == protocol]
        console.print(_table(of_protocol, several=several, wide=console.width > _NARROW))
        for comparison in of_protocol:
            if comparison.unfit:
                which = f", {comparison.run}" if several else ""
                console.print(Text(f" {comparison.title}{which}: {comparison.unfit}", style="dim"), soft_wrap=True)
    said = {"second": "each run", "first": "the first", "tests": "the test sets and runs"}
    console.print(Text(_HOW.format(**said if several else _OF_TWO), style="dim"))
    if plot is not None:
        console.print(Text(f"Plot: {plot.resolve()}"), soft_wrap=True)
    if show:
        _show_all(found, show, console)


_NARROW = 100
_OF_TWO: Mapping[str, str] = {"second": "the second", "first": "the first", "tests": "the test sets"}


def _table(found: Sequence[Comparison], *, several: bool, wide: bool) -> Table:
    """Return the table of a protocol; the p-values are corrected for what stands in it."""
    # Protocols of one name may be shown as what they are for each task.
    names, measures = (
        ", ".join(dict.fromkeys(told)) for told in zip(*((c.shown, c.measure) for c in found), strict=True)
    )
    title = Text(f"Protocol: {names}; {measures}")
    grid = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, int(wide), 0, 0))
    grid.add_column("Test set", overflow="fold")
    runs = ("Run", "A", "It", "It - A") if several else ("A", "B", "B - A")
    for name in (*runs, "95% interval", "p", "Holm", "Better", "Worse", "n"):
        grid.add_column(name, justify="right", no_wrap=True)
    for number, c in enumerate(found):
        first = not number or found[number - 1].set != c.set
        cells = [Text(c.title if first else "")] + [Text(c.run)] * several
        if c.unfit:
            grid.add_row(*cells, *["–"] * 9, style="dim")
            continue
        between = "" if c.ci_low is None or c.ci_high is None else f"{100 * c.ci_low:+.1f} to {100 * c.ci_high:+.1f}"
        grid.add_row(
            *cells,
            _percent(c.first),
            _percent(c.second),
            "n/a" if c.difference is None else f"{100 * c.difference:+.1f}",
            between,
            _p(c.p),
            _p(c.p_holm),
            f"{c.num_better:,}",
            f"{c.num_worse:,}",
            f"{c.num_records:,}",
            style="bold" if c.p_holm is not None and c.p_holm < 0.05 else None,
        )
    return grid


def _show_all(found: Sequence[Comparison], most: int, console: Console) -> None:
    """Show what changed on each test set, under its first protocol: under others the same answers changed."""
    shown: set[tuple[str, str]] = set()
    for comparison in found:
        if (comparison.set, comparison.run) not in shown:
            shown.add((comparison.set, comparison.run))
            _show(comparison, most, console)


def _show(comparison: Comparison, most: int, console: Console) -> None:
    if not comparison.changes:
        return
    more = len(comparison.changes) - most
    console.print(Text(f"\n{comparison.title}: records that changed", style="bold"))
    for change in comparison.changes[:most]:
        style = "green" if change.to == "better" else "red"
        console.print(Text(f"  {change.to}  {change.record}", style=style), soft_wrap=True)
        for name, told, errors in (
            ("A", change.first, change.first_errors),
            (comparison.run, change.second, change.second_errors),
        ):
            counted = ", ".join(f"{count} {kind}" for kind, count in errors.items())
            console.print(Text(f"    {name}: {told}" + (f" ({counted})" if counted else "")), soft_wrap=True)
    if more > 0:
        console.print(Text(f"  and {more:,} more; --show {len(comparison.changes)} shows all", style="dim"))


def _percent(value: float | None) -> str:
    return "n/a" if value is None else f"{100 * value:.1f}"


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return "<.001" if value < 0.0005 else f"{value:.3f}"
