"""Packing does not contaminate: packed logits equal unpacked ones, for every architecture that is offered."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from taiyi.errors import ModelError
from taiyi.train import attention
from taiyi.train.loss import check_head

SIZE: dict[str, Any] = {
    "vocab_size": 97, "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "intermediate_size": 64, "max_position_embeddings": 256,
}  # fmt: skip
MODELS: dict[str, tuple[Any, Any]] = {
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(**SIZE)),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config(**SIZE, head_dim=12)),
    "llama": (LlamaForCausalLM, LlamaConfig(**SIZE)),
    "mistral": (MistralForCausalLM, MistralConfig(**SIZE)),
}
LENGTHS = [5, 40, 41, 1, 17, 90]


def build(name: str) -> PreTrainedModel:
    kind, config = MODELS[name]
    torch.manual_seed(0)
    return kind(copy.deepcopy(config)).eval()


def rows(positions: str) -> list[tuple[Tensor, Tensor]]:
    made = torch.Generator().manual_seed(1)
    found: list[tuple[Tensor, Tensor]] = []
    for length in LENGTHS:
        places = torch.arange(length)
        if positions == "aligned":
            # The second half takes the positions of the first again, as an answer takes those of its source.
            places[length // 2 :] -= length // 2
        found.append((torch.randint(0, 97, (length,), generator=made), places))
    return found


def unpacked(model: PreTrainedModel, ids: Tensor, positions: Tensor) -> Tensor:
    # Without a mask transformers takes positions that fall back for packed rows, and cuts what is one row.
    return model(input_ids=ids[None], position_ids=positions[None], attention_mask=torch.ones(1, len(ids))).logits[0]


def packed(model: PreTrainedModel, parts: list[tuple[Tensor, Tensor]], **kwargs: Any) -> Tensor:
    ids, positions = (torch.cat(x)[None] for x in zip(*parts, strict=True))
    return model(input_ids=ids, position_ids=positions, use_cache=False, **kwargs).logits[0]


def edges(parts: list[tuple[Tensor, Tensor]]) -> Tensor:
    return torch.tensor([0, *torch.tensor([len(ids) for ids, _ in parts]).cumsum(0).tolist()], dtype=torch.int32)


@pytest.mark.parametrize("positions", ["plain", "aligned"])
@pytest.mark.parametrize("name", MODELS)
def test_packed_logits_and_gradients_equal_unpacked_ones(name: str, positions: str) -> None:
    model, parts = build(name), rows(positions)

    def gradients(logits: Tensor) -> list[Tensor]:
        model.zero_grad()
        logits.square().sum().backward()
        return [p.grad.clone() for p in model.parameters() if p.grad is not None]

    alone = torch.cat([unpacked(model, *part) for part in parts])
    expected = gradients(alone)
    attention.use(model)
    together = packed(model, parts, cu_seq_lens_q=edges(parts))
    assert (together - alone).abs().max() < 1e-4
    for found, wanted in zip(gradients(together), expected, strict=True):
        assert (found - wanted).abs().max() < 1e-3 * max(1.0, float(wanted.abs().max()))


def test_without_lengths_rows_would_contaminate_each_other() -> None:
    model, parts = build("qwen3"), rows("plain")
    alone = torch.cat([unpacked(model, *part) for part in parts])
    ones = torch.ones(1, sum(LENGTHS))
    assert (packed(model, parts, attention_mask=ones) - alone).abs().max() > 0.1
    attention.use(model)
    with pytest.raises(ModelError, match="needs the lengths"):
        packed(model, parts)


def test_the_check_catches_rows_that_see_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    original = attention.group
    monkeypatch.setattr(attention, "group", lambda edges: original(edges[[0, -1]]))
    with pytest.raises(ModelError, match="influence each other"):
        attention.use(build("qwen3"))


@settings(max_examples=50)
@given(st.lists(st.integers(1, 200), min_size=1, max_size=20))
def test_layout_holds_every_token_once(lengths: list[int]) -> None:
    plan = attention.group(torch.tensor([0, *torch.tensor(lengths).cumsum(0).tolist()], dtype=torch.int32))
    total = sum(lengths)
    assert plan.take[plan.put].tolist() == list(range(total))
    assert int((~plan.padding).sum()) == total
    assert sum(r * w for r, w in plan.shapes) == len(plan.take)
    assert plan.longest == max(lengths)


def test_a_row_beyond_the_attention_window_is_refused() -> None:
    torch.manual_seed(0)
    model = MistralForCausalLM(MistralConfig(**SIZE, sliding_window=32)).eval()
    attention.use(model)
    with pytest.raises(ModelError, match="attention window"):
        packed(model, rows("plain"), cu_seq_lens_q=edges(rows("plain")))


def test_heads_that_change_logits_are_refused() -> None:
    model = build("llama")
    check_head(model)
    model.config.final_logit_softcapping = 30.0
    with pytest.raises(ModelError, match="computes logits"):
        check_head(model)
