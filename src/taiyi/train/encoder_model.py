"""Encoders with a head: from a folder, the hub or nothing, and written into a folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import torch
from tokenizers.processors import TemplateProcessing
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    BertConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.models.auto import modeling_auto

from taiyi import features
from taiyi.checkpoint import model_folder
from taiyi.errors import ModelError
from taiyi.features import Head, Item
from taiyi.train.base import loaded
from taiyi.train.tokenizer import END, PAD, START, train_bpe

SCRATCH = "scratch"
SIZE: dict[str, Any] = {
    "hidden_size": 192,
    "num_hidden_layers": 4,
    "num_attention_heads": 3,
    "intermediate_size": 768,
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    # Its few layers begin to learn sooner than with BERT's 0.02.
    "initializer_range": 0.05,
}
"""An encoder from nothing, as large as the small models of `base: scratch`."""
_VOCABULARY = 12_000
# XLNet counts as a causal model there, and reads in both directions where it is fine-tuned.
_DECODERS = frozenset(modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES) - {
    *modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    "xlnet",
}


def save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, head: Head, folder: Path) -> None:
    """Write an encoder with its head and tokenizer into a folder."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / features.FILE).write_bytes(msgspec.json.format(msgspec.json.encode(head)) + b"\n")


def load(
    base: str | Path, head: Head, items: Sequence[Item], tokens: Sequence[str] = ()
) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load an encoder with a new head; of one from nothing, the tokenizer is made from the texts of the items."""
    kind: Any = AutoModelForTokenClassification if head.kind == "spans" else AutoModelForSequenceClassification
    if base == SCRATCH:
        tokenizer = make_tokenizer(text for item in items for text in (*item.texts, *item.options))
        ids: dict[str, Any] = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
        model = kind.from_config(BertConfig(**SIZE, **ids, **_width(head)))
    else:
        model, tokenizer = _loaded(base, kind, head)
    if tokens and tokenizer.add_tokens(list(tokens)):
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    return model, tokenizer


def _loaded(base: str | Path, kind: Any, head: Head) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    source = str(model_folder(base)) if isinstance(base, Path) else base
    config = loaded(AutoConfig.from_pretrained, source)
    if config.model_type in _DECODERS:
        raise ModelError(
            "this is a decoder, of which each word knows only what stands before it",
            where=base,
            got=config.model_type,
            expected="an encoder, such as BERT, RoBERTa, DeBERTa or ModernBERT",
            mend="evaluate it as the model that it is: taiyi eval MODEL",
        )
    tokenizer = loaded(AutoTokenizer.from_pretrained, source)
    if not tokenizer.is_fast:
        raise ModelError("the tokenizer does not say where its tokens stand", where=base, expected="a fast tokenizer")
    options: dict[str, Any] = {"ignore_mismatched_sizes": True, "dtype": torch.float32}
    model = loaded(kind.from_pretrained, source, **_width(head), **options)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
        model.config.pad_token_id = tokenizer.pad_token_id
    return model, tokenizer


def _width(head: Head) -> dict[str, Any]:
    return {"num_labels": head.width}


def make_tokenizer(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """Make a tokenizer for an encoder from nothing: byte-level BPE, with tokens before, between and after texts."""
    tokenizer = train_bpe(texts, vocab_size=_VOCABULARY, tags=())
    ends = [(token, cast(int, tokenizer.convert_tokens_to_ids(token))) for token in (START, END)]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(  # pyright: ignore[reportAttributeAccessIssue]
        single=f"{START} $A {END}", pair=f"{START} $A {END} $B:1 {END}:1", special_tokens=ends
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer.backend_tokenizer,
        cls_token=START,
        sep_token=END,
        pad_token=PAD,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        clean_up_tokenization_spaces=False,
    )


def limit(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> int:
    """How many tokens an encoder reads: some have positions before those of the text, and say so in the tokenizer."""
    positions = int(getattr(model.config, "max_position_embeddings", None) or 1 << 30)
    return min(int(tokenizer.model_max_length), positions)
