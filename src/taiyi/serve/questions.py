"""Questions to a model, and their answers: those that can be are asked together, and none keeps others from its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from taiyi.errors import TaiyiError
from taiyi.use.extraction import Kind
from taiyi.use.results import Extraction, Said
from taiyi.use.saying import Ask
from taiyi.use.taiyi import Asks, Taiyi

T = TypeVar("T")


class Extract(NamedTuple):
    """What is found in a text; attributes are the arguments of `Taiyi.extract`.

    Attributes:
        types: names, each with its definition or without one.
    """

    text: str
    types: tuple[tuple[str, str], ...] = ()
    what: Kind = "entities"
    lang: Asks = "auto"
    like: str = ""
    window: int | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """What is said of a text, or answered to a question.

    Attributes:
        make: what `Taiyi.each` is asked, such as `lambda taiyi: taiyi.classifying(labels)(text)`.
        num_chars: how long the texts of the request are.
    """

    make: Callable[[Taiyi], Ask]
    num_chars: int = 0


Question = Extract | Say
Answer = Extraction | Said


def num_chars(question: Question) -> int:
    """Return how much work a question is, as the characters that are read for it."""
    return len(question.text) if isinstance(question, Extract) else question.num_chars


def answered(taiyi: Taiyi, questions: Sequence[Question]) -> Iterator[tuple[int, Answer | Exception]]:
    """Yield the answer to each question with its number, or why there is none; what is sooner done comes sooner.

    Questions of a kind are asked together. Where that fails each is asked by itself, so that one of them cannot fail
    the others.
    """
    asks: dict[str, dict[int, Ask]] = {"weighed": {}, "several": {}, "text": {}}
    texts: dict[Extract, dict[int, str]] = {}
    for number, question in enumerate(questions):
        if isinstance(question, Extract):
            # All but the text is how it is asked for.
            texts.setdefault(question._replace(text=""), {})[number] = question.text
            continue
        try:
            ask = question.make(taiyi)
        except Exception as error:
            yield number, error
            continue
        if ask.error is not None:
            yield number, ask.error
        else:
            asks["weighed" if ask.how in ("each", "one") else ask.how][number] = ask
    yield from _each(asks["weighed"], taiyi.each)
    for how, of in texts.items():
        yield from _each(of, lambda some, how=how: _extracted(taiyi, some, how))
    yield from _each(asks["several"], taiyi.each)
    yield from _each(asks["text"], taiyi.each)


def _extracted(taiyi: Taiyi, texts: Iterable[str], how: Extract) -> Iterator[Extraction]:
    defined = any(meaning for _, meaning in how.types)
    types: Mapping[str, str] | Sequence[str] = dict(how.types) if defined else [name for name, _ in how.types]
    return taiyi.extract_all(texts, types, what=how.what, lang=how.lang, like=how.like, window=how.window)


def _each(
    items: Mapping[int, T], answer: Callable[[Iterable[T]], Iterator[Answer]]
) -> Iterator[tuple[int, Answer | Exception]]:
    """Answer items together, and each by itself where that fails."""
    if not items:
        return
    try:
        found = list(answer(items.values()))
        if len(found) != len(items):
            raise RuntimeError(f"{len(items)} were asked, and {len(found)} answered")
    except Exception as error:
        if len(items) == 1:
            yield next(iter(items)), error
            return
        for number, item in items.items():
            yield from _each({number: item}, answer)
        return
    for number, one in zip(items, found, strict=True):
        yield number, TaiyiError(one.fault) if one.fault else one
