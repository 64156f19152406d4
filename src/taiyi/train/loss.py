"""The loss: cross-entropy of the answers' tokens, over the legal choices where an answer has them.

The head is the largest part of a small model's arithmetic, so it is applied only where a token is learned, and only to
the choices where there are some.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from peft import PeftModel
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, embedding
from transformers import PreTrainedModel

from taiyi.errors import ModelError
from taiyi.train.batch import Batch

# Settings of architectures that change logits after the head.
_LOGIT_SETTINGS = ("final_logit_softcapping", "logit_scale", "logits_scaling", "lm_head_multiplier")


def causal_model(model: nn.Module) -> PreTrainedModel:
    """Return the language model itself, without the wrapper of adapters (which work inside its layers)."""
    inner = model.get_base_model() if isinstance(model, PeftModel) else model
    return cast(PreTrainedModel, inner)


def loss(model: nn.Module, batch: Batch, *, decision_weight: float = 1.0, total: float | None = None) -> Tensor:
    """Return the mean loss over the targets of a batch that are not forced.

    Args:
        decision_weight: weight of a target with choices against one without.
        total: the weight to divide by, where the batch is part of a step; by default that of the batch.
    """
    causal = causal_model(model)
    head = cast(nn.Linear, causal.get_output_embeddings())
    hidden = _hidden(causal, batch)
    parts: list[Tensor] = []
    if len(batch.free):
        logits = head(hidden.index_select(0, batch.free_at))
        parts.append(cross_entropy(logits.float(), batch.free, reduction="sum"))
    if len(batch.decided):
        logits = _choice_logits(head, hidden.index_select(0, batch.decided_at), batch.choices)
        masked = logits.float().masked_fill(batch.padding, -torch.inf)
        parts.append(cross_entropy(masked, batch.decided, reduction="sum") * decision_weight)
    return torch.stack(parts).sum() / (batch.weight(decision_weight) if total is None else total)


def _hidden(model: PreTrainedModel, batch: Batch) -> Tensor:
    kwargs: dict[str, Any] = {"cu_seq_lens_q": batch.cu_seq_lens, "groups": batch.groups}
    output = model.base_model(
        input_ids=batch.ids, position_ids=batch.positions, attention_mask=None, use_cache=False, **kwargs
    )
    return output.last_hidden_state[0]


def check_head(model: nn.Module) -> None:
    """Raise ModelError where logits are not simply the head times the hidden states."""
    causal = causal_model(model)
    config = causal.config.get_text_config()
    odd = [name for name in _LOGIT_SETTINGS if getattr(config, name, None) not in (None, 1, 1.0)]
    if odd or not isinstance(causal.get_output_embeddings(), nn.Linear):
        raise ModelError(
            "the architecture computes logits in a way that the loss does not",
            where=causal.config.model_type,
            got=", ".join(odd) or type(causal.get_output_embeddings()).__name__,
            expected="a linear head",
            mend="use a base model such as Qwen3, Llama or Mistral",
        )


def _choice_logits(head: nn.Linear, hidden: Tensor, choices: Tensor) -> Tensor:
    weight = embedding(choices, head.weight).to(hidden.dtype)
    logits = torch.einsum("td,tkd->tk", hidden, weight)
    bias = cast(Tensor | None, head.bias)
    return logits if bias is None else logits + bias[choices]
