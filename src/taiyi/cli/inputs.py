"""What commands that ask a model about texts have in common: which model, which text, and in which language."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import regex
import typer

from taiyi.build.windows import windows
from taiyi.errors import TaiyiError
from taiyi.schema import Lang, Span

_HAN = regex.compile(r"\p{Han}")
_LETTER = regex.compile(r"\p{L}")
_BLOCK = 1 << 15
"""So many bytes of a file, or characters of standard input, are read at a time."""

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


class Part(NamedTuple):
    """Some of a text: at which character of it this begins, and the windows of it."""

    at: int
    text: str
    windows: list[Span]


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
        blocks = _decoded(file)
    elif sys.stdin.isatty():
        raise TaiyiError("no text is given", expected="a text, --file, or standard input")
    else:
        blocks = iter(lambda: sys.stdin.read(_BLOCK), "")
    begun = ""
    for block in blocks:
        begun += block
        if begun.strip():
            return begun, chain([begun], blocks)
    raise TaiyiError("the text is empty", where=file)


def _decoded(path: Path) -> Iterator[str]:
    """Read a file some of it at a time; line ends are kept as they are, so that offsets are those of the file."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        while True:
            before = file.tell() - len(decoder.getstate()[0])
            raw = file.read(_BLOCK)
            try:
                yield decoder.decode(raw, final=not raw)
            except UnicodeDecodeError as error:
                raise TaiyiError(
                    "not UTF-8 text", where=path, got=f"byte {before + error.start}", mend="convert it first"
                ) from error
            if not raw:
                return


def language(text: str, wanted: Literal["auto", "en", "zh"] = "auto") -> Lang:
    """Return the language that is wanted, else Chinese where a fifth of the letters are Han characters."""
    if wanted != "auto":
        return wanted
    return "zh" if len(_HAN.findall(text)) * 5 > len(_LETTER.findall(text)) else "en"


def parts(blocks: Iterable[str], max_chars: int) -> Iterator[Part]:
    """Cut a text into windows of whole sentences (`build.windows`) as it is read; memory does not grow with it.

    Where a window ends may follow from the sentence after the next one, so the last two wait for what comes.
    """
    at, held = 0, ""
    for block in blocks:
        held += block
        if len(found := windows(held, max_chars)) > 2:
            end = found[-2].start
            yield Part(at, held[:end], found[:-2])
            at, held = at + end, held[end:]
    if found := windows(held, max_chars):
        yield Part(at, held, found)
