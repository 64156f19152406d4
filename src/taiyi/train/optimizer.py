"""Optimizers and learning-rate schedules of a stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR
from transformers import get_scheduler

from taiyi.train.settings import StageSettings

_BETAS = (0.9, 0.95)


class MuonAdamW(Optimizer):
    """Muon for matrices and AdamW for everything else, as one optimizer.

    Muon's updates are scaled to the size that AdamW's have ("Muon is Scalable for LLM Training", arXiv 2502.16982), so
    that one learning rate serves both.
    """

    def __init__(
        self,
        matrices: Iterable[Tensor],
        others: Iterable[Tensor],
        *,
        learning_rate: float,
        others_learning_rate: float,
        weight_decay: float,
    ) -> None:
        matrices, others = list(matrices), list(others)
        self._parts: tuple[Optimizer, ...] = (
            torch.optim.Muon(matrices, lr=learning_rate, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"),
            AdamW(others, lr=others_learning_rate, weight_decay=weight_decay, betas=_BETAS),
        )
        super().__init__([*matrices, *others], {"lr": learning_rate})
        self._share()

    def _share(self) -> None:
        """Make the groups of both parts the groups of the whole, so that a schedule reaches them."""
        self.param_groups = list(chain.from_iterable(part.param_groups for part in self._parts))

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        loss = None if closure is None else closure()
        for part in self._parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        return {"parts": [part.state_dict() for part in self._parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for part, state in zip(self._parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self._share()


def optimizer(model: nn.Module, settings: StageSettings) -> Optimizer:
    """Return the optimizer of a stage over the weights of a model that learn."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    if settings.optimizer == "muon":
        # Embeddings and the head look up rows rather than map vectors: Muon is not for them.
        def matrix(name: str, p: Tensor) -> bool:
            return p.ndim == 2 and "embed" not in name and "lm_head" not in name

        return MuonAdamW(
            [p for name, p in named if matrix(name, p)],
            [p for name, p in named if not matrix(name, p)],
            learning_rate=settings.learning_rate,
            others_learning_rate=settings.embedding_learning_rate or settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
    groups = [
        {"params": [p for _, p in named if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for _, p in named if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return AdamW([g for g in groups if g["params"]], lr=settings.learning_rate, betas=_BETAS)


def schedule(optimizer: Optimizer, settings: StageSettings, steps: int) -> LambdaLR:
    """Return the learning-rate schedule over a number of steps."""
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
    return cast(LambdaLR, made)
