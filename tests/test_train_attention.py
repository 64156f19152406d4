"""Packing does not contaminate: packed logits equal unpacked ones, for every architecture that is offered."""

from __future__ import annotations

import copy
from typing import Any, cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    Glm4Config,
    Glm4ForCausalLM,
    GptOssConfig,
    Lfm2Config,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3MoeConfig,
    Qwen3MoeForCausalLM,
    Qwen3NextConfig,
)

from taiyi.encoding import Prompt
from taiyi.errors import ModelError
from taiyi.generate import free
from taiyi.generate.torch_model import TorchModel
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
    "mistral": (MistralForCausalLM, MistralConfig(**SIZE, sliding_window=None)),
    "mistral, in a window": (MistralForCausalLM, MistralConfig(**SIZE, sliding_window=90)),
    "glm4": (Glm4ForCausalLM, Glm4Config(**SIZE, head_dim=12, pad_token_id=0, eos_token_id=1)),
    "gemma3": (
        Gemma3ForCausalLM,
        Gemma3TextConfig(
            **SIZE,
            head_dim=12,
            query_pre_attn_scalar=20,
            sliding_window=90,
            layer_types=["sliding_attention", "full_attention"],
        ),
    ),
}
# Layers that carry a state along, and scores of attention that are changed.
LINEAR: dict[str, Any] = {
    "head_dim": 12, "linear_num_key_heads": 2, "linear_num_value_heads": 2, "linear_key_head_dim": 12,
    "linear_value_head_dim": 12, "num_experts": 2, "num_experts_per_tok": 1, "moe_intermediate_size": 16,
    "shared_expert_intermediate_size": 16, "layer_types": ["linear_attention", "full_attention"],
}  # fmt: skip
REFUSED: dict[str, Any] = {
    "mamba": MambaConfig(vocab_size=97, hidden_size=48, num_hidden_layers=2, state_size=4),
    "linear attention": Qwen3NextConfig(**SIZE, **LINEAR),
    "convolution": Lfm2Config(**SIZE, layer_types=["conv", "full_attention"]),
    "soft-capped scores": Gemma2Config(**SIZE, head_dim=12),
    "attention sinks": GptOssConfig(**SIZE, head_dim=12, num_local_experts=2, num_experts_per_tok=1),
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


@pytest.mark.parametrize("name", REFUSED)
def test_what_packed_attention_would_not_compute_is_refused(name: str) -> None:
    torch.manual_seed(0)
    with pytest.raises(ModelError):
        attention.use(AutoModelForCausalLM.from_config(copy.deepcopy(REFUSED[name])))


@pytest.mark.parametrize("name", [*MODELS, "soft-capped scores", "attention sinks"])
def test_our_decoding_writes_what_generate_writes(name: str) -> None:
    torch.manual_seed(0)
    model = build(name) if name in MODELS else AutoModelForCausalLM.from_config(copy.deepcopy(REFUSED[name])).eval()
    for p in model.parameters():
        # Larger weights tell masks apart: random models hardly look at what came before.
        p.data.mul_(3) if p.dim() > 1 else None
    prompts = [ids.tolist() for ids, _ in rows("plain") if len(ids) in (5, 40, 90)]
    asked = [Prompt(ids, list(range(len(ids)))) for ids in prompts]
    written = {n: ids for n, ids, _ in free.decode(TorchModel(model), asked, limits=[8] * len(asked), ends={1})}
    for n, ids in enumerate(prompts):
        given: dict[str, Any] = {"attention_mask": torch.ones(1, len(ids)), "eos_token_id": 1, "pad_token_id": 0}
        found = model.generate(torch.tensor([ids]), max_new_tokens=8, do_sample=False, **given)[0, len(ids) :].tolist()
        assert written[n] == (found[: found.index(1)] if 1 in found else found)


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


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_experts_that_round_by_their_number_of_tokens_are_no_alarm(
    dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As products of matrices do whose rows are split otherwise; tokens that see each other still are one."""
    config = Qwen3MoeConfig(**SIZE, head_dim=12, num_experts=8, num_experts_per_tok=2, moe_intermediate_size=32)
    torch.manual_seed(0)
    model = Qwen3MoeForCausalLM(config).to(dtype)
    attention.use(model)
    experts: Any = type(cast(Any, model).model.layers[0].mlp.experts)
    computed = experts.forward

    def rounded(self: Any, hidden: Tensor, chosen: Tensor, weights: Tensor) -> Tensor:
        crowd = torch.bincount(chosen.flatten(), minlength=8)[chosen].sum(-1, keepdim=True)
        return computed(self, hidden, chosen, weights) + 0.01 * crowd.to(hidden.dtype)

    monkeypatch.setattr(experts, "forward", rounded)
    attention.check(model)
    original = attention.group
    monkeypatch.setattr(attention, "group", lambda edges: original(edges[[0, -1]]))
    with pytest.raises(ModelError, match="influence each other"):
        attention.check(model)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_in_bf16_is_no_alarm(name: str) -> None:
    attention.use(build(name).to(torch.bfloat16))


@settings(max_examples=50)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=20))
def test_layout_holds_every_token_once(lengths: list[int]) -> None:
    plan = attention.group(torch.tensor([0, *torch.tensor(lengths).cumsum(0).tolist()], dtype=torch.int32))
    total = sum(lengths)
    assert plan.take[plan.put].tolist() == list(range(total))
    assert int((~plan.padding).sum()) == total
    assert sum(r * w for r, w in plan.shapes) == len(plan.take)
    assert plan.longest == max(lengths)


@pytest.mark.parametrize("name", ["mistral, in a window", "gemma3"])
def test_a_row_beyond_the_attention_window_is_refused(name: str) -> None:
    kind, config = MODELS[name]
    config = copy.deepcopy(config)
    config.sliding_window = 89
    model = kind(config).eval()
    attention.use(model)
    with pytest.raises(ModelError, match="attention window"):
        packed(model, rows("plain"), cu_seq_lens_q=edges(rows("plain")))


def test_heads_that_change_logits_are_refused() -> None:
    model = build("llama")
    check_head(model)
    for name in MODELS:
        check_head(build(name))
    with pytest.raises(ModelError, match="final_logit_softcapping"):
        check_head(AutoModelForCausalLM.from_config(copy.deepcopy(REFUSED["soft-capped scores"])))
    model.config.final_logit_softcapping = 30.0
    with pytest.raises(ModelError, match="computes logits"):
        check_head(model)
