"""What an encoder with a head reads and learns: texts in overlapping windows of tokens, and the targets of its head.

Nothing is truncated: a text that is longer than the encoder can read is read in windows. A mention begins and ends at
words, which are the tokens between two edges of pieces (`text.pieces`); a word is told by its first token, in the
window that shows most around it (Devlin et al., BERT, 2019).

Mentions are tagged with BIO tags, apart for each type: mentions of different types may nest or overlap in any way. Of
mentions of one type that overlap only the longest is learned and found.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import msgspec

from taiyi.schema import Span
from taiyi.text import pieces

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

OUTSIDE, BEGIN, INSIDE = 0, 1, 2
"""The tags of a word, for each type of mention."""

FILE = "head.json"

Kind = Literal["spans", "labels", "label", "value", "option"]


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What an encoder says of a text.

    Attributes:
        kind: mentions (`spans`), any number of labels (`labels`), one of them (`label`), a number from 0 to 1
            (`value`), or which of several options it goes with (`option`).
        names: the types of mentions, or the labels.
        at_least_one: of `labels`, whether there is always one.
        max_tokens: how many tokens a window has at most, special ones included.
        overlap_tokens: how many of the window before it a window has again.
    """

    kind: Kind
    names: tuple[str, ...] = ()
    at_least_one: bool = False
    max_tokens: int = 512
    overlap_tokens: int = 64

    @property
    def width(self) -> int:
        """How many numbers the head gives: for each word, or for each text."""
        return {"spans": 3 * len(self.names), "value": 1, "option": 1}.get(self.kind, len(self.names))


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a text, as learned and as predicted: what its head is for is set."""

    spans: tuple[tuple[Span, str], ...] = ()
    labels: tuple[str, ...] = ()
    value: float = 0.0
    option: int = 0


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A text or a pair of texts that an encoder is asked about, and what is to be said of it.

    Attributes:
        texts: one or two.
        options: the texts that one is chosen from; each is read after the texts, as their pair.
        gold: what is to be said.
    """

    texts: tuple[str, ...]
    options: tuple[str, ...] = ()
    gold: Found = Found()


class Word(NamedTuple):
    """A word of a text: where it begins and ends."""

    start: int
    end: int


class Window(NamedTuple):
    """A window of an item.

    Attributes:
        inputs: what the model reads, as the tokenizer gives it (`input_ids`, `attention_mask`, ...).
        option: which option it is about; 0 where there are none.
        words: of a text whose mentions are asked for, the words that begin in it.
        at: the place of the first token of each of these.
    """

    inputs: dict[str, list[int]]
    option: int = 0
    words: tuple[int, ...] = ()
    at: tuple[int, ...] = ()


class Read(NamedTuple):
    """An item as an encoder reads it.

    Attributes:
        windows: all of it.
        words: those of a text whose mentions are asked for.
    """

    windows: tuple[Window, ...]
    words: tuple[Word, ...] = ()


def read(item: Item, tokenizer: PreTrainedTokenizerFast, head: Head) -> Read:
    """Return an item in windows that hold all of it."""
    if head.kind == "spans":
        (text,) = item.texts
        words = words_of(text, tokenizer)
        return Read(tuple(_word_windows(text, words, tokenizer, head)), tuple(words))
    found: list[Window] = []
    for option, pair in enumerate(_pairs(item)):
        found += (Window(inputs, option) for inputs in _windows(*pair, tokenizer, head))
    return Read(tuple(found))


def _pairs(item: Item) -> list[tuple[str, str | None]]:
    if item.options:
        return [("\n".join(item.texts), option) for option in item.options]
    first, *others = item.texts
    return [(first, "\n".join(others) if others else None)]


# --- windows ---------------------------------------------------------------------------------------------------------


def _windows(first: str, second: str | None, tokenizer: Any, head: Head) -> Iterator[dict[str, list[int]]]:
    """Yield the windows of a text, or of a pair, of which each part is beside each part of the other."""
    if second is None:
        yield from _cut(first, None, "only_first", tokenizer, head)
        return
    counts = [len(_encode(tokenizer, text)["input_ids"]) for text in (first, second)]
    room = head.max_tokens - tokenizer.num_special_tokens_to_add(pair=True)
    # The shorter one is read whole in every window of the longer, unless it leaves too little room for that.
    longer = 0 if counts[0] > counts[1] else 1
    whole = counts[1 - longer] <= room // 2 or sum(counts) <= room
    shorter = (first, second)[1 - longer]
    for part in [shorter] if whole else _parts(shorter, room // 2, tokenizer):
        pair = (first, part) if longer == 0 else (part, second)
        yield from _cut(*pair, ("only_first", "only_second")[longer], tokenizer, head)


def _cut(first: str, second: str | None, which: str, tokenizer: Any, head: Head) -> Iterator[dict[str, list[int]]]:
    room = head.max_tokens - tokenizer.num_special_tokens_to_add(pair=second is not None)
    encoded = tokenizer(
        first,
        second,
        truncation=which,
        max_length=head.max_tokens,
        stride=min(head.overlap_tokens, room // 4),
        return_overflowing_tokens=True,
    )
    keys = [key for key in encoded if key in tokenizer.model_input_names]
    for number in range(len(encoded["input_ids"])):
        yield {key: encoded[key][number] for key in keys}


def _parts(text: str, tokens: int, tokenizer: Any) -> Iterator[str]:
    """Yield a text in parts of so many tokens."""
    offsets = _encode(tokenizer, text)["offset_mapping"]
    starts = [offsets[at][0] for at in range(0, len(offsets), tokens)]
    for start, end in zip([0, *starts[1:]], [*starts[1:], len(text)], strict=True):
        yield text[start:end]


# --- words -----------------------------------------------------------------------------------------------------------


def words_of(text: str, tokenizer: PreTrainedTokenizerFast) -> list[Word]:
    """Return the words of a text: a token that begins where a piece does begins one, and others belong to it."""
    edges = _edges(text)
    words: list[Word] = []
    for start, end in _places(text, _encode(tokenizer, text)["offset_mapping"]):
        if start in edges and (not words or start > words[-1].start):
            words.append(Word(start, end))
        elif words:
            words[-1] = Word(words[-1].start, max(words[-1].end, end))
    return words


def _encode(tokenizer: Any, text: str) -> Any:
    # Not verbose: it would warn of long texts, which are read in windows.
    return tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)


def _edges(text: str) -> set[int]:
    """Return where pieces begin, without the space before them."""
    edges: set[int] = set()
    at = 0
    for piece in pieces(text):
        edges.add(at + len(piece) - len(piece.lstrip()))
        at += len(piece)
    return edges


def _places(text: str, offsets: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield where the characters of tokens stand, without white space at their ends; none for tokens without any."""
    for start, end in offsets:
        part = text[start:end]
        if part.strip():
            yield start + len(part) - len(part.lstrip()), end - (len(part) - len(part.rstrip()))


def _word_windows(text: str, words: Sequence[Word], tokenizer: Any, head: Head) -> Iterator[Window]:
    room = head.max_tokens - tokenizer.num_special_tokens_to_add(pair=False)
    number_of = {word.start: number for number, word in enumerate(words)}
    encoded = tokenizer(
        text,
        truncation="only_first",
        max_length=head.max_tokens,
        stride=min(head.overlap_tokens, room // 4),
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
    )
    keys = [key for key in encoded if key in tokenizer.model_input_names]
    for row, offsets in enumerate(encoded["offset_mapping"]):
        at: dict[int, int] = {}
        for place, ((start, end), special) in enumerate(zip(offsets, encoded["special_tokens_mask"][row], strict=True)):
            for begin, _ in () if special else _places(text, [(start, end)]):
                if begin in number_of:
                    at.setdefault(number_of[begin], place)
        yield Window({key: encoded[key][row] for key in keys}, 0, tuple(at), tuple(at.values()))


def tags(spans: Iterable[tuple[Span, str]], words: Sequence[Word], names: Sequence[str]) -> list[list[int]]:
    """Return the tags of words, one for each type; a mention that begins or ends inside a word has all of it."""
    found = [[OUTSIDE] * len(names) for _ in words]
    starts, ends = [word.start for word in words], [word.end for word in words]
    layer = {name: number for number, name in enumerate(names)}
    for span, name in sorted(spans, key=lambda pair: (pair[0].start - pair[0].end, pair[0].start)):
        first, last = bisect_right(ends, span.start), bisect_left(starts, span.end)
        here = range(first, last)
        if name not in layer or not here or any(found[word][layer[name]] != OUTSIDE for word in here):
            continue
        for word in here:
            found[word][layer[name]] = BEGIN if word == first else INSIDE
    return found


def spans(tags: Sequence[Sequence[int]], words: Sequence[Word], names: Sequence[str]) -> list[tuple[Span, str]]:
    """Return the mentions that tags say; one that begins with an inner tag is one all the same."""
    found: list[tuple[Span, str]] = []
    for layer, name in enumerate(names):
        first: int | None = None
        for word in range(len(words) + 1):
            tag = tags[word][layer] if word < len(words) else OUTSIDE
            if first is not None and tag != INSIDE:
                found.append((Span(words[first].start, words[word - 1].end), name))
                first = None
            if first is None and tag != OUTSIDE:
                first = word
    return sorted(found)


# --- scores ----------------------------------------------------------------------------------------------------------


def score(golds: Sequence[Found], found: Sequence[Found], kind: Kind) -> float:
    """Return how well a head does, the better the higher: micro-F1 of mentions or labels, accuracy of what is one
    alone, and of numbers how near they are on average."""
    pairs = list(zip(golds, found, strict=True))
    if not pairs:
        return 0.0
    match kind:
        case "spans" | "labels":
            sets = [_sets(gold, one, kind) for gold, one in pairs]
            right = sum(len(gold & one) for gold, one in sets)
            total = sum(len(gold) + len(one) for gold, one in sets)
            return 2 * right / total if total else 1.0
        case "label":
            return sum(gold.labels == one.labels for gold, one in pairs) / len(pairs)
        case "option":
            return sum(gold.option == one.option for gold, one in pairs) / len(pairs)
        case "value":
            return 1 - sum(abs(gold.value - one.value) for gold, one in pairs) / len(pairs)


def _sets(gold: Found, found: Found, kind: Kind) -> tuple[set[Any], set[Any]]:
    if kind == "spans":
        return set(gold.spans), set(found.spans)
    return cast("tuple[set[Any], set[Any]]", (set(gold.labels), set(found.labels)))
