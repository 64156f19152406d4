"""Optimizers and learning-rate schedules of a stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR
from transformers import get_scheduler

from taiyi.train.settings import StageSettings
from taiyi.train.spelling import PREFIX, Spelling
from taiyi.train.world import put

_BETAS = (0.9, 0.95)


class Joined(Optimizer):
    """Several optimizers as one; a weight may be in the hands of two, which then hold things of different names."""

    def __init__(self, *parts: Optimizer) -> None:
        self.parts = parts
        weights = (p for part in parts for group in part.param_groups for p in group["params"])
        super().__init__(list(dict.fromkeys(weights)), {})
        # The groups of the parts are those of the whole, so that a schedule reaches them.
        self.param_groups = list(chain.from_iterable(part.param_groups for part in parts))

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        loss = None if closure is None else closure()
        for part in self.parts:
            part.step()
        return loss


def states(optimizer: Optimizer) -> dict[Tensor, dict[str, Any]]:
    """Return what an optimizer holds of each weight; nothing of those that it has not changed yet."""
    held: dict[Tensor, dict[str, Any]] = {}
    for part in _parts(optimizer):
        for p in chain.from_iterable(group["params"] for group in part.param_groups):
            held.setdefault(p, {}).update(part.state.get(p, {}))
    return held


def fill(optimizer: Optimizer, held: Mapping[Tensor, Mapping[str, Any]]) -> None:
    """Give an optimizer what it held of each weight, as whole tensors."""
    for part in _parts(optimizer):
        of_ngrams = isinstance(part, Spelling)
        for p in chain.from_iterable(group["params"] for group in part.param_groups):
            own = {key: value for key, value in held[p].items() if key.startswith(PREFIX) == of_ngrams}
            if own:
                part.state[p] = {key: _placed(value, p) for key, value in own.items()}


def _parts(optimizer: Optimizer) -> tuple[Optimizer, ...]:
    return optimizer.parts if isinstance(optimizer, Joined) else (optimizer,)


def _placed(value: Any, p: Tensor) -> Any:
    """Return what is held of a weight as the weight itself lies: moments are spread with it, counts are not."""
    if not isinstance(value, Tensor) or value.shape != p.shape:
        # Fused optimizers count their steps on the device.
        # A copy, which does not keep the file of a checkpoint mapped.
        return value.to(p.device, copy=True) if isinstance(value, Tensor) else value
    placed = torch.empty_like(p, dtype=value.dtype)
    put(placed, value)
    return placed


def _adamw(params: list[Tensor], learning_rate: float, weight_decay: float) -> AdamW:
    # Norms and biases are not drawn towards 0.
    groups = [
        {"params": [p for p in params if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in params if p.ndim <= 1], "weight_decay": 0.0},
    ]
    # Fused: one pass over weights, gradients and moments instead of a dozen.
    return AdamW([g for g in groups if g["params"]], lr=learning_rate, betas=_BETAS, fused=True)


def optimizer(model: nn.Module, settings: StageSettings, spelled: tuple[Tensor, Tensor] | None = None) -> Optimizer:
    """Return the optimizer of a stage over the weights of a model that learn.

    Args:
        spelled: the embeddings that learn by spelling too, and the features of their tokens (`spelling.features`).
    """
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    rate, decay = settings.learning_rate, settings.weight_decay
    others_rate = settings.embedding_learning_rate or rate
    parts: list[Optimizer] = []
    if settings.optimizer == "muon":
        # Embeddings and the head look up rows rather than map vectors: Muon is not for them.
        def matrix(name: str, p: Tensor) -> bool:
            return p.ndim == 2 and "embed" not in name and "lm_head" not in name

        matrices = [p for name, p in named if matrix(name, p)]
        if matrices:
            # Muon's updates are scaled to the size that AdamW's have ("Muon is Scalable for LLM Training", arXiv
            # 2502.16982), so that one learning rate serves both.
            muon = torch.optim.Muon(matrices, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
            parts.append(muon)
        named = [(name, p) for name, p in named if not matrix(name, p)]
    if named:
        parts.append(_adamw([p for _, p in named], others_rate, decay))
    if spelled is not None:
        parts.append(Spelling(*spelled, learning_rate=others_rate, betas=_BETAS))
    return parts[0] if len(parts) == 1 else Joined(*parts)


def schedule(optimizer: Optimizer, settings: StageSettings, steps: int, at: int = 0) -> LambdaLR:
    """Return the learning-rate schedule over a number of steps, of which `at` are done."""
    warmup = round(settings.warmup_ratio * steps)
    if settings.schedule == "wsd":
        decay = min(max(1, round(settings.decay_share * steps)), steps - warmup)
        made = get_scheduler(
            "warmup_stable_decay",
            optimizer,
            num_warmup_steps=warmup,
            num_training_steps=steps,
            scheduler_specific_kwargs={"num_decay_steps": decay, "decay_type": "linear"},
        )
    else:
        made = get_scheduler(settings.schedule, optimizer, num_warmup_steps=warmup, num_training_steps=steps)
    found = cast(LambdaLR, made)
    if at:
        found.last_epoch = at
        rates = [base * rate(at) for base, rate in zip(found.base_lrs, found.lr_lambdas, strict=True)]
        for group, lr in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = lr
        found._last_lr = rates  # pyright: ignore[reportPrivateUsage]
    return found
