"""What commands that ask a model about texts have in common: which model, which text, and in which language."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import regex
import typer

from taiyi.errors import TaiyiError

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
FileOption = Annotated[Path | None, typer.Option(help="A text file in UTF-8.", exists=True, dir_okay=False)]
LangOption = Annotated[Literal["auto", "en", "zh"], typer.Option(help="The language of the text.")]
DeviceOption = Annotated[str, typer.Option(help="cpu, cuda, or auto.")]
LikeOption = Annotated[
    str,
    typer.Option(
        metavar="CORPUS",
        help="By whose guidelines: a corpus that the model learned; else the first that has what is asked for.",
    ),
]


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
                "not UTF-8 text", where=name, got=f"byte {begin - held + error.start}", mend="convert it first"
            ) from error
        if not raw:
            return
        begin += len(raw)


def names(given: str) -> list[str]:
    """Return the names that are given with commas between, English or Chinese, each once."""
    return list(dict.fromkeys(name for name in _COMMA.split(given.strip()) if name))
