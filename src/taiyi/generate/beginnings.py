"""What several prompts begin with, such as a document that is asked about in parts or the examples before a question:
it is read once for all of them, where that saves more than it takes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from taiyi.encoding import Prompt
from taiyi.generate.model import LanguageModel, Rows

# Which share of its tokens a batch has to save for reading what its prompts begin with by itself. What follows is then
# read under a mask, where attention otherwise leaves out what comes later: about twice its time, which is a fifth of
# a pass at some hundred tokens.
_WORTH_SHARING = 0.25


def begun(model: LanguageModel, prompts: Sequence[Prompt], *, capacity: int) -> tuple[Rows, list[int]]:
    """Return a row for each prompt, and how many tokens of each are read; the last one of a prompt never is."""
    groups = _alike(prompts)
    saved = sum((len(group.members) - 1) * group.shared for group in groups)
    num_tokens = sum(len(prompt.ids) for prompt in prompts)
    if saved <= max(model.pass_tokens, num_tokens * _WORTH_SHARING):
        return model.begin(len(prompts), capacity), [0] * len(prompts)
    rows = model.begin(len(groups), capacity)
    first = [(prompts[group.members[0]], group.shared) for group in groups]
    rows.feed([p.ids[:count] for p, count in first], [p.positions[:count] for p, count in first])
    groups_of = {member: number for number, group in enumerate(groups) for member in group.members}
    rows.keep([groups_of[row] for row in range(len(prompts))])
    return rows, rows.lengths.copy()


class _Group(NamedTuple):
    """Prompts by their numbers, and how many tokens they begin with in common that are read together."""

    members: Sequence[int]
    shared: int


def _alike(prompts: Sequence[Prompt]) -> list[_Group]:
    """Group prompts so that reading what those of a group begin with once, in place of once for each, saves most."""
    tokens = [list(zip(prompt.ids, prompt.positions, strict=True)) for prompt in prompts]
    order = sorted(range(len(prompts)), key=tokens.__getitem__)
    # In this order those of a group are neighbours, and share what neighbours do; the last tokens are left.
    shared = [_num_shared(tokens[a], tokens[b]) for a, b in pairwise(order)]
    # The most that is saved up to each prompt, and where the last group of those then begins and what it shares.
    best: list[tuple[int, int, int]] = [(0, 0, 0)]
    for end in range(1, len(order) + 1):
        least, found = sys.maxsize, (best[end - 1][0], end - 1, 0)
        for begin in range(end - 2, -1, -1):
            least = min(least, shared[begin])
            if not least:
                break
            found = max(found, (best[begin][0] + (end - begin - 1) * least, begin, least))
        best.append(found)
    groups: list[_Group] = []
    end = len(order)
    while end:
        _, begin, count = best[end]
        groups.append(_Group(order[begin:end], count))
        end = begin
    return groups


def _num_shared(one: Sequence[object], other: Sequence[object]) -> int:
    most = min(len(one), len(other)) - 1
    return next((n for n in range(most) if one[n] != other[n]), most)
