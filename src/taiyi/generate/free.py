"""Decoding of free answers, greedily or by chance, in batches whose rows are dropped as they finish.

Greedily, what will probably come next is fed with what was decided (`lookup`), and kept as far as the model decides the
same; what comes next under a grammar whatever the model is appended without asking it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from taiyi.encoding import Prompt
from taiyi.generate.beginnings import begun
from taiyi.generate.lookup import Lookup
from taiyi.generate.model import LanguageModel
from taiyi.generate.sampling import Sampler

if TYPE_CHECKING:
    from taiyi.generate.constrained import Constraint

_MOST_DECIDED = 512
"""After how many tokens of a batch something is decided at a time: each takes logits of the whole vocabulary."""


@dataclass(slots=True)
class _Row:
    """An answer in the making: `pending` are tokens that are decided, or of the prompt, and not yet fed."""

    index: int
    prompt: Prompt
    limit: int
    constraint: Constraint | None
    lookup: Lookup | None
    pending: list[int]
    positions: list[int]
    written: list[int] = field(default_factory=list[int])
    draft: list[int] = field(default_factory=list[int])

    def begin(self) -> None:
        """Append what the answer begins with whatever the model."""
        self._wait(self._write([]))

    def feed(self, pass_tokens: float, most: int) -> tuple[list[int], list[int]]:
        """Draft what may come next; return the tokens that are fed, and their positions."""
        self.draft = []
        if self.lookup is not None:
            self.draft = self.lookup.draft(pass_tokens, min(most, self.limit - len(self.written)))
        if self.constraint is not None:
            self.draft = self.draft[: self.constraint.allowed(self.draft)]
        end = len(self.prompt.ids) + len(self.written)
        return self.pending + self.draft, self.positions + list(range(end, end + len(self.draft)))

    def take(self, token: int, step: int) -> int | None:
        """Append a token that is decided after so many of the draft, and what comes next whatever the model.

        Return how many of the draft that is in all; None where it departs from it, so that the rest is to be forgotten.
        """
        taken = self._write([token])
        if self.draft[step : step + len(taken)] == taken:
            return step + len(taken)
        same = 0
        while self.draft[step + same : step + same + 1] == taken[same : same + 1]:
            same += 1
        self.draft = self.draft[: step + same]
        self.pending, self.positions = [], []
        self._wait(taken[same:])
        return None

    def _write(self, tokens: list[int]) -> list[int]:
        if self.constraint is not None:
            tokens = tokens + self.constraint.force(self.limit - len(self.written) - len(tokens))
        self.written += tokens
        if self.lookup is not None:
            for token in tokens:
                self.lookup.add(token)
        return tokens

    def _wait(self, tokens: list[int]) -> None:
        end = len(self.prompt.ids) + len(self.written)
        self.pending += tokens
        self.positions += range(end - len(tokens), end)


def decode(
    model: LanguageModel,
    prompts: Sequence[Prompt],
    *,
    limits: Sequence[int],
    ends: Collection[int],
    sampler: Sampler | None = None,
    constraints: Sequence[Constraint | None] | None = None,
    drafts: bool = True,
) -> Iterator[tuple[int, list[int], int | None]]:
    """Answer a batch of prompts: yield the index of a prompt, its answer, and the token that ended it, which is not in
    it; None where it was cut at its limit.

    Args:
        model: a causal language model.
        prompts: what to answer.
        limits: how many tokens each answer may have, the end token apart.
        ends: the tokens that end an answer.
        sampler: how tokens are drawn; the most probable ones are taken if not given.
        constraints: what each answer may be, where not everything; under a sampler they do not count. An answer that
            can go on no further under its constraint is cut there.
        drafts: whether what may come next is fed ahead, and kept as far as the model decides the same; answers are the
            same within the rounding of logits. Under a sampler nothing is.
    """
    # With llguidance, for which tagged answers do not wait.
    from taiyi.generate.constrained import decide

    longest = max((len(p.ids) + n for p, n in zip(prompts, limits, strict=True)), default=0)
    capacity = min(longest, max(len(p.ids) for p in prompts) + 64)
    feeding, read = begun(model, prompts, capacity=capacity)
    rows = [
        _Row(
            index=index,
            prompt=prompt,
            limit=limits[index],
            constraint=constraints[index] if constraints is not None and sampler is None else None,
            lookup=Lookup(prompt.ids) if drafts and sampler is None else None,
            pending=list(prompt.ids[count:]),
            positions=list(prompt.positions[count:]),
        )
        for index, (prompt, count) in enumerate(zip(prompts, read, strict=True))
    ]
    for row in rows:
        row.begin()
    live = set(range(len(rows)))
    while live:
        worth, most = model.pass_tokens / len(live), _MOST_DECIDED // len(live) - 1
        fed = [row.feed(worth, most) if i in live else ([], []) for i, row in enumerate(rows)]
        states = feeding.feed([tokens for tokens, _ in fed], [positions for _, positions in fed])
        # Something is decided after what was pending, and after each token of a draft.
        at = [(i, len(rows[i].pending) - 1 + j) for i in sorted(live) for j in range(len(rows[i].draft) + 1)]
        logits = states.logits(at)
        first = {i: n for n, (i, _) in reversed(list(enumerate(at)))}
        following = [(i, 0) for i in sorted(live)]
        while following:
            places = [first[i] + step for i, step in following]
            if sampler is None:
                decided = decide(logits[places], [rows[i].constraint for i, _ in following])
            else:
                drawn = [(rows[i].index, len(rows[i].written)) for i, _ in following]
                decided = logits[places].drawn(sampler.numbers(drawn), sampler.temperature)
            followed: list[tuple[int, int]] = []
            for (i, step), token in zip(following, decided, strict=True):
                row = rows[i]
                if token is None or token in ends or len(row.written) == row.limit:
                    live.discard(i)
                    yield row.index, row.written, token if token in ends else None
                    continue
                drafted = len(row.draft)
                if (after := row.take(token, step)) is not None:
                    followed.append((i, after))
                else:
                    feeding.take_back(i, drafted - len(row.draft))
            following = followed
        if live and len(live) <= len(rows) * 7 // 8:
            kept = sorted(live)
            feeding.keep(kept)
            rows = [rows[i] for i in kept]
            live = set(range(len(rows)))


def stream(model: LanguageModel, prompt: Prompt, *, limit: int, ends: Collection[int]) -> Iterator[int]:
    """Answer one prompt, token by token."""
    feeding = model.begin(1, len(prompt.ids) + min(limit, 256))
    tokens, positions = list(prompt.ids), list(prompt.positions)
    for written in range(limit):
        [token] = feeding.feed([tokens], [positions]).logits([(0, len(tokens) - 1)]).best()
        if token in ends:
            return
        yield token
        tokens, positions = [token], [len(prompt.ids) + written]
