"""Bases: all weights, adapters, adapters over 4 bit; adapters that learn on in a next stage; merging."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from taiyi.checkpoint import Checkpoint
from taiyi.encoding import Row
from taiyi.errors import ModelError
from taiyi.train import rows as store
from taiyi.train.loop import train
from taiyi.train.merge import merge
from taiyi.train.model import load_base, scratch
from taiyi.train.settings import LoraSettings, Method, StageSettings
from taiyi.train.tokenizer import train_bpe

LORA = LoraSettings(r=4, alpha=8, dropout=0.1)
NEEDS_BITSANDBYTES = pytest.mark.skipif(not importlib.util.find_spec("bitsandbytes"), reason="needs bitsandbytes")
FOUR_BIT = pytest.param("qlora", marks=NEEDS_BITSANDBYTES)
IDS = torch.arange(5, 45)[None]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    tokenizer = train_bpe(["aspirin 阿司匹林"], vocab_size=280, tags=["<A>"])
    model = scratch(tokenizer, hidden=64, layers=2, heads=2, kv_heads=1, feed_forward=128, max_positions=128, seed=1)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> store.Rows:
    made = [
        Row(f"e{n}", ids := [(n * 7 + i * i) % 200 for i in range(20)], list(range(20)), list(range(10, 20)), [()] * 10)
        for n in range(24)
    ]
    assert len(ids) == 20
    return store.write(made, tmp_path_factory.mktemp("rows") / "rows")


def stage(method: Method, **changes: Any) -> StageSettings:
    return StageSettings(
        method=method,
        epochs=3,
        max_tokens=32,
        batch_tokens=64,
        learning_rate=1e-2,
        lora=LORA,
        save_every_steps=3,
        **changes,
    )


def logits(model: Any, ids: torch.Tensor = IDS) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(input_ids=ids).logits.float()


@pytest.mark.parametrize("method", ["lora", FOUR_BIT])
def test_an_adapter_learns_and_learns_on_in_the_next_stage(
    method: Method, base: Path, rows: store.Rows, tmp_path: Path
) -> None:
    model, tokenizer = load_base(str(base), method=method, dtype="fp32", lora=LORA)
    first = train(rows, tmp_path / "one", stage(method), model, tokenizer, Checkpoint(base=str(base)))
    assert first.losses[-1] < first.losses[0]
    assert 0 < first.trained < first.parameters
    folder = tmp_path / "one" / "model"
    assert (folder / "adapter_config.json").exists()
    again, tokenizer = load_base(str(folder), method=method, dtype="fp32", lora=LORA)
    assert isinstance(again, PeftModel)
    learning = [p for p in again.parameters() if p.requires_grad]
    assert learning and all(p.dtype == torch.float32 for p in learning)
    second = train(rows, tmp_path / "two", stage(method), again, tokenizer, Checkpoint(base=str(folder)))
    assert second.losses[0] < first.losses[0]
    assert second.losses[-1] < first.losses[-1]


def test_an_interrupted_adapter_goes_on_bit_for_bit(base: Path, rows: store.Rows, tmp_path: Path) -> None:
    def run(out: Path, stop: int | None = None) -> list[float]:
        def progress(step: Any) -> None:
            if step.step == stop:
                raise KeyboardInterrupt

        torch.manual_seed(4)  # new adapters begin at random
        model, tokenizer = load_base(str(base), method="lora", dtype="fp32", lora=LORA)
        return train(rows, out, stage("lora"), model, tokenizer, Checkpoint(), progress=progress).losses

    unbroken = run(tmp_path / "unbroken")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken", 5)
    assert run(tmp_path / "broken") == unbroken


def test_a_merged_model_is_the_base_with_its_adapter(base: Path, rows: store.Rows, tmp_path: Path) -> None:
    model, tokenizer = load_base(str(base), method="lora", dtype="fp32", lora=LORA)
    train(rows, tmp_path / "out", stage("lora"), model, tokenizer, Checkpoint(stage="one"))
    folder = merge(tmp_path / "out" / "model", tmp_path / "merged")
    assert Checkpoint.load(folder).stage == "one"
    merged = AutoModelForCausalLM.from_pretrained(folder)
    assert not (folder / "adapter_config.json").exists()
    adapted, _ = load_base(str(tmp_path / "out" / "model"), method="lora", dtype="fp32")
    assert (logits(merged) - logits(adapted)).abs().max() < 1e-4
    assert (logits(merged) - logits(load_base(str(base), method="full")[0])).abs().max() > 1e-2
    with pytest.raises(ModelError, match="no adapter"):
        merge(base, tmp_path / "nothing")


@NEEDS_BITSANDBYTES
@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_four_bit_has_the_same_gradients_after_it_was_evaluated(dtype: Any, base: Path) -> None:
    # On CPUs with bf16 a layer in 4 bit may repack its weights in eval mode, and then passes no gradient back.
    model, _ = load_base(str(base), method="qlora", dtype=dtype, lora=LORA.model_copy(update={"dropout": 0.0}))
    assert model.get_base_model().is_quantized
    for name, p in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(p, std=0.1)

    def gradients() -> dict[str, torch.Tensor]:
        model.train()
        model.zero_grad()
        model(input_ids=IDS, labels=IDS).loss.backward()
        return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}

    before = gradients()
    evaluated = logits(model)
    after = gradients()
    assert len(before) == 2 * 2 * 7
    for name, gradient in before.items():
        assert gradient.any() and torch.equal(gradient, after[name]), name
    assert torch.equal(logits(model), evaluated)


def test_four_bit_without_its_extra_names_the_extra(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n, *a: None if n == "bitsandbytes" else real(n, *a))
    with pytest.raises(ModelError, match=r"taiyi\[gpu\]"):
        load_base(str(base), method="qlora")


@pytest.mark.parametrize("wrong", ["./nowhere", "/no/such/model", "a/b/c"])
def test_a_base_that_is_not_there_is_named(wrong: str) -> None:
    with pytest.raises(ModelError, match="the base model is not there"):
        load_base(wrong, method="full")


def test_a_hub_id_that_cannot_be_had_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_base("taiyi-no-such/model", method="full")


def test_scratch_depends_on_the_seed_alone() -> None:
    tokenizer = train_bpe(["aspirin"], vocab_size=270, tags=[])
    size: dict[str, Any] = {
        "hidden": 32, "layers": 1, "heads": 2, "kv_heads": 1, "feed_forward": 48, "max_positions": 64
    }  # fmt: skip
    torch.manual_seed(9)
    state = torch.get_rng_state()
    one, two, other = (scratch(tokenizer, **size, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one.lm_head.weight, two.lm_head.weight)
    assert not torch.equal(one.lm_head.weight, other.lm_head.weight)
    assert one.lm_head.weight is one.model.embed_tokens.weight
    assert scratch(tokenizer, **size, seed=1, tie=False).lm_head.weight is not one.model.embed_tokens.weight
