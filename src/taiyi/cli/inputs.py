"""What commands that ask a model about texts have in common: which model, which text, and in which language."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal, NamedTuple

import regex
import typer

from taiyi import tasks
from taiyi.build.windows import windows
from taiyi.checkpoint import Checkpoint, Learned
from taiyi.errors import ModelError, RecipeError, TaiyiError, suggestion
from taiyi.schema import Lang, Span
from taiyi.tasks import Task
from taiyi.templates import Template, words

if TYPE_CHECKING:
    from taiyi.generate import LocalEngine

_HAN = regex.compile(r"\p{Han}")
_LETTER = regex.compile(r"\p{L}")
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


class Part(NamedTuple):
    """Some of a text: at which character of it this begins, and the windows of it."""

    at: int
    text: str
    windows: list[Span]


def check_learned(engine: LocalEngine, task: str, lang: Lang) -> None:
    """Raise ModelError where it is known that a model cannot do a task in a language."""
    if not engine.checkpoint.knows(task, lang):
        done = engine.checkpoint.tasks().items()
        raise ModelError(
            "the model did not learn this",
            where=engine.name,
            got=f"{task} in {lang}",
            expected=", ".join(f"{task} in {' and '.join(langs)}" for task, langs in done),
            mend="give another model with --model",
        )


def guideline(known: Checkpoint, task: str, lang: Lang, *, types: Sequence[str] = (), like: str = "") -> Learned | None:
    """Return what a model learned by whose guidelines it is asked: of the corpus that is named, else the first that has
    all types, and that prompts did not name, if there is one; None where nothing is known.

    Raises:
        RecipeError: the model learned nothing of the corpus in this task and language.
    """
    there = [one for one in known.learned if one.task == task and one.lang == lang]
    if like and like not in (one.corpus for one in there):
        known_ones = list(dict.fromkeys(one.corpus for one in there))
        raise RecipeError(
            f"the model did not learn {task} of this corpus in this language",
            where="--like",
            got=like,
            expected=", ".join(known_ones) or None,
            mend=suggestion(like, known_ones) if known_ones else "leave it out: the model names no such corpus",
        )
    wanted = {word.casefold() for word in types}
    named = [one for one in there if one.corpus == like]
    fitting = named or [one for one in there if wanted <= {shown.casefold() for shown in one.types}]
    return min(fitting, key=lambda one: bool(one.title), default=None)


def wording(task: Task, lang: Lang, like: Learned | None) -> Template:
    """Return the template of a task that the model learned, else the first, with the guidelines that are meant named as
    it learned it."""
    known = tasks.load_templates(task, lang)
    template = next((t for t in known if like and t.id == like.template), known[0])
    return template.dressed(f"{words(lang).guidelines}{like.title}\n") if like and like.title else template


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
