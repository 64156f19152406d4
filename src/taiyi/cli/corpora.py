"""`taiyi corpora`: what corpora there are, what one of them is, and whether the files here hold what they should."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from taiyi import catalogue
from taiyi.catalogue import CheckResult, Corpus, TypeName
from taiyi.errors import CorpusError, TaiyiError

app = typer.Typer(
    name="corpora",
    help="List, show and check raw corpora. Example: taiyi corpora check bc5cdr --corpora ~/corpora",
    no_args_is_help=True,
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--corpora", metavar="DIR", help="Where raw corpora lie [default: TAIYI_CORPORA, else the user's cache]."
    ),
]


@app.command("list")
def list_corpora(as_json: Json = False) -> None:
    """List all corpora. Example: taiyi corpora list --json"""
    found = catalogue.all_corpora()
    if as_json:
        typer.echo(json.dumps([_row(corpus) for corpus in found], ensure_ascii=False, indent=2))
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
    """Show what a corpus is, its types and its counts. Example: taiyi corpora show cmeee_v2"""
    try:
        row = _details(catalogue.get(name))
    except TaiyiError as error:
        raise _failed(error) from error
    if as_json:
        typer.echo(json.dumps(row, ensure_ascii=False, indent=2))
        return
    for key, value in row.items():
        if isinstance(value, Mapping):
            typer.echo(f"{key}:")
            for inner, shown in value.items():  # pyright: ignore[reportUnknownVariableType]
                typer.echo(f"  {inner}: {_plain(shown)}")
        elif value not in ("", []):
            typer.echo(f"{key}: {_plain(value)}")


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


def _failed(error: TaiyiError) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(1)


def _row(corpus: Corpus) -> dict[str, Any]:
    return {
        "name": corpus.name,
        "title": corpus.title,
        "lang": list(corpus.langs),
        "tasks": list(corpus.tasks),
        "splits": list(corpus.splits),
        "sizes": dict(corpus.sizes),
        "licence": corpus.licence,
        "access": corpus.access,
        "verified": corpus.checked_on,
        "domain": corpus.domain,
        "listed": f"{corpus.listed.lang} {corpus.listed.number}" if corpus.listed else None,
    }


def _details(corpus: Corpus) -> dict[str, Any]:
    return _row(corpus) | {
        "homepage": corpus.homepage,
        "citation": corpus.citation,
        "folder": corpus.folder,
        "files": {split: [source.path for source in sources] for split, sources in corpus.files.items()},
        "entity_types": _names(corpus.entity_types),
        "relation_types": _names(corpus.relation_types),
        "labels": _names(corpus.labels),
        "multi_label": corpus.multi_label,
        "counts": {split: dict(counts) for split, counts in corpus.counts.items()},
        "notes": corpus.notes,
    }


def _names(types: Mapping[str, TypeName]) -> dict[str, dict[str, str]]:
    return {name: {"en": type.en, "zh": type.zh} for name, type in types.items()}


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {inner}" for key, inner in value.items())  # pyright: ignore[reportUnknownVariableType]
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)  # pyright: ignore[reportUnknownArgumentType]


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
