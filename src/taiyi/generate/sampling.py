"""Tokens drawn by chance, such that an answer follows from its seed alone: not from its batch, its process or drafts.

Each place of each answer has one number of its own, from 0 up to 1, and its token is the one at which the sum of the
probabilities passes that number (inversion of the distribution function; Devroye 1986, section III.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from taiyi.generate.model import Place

_BITS = 32


@dataclass(frozen=True, slots=True)
class Chance:
    """What the randomness of one answer follows from: a seed, the id of the example and the number of the answer."""

    seed: int
    example: str
    number: int

    def at(self, place: int) -> float:
        """Return the number of a place of the answer, from 0 up to 1."""
        found = xxhash.xxh3_64_intdigest(f"{self.seed}/{self.number}/{place}/{self.example}".encode())
        return (found >> (64 - _BITS)) / 2**_BITS


@dataclass(frozen=True, slots=True)
class Sampler:
    """How the tokens of a batch are drawn.

    Attributes:
        temperature: what logits are divided by.
        chances: of each row.
    """

    temperature: float
    chances: Sequence[Chance]

    def numbers(self, places: Sequence[Place]) -> list[float]:
        """Return a number for each place: the row of the batch, and the place in its answer."""
        return [self.chances[row].at(place) for row, place in places]


def drawn(logits: NDArray[Any], numbers: Sequence[float], temperature: float) -> list[int]:
    """Return the index of a token for each row of logits, as [row, token]; minus infinity is never drawn."""
    scaled = logits.astype(np.float64) / temperature
    sums = np.exp(scaled - scaled.max(-1, keepdims=True)).cumsum(-1)
    # To the right of equal sums, so that a token without probability is never chosen.
    return (sums <= np.array(numbers)[:, None] * sums[:, -1:]).sum(-1).tolist()
