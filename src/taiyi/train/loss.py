"""Log-probabilities of what is learned: the answers' tokens, over the legal choices where an answer has them.

The head is the largest part of a small model's arithmetic, so it is applied only where a token is learned, and only to
the choices where there are some; and of a large vocabulary to some tokens at a time, so that their logits need not be
held. Where all that is wanted is the sum over tokens, their gradients are computed while the logits are at hand.
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
_TARGETS = 512
"""How many targets' logits are at hand while gradients are computed: few enough for the cache of a CPU, where the
vocabulary is small, and enough that to add up the head's gradient takes little time beside computing it."""


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
    free = hidden.new_zeros(0, dtype=torch.float32)
    if count := len(batch.free):
        at, targets = _free_targets(batch)
        free = _free(head, hidden.index_select(0, at), targets, temperature)[:count]
    return LogProbs(free, _decided(head, hidden, batch, temperature))


class Learned(NamedTuple):
    """What a batch teaches: the sum of the losses of its targets, and their log-probabilities, without gradients."""

    value: Tensor
    found: LogProbs


def learned(model: nn.Module, batch: Batch, decision_weight: float) -> Learned:
    """Return the sum of the losses of the targets of a batch, those with choices weighted.

    It is the sum of what `log_probs` returns, and takes less time and memory.
    """
    causal = causal_model(model)
    head = cast(nn.Linear, causal.get_output_embeddings())
    hidden = _hidden(causal, batch)
    value, free = hidden.new_zeros((), dtype=torch.float32), hidden.new_zeros(0, dtype=torch.float32)
    if count := len(batch.free):
        at, targets = _free_targets(batch)
        taken = hidden.index_select(0, at)
        value, free = cast(tuple[Tensor, Tensor], _TargetLoss.apply(taken, head.weight, head.bias, targets))
        free = free[:count]
    decided = _decided(head, hidden, batch, 1.0)
    return Learned(value - decided.sum() * decision_weight, LogProbs(free, decided.detach()))


def _free_targets(batch: Batch) -> tuple[Tensor, Tensor]:
    """Return where the targets without choices are predicted, and which they are; as many as kernels take at best."""
    extra = -len(batch.free) % ROUND
    return pad(batch.free_at, (0, extra)), pad(batch.free, (0, extra), value=_IGNORED)


def _decided(head: nn.Linear, hidden: Tensor, batch: Batch, temperature: float) -> Tensor:
    count = len(batch.decided)
    if not count:
        return hidden.new_zeros(0, dtype=torch.float32)
    extra = -count % ROUND
    at, choices = pad(batch.decided_at, (0, extra)), pad(batch.choices, (0, 0, 0, extra))
    logits = _among_choices(head, hidden.index_select(0, at), choices)[:count]
    masked = _tempered(logits.float(), temperature).masked_fill(batch.padding, -torch.inf)
    return -cross_entropy(masked, batch.decided, reduction="none")


class _TargetLoss(torch.autograd.Function):
    """The sum of the losses of targets over the whole vocabulary, and the log-probability of each, without a gradient.

    Gradients are computed at once, of some targets at a time: their logits are then in the cache of a CPU, are held no
    longer, and need not be made again (as in Liger-Kernel, arXiv 2410.10989). What is left for the backward pass is to
    multiply them by that of the sum.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor
    ) -> tuple[Tensor, Tensor]:
        device = hidden.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else hidden.dtype
        given, by = hidden.to(dtype), weight.to(dtype)
        _, of_weight_wanted, of_bias_wanted, _ = ctx.needs_input_grad
        of_hidden = torch.empty_like(given)
        of_weight = torch.zeros_like(weight, dtype=torch.float32) if of_weight_wanted else None
        of_bias = torch.zeros_like(bias, dtype=torch.float32) if of_bias_wanted and bias is not None else None
        found = hidden.new_empty(len(targets), dtype=torch.float32)
        parts = (x.split(_TARGETS) for x in (given, found, of_hidden, targets))
        for one, out, of_one, wanted in zip(*parts, strict=True):
            logits = one @ by.t()
            if bias is not None:
                logits += bias
            _to_gradients(logits, wanted, out)
            torch.mm(logits, by, out=of_one)
            if of_weight is not None:
                of_weight += logits.t() @ one
            if of_bias is not None:
                of_bias += logits.sum(0, dtype=torch.float32)
        ctx.save_for_backward(of_hidden, of_weight, of_bias)
        ctx.dtypes = hidden.dtype, weight.dtype
        ctx.mark_non_differentiable(found)
        return -found.sum(), found

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        of_hidden, of_weight, of_bias = cast(tuple[Tensor, Tensor | None, Tensor | None], ctx.saved_tensors)
        of_input, of_head = cast(tuple[torch.dtype, torch.dtype], ctx.dtypes)
        return (
            (of_hidden * grads[0]).to(of_input),
            None if of_weight is None else of_weight.mul_(grads[0]).to(of_head),
            None if of_bias is None else of_bias.mul_(grads[0]).to(of_head),
            None,
        )


def _to_gradients(logits: Tensor, targets: Tensor, found: Tensor) -> None:
    """Write the log-probabilities of targets to `found`, and in place of logits the gradients of the sum of losses."""
    at, counted = targets.clamp(min=0)[:, None], targets != _IGNORED
    parts = (x.split(_at_once(logits)) for x in (logits, at, counted, found))
    for part, at_part, counted_part, out in zip(*parts, strict=True):
        probs = part.float()
        top = probs.amax(1, keepdim=True)
        wanted = probs.gather(1, at_part) - top
        probs.sub_(top).exp_()
        sums = probs.sum(1, keepdim=True)
        out.copy_((wanted - sums.log())[:, 0] * counted_part)
        probs.div_(sums).scatter_add_(1, at_part, -torch.ones_like(wanted))
        part.copy_(probs.mul_(counted_part[:, None]))


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
