"""Vectors of texts, by sentence-transformers models: an encoder, what becomes of its tokens, and unit length."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import torch
from huggingface_hub import snapshot_download
from numpy.typing import NDArray
from safetensors import SafetensorError
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

from taiyi.errors import ModelError

_KINDS = ("Transformer", "Pooling", "Normalize")
_MOST_TOKENS = 512
_PASSAGE_PROMPTS = ("document", "passage", "corpus")


class Embedder:
    """A model that turns texts into vectors of unit length, whose product says how alike the texts are.

    Args:
        model, tokenizer: an encoder and its tokenizer.
        pooling: `mean` of the tokens, or the first one (`cls`).
        max_tokens: how many it reads at once.
        prompts: what stands before a question and before a passage.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerFast,
        *,
        pooling: str,
        max_tokens: int,
        prompts: tuple[str, str] = ("", ""),
    ) -> None:
        self.model, self.tokenizer = model.eval(), tokenizer
        self.pooling, self.max_tokens, self.prompts = pooling, max_tokens, prompts

    @classmethod
    def load(cls, model: str, *, device: str = "auto") -> Self:
        """Load a model from a folder or the hub; without `modules.json`, the mean of its tokens is taken.

        Raises:
            ModelError: it cannot be had, or has parts that are not known here.
        """
        disable_progress_bar()
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            folder = _folder(model)
            inner, pooling = _modules(folder, model)
            settings = _json(folder / "sentence_bert_config.json")
            encoder = AutoModel.from_pretrained(inner, dtype=torch.float32).to(device)
            tokenizer = AutoTokenizer.from_pretrained(inner)
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            raise ModelError(
                "the model of the vectors cannot be loaded",
                where=model,
                got=(str(error).splitlines() or [type(error).__name__])[0],
                expected="a folder or hub id of a sentence-transformers model",
            ) from error
        most = int(settings.get("max_seq_length") or min(tokenizer.model_max_length, _MOST_TOKENS))
        prompts: dict[str, str] = _json(folder / "config_sentence_transformers.json").get("prompts") or {}
        passage = next((prompts[key] for key in _PASSAGE_PROMPTS if prompts.get(key)), "")
        return cls(encoder, tokenizer, pooling=pooling, max_tokens=most, prompts=(prompts.get("query") or "", passage))

    @torch.inference_mode()
    def embed(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        """Return a vector for each text, one a row; a text that is longer than the model reads is read in parts."""
        before = self.prompts[0 if query else 1]
        read: Any = self.tokenizer(
            [before + text for text in texts],
            truncation=True,
            max_length=self.max_tokens,
            return_overflowing_tokens=True,
            padding=True,
            return_tensors="pt",
        )
        owners = read.pop("overflow_to_sample_mapping")
        read = read.to(self.model.device)
        states = self.model(**read).last_hidden_state
        mask = read["attention_mask"].unsqueeze(-1).to(states.dtype)
        lengths = mask.sum(1)
        pooled = states[:, 0] if self.pooling == "cls" else (states * mask).sum(1) / lengths
        # A part counts as much as it has tokens.
        whole = torch.zeros(len(texts), pooled.shape[1], device=pooled.device)
        whole.index_add_(0, owners.to(pooled.device), pooled * lengths)
        return cast("NDArray[np.float32]", torch.nn.functional.normalize(whole, dim=1).cpu().numpy())


def _folder(model: str) -> Path:
    if Path(model).is_dir():
        return Path(model)
    if model.startswith((".", "/", "~")) or model.count("/") > 1:
        raise OSError("there is no such folder")
    return Path(snapshot_download(model, allow_patterns=["*.json", "*.txt", "*.model", "*.safetensors"]))


def _modules(folder: Path, model: str) -> tuple[Path, str]:
    """Return where the encoder of a model is, and what is taken of its tokens."""
    if not (folder / "modules.json").exists():
        return folder, "mean"
    inner, pooling = folder, "mean"
    for module in json.loads((folder / "modules.json").read_text(encoding="utf-8")):
        kind = str(module["type"]).rpartition(".")[2]
        if kind not in _KINDS:
            raise ModelError("the model has a part that is not known here", where=model, got=kind, expected=_KINDS)
        if kind == "Transformer":
            inner = folder / module["path"]
        elif kind == "Pooling":
            pooling = _pooling(_json(folder / module["path"] / "config.json"), model)
    return inner, pooling


def _pooling(config: dict[str, Any], model: str) -> str:
    modes = [key for key, on in config.items() if key.startswith("pooling_mode_") and on is True]
    names = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
    known = [names.get(mode, mode) for mode in modes] or [str(config.get("pooling_mode", "mean"))]
    if len(known) != 1 or known[0] not in ("mean", "cls"):
        raise ModelError("the tokens of this model are put together in an unknown way", where=model, got=known)
    return known[0]


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
