"""Models to train: from nothing, or from a base with all its weights, with adapters, or with adapters over 4 bit."""

from __future__ import annotations

import importlib.util
from typing import Any, Literal, cast

import torch
from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from taiyi.encoding import end_token
from taiyi.errors import ModelError
from taiyi.train.base import is_adapter, loaded, source_of, tokenizer_of
from taiyi.train.settings import LoraSettings, Method

Dtype = Literal["fp32", "bf16", "auto"]
_DTYPES: dict[str, Any] = {"fp32": torch.float32, "bf16": torch.bfloat16, "auto": "auto"}


def scratch(
    tokenizer: PreTrainedTokenizerFast,
    *,
    hidden: int,
    layers: int,
    heads: int,
    kv_heads: int,
    feed_forward: int,
    max_positions: int,
    tie: bool = True,
    seed: int,
) -> Qwen3ForCausalLM:
    """Return a new model of the Qwen3 architecture with random weights."""
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        head_dim=hidden // heads,
        intermediate_size=feed_forward,
        max_position_embeddings=max_positions,
        tie_word_embeddings=tie,
        bos_token_id=None,
        eos_token_id=end_token(tokenizer),
        pad_token_id=cast(int | None, tokenizer.pad_token_id),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Qwen3ForCausalLM(config)
    return model.float()


def load_base(
    base: str, *, method: Method, dtype: Dtype = "auto", lora: LoraSettings | None = None
) -> tuple[PreTrainedModel | PeftModel, PreTrainedTokenizerFast]:
    """Load what a stage begins from, ready to be trained by a method.

    A base that is itself an adapter, as an earlier stage leaves behind, is trained on under `lora` and `qlora`, and
    merged into its own base under `full`.

    Args:
        base: a folder (of a run or a model) or an id of the Hugging Face hub.
        method: which weights learn.
        dtype: of the base's weights; those of adapters are always 32 bit.
        lora: the size of new adapters.
    """
    source = source_of(base)
    adapter = PeftConfig.from_pretrained(source) if is_adapter(source) else None
    weights = source if adapter is None else source_of(str(adapter.base_model_name_or_path), of=source)
    tokenizer = tokenizer_of(source, weights)
    options: dict[str, Any] = {"dtype": _DTYPES[dtype]}
    if method == "qlora":
        options |= _four_bit(dtype)
    if torch.cuda.is_available():
        options["device_map"] = {"": 0}
    model = cast(PreTrainedModel, loaded(AutoModelForCausalLM.from_pretrained, weights, **options))
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            # On CPUs with bf16, a layer of bitsandbytes repacks its weights when it first runs in eval mode, for good,
            # and from then on passes no gradient back, with nothing but a warning.
            module.support_avx512bf16_for_cpu = False  # pyright: ignore[reportArgumentType]
    if adapter is not None:
        if method == "full":
            merged = PeftModel.from_pretrained(model, source).merge_and_unload()
            return cast(PreTrainedModel, merged), tokenizer
        trained = PeftModel.from_pretrained(model, source, is_trainable=True)
    elif method == "full":
        return model, tokenizer
    else:
        lora = lora or LoraSettings()
        config = LoraConfig(
            r=lora.r,
            lora_alpha=cast(int, lora.alpha),
            lora_dropout=lora.dropout,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        )
        trained = cast(PeftModel, get_peft_model(model, config))
    learning = [p for p in trained.parameters() if p.requires_grad]
    if not learning:
        raise ModelError("no weight of the adapter learns", where=source)
    for p in learning:
        p.data = p.data.float()
    return trained, tokenizer


def _four_bit(dtype: Dtype) -> dict[str, Any]:
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ModelError(
            "weights in 4 bit need bitsandbytes, which is not installed",
            mend="install the extra: pip install 'taiyi[gpu]', or use `method: lora`",
        )
    compute = torch.float32 if dtype == "fp32" else torch.bfloat16
    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute,
    )
    return {"quantization_config": config, "dtype": compute}
