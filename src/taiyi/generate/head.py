"""Logits as an architecture gives them: its head, and what it does to them afterwards.

The head is applied only where a token is decided, so not by the model itself, which would do it for every token.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor
from transformers import PreTrainedModel


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
