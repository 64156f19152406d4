"""Attention in blocks is causal attention, but for what 16 bit rounds."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import Qwen3Config, Qwen3ForCausalLM

from taiyi.train import attention
from taiyi.train.blocks import BLOCK, causal_attention

# A number of bfloat16 has 8 bits: a rounding of up to 2 ** -9, of several numbers one after another.
ROUNDING = 0.02


def far(found: Tensor, expected: Tensor) -> float:
    """How far numbers are from what is expected of them, as a share of their size."""
    return float(((found - expected).norm() / expected.norm().clamp(min=1e-12)).detach())


def made(heads: int, kv_heads: int, tokens: int, width: int, seed: int = 0) -> list[Tensor]:
    torch.manual_seed(seed)
    return [torch.randn(n, tokens, width, requires_grad=True) for n in (heads, kv_heads, kv_heads)]


def plain(q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
    return scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True, scale=scale, enable_gqa=True)[0]


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([(1, 1), (4, 4), (6, 2), (4, 1)]), st.integers(1, 5), st.sampled_from([8, 12, 64]))
def test_values_and_gradients_are_those_of_plain_attention(heads: tuple[int, int], count: int, width: int) -> None:
    given = made(*heads, count * BLOCK, width)
    weights = torch.randn(heads[0], count * BLOCK, width)
    found, expected = (f(*given, 0.3 / math.sqrt(width)) for f in (causal_attention, plain))
    assert found.dtype == torch.float32
    assert far(found, expected) < ROUNDING
    both = [torch.autograd.grad((out * weights).sum(), given) for out in (found, expected)]
    for ours, theirs in zip(*both, strict=True):
        assert far(ours, theirs) < ROUNDING


def test_a_token_sees_none_after_it_and_every_one_before_it() -> None:
    given = made(2, 1, 3 * BLOCK, 8)
    out = causal_attention(*given, 1.0)
    for at in (0, BLOCK - 1, BLOCK, 2 * BLOCK + 5):
        _, key, value = torch.autograd.grad(out[:, at].sum(), given, retain_graph=True)
        for of in (key, value):
            assert of[:, at + 1 :].abs().max() == 0
        # With one token to see there is nothing to weigh, so its key has no gradient.
        assert value[0, : at + 1].abs().amin() > 0


def small() -> Qwen3ForCausalLM:
    torch.manual_seed(0)
    size = {"vocab_size": 97, "hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 96}
    return Qwen3ForCausalLM(Qwen3Config(**size, num_attention_heads=4, num_key_value_heads=2, head_dim=16))


def packed(model: Qwen3ForCausalLM, lengths: list[int]) -> list[Tensor]:
    """Return the hidden states of rows that are packed together, one by one."""
    edges = torch.tensor([0, *torch.tensor(lengths).cumsum(0)], dtype=torch.int32)
    ids = torch.cat([torch.arange(n) * (n + 3) % 97 for n in lengths])[None]
    positions = torch.cat([torch.arange(n) for n in lengths])[None]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = cast(Any, model).model(
            input_ids=ids, position_ids=positions, cu_seq_lens_q=edges, use_cache=False, attention_mask=None
        )
    return [out.last_hidden_state[0, a:b].float() for a, b in pairwise(edges.tolist())]


def test_long_rows_are_computed_in_blocks_and_see_no_other_row(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small()
    attention.use(model)
    calls: list[int] = []

    def counted(query: Tensor, *rest: Any) -> Tensor:
        calls.append(query.shape[1])
        return causal_attention(query, *rest)

    monkeypatch.setattr(attention, "causal_attention", counted)
    together = packed(model, [30, 250, 192, 191])
    assert sorted(calls) == [192, 192, 256, 256], "two layers, two rows of 192 tokens or more, in whole blocks"
    for n, row in zip([30, 250, 192, 191], together, strict=True):
        assert far(row, packed(model, [n])[0]) < 1e-6


def test_it_learns_what_32_bit_would() -> None:
    model = small()
    attention.use(model)

    def gradients() -> list[Tensor]:
        model.zero_grad()
        sum((row[-20:] ** 2).sum() for row in packed(model, [230, 40, 300])).backward()
        return [p.grad.clone() for p in model.parameters() if p.grad is not None]

    in_blocks = gradients()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "_MOST_IN_BLOCKS", 0)
        in_32 = gradients()
    assert max(far(a, b) for a, b in zip(in_blocks, in_32, strict=True)) < 3 * ROUNDING
    assert any(not torch.equal(a, b) for a, b in zip(in_blocks, in_32, strict=True))


def test_rows_in_32_bit_are_not_computed_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small()
    attention.use(model)

    def never(*given: Any) -> Tensor:
        raise AssertionError("32 bit was asked for")

    monkeypatch.setattr(attention, "causal_attention", never)
    model.model(
        input_ids=torch.arange(200)[None] % 97,
        position_ids=torch.arange(200)[None],
        cu_seq_lens_q=torch.tensor([0, 200], dtype=torch.int32),
        use_cache=False,
        attention_mask=None,
    )
