"""Tensors that are there while a program runs, and stand-ins for what accelerators compute otherwise than CPUs.

Both serve a program on tensors without data, of which PyTorch has those of a CPU alone.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry
from transformers import AttentionInterface, AttentionMaskInterface

# Products with weights; those of attention are of batches.
_OF_WEIGHTS = {torch.ops.aten.mm, torch.ops.aten.addmm}

DEVICE_ATTENTION = "taiyi_planned"
"""The name of attention as accelerators compute it, in the table of transformers."""


class Live(TorchDispatchMode):
    """Counts the bytes of all tensors that are there, and operations of products with weights, while a program runs.

    `flops` are all of them, `flops_in_32` those whose products are computed in 32 bit.
    """

    def __init__(self, there: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
        super().__init__()
        self._known: dict[int, int] = {}
        self._kept: set[int] = set()
        self.now = self.kept = self.passing_peak = self.peak = self.flops = self.flops_in_32 = 0
        for tensor in (*there, *gradients):
            self._see(tensor)
            self._keep(tensor)
        self.peak = self.now

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        found = func(*args, **kwargs)
        if func._overloadpacket in _OF_WEIGHTS:
            count = flop_registry[func._overloadpacket]
            number = count(*args, **kwargs, out_val=found)
            self.flops += number
            if next(leaf.dtype for leaf in tree_leaves(found) if isinstance(leaf, Tensor)) == torch.float32:
                self.flops_in_32 += number
        for leaf in tree_leaves(found):
            if isinstance(leaf, Tensor):
                self._see(leaf)
        self.peak = max(self.peak, self.now)
        self.passing_peak = max(self.passing_peak, self.now - self.kept)
        return found

    def peak_since(self) -> int:
        """Return the bytes at their highest since it was last asked."""
        found, self.peak = self.peak, self.now
        return found

    def keep_gradient(self, p: Tensor) -> None:
        """Count a gradient as what stays until the update."""
        if p.grad is not None:
            self._see(p.grad)
            self._keep(p.grad)

    def _see(self, tensor: Tensor) -> None:
        storage, key = tensor.untyped_storage(), _key(tensor)
        if key not in self._known:
            self._known[key] = storage.nbytes()
            self.now += storage.nbytes()
            weakref.finalize(storage, self._drop, key)

    def _keep(self, tensor: Tensor) -> None:
        key = _key(tensor)
        if key not in self._kept:
            self._kept.add(key)
            self.kept += self._known[key]

    def _drop(self, key: int) -> None:
        size = self._known.pop(key)
        self.now -= size
        if key in self._kept:
            self._kept.discard(key)
            self.kept -= size


def _key(tensor: Tensor) -> int:
    """Return what tells the storage of a tensor from others that are there."""
    return cast(Any, tensor.untyped_storage())._cdata


# Fake tensors are those of a CPU. Where the device is another, what it computes otherwise is put in their place.


class _Flash(torch.autograd.Function):
    """Attention as accelerators compute it (arXiv 2205.14135): it keeps what goes in, what comes out, and a number for
    each head and token, and never the scores."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        out = torch.empty_like(query)
        ctx.save_for_backward(query, key, value, out, query.new_empty(query.shape[:-1], dtype=torch.float32))
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.empty_like(x) for x in ctx.saved_tensors[:3])


def _device_attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **kwargs: Any
) -> tuple[Tensor, None]:
    if torch.is_autocast_enabled("cpu"):
        query, key, value = (x.to(torch.bfloat16) for x in (query, key, value))
    return cast(Tensor, _Flash.apply(query, key, value)).transpose(1, 2).contiguous(), None


class _Dropped(torch.autograd.Function):
    """Dropout with a mask of one byte, as accelerators have it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(torch.empty_like(x, dtype=torch.bool))
        return torch.empty_like(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return torch.empty_like(grads[0])


def device_dropout(module: nn.Dropout) -> Callable[[Tensor], Tensor]:
    return lambda x: cast(Tensor, _Dropped.apply(x)) if module.p else x


def _no_mask(*args: Any, **kwargs: Any) -> None:
    return None


AttentionInterface.register(DEVICE_ATTENTION, _device_attention)
AttentionMaskInterface.register(DEVICE_ATTENTION, _no_mask)
