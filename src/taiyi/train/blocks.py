"""Causal attention of one row on a CPU in 16 bit, block by block.

The kernel of torch for CPUs computes in 32 bit whatever of a row a causal mask hides. Here each block of queries meets
the keys up to its own end alone, and all products but the scores' are in bfloat16, as kernels of accelerators have
them. From some 200 tokens on that takes about a third less time, forward and backward.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor

BLOCK = 64
"""Queries of a block: sizes are multiples of it, so that few shapes of product have to be compiled."""


def causal_attention(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    """Return the attention of a row to itself, each token to those up to it.

    Args:
        query: as [head, token, width], in 32 bit; tokens are a multiple of `BLOCK`.
        key: as [kv head, token, width], in 32 bit; each is shared by as many heads in a row.
        value: the same, in any precision.
        scale: what scores are multiplied by.

    Returns:
        As [head, token, width], in 32 bit.
    """
    return cast(Tensor, _Causal.apply(query, key, value, scale))


class _Causal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        shared, tokens, width = key.shape
        q = (query * scale).view(shared, -1, tokens, width)
        k = key.contiguous()
        v = value.to(torch.bfloat16, memory_format=torch.contiguous_format)
        heads = q.shape[1]
        later = torch.ones(BLOCK, BLOCK, dtype=torch.bool, device=q.device).triu(1)
        out = torch.empty_like(q)
        kept: list[Tensor] = []
        for start in range(0, tokens, BLOCK):
            end = start + BLOCK
            scores = torch.bmm(_block(q, start), k[:, :end].transpose(1, 2)).view(shared, heads, BLOCK, end)
            scores[..., start:].masked_fill_(later, -torch.inf)
            p = scores.softmax(-1).to(torch.bfloat16).view(shared, heads * BLOCK, end)
            out[:, :, start:end] = torch.bmm(p, v[:, :end]).view(shared, heads, BLOCK, width)
            kept.append(p)
        ctx.save_for_backward(q, k, v, out, *kept)
        ctx.scale = scale
        return out.view(-1, tokens, width)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        q, k, v, out, *kept = cast(list[Tensor], ctx.saved_tensors)
        shared, heads, tokens, width = q.shape
        q, k = q.to(torch.bfloat16), k.to(torch.bfloat16)
        of_out = grads[0].reshape(q.shape)
        # What the softmax takes off each gradient of a score (arXiv 2205.14135, section B.2).
        less = (of_out * out).sum(-1, keepdim=True).to(torch.bfloat16)
        of_out = of_out.to(torch.bfloat16)
        of_q, of_k, of_v = torch.empty_like(out), torch.zeros_like(k, dtype=out.dtype), torch.zeros_like(out[:, 0])
        for p, start in zip(kept, range(0, tokens, BLOCK), strict=True):
            end = start + BLOCK
            of_block = _block(of_out, start)
            of_v[:, :end] += torch.bmm(p.transpose(1, 2), of_block)
            of_scores = torch.bmm(of_block, v[:, :end].transpose(1, 2)).sub_(_block(less, start)).mul_(p)
            of_q[:, :, start:end] = torch.bmm(of_scores, k[:, :end]).view(shared, heads, BLOCK, width)
            of_k[:, :end] += torch.bmm(of_scores.transpose(1, 2), _block(q, start))
        return of_q.mul_(ctx.scale).view(-1, tokens, width), of_k, of_v, None


def _block(x: Tensor, start: int) -> Tensor:
    """Return a block of queries of all heads that share keys, one head after another."""
    return x[:, :, start : start + BLOCK].reshape(len(x), -1, x.shape[-1])
