"""When torch's kernel for rows of varying length is used, and what it is given. The kernel itself needs a GPU."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from taiyi.train import attention

LENGTHS = [3, 9, 1, 6]
EDGES = torch.tensor([0, 3, 12, 13, 19], dtype=torch.int32)


def inputs(dtype: torch.dtype = torch.float32, width: int = 16) -> list[Tensor]:
    made = torch.Generator().manual_seed(0)
    return [torch.randn(1, heads, sum(LENGTHS), width, generator=made).to(dtype) for heads in (4, 2, 2)]


def test_the_kernel_is_given_rows_as_they_lie_and_gives_what_groups_give(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = inputs()
    expected, _ = attention.packed_attention(nn.Identity(), *parts, None, scaling=0.3, cu_seq_lens_q=EDGES)
    asked: list[dict[str, Any]] = []

    def kernel(
        q: Tensor, k: Tensor, v: Tensor, edges: Tensor, same: Tensor, most: int, _: int, **kwargs: Any
    ) -> Tensor:
        asked.append({"longest": most, "dtype": q.dtype, **kwargs})
        assert torch.equal(edges, same)
        rows = [slice(*pair) for pair in torch.stack([edges[:-1], edges[1:]], 1).tolist()]
        found = [
            scaled_dot_product_attention(
                *(x[row].transpose(0, 1)[None] for x in (q, k, v)),
                is_causal=True,
                scale=kwargs["scale"],
                enable_gqa=True,
            )
            for row in rows
        ]
        return torch.cat([x[0].transpose(0, 1) for x in found])

    monkeypatch.setattr(attention, "varlen_attn", kernel)
    monkeypatch.setattr(attention, "_varlen_dtype", lambda *_: torch.bfloat16)
    found, _ = attention.packed_attention(nn.Identity(), *parts, None, scaling=0.3, cu_seq_lens_q=EDGES)
    assert asked == [{"longest": 9, "dtype": torch.bfloat16, "scale": 0.3, "window_size": (-1, 0), "enable_gqa": True}]
    assert found.shape == expected.shape
    assert found.dtype == torch.float32
    assert (found - expected).abs().max() < 0.03


def on_cuda(like: Tensor) -> Any:
    """Stands for a tensor on a GPU."""

    class Tensorlike:
        device = torch.device("cuda")
        dtype = like.dtype
        shape = like.shape

    return Tensorlike()


def test_the_kernel_is_used_where_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 6))

    def choice(dtype: torch.dtype, width: int = 64, dropout: float = 0.0) -> torch.dtype | None:
        query, _, value = (on_cuda(x) for x in inputs(dtype, width))
        return attention._varlen_dtype(query, value, dropout)

    assert choice(torch.bfloat16) == torch.bfloat16
    assert choice(torch.float16) == torch.float16
    assert choice(torch.float32) is None
    assert choice(torch.bfloat16, width=20) is None
    assert choice(torch.bfloat16, width=264) is None
    assert choice(torch.bfloat16, dropout=0.1) is None
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda kind: True)
    monkeypatch.setattr(torch, "get_autocast_dtype", lambda kind: torch.bfloat16)
    assert choice(torch.float32) == torch.bfloat16
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    assert choice(torch.bfloat16) is None


def test_on_cpu_rows_are_grouped() -> None:
    query, _, value = inputs(torch.bfloat16)
    assert attention._varlen_dtype(query, value, 0.0) is None
