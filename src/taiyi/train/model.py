"""Models to train: from nothing, or from a base with all its weights, with adapters, or with adapters over 4 bit."""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, cast

import torch
from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from taiyi.checkpoint import FILE, Checkpoint
from taiyi.encoding import end_token
from taiyi.errors import ModelError
from taiyi.train.base import is_adapter, loaded, quiet, source_of, tokenizer_of
from taiyi.train.settings import LoraSettings, Method
from taiyi.train.spelling import features
from taiyi.train.state import save_whole

Dtype = Literal["fp32", "bf16", "fp16", "auto"]
DTYPES: dict[str, Any] = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16, "auto": "auto"}
AdapterUse = Literal["new", "continue", "merge"]


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
    spelling: int | None = None,
    seed: int,
) -> Qwen3ForCausalLM:
    """Return a new model of the Qwen3 architecture with random weights.

    Where `spelling` is given, the embeddings of tokens begin the nearer, the more of their n-grams they share, of which
    there are so many kinds.
    """
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
        if spelling is not None:
            weight = cast(nn.Embedding, model.get_input_embeddings()).weight
            known = features(tokenizer, len(weight), spelling)
            with torch.no_grad():
                weight += known @ (torch.randn(spelling, hidden) * config.initializer_range)
    return model.float()


def load_base(
    base: str,
    *,
    method: Method,
    dtype: Dtype = "auto",
    lora: LoraSettings | None = None,
    adapter: AdapterUse | None = None,
    merged_to: Path | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
) -> tuple[PreTrainedModel | PeftModel, PreTrainedTokenizerFast]:
    """Load what a stage begins from, ready to be trained by a method.

    Args:
        base: a folder (of a run, a model or an adapter) or an id of the Hugging Face hub.
        method: which weights learn.
        dtype: of the base's weights; those of adapters are always 32 bit. `auto` is that of the base's files, but for
            fp16, in which small gradients vanish: such weights are loaded in 32 bit.
        lora: the size of new adapters. An adapter that is trained on keeps its own: what is set here must not differ.
        adapter: what becomes of the adapter that a base is. It is trained on (`continue`); or it becomes part of its
            base, reloaded in 16 or 32 bit, and training begins anew from there (`merge`); `new` is said where there is
            none. If not given: trained on where the method trains one, merged where it is `full`.
        merged_to: the folder for the merged model, which is taken from there if it is whole; a model that is to learn
            by `full` can be merged in memory instead.
        seed: what the weights of a new adapter follow from.
        device: where the weights are to be; by default the CUDA device of this process (`LOCAL_RANK`), else the CPU.

    Raises:
        ModelError: there is no such model, it is no causal language model, its tokenizer does not fit, its adapter is
            not what the stage asks for, or adapters of the kind that is asked for do not fit the architecture.
    """
    source = source_of(base)
    found = _adapter_config(source) if is_adapter(source) else None
    use = _use_of(adapter, method, found, source)
    weights = source if found is None else source_of(str(found.base_model_name_or_path), of=source)
    place = torch.device(device) if device is not None else default_device()
    if use == "merge" and merged_to is not None:
        if not (merged_to / "config.json").exists():
            merge_adapter(source, merged_to, dtype=dtype, device=place)
        return load_base(str(merged_to), method=method, dtype=dtype, lora=lora, seed=seed, device=place)
    tokenizer = tokenizer_of(source, weights)
    model = _load(weights, dtype, place, four_bit=method == "qlora")
    _fit_vocabulary(model, tokenizer, method, source)
    if method == "full":
        return (model if found is None else _merged(model, source)), tokenizer
    if found is None:
        with torch.random.fork_rng(devices=[place] if place.type == "cuda" else []):
            torch.manual_seed(seed)
            trained = _adapted(lambda: get_peft_model(model, new_adapter(lora or LoraSettings())), source)
    else:
        _check_asked(found, lora, source)
        trained = _adapted(lambda: PeftModel.from_pretrained(model, source, config=found, is_trainable=True), source)
    learning = {name: p for name, p in trained.named_parameters() if p.requires_grad}
    if not learning:
        raise ModelError("no weight of the adapter learns", where=source)
    if other := [name for name in learning if "lora_" not in name and "modules_to_save" not in name]:
        raise ModelError("weights learn that are not the adapter's", where=source, got=other[0])
    for p in learning.values():
        p.data = p.data.float()
    return trained, tokenizer


def merge_adapter(
    source: str, out: Path, *, dtype: Dtype = "auto", device: torch.device | str | None = None
) -> PreTrainedModel:
    """Write an adapter's base with the adapter merged in, whole or not at all, and return it; never in 4 bit.

    An adapter that was trained over 4 bit fits those weights, not these: score the merged model again.
    """
    model, tokenizer = load_base(source, method="full", dtype=dtype, device=device)

    def write(folder: Path) -> None:
        with quiet():
            model.save_pretrained(str(folder))
        tokenizer.save_pretrained(str(folder))
        if (Path(source) / FILE).exists():
            Checkpoint.load(Path(source)).save(folder)

    save_whole(out, write)
    return cast(PreTrainedModel, model)


def default_device() -> torch.device:
    """Return the device of this process: the CUDA device that a launcher gave it (`LOCAL_RANK`), else the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def check_bf16(device: torch.device) -> None:
    """Raise ModelError where a device has no arithmetic in bf16."""
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise ModelError(
            "the device has no arithmetic in bf16",
            where=torch.cuda.get_device_name(device),
            expected="an NVIDIA GPU of the Ampere generation or later",
            mend="set `precision: fp32` in the stage, and use the method `full` or `lora`",
        )


def _adapter_config(source: str) -> LoraConfig:
    config = cast(PeftConfig, loaded(PeftConfig.from_pretrained, source))
    if not isinstance(config, LoraConfig):
        raise ModelError("only LoRA adapters can be used", where=source, got=config.peft_type)
    return config


def _use_of(asked: AdapterUse | None, method: Method, found: LoraConfig | None, source: str) -> AdapterUse:
    """Return what becomes of an adapter that is there or is not, or raise ModelError where that cannot be done."""
    if found is None:
        if asked in ("continue", "merge"):
            raise ModelError(
                f"there is no adapter to {'train on' if asked == 'continue' else 'merge'}",
                where=source,
                expected="a stage that trained one",
                mend="leave `adapter` out",
            )
        return "new"
    if asked == "new":
        raise ModelError(
            "a new adapter cannot begin where there is one already",
            where=source,
            mend="begin from the base (`init_from: base`), or say `adapter: continue` or `adapter: merge`",
        )
    if asked == "continue" and method == "full":
        raise ModelError("the method full trains no adapter", where=source, mend="say `adapter: merge`")
    return asked or ("merge" if method == "full" else "continue")


def new_adapter(lora: LoraSettings) -> LoraConfig:
    return LoraConfig(
        r=lora.r,
        lora_alpha=cast(int, lora.alpha),
        lora_dropout=lora.dropout,
        use_rslora=lora.variant == "rslora",
        use_dora=lora.variant == "dora",
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def _check_asked(found: LoraConfig, lora: LoraSettings | None, source: str) -> None:
    """Refuse another size than an adapter has, as far as settings say one; the dropout may change."""
    if lora is None:
        return
    own = {
        "r": found.r,
        "alpha": found.lora_alpha,
        "variant": "dora" if found.use_dora else "rslora" if found.use_rslora else "lora",
    }
    asked = lora.model_dump(include=lora.model_fields_set)
    if wrong := {name: asked[name] for name, value in own.items() if asked.get(name, value) != value}:
        raise ModelError(
            "an adapter that is trained on keeps its size",
            where=source,
            got=", ".join(f"lora.{name}: {value}" for name, value in wrong.items()),
            expected=", ".join(f"{name}: {own[name]}" for name in wrong),
            mend="leave that out of the stage, or say `adapter: merge` to begin a new adapter",
        )
    found.lora_dropout = asked.get("dropout", found.lora_dropout)


def _adapted(put: Callable[[], object], source: str) -> PeftModel:
    """Put an adapter on a model, or raise ModelError where it does not fit the architecture."""
    try:
        return cast(PeftModel, put())
    except ValueError as error:
        # The weights of experts are no layers of their own, so their input has no dropout, and they have no DoRA.
        raise ModelError(
            "such an adapter does not fit the architecture",
            where=source,
            got=str(error).split("\n")[0],
            mend="for a mixture of experts, set `dropout: 0` and `variant: lora` or `rslora` under `lora:`",
        ) from error


def _merged(model: PreTrainedModel, source: str) -> PreTrainedModel:
    """Return a model with an adapter merged in: layer by layer in 32 bit, so that each weight is rounded just once."""
    adapted = _adapted(lambda: PeftModel.from_pretrained(model, source), source)
    for layer in adapted.modules():
        if not isinstance(layer, LoraLayer):
            continue
        weights = [(p, p.dtype) for p in layer.get_base_layer().parameters() if p.is_floating_point()]
        for p, _ in weights:
            p.data = p.data.float()
        cast(Any, layer).merge()
        for p, dtype in weights:
            p.data = p.data.to(dtype)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All adapters are already merged")
        merged = cast(PreTrainedModel, cast(Any, adapted).merge_and_unload())
    # PEFT freezes what it wraps, and leaves it so.
    return merged.requires_grad_(True)


def _load(weights: str, dtype: Dtype, device: torch.device, *, four_bit: bool) -> PreTrainedModel:
    """Load a causal language model with all its weights."""
    architectures: list[str] = getattr(loaded(AutoConfig.from_pretrained, weights), "architectures", None) or []
    known = {
        name for name in map(str, MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values()) if "ConditionalGeneration" not in name
    }
    if architectures and known.isdisjoint(architectures):
        raise ModelError(
            "not a causal language model of text alone",
            where=weights,
            got=", ".join(architectures),
            expected="such as Qwen3ForCausalLM",
            mend="use a base such as Qwen/Qwen3-0.6B-Base",
        )
    options: dict[str, Any] = {"dtype": DTYPES[dtype]}
    if four_bit:
        options |= _four_bit(dtype, device)
    if device.type == "cuda":
        options["device_map"] = {"": device}
    model, info = cast(
        tuple[PreTrainedModel, dict[str, Any]],
        loaded(AutoModelForCausalLM.from_pretrained, weights, output_loading_info=True, **options),
    )
    if missing := sorted(info["missing_keys"]):
        raise ModelError("weights are missing", where=weights, got=", ".join(missing[:3]), mend="fetch the model again")
    if dtype == "auto" and model.dtype == torch.float16 and not four_bit:
        model.float()
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            # On CPUs with bf16, a layer of bitsandbytes repacks its weights when it first runs in eval mode, for good,
            # and from then on passes no gradient back, with nothing but a warning.
            module.support_avx512bf16_for_cpu = False  # pyright: ignore[reportArgumentType]
    return model


def _fit_vocabulary(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, method: Method, source: str) -> None:
    """Give the tokens of a tokenizer that a model lacks the mean of the others' weights, where all weights learn.

    Special tokens that no row has, such as the one for images of text models of Gemma 3, are left alone. Raises
    ModelError where an adapter alone learns: weights of new tokens would stay what they are.
    """
    size = cast(nn.Embedding, model.get_input_embeddings()).num_embeddings
    special = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    used = (end_token(tokenizer), tokenizer.eos_token_id, tokenizer.bos_token_id)
    lacking = {token: i for token, i in tokenizer.get_vocab().items() if i >= size and (i not in special or i in used)}
    if not lacking:
        return
    if method != "full":
        raise ModelError(
            "the model has fewer tokens than its tokenizer",
            where=source,
            got=f"{size:,} tokens, without {', '.join(sorted(lacking)[:3])}",
            mend="train all weights (`method: full`), or use the tokenizer that the model was trained with",
        )
    model.resize_token_embeddings(max(lacking.values()) + 1, mean_resizing=False)
    with torch.no_grad():
        for module in (model.get_input_embeddings(), model.get_output_embeddings()):
            rows = cast(nn.Linear, module).weight
            rows[size:] = rows[:size].float().mean(0).to(rows.dtype)


def _four_bit(dtype: Dtype, device: torch.device) -> dict[str, Any]:
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ModelError(
            "weights in 4 bit need bitsandbytes, which is not installed",
            mend="install the extra: pip install 'taiyi[gpu]', or use `method: lora`",
        )
    compute = torch.float32 if dtype == "fp32" else torch.bfloat16
    if compute == torch.bfloat16:
        check_bf16(device)
    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute,
    )
    return {"quantization_config": config, "dtype": compute}
