"""What decoding asks of a causal language model, whatever computes it.

Two things do: `torch_model`, for any architecture of transformers on any device, and `numpy_model`, for small models of
Qwen3's without torch. `loading` says which of them a model is given to.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

Place = tuple[int, int]
"""A token that was fed in a step: its row, and which of the tokens of that row it is."""


class Logits(Protocol):
    """Logits of the whole vocabulary after some tokens, wherever they are; a row for each."""

    def __getitem__(self, rows: Sequence[int]) -> Self:
        """Return some of the rows."""
        ...

    def best(self) -> list[int]:
        """Return the most probable token of each row, the first of equal ones."""
        ...

    def likeliest(self, count: int) -> list[list[int]]:
        """Return so many tokens of each row, the most probable first."""
        ...

    def best_of(self, allowed: NDArray[np.bool_]) -> list[int]:
        """Return the most probable token of each row among those that are allowed, as [row, token]."""
        ...

    def drawn(self, numbers: Sequence[float], temperature: float) -> list[int]:
        """Return a token of each row, drawn by a number from 0 up to 1 (see `sampling`)."""
        ...

    def log_probs(self, tokens: Sequence[int]) -> list[float]:
        """Return the log-probability of a token of each row."""
        ...


class States(Protocol):
    """What a model made of the tokens of one step, from which logits are computed where they are asked for."""

    def logits(self, at: Sequence[Place]) -> Logits:
        """Return the logits of the whole vocabulary after some of the tokens."""
        ...

    def logits_among(self, at: Sequence[Place], tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the logits of a few tokens after some of those that were fed, as [place, choice].

        `tokens` are, as [place, choice], those tokens; below 0 is none, and has minus infinity.
        """
        ...


class Rows(Protocol):
    """A batch of rows in the making, which a model is fed and can take back.

    Attributes:
        lengths: how many tokens each row has.
    """

    lengths: list[int]

    def feed(self, tokens: Sequence[Sequence[int]], positions: Sequence[Sequence[int]]) -> States:
        """Append tokens to each row, or none to some."""
        ...

    def take_back(self, row: int, count: int) -> None:
        """Forget the last `count` tokens of a row."""
        ...

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with some of the rows only, each as often as it is named."""
        ...


class LanguageModel(Protocol):
    """A causal language model, ready to answer.

    Attributes:
        architecture: its kind, such as `qwen3`.
        device: what computes it, such as `cpu`.
        num_parameters: how many weights it has.
        num_logits: how many tokens it rates, which may be more than its tokenizer has.
        context: how many tokens a row may have.
        ends: the tokens that its own generation ends at.
        pass_tokens: how many tokens more a pass could read in the time that another pass takes, roughly: a pass reads
            all weights, however few tokens it has. Answers do not depend on it.
    """

    @property
    def architecture(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def num_parameters(self) -> int: ...
    @property
    def num_logits(self) -> int: ...
    @property
    def context(self) -> int: ...
    @property
    def ends(self) -> Collection[int]: ...
    @property
    def pass_tokens(self) -> int: ...

    def begin(self, rows: int, capacity: int) -> Rows:
        """Return empty rows; each is likely to hold up to `capacity` tokens, and may come to hold more."""
        ...
