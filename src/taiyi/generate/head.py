"""Logits as an architecture gives them: its head, and what it does to them afterwards.

The head is applied only where a token is decided, so not by the model itself, which would do it for every token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel

from taiyi.generate.model import Place


@torch.inference_mode()
def logits(model: PreTrainedModel, hidden: Tensor) -> Tensor:
    """Return the logits of the whole vocabulary after each hidden state, as [state, token]."""
    return _finished(model, cast(Tensor, cast(torch.nn.Module, model.get_output_embeddings())(hidden)))


@torch.inference_mode()
def logits_among(model: PreTrainedModel, hidden: Tensor, tokens: Tensor) -> Tensor:
    """Return the logits of a few tokens after each hidden state, without those of the whole vocabulary.

    Args:
        hidden: as [state, width].
        tokens: as [state, choice]; those below 0 are no choices, and have minus infinity.
    """
    head = cast(torch.nn.Linear, model.get_output_embeddings())
    at = tokens.clamp(min=0)
    found = torch.einsum("nh,nch->nc", hidden.to(head.weight.dtype), head.weight[at]).float()
    if (bias := cast(Tensor | None, head.bias)) is not None:
        found += bias[at]
    return _finished(model, found).masked_fill(tokens < 0, -torch.inf)


def _finished(model: PreTrainedModel, found: Tensor) -> Tensor:
    """Scale and cap logits as Cohere and Falcon-H1 (a factor), Granite (a divisor) and Gemma 2 (a cap) do."""
    config = model.config.get_text_config()
    for name in ("logit_scale", "lm_head_multiplier"):
        if factor := cast(float | None, getattr(config, name, None)):
            found = found * factor
    if divisor := cast(float | None, getattr(config, "logits_scaling", None)):
        found = found / divisor
    if cap := cast(float | None, getattr(config, "final_logit_softcapping", None)):
        found = torch.tanh(found / cap) * cap
    return found


@dataclass(frozen=True, slots=True)
class Logits:
    """Logits of the whole vocabulary, as [row, token]."""

    values: Tensor

    def __getitem__(self, rows: Sequence[int]) -> Logits:
        return Logits(self.values[list(rows)])

    def best(self) -> list[int]:
        return self.values.argmax(-1).tolist()

    def likeliest(self, count: int) -> list[list[int]]:
        return self.values.topk(min(count, self.values.shape[-1])).indices.tolist()

    def best_of(self, allowed: NDArray[np.bool_]) -> list[int]:
        hidden = ~torch.from_numpy(allowed).to(self.values.device)
        return self.values.masked_fill(hidden, -torch.inf).argmax(-1).tolist()

    @torch.inference_mode()
    def drawn(self, numbers: Sequence[float], temperature: float) -> list[int]:
        # As `sampling.drawn`, where the logits are: those of a large vocabulary would take long to move.
        # MPS has no doubles. In single precision the sum over a large vocabulary is right to some 1e-6.
        double = torch.float32 if self.values.device.type == "mps" else torch.float64
        sums = (self.values.float() / temperature).softmax(-1).cumsum(-1, dtype=double)
        wanted = torch.tensor(numbers, dtype=double, device=sums.device)[:, None] * sums[:, -1:]
        return torch.searchsorted(sums, wanted, right=True).clamp(max=sums.shape[-1] - 1)[:, 0].tolist()

    @torch.inference_mode()
    def log_probs(self, tokens: Sequence[int]) -> list[float]:
        values = self.values.float()
        wanted = torch.tensor(tokens, device=values.device)[:, None]
        return (values.gather(1, wanted)[:, 0] - values.logsumexp(-1)).tolist()


@dataclass(frozen=True, slots=True)
class States:
    """Hidden states over the tokens of one step, as [row, token, width]."""

    model: PreTrainedModel
    hidden: Tensor

    def logits(self, at: Sequence[Place]) -> Logits:
        return Logits(logits(self.model, self._at(at)))

    def logits_among(self, at: Sequence[Place], tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        found = logits_among(self.model, self._at(at), torch.from_numpy(tokens).to(self.hidden.device))
        return found.cpu().numpy()

    def _at(self, at: Sequence[Place]) -> Tensor:
        return self.hidden[[row for row, _ in at], [token for _, token in at]]
