"""Log-probabilities of what is learned: the answers' tokens, over the legal choices where an answer has them.

The head is the largest part of a small model's arithmetic, so it is applied only where a token is learned, and only to
the choices where there are some; and of a large vocabulary to some tokens at a time, so that their logits need not be
held for the backward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, cast

import torch
from peft import PeftModel
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, embedding, pad
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from taiyi.errors import ModelError
from taiyi.train.batch import ROUND, Batch

# Settings of architectures that change logits after the head.
_LOGIT_SETTINGS = ("final_logit_softcapping", "logit_scale", "logits_scaling", "lm_head_multiplier")
_IGNORED = -100
_LOGITS = 1 << 26
"""How many logits are held at once: 256 MiB in 32 bit."""
_IN_32 = {"cpu": 1 << 19}
_IN_32_ELSEWHERE = 1 << 23
"""How many of them are in 32 bit at a time: on a CPU what its cache holds, elsewhere what keeps a device busy."""


class LogProbs(NamedTuple):
    """Log-probabilities of the targets of a batch: those over the whole vocabulary, and those among choices."""

    free: Tensor
    decided: Tensor

    def by_row(self, batch: Batch) -> Tensor:
        """Return their sums over each row."""
        sums = torch.zeros(len(batch.rows), device=self.free.device)
        return sums.index_add(0, batch.free_row, self.free).index_add(0, batch.decided_row, self.decided)


def causal_model(model: nn.Module) -> PreTrainedModel:
    """Return the language model itself, without the wrapper of adapters (which work inside its layers)."""
    inner = model.get_base_model() if isinstance(model, PeftModel) else model
    return cast(PreTrainedModel, inner)


def decoder_layers(causal: PreTrainedModel) -> list[nn.Module]:
    """Return the decoder layers of a model: the longest list of modules that it has."""
    lists = [list(m) for m in causal.modules() if isinstance(m, nn.ModuleList)]
    return max(lists, key=len, default=[])


def log_probs(model: nn.Module, batch: Batch, *, temperature: float = 1.0) -> LogProbs:
    """Return the log-probabilities of the targets of a batch that are not forced.

    Args:
        temperature: what logits are divided by.
    """
    causal = causal_model(model)
    head = cast(nn.Linear, causal.get_output_embeddings())
    hidden = _hidden(causal, batch)
    free = decided = hidden.new_zeros(0, dtype=torch.float32)
    if count := len(batch.free):
        extra = -count % ROUND
        at, targets = pad(batch.free_at, (0, extra)), pad(batch.free, (0, extra), value=_IGNORED)
        free = _free(head, hidden.index_select(0, at), targets, temperature)[:count]
    if count := len(batch.decided):
        extra = -count % ROUND
        at, choices = pad(batch.decided_at, (0, extra)), pad(batch.choices, (0, 0, 0, extra))
        logits = _among_choices(head, hidden.index_select(0, at), choices)[:count]
        masked = _tempered(logits.float(), temperature).masked_fill(batch.padding, -torch.inf)
        decided = -cross_entropy(masked, batch.decided, reduction="none")
    return LogProbs(free, decided)


def weighted(found: LogProbs, decision_weight: float) -> Tensor:
    """Return the sum of the losses of targets, those with choices weighted."""
    return -(found.free.sum() + found.decided.sum() * decision_weight)


def _free(head: nn.Linear, hidden: Tensor, targets: Tensor, temperature: float) -> Tensor:
    def part(hidden: Tensor, targets: Tensor) -> Tensor:
        return cast(Tensor, _TargetLogProbs.apply(head(hidden), targets, temperature))

    return _in_parts(part, head.out_features, hidden, targets)


class _TargetLogProbs(torch.autograd.Function):
    """Log-probabilities of targets over the whole vocabulary; 0 for those that are ignored.

    Logits are kept in their own precision, and are in 32 bit for some targets at a time alone: cross entropy by torch
    makes and fills four arrays in 32 bit of their size. What is rounded is the same.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
        at = targets.clamp(min=0)[:, None]
        counted = targets != _IGNORED
        parts = logits.split(_at_once(logits))
        sums = torch.cat([_tempered(part.float(), temperature).logsumexp(-1) for part in parts])
        ctx.save_for_backward(logits, at, sums, counted)
        ctx.temperature = temperature
        return (_tempered(logits.gather(1, at)[:, 0].float(), temperature) - sums) * counted

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        logits, at, sums, counted = cast(list[Tensor], ctx.saved_tensors)
        of_log_probs = (_tempered(grads[0], ctx.temperature) * counted)[:, None]
        of_logits = torch.empty_like(logits)
        parts = (x.split(_at_once(logits)) for x in (logits, of_logits, at, sums[:, None], of_log_probs))
        for part, out, at_part, sum_part, of_part in zip(*parts, strict=True):
            probs = _tempered(part.float(), ctx.temperature).sub(sum_part).exp_()
            out.copy_(probs.mul_(-of_part).scatter_add_(1, at_part, of_part))
        return of_logits, None, None


def _at_once(logits: Tensor) -> int:
    """Return how many targets' logits are in 32 bit at a time."""
    return max(1, _IN_32.get(logits.device.type, _IN_32_ELSEWHERE) // logits.shape[1])


def _in_parts(compute: Callable[[Tensor, Tensor], Tensor], each: int, hidden: Tensor, of: Tensor) -> Tensor:
    """Compute something of targets, some at a time, where each makes so many numbers on the way.

    What is on the way is made again in the backward pass, unless all targets fit at once.
    """
    at_once = max(1, _LOGITS // each)
    if len(of) <= at_once:
        return compute(hidden, of)
    pairs = zip(hidden.split(at_once), of.split(at_once), strict=True)
    return torch.cat([cast(Tensor, checkpoint(compute, h, o, use_reentrant=False)) for h, o in pairs])


def _tempered(logits: Tensor, temperature: float) -> Tensor:
    return logits if temperature == 1 else logits / temperature


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


def _among_choices(head: nn.Linear, hidden: Tensor, choices: Tensor) -> Tensor:
    """Return the logits of choices, as [target, choice]; each target takes weights of its own."""
    return _in_parts(partial(_choice_logits, head), choices.shape[1] * hidden.shape[1], hidden, choices)


def _choice_logits(head: nn.Linear, hidden: Tensor, choices: Tensor) -> Tensor:
    weight = embedding(choices, head.weight).to(hidden.dtype)
    logits = torch.einsum("td,tkd->tk", hidden, weight)
    bias = cast(Tensor | None, head.bias)
    return logits if bias is None else logits + bias[choices]
