"""`taiyi corpora`: what corpora there are, what one of them is, and whether the files here hold what they should."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from taiyi import catalogue
from taiyi.catalogue import CheckResult, facts
from taiyi.errors import CorpusError, TaiyiError
from taiyi.schema import Split

app = typer.Typer(
    name="corpora",
    help="List, show, fetch, check and convert raw corpora. Example: taiyi corpora check bc5cdr --corpora ~/corpora",
    no_args_is_help=True,
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--corpora", metavar="DIR", help="Where raw corpora lie; by default TAIYI_CORPORA, else the user's cache."
    ),
]


@app.command("list")
def list_corpora(as_json: Json = False) -> None:
    """List all corpora. Example: taiyi corpora list --json"""
    found = catalogue.all_corpora()
    if as_json:
        typer.echo(json.dumps([facts.row(corpus) for corpus in found], ensure_ascii=False, indent=2))
        return
    rows = [("NAME", "LANG", "TASKS", "SPLITS", "ACCESS", "VERIFIED", "LICENCE")]
    rows += [
        (c.name, ",".join(c.langs), ",".join(c.tasks), ",".join(c.splits), c.access, c.checked_on, c.licence)
        for c in found
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@app.command("show")
def show(name: str, as_json: Json = False) -> None:
    """Show the data card of a corpus: what it is, its types and counts, and three example records.

    Example: taiyi corpora show cmeee_v2
    """
    from taiyi.catalogue.card import card, examples

    try:
        corpus = catalogue.get(name)
        if not as_json:
            typer.echo(card(corpus))
            return
        row = facts.details(corpus) | {"examples": [msgspec.to_builtins(record) for record in examples(corpus)]}
    except TaiyiError as error:
        raise _failed(error) from error
    typer.echo(json.dumps(row, ensure_ascii=False, indent=2))


@app.command("docs")
def docs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the pages go.")] = Path("docs/corpora"),
) -> None:
    """Write the data cards of all corpora, an overview and its figure. Example: taiyi corpora docs docs/corpora"""
    from taiyi.catalogue.card import write_pages

    try:
        written = write_pages(catalogue.all_corpora(), folder)
    except TaiyiError as error:
        raise _failed(error) from error
    typer.echo(f"{len(written)} files in {folder}")


@app.command("fetch")
def fetch(
    names: Annotated[list[str], typer.Argument(metavar="NAME...")],
    again: Annotated[bool, typer.Option("--again", help="Fetch what is there already, too.")] = False,
    corpora: Folder = None,
    as_json: Json = False,
) -> None:
    """Download open corpora, check and unpack them; of the others, say what to sign and where to put the files.

    A download that was cut goes on where it stopped. Exits with 1 where a corpus is not there in the end.

    Example: taiyi corpora fetch bc5cdr ncbi_disease --corpora ~/corpora
    """
    # Imported here: rich takes longer than a listing.
    from taiyi.catalogue.fetch import Outcome, fetch
    from taiyi.cli.transfers import transfers

    try:
        chosen = [catalogue.get(name) for name in names]
    except TaiyiError as error:
        raise _failed(error) from error
    root = catalogue.corpora_dir(corpora)
    outcomes: list[Outcome] = []
    with transfers() as progress:
        for corpus in chosen:
            try:
                outcome = fetch(corpus, root, progress=progress, again=again)
            except TaiyiError as error:
                outcome = Outcome(corpus.name, "failed", str(error))
            outcomes.append(outcome)
            if not as_json:
                typer.echo(f"{outcome.state:8} {outcome.corpus}: {outcome.said}", err=outcome.state == "failed")
    if as_json:
        rows = [{"corpus": o.corpus, "state": o.state, "said": o.said} for o in outcomes]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    if any(outcome.state in ("failed", "gated") for outcome in outcomes):
        raise typer.Exit(1)


@app.command("check")
def check(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...")] = None,
    every: Annotated[bool, typer.Option("--all", help="Check every corpus of the catalogue that is there.")] = False,
    fixtures: Annotated[
        bool, typer.Option("--fixtures", help="Check the hand-written items that come with the package instead.")
    ] = False,
    corpora: Folder = None,
    as_json: Json = False,
) -> None:
    """Read corpora and compare them with what the catalogue says they hold; exits with 1 where they differ.

    Example: taiyi corpora check --all --corpora ~/corpora
    """
    if every == bool(names):
        typer.echo("say which corpora to check, or --all", err=True)
        raise typer.Exit(2)
    try:
        chosen = catalogue.all_corpora() if every else tuple(catalogue.get(name) for name in names or ())
        root = catalogue.corpora_dir(corpora)
        if not fixtures and not root.is_dir() and not all(corpus.bundled for corpus in chosen):
            raise CorpusError(
                "the folder of raw corpora is not there",
                where=root,
                mend="say where it is with --corpora or TAIYI_CORPORA",
            )
    except TaiyiError as error:
        raise _failed(error) from error
    results: list[CheckResult] = []
    away: list[str] = []
    for corpus in chosen:
        if fixtures and corpus.bundled:
            continue
        if every and not fixtures and not corpus.location(root).is_dir():
            away.append(corpus.name)
            continue
        for result in catalogue.check_fixtures(corpus) if fixtures else [catalogue.check(corpus, root)]:
            results.append(result)
            if not as_json:
                _print_result(result)
    wrong = [result.corpus for result in results if result.status != "ok"]
    if as_json:
        typer.echo(json.dumps([_result_row(result) for result in results], ensure_ascii=False, indent=2))
    else:
        typer.echo(f"{len(results) - len(wrong)} of {len(results)} corpora are as the catalogue says")
        if away:
            typer.echo(f"{len(away)} are not under {root}: {', '.join(away)}")
    if wrong:
        raise typer.Exit(1)


@app.command("convert")
def convert(
    name: str,
    to: Annotated[
        str, typer.Option("--to", metavar="FORMAT", help="records, bigbio, bioc, pubtator, brat or conll.")
    ] = "records",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where it goes; by default NAME-FORMAT.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Convert nothing where something would be lost.")] = False,
    corpora: Folder = None,
    as_json: Json = False,
) -> None:
    """Write a corpus in a format that other tools read: a file, or for brat a folder, for each split that is there.

    What is written is read back and compared; what the format cannot carry is reported, with the first place of each.

    Example: taiyi corpora convert bc5cdr --to brat --out bc5cdr-brat --corpora ~/corpora
    """
    # Imported here: a listing needs no formats.
    from taiyi import convert as conversion

    try:
        corpus, chosen = catalogue.get(name), conversion.target(to)
        root = catalogue.corpora_dir(corpora)
        folder = out or Path(f"{name}-{to}")
        splits: list[Split] = [split for split in corpus.splits if corpus.layout(split, root)]
        if not splits:
            corpus.sources(corpus.splits[0], root)
        if folder.exists() and any(folder.iterdir()):
            raise CorpusError("the folder is not empty", where=folder, mend="give another one with --out")
        rows: list[dict[str, Any]] = []
        with tempfile.TemporaryDirectory(prefix=".converting-", dir=folder.absolute().parent) as made:
            for split in splits:
                losses = conversion.Losses()
                path = Path(made) / f"{split}{chosen.suffix}"
                written = conversion.convert(catalogue.load(corpus, split, root), path, chosen, losses)
                rows.append({"split": split, "file": path.name, "records": written, "lost": dict(losses.counts)})
                if strict and losses.counts:
                    what, where = next(iter(losses.first.items()))
                    raise CorpusError(f"{to} cannot carry all of the corpus: {what}", where=f"{name}/{split}/{where}")
                if not as_json:
                    typer.echo(f"{split}: {written:,} records in {folder / path.name}")
                    for what, number in losses.counts.most_common():
                        typer.echo(f"  not carried: {number:,} × {what}, first in {losses.first[what]}")
            folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(Path(made).iterdir()):
                path.replace(folder / path.name)
    except TaiyiError as error:
        raise _failed(error) from error
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))


def _failed(error: TaiyiError) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(1)


def _result_row(result: CheckResult) -> dict[str, Any]:
    return {
        "corpus": result.corpus,
        "status": result.status,
        "counted": {split: dict(sorted(counts.items())) for split, counts in result.counted.items()},
        "expected": {split: dict(counts) for split, counts in result.expected.items()},
        "problems": list(result.problems),
        "layouts": dict(result.layouts),
        "absent": {split: list(paths) for split, paths in result.absent.items()},
        "shared": dict(result.shared),
    }


def _print_result(result: CheckResult) -> None:
    sizes = ", ".join(f"{split} {counts.get('records', 0):,}" for split, counts in result.counted.items())
    typer.echo(f"{result.status:8} {result.corpus}" + (f" ({sizes})" if sizes else ""))
    for split, paths in result.absent.items() if result.status != "missing" else ():
        typer.echo(f"         {split} is not there: {', '.join(paths)}")
    for splits, texts in result.shared.items():
        typer.echo(f"         {splits}: {texts} texts in common")
    for problem in result.problems:
        typer.echo(f"         {problem}")
