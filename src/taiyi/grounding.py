"""Which tokens may come next in a tagged answer: the next token of the source, an open tag, the matching close tag.

The rules are those of `tagged`, over tokens. Training takes its loss over these choices and decoding chooses among
them, so that what comes out is the source with tags in place, whatever the model. Nothing here knows of torch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from taiyi.tagged import MAX_DEPTH


class State(NamedTuple):
    """Where a tagged answer stands.

    Attributes:
        at: how many tokens of the source are copied.
        stack: the open tags, innermost last, each with `at` when it was opened.
        partial: tokens of a tag that has begun and is not complete.
        ended: whether the end token was written.
        others: the other ways to read what was written, while a token both copies the source and begins a tag.
    """

    at: int = 0
    stack: tuple[tuple[int, int], ...] = ()
    partial: tuple[int, ...] = ()
    ended: bool = False
    others: tuple[State, ...] = ()


class Placed(NamedTuple):
    """A tag of an answer: which one, and how many tokens of the source stand before it."""

    kind: Literal["open", "close"]
    tag: int
    at: int


class Grounding:
    """The choices of one tagged answer.

    Args:
        source: tokens of the source.
        opens: the tokens of each allowed open tag.
        closes: the tokens of each close tag, in the order of `opens`.
        end: the token that ends the answer.
        starts: where in the source a mention may begin; None for anywhere.
        stops: where a mention may end, beside the end of the source; None for anywhere.

    Attributes:
        opening: the tokens that open tags begin with.
    """

    def __init__(
        self,
        source: Sequence[int],
        opens: Sequence[tuple[int, ...]],
        closes: Sequence[tuple[int, ...]],
        end: int,
        *,
        starts: Collection[int] | None = None,
        stops: Collection[int] | None = None,
    ) -> None:
        self.source = tuple(source)
        self.opens = tuple(opens)
        self.closes = tuple(closes)
        self.end = end
        n = len(self.source)
        self._starts = frozenset(range(n) if starts is None else starts) - {n}
        self._stops = frozenset(range(n) if stops is None else stops) | {n}
        self._openings = tuple(tag[0] for tag in self.opens)
        self.opening = frozenset(self._openings)
        self._firsts = self.opening | {tag[0] for tag in self.closes}
        self._tag_choices: dict[tuple[int, bool], tuple[int, ...]] = {}

    def allowed(self, state: State) -> tuple[int, ...]:
        """Return the tokens that may come next, the copy (or the end) first; empty once the answer has ended."""
        if state.others:
            choices = [token for reading in _readings(state) for token in self._choices(reading)]
            return tuple(dict.fromkeys(choices))
        return self._choices(state)

    def advance(self, state: State, token: int) -> State:
        """Return the state after `token`, which must be one of `allowed`."""
        plain = not state.partial and not state.others and token not in self._firsts
        if plain and state.at < len(self.source) and token == self.source[state.at]:
            return State(state.at + 1, state.stack)
        after = [move for reading in _readings(state) for move in self._moves(reading, token)]
        if not after:
            raise ValueError(f"token {token} is not among the choices {self.allowed(state)}")
        first, *others = after
        return State(first.at, first.stack, first.partial, first.ended, tuple(others)) if others else first

    def walk(self, tokens: Iterable[int]) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield, for each token of an answer, how many tokens of the source were copied before it, and its choices."""
        state = State()
        for token in tokens:
            yield state.at, self.allowed(state)
            state = self.advance(state, token)

    def placed(self, tokens: Sequence[int]) -> list[Placed]:
        """Return the tags of a whole answer, given without its end token, in the order in which they are written."""
        ways: list[tuple[State, tuple[Placed, ...]]] = [(State(), ())]
        for token in tokens:
            ways = [(move, _trail(trail, state, move)) for state, trail in ways for move in self._moves(state, token)]
        for state, trail in ways:
            if state.at == len(self.source) and not state.stack and not state.partial:
                return list(trail)
        raise ValueError("the tokens are not a whole tagged answer of this source")

    def _choices(self, state: State) -> tuple[int, ...]:
        """The choices of one reading."""
        if state.ended:
            return ()
        if state.partial:
            n = len(state.partial)
            tags = (tag for tag, _ in self._tags(state) if tag[:n] == state.partial and len(tag) > n)
            return tuple(dict.fromkeys(tag[n] for tag in tags))
        closing = self._closing(state)
        opens = state.at in self._starts and len(state.stack) < MAX_DEPTH
        if closing < 0 and not opens:
            return (self.source[state.at],) if state.at < len(self.source) else (self.end,)
        copy = self.source[state.at : state.at + 1]
        if (tags := self._tag_choices.get((closing, opens))) is None:
            close = self.closes[closing][:1] if closing >= 0 else ()
            tags = tuple(dict.fromkeys((*close, *(self._openings if opens else ()))))
            self._tag_choices[closing, opens] = tags
        return tuple(dict.fromkeys((*copy, *tags))) if self._firsts.intersection(copy) else copy + tags

    def _moves(self, state: State, token: int) -> Iterator[State]:
        """The states that `token` leads to from one reading, the copy first."""
        if state.ended:
            return
        if not state.partial:
            if state.at < len(self.source):
                if token == self.source[state.at]:
                    yield State(state.at + 1, state.stack)
            elif token == self.end and not state.stack:
                yield State(state.at, ended=True)
        partial = (*state.partial, token)
        begun = False
        for tag, move in self._tags(state):
            if tag == partial:
                yield move
            elif tag[: len(partial)] == partial:
                begun = True
        if begun:
            yield State(state.at, state.stack, partial)

    def _closing(self, state: State) -> int:
        """The tag that may be closed here, or -1; a tag holds at least one token."""
        if state.stack and state.stack[-1][1] < state.at and state.at in self._stops:
            return state.stack[-1][0]
        return -1

    def _tags(self, state: State) -> Iterator[tuple[tuple[int, ...], State]]:
        """The tags that may be written here, each with the state after it."""
        closing = self._closing(state)
        if closing >= 0:
            yield self.closes[closing], State(state.at, state.stack[:-1])
        if state.at in self._starts and len(state.stack) < MAX_DEPTH:
            for index, tag in enumerate(self.opens):
                yield tag, State(state.at, (*state.stack, (index, state.at)))


def _readings(state: State) -> tuple[State, ...]:
    return (state, *state.others)


def _trail(trail: tuple[Placed, ...], before: State, after: State) -> tuple[Placed, ...]:
    if len(after.stack) > len(before.stack):
        return (*trail, Placed("open", after.stack[-1][0], before.at))
    if len(after.stack) < len(before.stack):
        return (*trail, Placed("close", before.stack[-1][0], before.at))
    return trail
