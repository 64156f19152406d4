"""`taiyi terms`: a terminology of known names, and which terms of a question it does not know."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from taiyi import catalogue
from taiyi.catalogue import Corpus
from taiyi.errors import TaiyiError

app = typer.Typer(
    name="terms",
    help='Flag terms that do not exist. Example: taiyi terms check "What are octacyclines?" --terms names.terms',
    no_args_is_help=True,
)


@app.command("build")
def build(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file that the terminology goes to.")],
    corpora: Annotated[
        Path | None,
        typer.Option(
            "--corpora", metavar="DIR", help="Where raw corpora lie; by default TAIYI_CORPORA, else the user's cache."
        ),
    ] = None,
    chosen: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="NAMES", help="Corpora, with commas between; by default all that are in DIR. '' for none."
        ),
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FORMAT:PATH#SETTINGS", help="Names of a file: mesh, umls, icd10, table or list; may be repeated."
        ),
    ] = None,
) -> None:
    """Make a terminology of the names of corpora and files; words of the texts of corpora count as known.

    Example: taiyi terms build names.terms --corpora ~/corpora --file mesh:desc2024.xml
    """
    from taiyi.knowledge.terms import files
    from taiyi.knowledge.terms.build import build as write
    from taiyi.knowledge.terms.corpora import Material, gather

    root = catalogue.corpora_dir(corpora)
    material = Material()
    names: list[str] = []
    # Faults of what is given are said before the corpora are read.
    files = [files.names(spec) for spec in file or []]
    for corpus in _corpora(chosen, root):
        typer.echo(f"reading {corpus.name}", err=True)
        material.add(gather(corpus, root))
        names.append(corpus.name)
    manifest = write(out, material, chain.from_iterable(files), corpora=names, files=file or [])
    for reason, count in manifest.rejects.items():
        typer.echo(f"left out: {count:,} x {reason}", err=True)
    for source, count in manifest.names.items():
        typer.echo(f"{count:>10,} names of {source}")
    typer.echo(f"{out}: {out.stat().st_size / 1e6:.1f} MB; words of {manifest.num_records:,} texts")


def _corpora(chosen: str | None, root: Path) -> Iterator[Corpus]:
    if chosen is None:
        found = [c for c in catalogue.all_corpora() if not c.bundled]
        yield from (c for c in found if any(c.layout(split, root) for split in c.splits))
        return
    for name in dict.fromkeys(part.strip() for part in chosen.split(",")):
        if name:
            corpus = catalogue.get(name)
            # Says which files are missing where none are there.
            if not any(corpus.layout(split, root) for split in corpus.splits):
                corpus.sources(corpus.splits[0], root)
            yield corpus


@app.command("check")
def check(
    question: Annotated[str, typer.Argument(help="The question, in English or Chinese.")],
    terms: Annotated[Path, typer.Option(metavar="FILE", help="A terminology of taiyi terms build.")],
    lang: Annotated[
        Literal["en", "zh", "auto"], typer.Option(help="The language of the question, for what is said.")
    ] = "auto",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print flags (span, text, kind, nearest, ending) and the notice as JSON.")
    ] = False,
) -> None:
    """Say which terms of a question are unknown and near to known names. Nothing is flagged: exit 0 too.

    Example: taiyi terms check "Please introduce the octacyclines among antibiotics" --terms names.terms
    """
    from taiyi.knowledge.terms.checking import CHECKED_CHARS, Terms, notice
    from taiyi.text import language

    if not question.strip():
        raise TaiyiError("the question is empty")
    if len(question) > CHECKED_CHARS:
        typer.secho(f"the first {CHECKED_CHARS:,} characters are checked", fg="yellow", err=True)
    opened = Terms.open(terms)
    found = opened.check(question)
    said = notice(found, language(question) if lang == "auto" else lang)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode({"flags": found, "notice": said})).decode())
        return
    for flag in found:
        near = [f"{n.name} ({', '.join([f'{n.similarity:.2f}', *n.concepts])})" for n in flag.nearest]
        typer.echo(f"{flag.span.start}-{flag.span.end}  {flag.kind}  {flag.text}: {', '.join(near)}")
    typer.echo(said or "nothing is flagged")
