"""Tokens drawn by chance, such that an answer follows from its seed alone: not from its batch, its process or drafts.

Each place of each answer has one number of its own, from 0 up to 1, and its token is the one at which the sum of the
probabilities passes that number (inversion of the distribution function; Devroye 1986, section III.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import xxhash
from torch import Tensor

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

    @torch.inference_mode()
    def pick(self, logits: Tensor, places: Sequence[tuple[int, int]]) -> Tensor:
        """Return the index of a token for each row of logits, as [row, 1].

        Args:
            logits: as [row, token]; those of tokens that may not come are minus infinity.
            places: for each row of logits the row of the batch, and the place in its answer.
        """
        # MPS has no doubles. In single precision the sum over a large vocabulary is right to some 1e-6.
        double = torch.float32 if logits.device.type == "mps" else torch.float64
        sums = (logits.float() / self.temperature).softmax(-1).cumsum(-1, dtype=double)
        numbers = [self.chances[row].at(place) for row, place in places]
        wanted = torch.tensor(numbers, dtype=double, device=logits.device)[:, None] * sums[:, -1:]
        # To the right of equal sums, so that a token without probability is never chosen; in single precision the
        # product may be rounded up to the last sum.
        return torch.searchsorted(sums, wanted, right=True).clamp(max=logits.shape[-1] - 1)
