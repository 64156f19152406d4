"""Bases: all weights, adapters, adapters over 4 bit; adapters that learn on in a next stage; merging."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import (
    AutoModelForCausalLM,
    BertConfig,
    BertForMaskedLM,
    Qwen3Model,
    Qwen3MoeConfig,
    Qwen3MoeForCausalLM,
)

import taiyi.train
from taiyi.checkpoint import Checkpoint
from taiyi.encoding import Row
from taiyi.errors import ModelError
from taiyi.train import rows as store
from taiyi.train.loop import Hooks, train
from taiyi.train.model import check_bf16, load_base, merge_adapter, scratch
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

        model, tokenizer = load_base(str(base), method="lora", dtype="fp32", lora=LORA, seed=4)
        hooks = Hooks(progress=progress)
        return train(rows, out, stage("lora"), model, tokenizer, Checkpoint(), hooks=hooks).losses

    unbroken = run(tmp_path / "unbroken")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken", 5)
    assert run(tmp_path / "broken") == unbroken


def test_a_merged_model_is_the_base_with_its_adapter(base: Path, rows: store.Rows, tmp_path: Path) -> None:
    model, tokenizer = load_base(str(base), method="lora", dtype="fp32", lora=LORA)
    train(rows, tmp_path / "out", stage("lora"), model, tokenizer, Checkpoint(stage="one"))
    folder = tmp_path / "merged"
    merge_adapter(str(tmp_path / "out" / "model"), folder)
    assert Checkpoint.load(folder).stage == "one"
    merged = AutoModelForCausalLM.from_pretrained(folder)
    assert not (folder / "adapter_config.json").exists()
    adapted, _ = load_base(str(tmp_path / "out" / "model"), method="lora", dtype="fp32")
    assert (logits(merged) - logits(adapted)).abs().max() < 1e-4
    assert (logits(merged) - logits(load_base(str(base), method="full")[0])).abs().max() > 1e-2


def adapter(base: Path, folder: Path, lora: LoraSettings = LORA, method: Method = "lora") -> Path:
    """Write an adapter that changes what its base says."""
    model, tokenizer = load_base(str(base), method=method, dtype="fp32", lora=lora)
    torch.manual_seed(2)
    for name, p in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(p, std=0.1)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_an_adapter_finds_its_base_in_a_run_that_was_moved(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = Path("runs/mine/train-one-1/model")
    shutil.copytree(base, first)
    model, _ = load_base(str(first), method="lora", lora=LORA)
    expected = logits(model)
    model.save_pretrained("runs/mine/train-two-2/model")
    Path("runs/mine").rename("moved")
    monkeypatch.chdir("/")
    found, _ = load_base(str(tmp_path / "moved" / "train-two-2" / "model"), method="lora")
    assert torch.equal(logits(found), expected)
    shutil.rmtree(tmp_path / "moved" / "train-one-1")
    with pytest.raises(ModelError, match="the base of the adapter is not there"):
        load_base(str(tmp_path / "moved" / "train-two-2" / "model"), method="lora")


@pytest.mark.parametrize("variant", ["lora", "rslora", "dora"])
def test_each_variant_learns_as_an_adapter_alone(variant: Any, base: Path) -> None:
    model, _ = load_base(str(base), method="lora", lora=LoraSettings(variant=variant, r=4, alpha=8, dropout=0))
    assert isinstance(model, PeftModel)
    learning = {name for name, p in model.named_parameters() if p.requires_grad}
    assert learning and all("lora_" in name for name in learning)
    assert any("magnitude" in name for name in learning) == (variant == "dora")
    layer: Any = model.get_base_model().model.layers[0].self_attn.q_proj
    assert layer.scaling["default"] == (4 if variant == "rslora" else 2)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    losses: list[float] = []
    for _ in range(5):
        loss = model(input_ids=IDS, labels=IDS).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss))
    assert losses[-1] < losses[0]


def test_a_new_adapter_follows_its_seed_alone(base: Path) -> None:
    def weights(seed: int) -> torch.Tensor:
        model, _ = load_base(str(base), method="lora", lora=LORA, seed=seed)
        return next(p for name, p in model.named_parameters() if "lora_A" in name)

    state = torch.get_rng_state()
    one, two, other = weights(1), weights(1), weights(2)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("method", ["lora", FOUR_BIT])
def test_a_merged_adapter_becomes_the_base_of_a_new_one(method: Method, base: Path, tmp_path: Path) -> None:
    folder = adapter(base, tmp_path / "adapter")
    other = LoraSettings(r=2, alpha=2, variant="rslora")
    given: dict[str, Any] = {"method": method, "dtype": "fp32", "lora": other, "adapter": "merge"}
    begun, _ = load_base(str(folder), merged_to=tmp_path / "merged", **given)
    assert begun.peft_config["default"].r == 2
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    before = load_base(str(folder), method="lora", dtype="fp32")[0]
    assert (logits(merged) - logits(before)).abs().max() < 1e-4
    if method == "lora":
        assert (logits(begun) - logits(before)).abs().max() < 1e-4
    # Another start takes the merged model that is there.
    (tmp_path / "adapter" / "adapter_model.safetensors").unlink()
    again, _ = load_base(str(folder), merged_to=tmp_path / "merged", **given)
    assert torch.equal(logits(again), logits(begun))


def test_all_weights_learn_after_an_adapter_was_merged(base: Path, tmp_path: Path) -> None:
    model, _ = load_base(str(adapter(base, tmp_path / "adapter")), method="full")
    assert all(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"adapter": "new"}, "cannot begin where there is one"),
        ({"adapter": "continue", "method": "full"}, "trains no adapter"),
        ({"lora": LoraSettings(r=8)}, "keeps its size.*lora.r: 8.*expected r: 4"),
        ({"lora": LoraSettings(variant="dora")}, "keeps its size"),
    ],
)
def test_an_adapter_that_is_not_what_a_stage_asks_is_refused(
    change: dict[str, Any], fault: str, base: Path, tmp_path: Path
) -> None:
    folder = adapter(base, tmp_path / "adapter")
    with pytest.raises(ModelError, match=fault):
        load_base(str(folder), **({"method": "lora"} | change))


@pytest.fixture(scope="module")
def experts(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a mixture of experts."""
    folder = tmp_path_factory.mktemp("experts")
    config = Qwen3MoeConfig(
        vocab_size=280,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        moe_intermediate_size=24,
        num_experts=4,
        num_experts_per_tok=2,
        max_position_embeddings=128,
    )
    torch.manual_seed(3)
    Qwen3MoeForCausalLM(config).float().save_pretrained(folder)
    load_base(str(base), method="full")[1].save_pretrained(folder)
    return folder


def test_adapters_of_experts_learn_and_merge_without_dropout(experts: Path, rows: store.Rows, tmp_path: Path) -> None:
    lora = LoraSettings(r=4, alpha=8, dropout=0)
    model, tokenizer = load_base(str(experts), method="lora", dtype="fp32", lora=lora)
    assert any("experts" in name for name, p in model.named_parameters() if p.requires_grad)
    settings = stage("lora").model_copy(update={"lora": lora})
    done = train(rows, tmp_path / "out", settings, model, tokenizer, Checkpoint())
    assert done.losses[-1] < done.losses[0]
    folder = tmp_path / "out" / "model"
    merge_adapter(str(folder), tmp_path / "merged")
    merged = logits(AutoModelForCausalLM.from_pretrained(tmp_path / "merged"))
    assert (merged - logits(load_base(str(folder), method="lora", dtype="fp32")[0])).abs().max() < 1e-4
    assert (merged - logits(load_base(str(experts), method="full")[0])).abs().max() > 1e-2
    with pytest.raises(ModelError, match="dropout: 0"):
        load_base(str(folder), method="lora", lora=LoraSettings(dropout=0.1))


@pytest.mark.parametrize("lora", [LoraSettings(), LoraSettings(dropout=0, variant="dora")])
def test_what_adapters_of_experts_cannot_have_is_refused_in_words(lora: LoraSettings, experts: Path) -> None:
    with pytest.raises(ModelError, match=r"does not fit the architecture.*set `dropout: 0` and `variant: lora`"):
        load_base(str(experts), method="lora", lora=lora)


def test_names_that_transformers_renamed_bring_no_warnings(base: Path, tmp_path: Path) -> None:
    folder = adapter(base, tmp_path / "adapter")
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        # Each test has filters of its own: those of the package are set as it is imported.
        importlib.reload(taiyi.train)
        load_base(str(folder), method="full")
        model: Any = load_base(str(folder), method="lora")[0].get_base_model()
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.gradient_checkpointing_disable()
        with pytest.raises(FutureWarning):
            warnings.warn("another", FutureWarning, stacklevel=1)


@pytest.mark.parametrize("use", ["continue", "merge"])
def test_there_must_be_an_adapter_to_go_on_from(use: Any, base: Path) -> None:
    with pytest.raises(ModelError, match="there is no adapter"):
        load_base(str(base), method="lora", adapter=use)


def test_the_dropout_of_an_adapter_may_change(base: Path, tmp_path: Path) -> None:
    model, _ = load_base(
        str(adapter(base, tmp_path / "adapter")), method="lora", lora=LoraSettings(dropout=0.5), adapter="continue"
    )
    assert {m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)} == {0.5}


def test_new_tokens_get_weights_where_all_weights_learn(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    model, tokenizer = load_base(str(base), method="full")
    tokenizer.add_tokens(["<B>"])
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    with pytest.raises(ModelError, match=r"fewer tokens than its tokenizer.*<B>"):
        load_base(str(folder), method="lora")
    larger, tokenizer = load_base(str(folder), method="full")
    rows: Any = larger.get_input_embeddings().weight
    assert len(rows) == len(tokenizer) == larger.config.vocab_size
    assert torch.allclose(rows[-1], rows[:-1].mean(0), atol=1e-6)
    # A special token that no row has, as Gemma's for images, needs no weights.
    _, tokenizer = load_base(str(base), method="full")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    tokenizer.save_pretrained(folder)
    load_base(str(folder), method="lora")


def test_a_tokenizer_that_drops_characters_is_refused(base: Path, tmp_path: Path) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast

    folder = tmp_path / "words"
    load_base(str(base), method="full")[0].save_pretrained(folder)
    words = Tokenizer(WordLevel({"[UNK]": 0, "A": 1, "[END]": 2}, unk_token="[UNK]"))
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]", eos_token="[END]").save_pretrained(folder)
    with pytest.raises(ModelError, match="cannot encode every text"):
        load_base(str(folder), method="full")


def test_what_is_no_causal_language_model_is_refused(base: Path, tmp_path: Path) -> None:
    model, tokenizer = load_base(str(base), method="full")
    size: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1}
    for name, other in (("bert", BertForMaskedLM(BertConfig(**size))), ("headless", Qwen3Model(model.config))):
        other.save_pretrained(tmp_path / name)
        tokenizer.save_pretrained(tmp_path / name)
        with pytest.raises(ModelError, match="not a causal language model"):
            load_base(str(tmp_path / name), method="full")


def test_weights_in_fp16_are_trained_in_32_bit(base: Path, tmp_path: Path) -> None:
    model, tokenizer = load_base(str(base), method="full")
    model.half().save_pretrained(tmp_path / "half")
    tokenizer.save_pretrained(tmp_path / "half")
    assert load_base(str(tmp_path / "half"), method="full")[0].dtype == torch.float32


def test_a_device_without_bf16_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Tesla T4")
    check_bf16(torch.device("cpu"))
    with pytest.raises(ModelError, match="Tesla T4: the device has no arithmetic in bf16"):
        check_bf16(torch.device("cuda", 0))


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
