"""Attention over packed rows: every token sees the earlier tokens of its own row and nothing else.

Registered with transformers as `taiyi_packed`. It takes the lengths from `cu_seq_lens_q`, the keyword of transformers'
own path for packed input (flash attention), so that it serves any architecture that uses the attention interface. Rows
of similar length are padded and computed together: padding on the right is never seen under a causal mask, so this is
exact. Long rows stand alone, and are computed in blocks on CPUs in 16 bit (see `blocks`). On CUDA devices, in 16 bit,
torch's own kernel for rows of varying length computes the rows as they lie.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.attention.varlen import varlen_attn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel

from taiyi.errors import ModelError
from taiyi.train.blocks import BLOCK, causal_attention

NAME = "taiyi_packed"
# A row joins a group where it adds at most this share of padding, or little enough that a call of its own costs more.
_WASTE = 0.2
_CALL_TOKENS = 24
# From this many tokens on a row stands alone, padded to whole blocks.
_ALONE = 192
# Blocks keep their probabilities, half as many as the square of the tokens; the kernel for longer rows keeps none.
_MOST_IN_BLOCKS = 1024
# What the kernel for rows of varying length (FlashAttention 2) takes: heads of so many numbers at most, in steps of 8,
# on GPUs from Ampere on.
_VARLEN_WIDTH = 256
_VARLEN_CAPABILITY = (8, 0)
# What is no more than this share of the largest value is rounding; a short convolution lets through 1e-4.
_ROUNDING = 1e-5


@dataclass(frozen=True, slots=True)
class Groups:
    """How the rows of a bin are laid out for attention: as padded batches, one after another.

    Attributes:
        shapes: rows and width of each batch.
        take: for each place of the batches, the token of the bin there (any token where there is padding).
        put: for each token of the bin, its place.
        padding: which places are padding.
        longest: tokens of the longest row.
    """

    shapes: tuple[tuple[int, int], ...]
    take: Tensor
    put: Tensor
    padding: Tensor
    longest: int

    @property
    def single(self) -> bool:
        """Whether the bin is one row, so that there is nothing to lay out."""
        return self.shapes == ((1, len(self.put)),)


def group(cu_seq_lens: Tensor) -> Groups:
    """Lay out rows that begin and end at `cu_seq_lens`, the longest first."""
    spans = sorted(((end - start, start) for start, end in pairwise(cu_seq_lens.tolist())), reverse=True)
    members: list[list[tuple[int, int]]] = []
    for length, start in spans:
        longest = members[-1][0][0] if members else _ALONE
        if longest < _ALONE and longest - length <= max(_WASTE * longest, _CALL_TOKENS):
            members[-1].append((length, start))
        else:
            members.append([(length, start)])
    widths: list[int] = []
    takes: list[Tensor] = []
    paddings: list[Tensor] = []
    for rows in members:
        lengths, starts = torch.tensor(rows).T[:, :, None]
        longest = rows[0][0]
        widths.append(longest if longest < _ALONE else -(-longest // BLOCK) * BLOCK)
        steps = torch.arange(widths[-1])[None, :]
        padding = steps >= lengths
        takes.append((starts + steps).masked_fill(padding, 0).flatten())
        paddings.append(padding.flatten())
    take, padding = torch.cat(takes), torch.cat(paddings)
    put = torch.empty(int((~padding).sum()), dtype=torch.long)
    put[take[~padding]] = torch.arange(len(take))[~padding]
    device = cu_seq_lens.device
    return Groups(
        tuple((len(rows), width) for rows, width in zip(members, widths, strict=True)),
        take.to(device),
        put.to(device),
        padding.to(device)[:, None],
        spans[0][0],
    )


# Indexing's own backward adds up gradients place by place, which is slow on CPUs. Here each direction is the other's
# gather.


class _Pad(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, plan: Groups) -> Tensor:
        ctx.plan = plan
        return x.index_select(0, plan.take)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        # Nothing that is kept depends on padding, so its gradient is zero and is left out.
        return grads[0].index_select(0, ctx.plan.put), None


class _Unpad(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, plan: Groups) -> Tensor:
        ctx.plan = plan
        return x.index_select(0, plan.put)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0].index_select(0, ctx.plan.take).masked_fill_(ctx.plan.padding, 0), None


def packed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    sliding_window: int | None = None,
    cu_seq_lens_q: Tensor | None = None,
    groups: Groups | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Causal attention within each row of a bin; `groups` saves laying them out again in every layer."""
    if cu_seq_lens_q is None:
        raise ModelError("packed attention needs the lengths of the rows", expected="cu_seq_lens_q")
    if any(kwargs.get(name) is not None for name in ("softcap", "s_aux", "position_bias")):
        raise ModelError(
            "the architecture changes attention scores in a way that packed attention does not compute",
            where=type(module).__name__,
            mend="use another base model",
        )
    plan = groups if groups is not None else group(cu_seq_lens_q)
    if sliding_window is not None and plan.longest > sliding_window:
        raise ModelError(
            "a row is longer than the model's attention window",
            got=plan.longest,
            expected=f"at most {sliding_window}",
            mend="set max_tokens of the stage to the window",
        )
    n, heads, kv_heads = query.shape[2], query.shape[1], key.shape[1]
    if (dtype := _varlen_dtype(query, value, dropout)) is not None:
        q, k, v = (x[0].transpose(0, 1).to(dtype) for x in (query, key, value))
        longest = plan.longest
        found = varlen_attn(
            q,
            k,
            v,
            cu_seq_lens_q,
            cu_seq_lens_q,
            longest,
            longest,
            scale=scaling,
            window_size=(-1, 0),  # causal
            enable_gqa=heads != kv_heads,
        )
        return cast(Tensor, found)[None].to(query.dtype), None
    on_cpu = query.device.type == "cpu"
    flat = [x[0].transpose(0, 1).reshape(n, -1) for x in (query, key, value)]
    if on_cpu:
        flat = [x.float() for x in flat]
    if not plan.single:
        flat = [cast(Tensor, _Pad.apply(x, plan)) for x in flat]
    sizes = [rows * width for rows, width in plan.shapes]
    outputs: list[Tensor] = []
    in_16 = torch.is_autocast_enabled("cpu") or query.dtype == torch.bfloat16
    in_blocks = on_cpu and in_16 and not dropout and query.shape[-1] == value.shape[-1]
    for (rows, width), *parts in zip(plan.shapes, *(x.split(sizes) for x in flat), strict=True):
        if in_blocks and _ALONE <= width <= _MOST_IN_BLOCKS:
            q, k, v = (x.view(width, -1, query.shape[-1]).transpose(0, 1) for x in parts)
            with torch.autocast("cpu", enabled=False):
                found = causal_attention(q, k, v, scaling if scaling is not None else q.shape[-1] ** -0.5)
            outputs.append(found.transpose(0, 1).reshape(width, -1))
            continue
        q, k, v = (
            x.view(rows, width, count, -1).transpose(1, 2)
            for x, count in zip(parts, (heads, kv_heads, kv_heads), strict=True)
        )
        # On CPUs the backward pass of this kernel is slower in 16 bit than in 32, even counting the conversions.
        with torch.autocast("cpu", enabled=False) if on_cpu else nullcontext():
            found = scaled_dot_product_attention(
                q, k, v, dropout_p=dropout, scale=scaling, is_causal=True, enable_gqa=heads != kv_heads
            )
        outputs.append(found.transpose(1, 2).reshape(rows * width, -1))
    joined = torch.cat(outputs) if len(outputs) > 1 else outputs[0]
    if not plan.single:
        joined = cast(Tensor, _Unpad.apply(joined, plan))
    return joined.view(1, n, heads, -1).to(query.dtype), None


def _varlen_dtype(query: Tensor, value: Tensor, dropout: float) -> torch.dtype | None:
    """Return the precision that the kernel for rows of varying length is to compute in; None where it cannot."""
    if query.device.type != "cuda" or dropout:
        return None
    # Norms over 32-bit weights leave queries in 32 bit under autocast.
    dtype = torch.get_autocast_dtype("cuda") if torch.is_autocast_enabled("cuda") else query.dtype
    width = query.shape[-1]
    fits = width == value.shape[-1] and width % 8 == 0 and width <= _VARLEN_WIDTH
    if not fits or dtype not in (torch.bfloat16, torch.float16):
        return None
    return dtype if torch.cuda.get_device_capability(query.device) >= _VARLEN_CAPABILITY else None


def _no_mask(*args: Any, **kwargs: Any) -> None:
    return None


AttentionInterface.register(NAME, packed_attention)
AttentionMaskInterface.register(NAME, _no_mask)


def use(model: PreTrainedModel) -> None:
    """Make a model compute packed attention.

    Raises ModelError where rows of a bin still influence each other, as in architectures that carry a state along.
    """
    try:
        model.set_attn_implementation(NAME)
        check(model)
    except ValueError as error:
        raise ModelError(
            "the architecture cannot be trained on packed rows",
            where=model.config.model_type,
            got=error,
            mend="use a base model with plain attention, such as Qwen3, Llama or Mistral",
        ) from error


def check_longest(model: PreTrainedModel, tokens: int) -> None:
    """Raise ModelError where rows of so many tokens are longer than a model's attention window or its context."""
    config = model.config.get_text_config()
    kinds = getattr(config, "layer_types", None)
    windowed = kinds is None or any("sliding" in kind for kind in kinds)
    limits = {
        "attention window": getattr(config, "sliding_window", None) if windowed else None,
        "context": getattr(config, "max_position_embeddings", None),
    }
    for name, limit in limits.items():
        if limit is not None and tokens > limit:
            raise ModelError(
                f"rows are longer than the model's {name}",
                where=config.model_type,
                got=f"up to {tokens} tokens",
                expected=f"at most {limit}",
                mend=f"set max_tokens of the stage to {limit}, and cut documents into windows (window_chars)",
            )


def check(model: PreTrainedModel) -> None:
    """Prove that what comes earlier in a bin does not change a row: the same row behind two different ones."""
    device = next(model.parameters()).device
    size = model.config.get_text_config().vocab_size
    edges = torch.tensor([0, 7, 16], dtype=torch.int32, device=device)
    positions = torch.cat([torch.arange(7), torch.arange(9)])[None].to(device)
    # Experts compute token by token, and how many tokens each has changes how its products are rounded: without them.
    experts = [module for name, module in model.named_modules() if name.endswith("experts")]
    hooks = [module.register_forward_hook(_nothing) for module in experts]
    found: list[Tensor] = []
    for first in (1, 2):
        ids = torch.arange(16, device=device)[None] * 7 % size
        ids[0, :7] = (ids[0, :7] + first) % size
        # The same random state, so that dropout does not tell the two apart; the mode of the model is left as it is,
        # since layers in 4 bit may repack their weights when it changes.
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(0)
            output = model.base_model(
                input_ids=ids, position_ids=positions, cu_seq_lens_q=edges, use_cache=False, attention_mask=None
            )
        found.append(output.last_hidden_state[0, 7:].float())
    for hook in hooks:
        hook.remove()
    if (difference := float((found[0] - found[1]).abs().max())) > _ROUNDING * float(found[0].abs().max()):
        raise ModelError(
            "rows that are packed together influence each other in this architecture",
            where=model.config.model_type,
            got=f"a difference of {difference:.2g}",
            mend="use a base model with plain attention, such as Qwen3, Llama or Mistral",
        )


def _nothing(module: nn.Module, given: object, output: object) -> object:
    """Stand in for the output of a module: zeros of its shape."""
    return torch.zeros_like(output) if isinstance(output, Tensor) else output
