"""Drafts of free answers: what followed when the last tokens stood before, in the prompt or in the answer itself.

Lists and JSON copy mentions from a text and repeat their own marks, so that a few tokens often tell the next ones
(prompt lookup: Yang et al., Inference with reference: lossless acceleration of large language models, 2023). A draft is
only fed ahead: what the model decides after each of its tokens is the answer, with or without it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

# By how many tokens are found again: how often the next one is that of the draft, and each further one after it.
# Counted over gold answers of BC5CDR, BioRED, CMeEE and CMeIE as lists and as JSON.
_CHANCES = {5: (0.42, 0.93), 2: (0.30, 0.75), 1: (0.28, 0.65)}


class Lookup:
    """The tokens of a prompt and of the answer to it, as far as it is written, by what stands before each.

    Args:
        tokens: of the prompt.
    """

    def __init__(self, tokens: Iterable[int]) -> None:
        self._tokens: list[int] = []
        self._after: dict[tuple[int, ...], int] = {}
        for token in tokens:
            self.add(token)

    def add(self, token: int) -> None:
        """Append a token."""
        tokens, end = self._tokens, len(self._tokens)
        # What stands before the token, under which it is found from now on: the last place counts.
        for length in _CHANCES:
            if length <= end:
                self._after[tuple(tokens[end - length :])] = end
        tokens.append(token)

    def draft(self, pass_tokens: float, most: int) -> list[int]:
        """Return what may come next: what followed the last tokens where they stood before.

        Args:
            pass_tokens: what a pass costs, in tokens that it could read instead.
            most: how many tokens there are at most.
        """
        tokens, end = self._tokens, len(self._tokens)
        for length in _CHANCES:
            if length <= end and (at := self._after.get(tuple(tokens[end - length :]))) is not None:
                found: list[int] = []
                for place in range(at, at + min(most, _worth(length, pass_tokens))):
                    # A draft may run into itself, as in a list that repeats an item.
                    found.append(tokens[place] if place < end else found[place - end])
                return found
        return []


def _worth(length: int, pass_tokens: float) -> int:
    """Return how many tokens it pays to draft: the last one is right as often as it saves more than it costs."""
    first, further = _CHANCES[length]
    gain = first * (1 + pass_tokens)
    return 0 if gain <= 1 else 1 + int(math.log(gain) / -math.log(further))
