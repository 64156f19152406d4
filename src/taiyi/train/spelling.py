"""Spelling as a part of embeddings: tokens that share runs of characters learn together.

A token's vector is taken to be its own plus the sum of the vectors of its character n-grams, hashed into buckets, as
fastText has it for words (Bojanowski et al., 2017). The sum is linear in both, so nothing of the model changes: what
the n-grams have learned in a step is added to the embeddings of the tokens that have them. So rare tokens are near
others that are spelled like them from early on, and the model is an ordinary one when it is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import torch
import xxhash
from torch import Tensor
from torch.optim import Optimizer
from transformers import PreTrainedTokenizerFast

PREFIX = "ngram_"
"""Of the names of what `Spelling` holds of a weight."""
_BEGIN, _END = "^", "$"
_SIZES = range(2, 5)
_EPSILON = 1e-8


def ngrams(text: str) -> Iterator[str]:
    """Yield the n-grams of a token without regard to case: two to four characters, one too outside of ASCII.

    The space before a word is its beginning (`^`); where a token ends is marked too (`$`).
    """
    known = (_BEGIN + text[1:] if text.startswith(" ") else text).lower() + _END
    for size in _SIZES if text.isascii() else range(1, _SIZES.stop):
        yield from (known[at : at + size] for at in range(len(known) - size + 1))


def features(tokenizer: PreTrainedTokenizerFast, rows: int, buckets: int) -> Tensor:
    """Return which n-grams the token of each row of embeddings has, as a sparse matrix [row, bucket].

    Each has a row of length 1 where its n-grams fall into buckets of their own; those of special tokens, and of bytes
    that are no character, are empty.
    """
    tokens, columns, values = list[int](), list[int](), list[float]()
    special = set(tokenizer.all_special_ids)
    for token in range(min(rows, len(tokenizer))):
        text = "" if token in special else cast(str, tokenizer.decode([token]))
        found = {} if "\ufffd" in text or not text.strip() else dict.fromkeys(ngrams(text))
        tokens += (token for _ in found)
        columns += (xxhash.xxh3_64_intdigest(gram.encode()) % buckets for gram in found)
        values += (len(found) ** -0.5 for _ in found)
    places = torch.tensor([tokens, columns], dtype=torch.long)
    return torch.sparse_coo_tensor(places, torch.tensor(values), (rows, buckets), check_invariants=True).coalesce()


class Spelling(Optimizer):
    """Adam over the n-grams of embeddings, beside the optimizer of the embeddings themselves.

    It holds the moments of the n-grams alone: their vectors are in the embeddings.

    Args:
        embeddings: the weight, as [token, width].
        features: those of its tokens.
        learning_rate: of the n-grams.
        betas: of Adam.
    """

    def __init__(
        self, embeddings: Tensor, features: Tensor, *, learning_rate: float, betas: tuple[float, float]
    ) -> None:
        super().__init__([embeddings], {"lr": learning_rate})
        self._features = features.to(embeddings.device)
        self._back = features.t().coalesce().to(embeddings.device)
        self._betas = betas

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        group = self.param_groups[0]
        (weight,) = cast(list[Tensor], group["params"])
        if weight.grad is None:
            return
        gradient = self._back @ weight.grad
        held = self.state[weight]
        if not held:
            held[f"{PREFIX}step"] = torch.zeros(())
            held[f"{PREFIX}first"] = torch.zeros_like(gradient)
            held[f"{PREFIX}second"] = torch.zeros_like(gradient)
        step, first, second = (held[f"{PREFIX}{name}"] for name in ("step", "first", "second"))
        step += 1
        first.lerp_(gradient, 1 - self._betas[0])
        second.mul_(self._betas[1]).addcmul_(gradient, gradient, value=1 - self._betas[1])
        mean = first / (1 - self._betas[0] ** float(step))
        spread = (second / (1 - self._betas[1] ** float(step))).sqrt_()
        weight.add_(self._features @ mean.div_(spread.add_(_EPSILON)), alpha=-float(group["lr"]))
