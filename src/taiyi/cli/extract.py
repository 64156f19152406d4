"""`taiyi extract TEXT`: entities, relations or events of a text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, cast

import typer

from taiyi import tasks
from taiyi.checkpoint import EMBEDDED
from taiyi.cli.inputs import (
    DeviceOption,
    FileOption,
    LangOption,
    LikeOption,
    ModelOption,
    TextArgument,
    given,
    names,
    read,
)
from taiyi.cli.over import TO, IdOption, OutOption, ToOption, check_place, column_option, over
from taiyi.errors import RecipeError, TaiyiError, suggestion
from taiyi.text import legible

if TYPE_CHECKING:
    from taiyi.use.reading import Given
    from taiyi.use.results import Extraction

_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red", "bright_cyan", "bright_magenta", "bright_green")


def extract(
    ctx: typer.Context,
    text: TextArgument = None,
    file: FileOption = None,
    model: ModelOption = EMBEDDED,
    task: Annotated[str, typer.Option(help="ner for entities, re for relations, ee for events.")] = "ner",
    types: Annotated[
        str, typer.Option(help="What to find, with commas between; else what the model was trained on.")
    ] = "",
    define: Annotated[
        list[str] | None,
        typer.Option("--define", metavar="TYPE=TEXT", help="What a type of --types means; once for each."),
    ] = None,
    like: LikeOption = "",
    lang: LangOption = "auto",
    window: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Sentences are read together up to so many characters; else as the model learned it, or 300 where it "
            "learned whole documents.",
        ),
    ] = None,
    column: Annotated[str, column_option("text")] = "text",
    id_column: IdOption = "id",
    out: OutOption = None,
    to: ToOption = TO,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="One JSON object a line: start, end, text, type and confidence of a mention; of many texts, all.",
        ),
    ] = False,
    device: DeviceOption = "auto",
) -> None:
    """Find entities in a text, with character offsets (half-open, from 0), relations between them, or events.

    A long file is answered as it is read.

    Example: taiyi extract "Aspirin can cause asthma." --types Chemical,Disease
    """
    from taiyi.use import reading
    from taiyi.use.extraction import TASKS, Kind
    from taiyi.use.taiyi import Taiyi
    from taiyi.use.texts import language

    what: Kind | None = next((kind for kind, name in TASKS.items() if name == tasks.get(task).name), None)
    if what is None:
        raise RecipeError("not a task of extraction", got=task, expected=", ".join(TASKS.values()))
    check_place(out, to)
    wanted = _defined(names(types), define or [])
    if out is not None or (file is not None and reading.is_table(file)):
        many = given(text, file, [column], id_column)
        taiyi = Taiyi.load(model, device=device)

        def answers(items: Iterable[Given]) -> Iterator[Extraction]:
            texts = (item.texts[0] for item in items)
            return taiyi.extract_all(texts, wanted, what=what, lang=lang, like=like, window=window)

        over(
            many,
            answers,
            lambda found: _show(cast("Extraction", found), [*wanted]),
            ctx,
            out=out,
            to=to,
            as_json=as_json,
        )
        return
    beginning, blocks = read(text, file)
    taiyi = Taiyi.load(model, device=device)
    spoken = language(beginning, lang)
    asking = taiyi.asking(what, spoken, wanted, like)
    if not types:
        typer.echo(f"types: {', '.join(t.shown for t in asking.types)} (choose with --types)", err=True)
    if what == "entities":
        found = taiyi.extract_long(blocks, asking, window=window)
    else:
        found = iter([taiyi.extract("".join(blocks), asking, what=what, window=window)])
    for part in found:
        _check(part)
        if as_json:
            for row in _rows(part):
                typer.echo(json.dumps(row, ensure_ascii=False))
        else:
            _show(part, [t.shown for t in asking.types])


def _defined(types: Sequence[str], given: Sequence[str]) -> Sequence[str] | dict[str, str]:
    """Return types with what they mean, where that is said of any.

    Raises:
        TaiyiError: a definition is of no type that is asked for, or says nothing.
    """
    found: dict[str, str] = {}
    for one in given:
        name, _, meaning = (part.strip() for part in one.partition("="))
        if name not in types or not meaning:
            raise TaiyiError(
                "this defines no type that is asked for",
                where="--define",
                got=one,
                expected="TYPE=TEXT, with a type of --types",
                mend=suggestion(name, types),
            )
        found[name] = meaning
    return {name: found.get(name, "") for name in types} if found else types


def _check(part: Extraction) -> None:
    """Raise TaiyiError where a part was not answered; say where an answer may miss something."""
    if part.fault:
        from taiyi.generate.engine import NO_ROOM

        shorter = "give --window a smaller number, or a shorter text"
        mend = shorter if part.fault.startswith(NO_ROOM) else None
        raise TaiyiError(part.fault, where=f"character {part.at}", mend=mend)
    if part.cut:
        said = f"from character {part.at}: {part.cut} of the answers cut at its limit, or in no form that can be read"
        typer.secho(said, fg="yellow", err=True)
    if part.not_there:
        typer.secho(f"{part.not_there} mentions were named that the text does not have", fg="yellow", err=True)


def _rows(part: Extraction) -> list[dict[str, object]]:
    """Return what was found, each as JSON has it."""
    from taiyi.use import writing

    found = writing.row("", part)
    return [one for kind in ("entities", "relations", "events") for one in found.get(kind, ())]


def _show(part: Extraction, types: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    console, rows = Console(), _rows(part)
    there = dict.fromkeys((*types, *(str(row["type"]) for row in rows)))
    colours = {shown: _COLOURS[i % len(_COLOURS)] for i, shown in enumerate(there)}
    text = Text(legible(part.text))
    for entity in part.entities:
        style = f"bold {colours.get(entity.type, 'white')}"
        text.stylize(style, entity.start - part.at, entity.end - part.at)
    columns = (Column(name, overflow="fold") for name in (rows[0] if rows else ()))
    table = Table(*columns, box=None, header_style="dim")
    for row in rows:
        style = f"bold {colours.get(str(row['type']), 'white')}"
        table.add_row(*(Text(_cell(value), style=style if name == "type" else "") for name, value in row.items()))
    console.print(text, soft_wrap=True)
    nothing = "nothing found" + (f" of: {legible(', '.join(types))}" if types else "")
    console.print(table if rows else Text(nothing))


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, list):
        return legible("; ".join(f"{a['role']}: {a['text']}" for a in cast("list[dict[str, str]]", value)))
    return legible(str(value))
