"""What commands that ask a model about texts have in common: which model, which text, and in which language."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal

import regex
import typer

from taiyi.errors import TaiyiError
from taiyi.schema import Reject

if TYPE_CHECKING:
    from taiyi.use.reading import Given

_COMMA = regex.compile(r"\s*[,，、]\s*")
_BLOCK = 1 << 15
"""So many bytes of a file or of standard input are read at a time."""

ModelOption = Annotated[
    str,
    typer.Option(
        "--model", "-m", metavar="MODEL", help="A run, a folder with a model, or a hub id; mini comes with the package."
    ),
]
TextArgument = Annotated[str | None, typer.Argument(help="The text; else --file, else standard input.")]
FileOption = Annotated[
    Path | None,
    typer.Option(
        help="A text in UTF-8; or many texts: JSON lines, CSV, TSV, XLSX, Parquet, or a folder of files.", exists=True
    ),
]
LangOption = Annotated[Literal["auto", "en", "zh"], typer.Option(help="The language of the text.")]
DeviceOption = Annotated[str, typer.Option(help="cpu, cuda, or auto.")]
LikeOption = Annotated[
    str,
    typer.Option(
        metavar="CORPUS",
        help="By whose guidelines: a corpus that the model learned; else the first that has what is asked for.",
    ),
]
SourcesOption = Annotated[
    Path | None,
    typer.Option(metavar="INDEX", help="Answer from an index of `taiyi index`, with citations.", exists=True),
]
TermsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Say which terms are unknown to a terminology of `taiyi terms build`.", exists=True
    ),
]


def given(text: str | None, file: Path | None, columns: Sequence[str], id_column: str) -> Iterator[Given | Reject]:
    """Return what is given as items: those of a file, folder or table, else one text."""
    from taiyi.use.reading import Given
    from taiyi.use.reading import read as items

    if file is not None and text is None:
        return items(file, columns, id_column=id_column)
    _, blocks = read(text, file)
    return iter([Given("text", ("".join(blocks), *("" for _ in columns[1:])))])


def given_pairs(
    texts: tuple[str | None, str | None], file: Path | None, columns: Sequence[str], id_column: str
) -> Iterator[Given | Reject]:
    """Return the pairs of a file, folder or table, or the one that is given.

    Raises:
        TaiyiError: only one text is given, a file beside texts, or not two columns.
    """
    from taiyi.use.reading import Given
    from taiyi.use.reading import read as items

    first, second = texts
    if len(columns) != 2:
        raise TaiyiError("a pair has two columns", where="--column", got=len(columns))
    if file is not None and first is None:
        return items(file, columns, id_column=id_column)
    if first is None or second is None or file is not None:
        raise TaiyiError("two texts are wanted, or a file", mend="give both as arguments, or --file alone")
    return iter([Given("pair", (first, second))])


def read(text: str | None, file: Path | None) -> tuple[str, Iterator[str]]:
    """Return the beginning of what is given, and all of it, as it is read.

    Raises:
        TaiyiError: nothing is given, or it is empty or, now or later, not UTF-8.
    """
    if text is not None and file is not None:
        raise TaiyiError("a text or a file, not both")
    if text is not None:
        blocks = iter([text])
    elif file is not None:
        blocks = _decoded(file.open("rb"), file)
    elif sys.stdin.isatty():
        raise TaiyiError("no text is given", expected="a text, --file, or standard input")
    else:
        blocks = _decoded(sys.stdin.buffer, "standard input")
    begun = ""
    for block in blocks:
        begun += block
        if begun.strip():
            return begun, chain([begun], blocks)
    raise TaiyiError("the text is empty", where=file)


def _decoded(file: BinaryIO, name: object) -> Iterator[str]:
    """Read a file some of it at a time; line ends are kept as they are, so that offsets are those of the file."""
    decoder, begin = codecs.getincrementaldecoder("utf-8")(), 0
    while True:
        held = len(decoder.getstate()[0])
        raw = file.read(_BLOCK)
        try:
            yield decoder.decode(raw, final=not raw)
        except UnicodeDecodeError as error:
            raise TaiyiError(
                "not UTF-8 text",
                where=name,
                got=f"byte {begin - held + error.start}",
                mend="convert it first, Chinese ones with `iconv -f gb18030 -t utf-8`",
            ) from error
        if not raw:
            return
        begin += len(raw)


def names(given: str) -> list[str]:
    """Return the names that are given with commas between, English or Chinese, each once."""
    return list(dict.fromkeys(name for name in _COMMA.split(given.strip()) if name))
