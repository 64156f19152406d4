"""The shape of a model that is planned: its configuration, and how many bits its weights have, without its weights."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from peft import LoraConfig, PeftConfig
from transformers import AutoConfig, PreTrainedModel

from taiyi.errors import ModelError
from taiyi.train.attention import check_longest
from taiyi.train.base import is_adapter, load_tokenizer, loaded, source_of
from taiyi.train.memory import skeleton
from taiyi.train.model import scratch
from taiyi.train.settings import LoraSettings, Method, ScratchSettings

_ENDLESS = 1 << 30


@dataclass(frozen=True)
class Shape:
    """What a stage begins from, as far as memory depends on it.

    Attributes:
        config: of the model.
        dtype: of the base's files; None of a model from nothing.
        lora: the adapters that it has already.
    """

    config: Any
    dtype: torch.dtype | None = None
    lora: LoraSettings | None = None

    @property
    def pretrained(self) -> bool:
        """Whether there is a base, which adapters need."""
        return self.dtype is not None

    def trained(self) -> Shape:
        """Return what training of all weights leaves: they are in 32 bit, with no adapters."""
        return self if self.dtype is None else replace(self, dtype=torch.float32, lora=None)

    def make(self, method: Method, num_layers: int) -> PreTrainedModel:
        """Return the model without data, with so many layers, in the type that a method loads it in (`load_base`)."""
        config = copy.deepcopy(self.config)
        text = config.get_text_config()
        text.num_hidden_layers = num_layers
        if getattr(text, "layer_types", None):
            text.layer_types = text.layer_types[:num_layers]
        if getattr(text, "sliding_window", None) is not None:
            # Rows beyond it are refused by `too_long`; what they would take can be told all the same.
            text.sliding_window = _ENDLESS
        if self.dtype is None or method == "full":
            return skeleton(config, torch.float32)
        if method == "qlora":
            return skeleton(config, torch.bfloat16)
        return skeleton(config, torch.float32 if self.dtype == torch.float16 else self.dtype)

    def too_long(self, tokens: int) -> str:
        """Return why rows of so many tokens would be refused (`attention.check_longest`); nothing if they would not."""
        try:
            # It looks at nothing but the configuration.
            check_longest(cast(PreTrainedModel, self), tokens)
        except ModelError as error:
            return str(error)
        return ""

    @property
    def num_layers(self) -> int:
        return self.config.get_text_config().num_hidden_layers

    @property
    def attention_width(self) -> int:
        """Layers times the width of all heads together."""
        config = self.config.get_text_config()
        heads = config.num_attention_heads
        width = getattr(config, "head_dim", None) or config.hidden_size // heads
        return config.num_hidden_layers * heads * width


def of_base(base: str) -> Shape:
    """Return the shape of a base: a folder, a hub id, or a `config.json` alone; raises ModelError where none is."""
    if base.endswith(".json"):
        return Shape(config := loaded(AutoConfig.from_pretrained, base), _dtype(config))
    source = source_of(base)
    if not is_adapter(source):
        config = loaded(AutoConfig.from_pretrained, source)
        return Shape(config, _dtype(config))
    adapter = cast(LoraConfig, loaded(PeftConfig.from_pretrained, source))
    config = loaded(AutoConfig.from_pretrained, source_of(str(adapter.base_model_name_or_path), of=source))
    variant = "dora" if adapter.use_dora else "rslora" if adapter.use_rslora else "lora"
    size = LoraSettings(r=adapter.r, alpha=adapter.lora_alpha, dropout=adapter.lora_dropout, variant=variant)
    return Shape(config, _dtype(config), size)


def of_scratch(tokenizer: Path, settings: ScratchSettings) -> Shape:
    """Return the shape of a model from nothing with a tokenizer."""
    with torch.device("meta"):
        made = scratch(
            load_tokenizer(str(tokenizer)), **settings.model_dump(exclude={"vocab_size", "spelling"}), seed=0
        )
    return Shape(made.config)


def _dtype(config: Any) -> torch.dtype:
    """Return the type of a base's weights; 32 bit where its configuration says nothing."""
    found = getattr(config, "dtype", None) or getattr(config.get_text_config(), "dtype", None) or torch.float32
    return getattr(torch, found) if isinstance(found, str) else found
