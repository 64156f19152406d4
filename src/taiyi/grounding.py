"""Which tokens may come next in a tagged answer: the next token of the source, an open tag, the matching close tag.

The rules are those of `tagged`, over tokens. Training takes its loss over these choices and decoding chooses among
them, so that what comes out is the source with tags in place, whatever the model. Nothing here knows of torch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
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
        self._tags = _tags(self.opens, self.closes)
        self.opening = self._tags.openings

    def allowed(self, state: State) -> tuple[int, ...]:
        """Return the tokens that may come next, the copy (or the end) first; empty once the answer has ended."""
        if state.others:
            choices = [token for reading in _readings(state) for token in self._choices(reading)]
            return tuple(dict.fromkeys(choices))
        return self._choices(state)

    def advance(self, state: State, token: int) -> State:
        """Return the state after `token`, which must be one of `allowed`."""
        plain = not state.partial and not state.others and token not in self._tags.firsts
        if plain and state.at < len(self.source) and token == self.source[state.at]:
            return State(state.at + 1, state.stack)
        after = [move for reading in _readings(state) for move in self._moves(reading, token)]
        if not after:
            raise ValueError(f"token {token} is not among the choices {self.allowed(state)}")
        first, *others = after
        return State(first.at, first.stack, first.partial, first.ended, tuple(others)) if others else first

    def walk(self, tokens: Iterable[int]) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield, for each token of an answer, how many tokens of the source were copied before it, and its choices.

        The same as `allowed` and `advance` by turns; the copies, which are most of an answer, go by without a state.
        """
        at, stack = 0, ()
        state: State | None = None
        for token in tokens:
            if state is None:
                choices = self._between(at, stack)
                yield at, choices
                if token == choices[0] and at < len(self.source) and token not in self._tags.firsts:
                    at += 1
                    continue
                state = State(at, stack)
            else:
                yield state.at, self.allowed(state)
            state = self.advance(state, token)
            if not (state.partial or state.others or state.ended):
                at, stack, state = state.at, state.stack, None

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
        if not state.partial:
            return self._between(state.at, state.stack)
        return self._tags.after(self._closing(state.at, state.stack), self._may_open(state), state.partial).choices

    def _between(self, at: int, stack: tuple[tuple[int, int], ...]) -> tuple[int, ...]:
        """The choices where no tag has begun."""
        closing = self._closing(at, stack)
        opens = at in self._starts and len(stack) < MAX_DEPTH
        copy = self.source[at : at + 1]
        if closing < 0 and not opens:
            return copy or (self.end,)
        tags = self._tags.after(closing, opens, ()).choices
        return tuple(dict.fromkeys((*copy, *tags))) if self._tags.firsts.intersection(copy) else copy + tags

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
        after = self._tags.after(self._closing(state.at, state.stack), self._may_open(state), partial)
        for tag in after.whole:
            yield State(state.at, state.stack[:-1] if tag < 0 else (*state.stack, (tag, state.at)))
        if after.choices:
            yield State(state.at, state.stack, partial)

    def _closing(self, at: int, stack: tuple[tuple[int, int], ...]) -> int:
        """The tag that may be closed here, or -1; a tag holds at least one token."""
        return stack[-1][0] if stack and stack[-1][1] < at and at in self._stops else -1

    def _may_open(self, state: State) -> bool:
        return state.at in self._starts and len(state.stack) < MAX_DEPTH


class _After(NamedTuple):
    """What follows when some tokens of a tag are written.

    Attributes:
        choices: the tokens that may come next, while the tag is not whole.
        whole: the tags that are whole now: numbers of open tags, -1 for the close tag.
    """

    choices: tuple[int, ...]
    whole: tuple[int, ...]


class _Tags:
    """The tags of answers, and what follows when some of one is written."""

    def __init__(self, opens: tuple[tuple[int, ...], ...], closes: tuple[tuple[int, ...], ...]) -> None:
        self._opens, self._closes = opens, closes
        self.openings = frozenset(tag[0] for tag in opens)
        self.firsts = self.openings | {tag[0] for tag in closes}
        self._known: dict[tuple[int, bool, tuple[int, ...]], _After] = {}

    def after(self, closing: int, opens: bool, partial: tuple[int, ...]) -> _After:
        """Return what may follow `partial` where the tag `closing` may be closed, and others opened if `opens`."""
        key = (closing, opens, partial)
        if (known := self._known.get(key)) is None:
            n = len(partial)
            tags = [(-1, self._closes[closing])] if closing >= 0 else []
            tags += enumerate(self._opens) if opens else []
            begun = [(number, tag) for number, tag in tags if tag[:n] == partial]
            known = self._known[key] = _After(
                choices=tuple(dict.fromkeys(tag[n] for _, tag in begun if len(tag) > n)),
                whole=tuple(number for number, tag in begun if len(tag) == n),
            )
        return known


@lru_cache(maxsize=256)
def _tags(opens: tuple[tuple[int, ...], ...], closes: tuple[tuple[int, ...], ...]) -> _Tags:
    """Return the tags, which the answers about one set of types share."""
    return _Tags(opens, closes)


def _readings(state: State) -> tuple[State, ...]:
    return (state, *state.others)


def _trail(trail: tuple[Placed, ...], before: State, after: State) -> tuple[Placed, ...]:
    if len(after.stack) > len(before.stack):
        return (*trail, Placed("open", after.stack[-1][0], before.at))
    if len(after.stack) < len(before.stack):
        return (*trail, Placed("close", before.stack[-1][0], before.at))
    return trail
