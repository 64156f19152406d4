"""`taiyi index DOCS --out INDEX`: documents as sources, and `taiyi index search INDEX "..."`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from taiyi.cli.eval_compare import Evaluation

if TYPE_CHECKING:
    from taiyi.knowledge.sources.passages import Counts

app = typer.Typer(
    name="index",
    cls=Evaluation,
    invoke_without_command=True,
    no_args_is_help=True,
)
_SHOWN_CHARS = 300


@app.callback()
def index(
    documents: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="DOCS...",
            help="Files and folders: PubMed XML, BioC (XML or JSON), JSON lines, text, Markdown; .gz too.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="INDEX", help="The folder that the index becomes.", show_default=False)
    ] = None,
    embed: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="A folder or hub id of a sentence-transformers model, whose vectors are searched as well.",
        ),
    ] = None,
    max_chars: Annotated[int, typer.Option(min=200, help="The longest passage, in characters.")] = 1500,
    again: Annotated[bool, typer.Option("--again", help="Take the place of an index that is there.")] = False,
    device: Annotated[str, typer.Option(help="Where MODEL runs: cpu, cuda, or auto.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest of the index, for programs.")] = False,
) -> None:
    """Make an index of documents to answer from, and search it.

    It is written whole or not at all: one that was cut off is begun anew.

    Example: taiyi index papers/ --out my-index
    """
    if documents is None:
        return
    if out is None:
        raise typer.BadParameter("say where the index goes", param_hint="--out")
    import msgspec

    from taiyi.knowledge.sources import indexing
    from taiyi.knowledge.sources.index import REJECTS

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("begins")

        def tell(counts: Counts, file: Path) -> None:
            said = f"{counts.documents:,} documents, {counts.passages:,} passages; {escape(file.name)}"
            progress.update(task, description=said)

        made = indexing.build(
            documents, out, embed=embed, device=device, max_chars=max_chars, again=again, progress=tell
        )
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(made)).decode())
        return
    langs = ", ".join(f"{count:,} {lang}" for lang, count in sorted(made.langs.items()))
    typer.echo(f"{made.documents:,} documents, {made.passages:,} passages ({langs}): {out}")
    for reason, count in made.rejects.items():
        typer.secho(f"{count:>10,}  left out: {reason}", fg="yellow", err=True)
    if made.rejects:
        typer.echo(f"What was left out is in {out / REJECTS}", err=True)
    typer.echo(f'Now: taiyi index search {out} "..."')


@app.command("search")
def search(
    index: Annotated[Path, typer.Argument(metavar="INDEX", help="The folder of an index.")],
    query: Annotated[str, typer.Argument(help="A question, or words.")],
    count: Annotated[int, typer.Option("-n", min=1, help="How many passages at most.")] = 10,
    words: Annotated[bool, typer.Option("--words", help="By words alone, where the index has vectors too.")] = False,
    device: Annotated[str, typer.Option(help="Where the model of the vectors runs: cpu, cuda, or auto.")] = "auto",
    as_json: Annotated[
        bool,
        typer.Option("--json", help="One JSON object a line: document, title, lang, start, end, score, text."),
    ] = False,
) -> None:
    """Print the passages that fit a question best.

    Example: taiyi index search my-index "aspirin and asthma" --json
    """
    from taiyi.knowledge.sources.index import Index

    hits = Index.open(index, device=device).search(query, count, vectors=not words)
    console = Console(highlight=False)
    for number, (passage, score) in enumerate(hits, 1):
        end = passage.start + len(passage.text)
        if as_json:
            row = {"document": passage.document, "title": passage.title, "lang": passage.lang}
            row |= {"start": passage.start, "end": end, "score": round(score, 4), "text": passage.text}
            typer.echo(json.dumps(row, ensure_ascii=False))
            continue
        head = f"[bold]{number}. {escape(passage.title or passage.document)}[/bold]"
        console.print(f"{head} [dim]{escape(passage.document)} {passage.start}-{end}, {score:.2f}[/dim]")
        text = " ".join(passage.text.split())
        console.print(escape(text[:_SHOWN_CHARS] + ("…" if len(text) > _SHOWN_CHARS else "")) + "\n")
    if not hits and not as_json:
        typer.echo("nothing found")
