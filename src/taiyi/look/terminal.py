"""An example in the terminal, coloured; in a pipe, and where colours are not wanted, with brackets instead."""

from __future__ import annotations

from itertools import groupby

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from taiyi.evaluate.aggregate import verdict
from taiyi.look.answers import table
from taiyi.look.rows import Look, Piece, State
from taiyi.schema import Answer
from taiyi.text import legible

_STYLES: dict[State, str] = {
    "prompt": "dim",
    "forced": "cyan",
    "learned": "bold green",
    "decision": "bold magenta",
}
_BRACKETS: dict[State, tuple[str, str]] = {
    "prompt": ("", ""),
    "forced": ("(", ")"),
    "learned": ("[", "]"),
    "decision": ("{", "}"),
}
_MEANINGS: dict[State, str] = {
    "prompt": "read, not learned",
    "forced": "of the answer, without a choice, so not learned",
    "learned": "chosen from the whole vocabulary",
    "decision": "learned too, chosen among what source and tags allow",
}
_TEXT_MEANINGS: dict[State, str] = {"prompt": "read, not learned", "learned": "the answer", "decision": "its tags"}
_BETWEEN = "|"


def show(look: Look, console: Console) -> None:
    """Print all that there is to see of an example."""
    coloured = console.color_system is not None
    example = look.example
    facts = (look.stage, example.task, example.corpus, example.lang, f"template {example.template}", example.form)
    console.print(Text(legible(example.id), style="bold"), soft_wrap=True)
    console.print(Text(legible(", ".join(facts)), style="dim"), soft_wrap=True)
    if look.unencodable:
        console.print(Text(legible(f"No training row can be made of it: {look.unencodable}"), style="red"))
    if look.tokenized:
        console.print(Text(f"{look.num_tokens:,} tokens, {look.num_learned:,} of them learned"))
    elif not look.unencodable:
        console.print(
            "Without a tokenizer, so the text by pieces. For tokens: --tokenizer FOLDER, or train first", soft_wrap=True
        )
    console.print()
    console.print(_tokens(look, coloured), soft_wrap=not coloured)
    console.print()
    console.print(_legend(look, coloured))
    console.print()
    if look.parsed is None:
        console.print(Text("The answer cannot be parsed: " + legible(look.unparsable), style="red"))
    else:
        _answer("The answer as parsed", look.parsed, console)
    if not look.says_all:
        console.print("It does not say all of the gold:")
        _answer("Gold", example.gold, console)
        if look.in_no_window is not None:
            _answer("Of this lies in no window of the document, and counts as missed", look.in_no_window, console)
    console.print(_scored(look), soft_wrap=True)
    console.print()


def _tokens(look: Look, coloured: bool) -> Text:
    """Prompt and answer; pieces are parted by a stroke, and runs of what is learned stand out."""
    text = Text()
    for state, run in groupby(look.pieces, key=_state):
        opening, closing = ("", "") if coloured else _BRACKETS[state]
        style = _STYLES[state] if coloured else ""
        # Unlike tokens, the pieces of a text are of no interest where they are only read.
        between = _BETWEEN if look.tokenized else ""
        shown = [legible(piece.text).replace("\n", "⏎\n" if look.tokenized else "\n") for piece in run]
        text.append("" if not text.plain or text.plain.endswith("\n") else between, style="dim")
        text.append(opening)
        for index, piece in enumerate(shown):
            if index and not shown[index - 1].endswith("\n"):
                text.append(between, style="dim")
            text.append(piece, style=style)
        text.append(closing)
    return text


def _state(piece: Piece) -> State:
    return piece.state


def _legend(look: Look, coloured: bool) -> Text:
    text = Text()
    meanings = _MEANINGS if look.tokenized else _TEXT_MEANINGS
    there = {piece.state for piece in look.pieces}
    for state, meaning in meanings.items():
        if state not in there:
            continue
        opening, closing = ("", "") if coloured else _BRACKETS[state]
        name = "plain" if not coloured and not opening else state
        text.append("\n" if text.plain else "")
        text.append(f"{opening}{name}{closing}", style=_STYLES[state] if coloured else "")
        text.append(f": {meaning}")
    return text


def _answer(title: str, answer: Answer, console: Console) -> None:
    laid = table(answer)
    console.print(Text(f"{title}: {laid.what}" + (f", {len(laid.rows)}" if len(laid.rows) > 1 else "")))
    if not laid.rows:
        console.print("  none")
        return
    grid = RichTable(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_header=len(laid.columns) > 1)
    for column in laid.columns:
        grid.add_column(column, overflow="fold")
    for row in laid.rows:
        grid.add_row(*(Text(legible(cell)) for cell in row))
    console.print(Padding(grid, (0, 0, 0, 1)))


def _scored(look: Look) -> Text:
    said = verdict(look.score)
    text = Text("Scored: ")
    text.append(legible(said), style={"right": "green", "parti": "yellow"}.get(said[:5], "red"))
    counts = "; ".join(f"{name} {c.tp} right, {c.fp} too many, {c.fn} missed" for name, c in look.score.counts.items())
    text.append(legible(f" ({counts})") if counts else "")
    return text
