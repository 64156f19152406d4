"""`taiyi data`: look at the data step of a run, and write it for other trainers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="data",
    help="Look at the instruction data of a run, and export it. Example: taiyi data show runs/demo",
    no_args_is_help=True,
)
RunArgument = Annotated[
    Path, typer.Argument(metavar="RUN", help="The folder of a run, such as runs/demo, or of its data step.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command("show")
def show(
    run: RunArgument,
    stage: Annotated[
        str | None, typer.Option(metavar="NAME", help="A stage, or a test set as test-NAME; by default the stages.")
    ] = None,
    example: Annotated[str | None, typer.Option("--id", metavar="ID", help="The example of this id.")] = None,
    task: Annotated[str | None, typer.Option(help="Only examples of this task.")] = None,
    corpus: Annotated[str | None, typer.Option(help="Only examples of this corpus.")] = None,
    count: Annotated[int, typer.Option("-n", min=1, help="How many examples, spread over those that there are.")] = 1,
    tokenizer: Annotated[
        str | None,
        typer.Option(metavar="FOLDER|ID", help="A folder or hub id with a tokenizer; by default the run's own."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print examples as a model sees them: token by token, what is learned coloured, and how the answer is scored.

    Example: taiyi data show runs/demo --task ner -n 3
    """
    import msgspec
    from rich.console import Console

    from taiyi.look import examples, rows, terminal

    data = examples.find(run)
    chosen = examples.choose(data, stage=stage, example=example, task=task, corpus=corpus, count=count)
    encoder = rows.encoder(data, tokenizer)
    seen = [rows.see(name, found, encoder) for name, found in chosen]
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(seen)).decode())
        return
    console = Console(highlight=False)
    for look in seen:
        terminal.show(look, console)


@app.command("browse")
def browse(
    run: RunArgument,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page that is written.")] = Path("data.html"),
) -> None:
    """Write one HTML page with the mixture, sample examples, what was left out and what was found in test sets.

    Example: taiyi data browse runs/demo --out data.html
    """
    from taiyi.look import examples, page

    size = page.write(examples.find(run), out)
    typer.echo(f"Page: {out.resolve()} ({size / 1e6:.1f} MB)")


@app.command("export")
def export(
    run: RunArgument,
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="openai, sharegpt, alpaca or taiyi.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write into.")],
    stages: Annotated[
        list[str] | None,
        typer.Option("--stage", metavar="NAME", help="A stage; give it again for more.", show_default="all"),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Write over files that are there.")] = False,
) -> None:
    """Write the stages for other trainers: a JSONL file each, and a card with the licences that bind.

    Example: taiyi data export runs/demo --to openai --out exported
    """
    from taiyi.build.dataset_card import DATASET_CARD, gated
    from taiyi.steps.export import REJECTS, export

    made = export(run, to, out, stages=stages or (), again=again)
    typer.echo(f"Examples of {made.data}:")
    for file in made.files:
        typer.echo(f"{file.num_rows:>10,}  {out / file.name}")
    if made.rejects:
        typer.echo(f"{len(made.rejects):>10,}  left out, in {out / REJECTS}")
    if names := gated(part.corpus for file in made.files for part in file.parts):
        typer.echo(f"Not to be redistributed, for it holds: {', '.join(names)}", err=True)
    typer.echo(f"What it is, how to load it and which licences bind: {out / DATASET_CARD}")
