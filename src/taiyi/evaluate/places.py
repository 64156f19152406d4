"""The text of a record as it was asked about, and where what an answer names stands in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from taiyi.evaluate.differences import Item, items, whole_word
from taiyi.schema import Example, Mention, Mentions, Span

MOST_PLACES = 40
"""Of a text that occurs more often the first places are of use to a reader."""


class Source(NamedTuple):
    """The text of a record.

    Attributes:
        text: as far as its examples show it; what lies between two windows is white space.
        begin: where it begins in the record, in whose offsets mentions are.
        prompts: how many prompts the record was asked in, where no example says where in its prompt the source stands:
            then the text is that of the first prompt. 0 where it is the source.
    """

    text: str
    begin: int = 0
    prompts: int = 0


def source(examples: Sequence[Example]) -> Source:
    """Put the text of a record together from its examples, which may be about windows of it or about all of it."""
    parts = [(example.offset, text) for example in examples if (text := _source(example)) is not None]
    if len(parts) < len(examples):
        prompts = dict.fromkeys("\n".join(m.content for m in example.messages) for example in examples)
        return Source(next(iter(prompts)), prompts=len(prompts))
    begin, end = min(at for at, _ in parts), max(at + len(text) for at, text in parts)
    characters = [" "] * (end - begin)
    for at, text in parts:
        characters[at - begin : at - begin + len(text)] = text
    return Source("".join(characters), begin)


def _source(example: Example) -> str | None:
    # Tagged examples of older runs do not say it twice.
    if example.tagging is not None:
        return example.tagging.source
    return None if example.source is None else example.source_text


def locate(text: str, named: Iterable[Item]) -> dict[Item, tuple[Span, ...]]:
    """Return where the first text of each item stands: at its span, or, without one, wherever it occurs as a word.

    A place within a longer one that was found is left out where there are others: `cancer` of `lung cancer` is not what
    was meant. What does not occur has no place.
    """
    found: dict[Item, tuple[Span, ...]] = {}
    searched: list[tuple[Item, list[Span]]] = []
    for item in named:
        if item.span is not None:
            found[item] = (item.span,)
        elif item.texts and (name := item.texts[0]).strip():
            places = [Span(*match.span()) for match in whole_word(name).finditer(text)] if name in text else []
            searched.append((item, places[:MOST_PLACES]))
    every = {span for _, places in searched for span in places}
    for item, places in searched:
        alone = [span for span in places if not any(_within(span, other) for other in every)]
        found[item] = tuple(alone or places)
    return found


def placed(answer: Mentions, text: str) -> tuple[Mentions, int]:
    """Return mentions that are only named wherever they stand in a text, and how many it does not have."""
    places = locate(text, items(answer) or [])
    found = (Mention(type=item.type, text=item.texts[0], span=span) for item in places for span in places[item])
    return Mentions(items=tuple(found)), sum(not spans for spans in places.values())


def _within(span: Span, other: Span) -> bool:
    return other.start <= span.start and span.end <= other.end and span != other
