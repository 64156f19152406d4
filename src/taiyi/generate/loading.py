"""Which model is meant, and what computes it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from taiyi import checkpoint
from taiyi.checkpoint import is_address
from taiyi.errors import ModelError
from taiyi.generate.model import LanguageModel
from taiyi.hub import reach
from taiyi.tokens import FastTokenizer, Tokenizer

DTypeName = Literal["auto", "float32", "bfloat16", "float16"]
Runtime = Literal["auto", "numpy", "torch"]
"""What computes a model.

- `torch`: transformers and torch, with which it was trained: any architecture, any device, adapters.
- `numpy`: NumPy, in 32 bit on a CPU: models of Qwen3's architecture whose weights are small, with a tokenizer of ours.
  They answer while torch would still be imported, which takes seconds, and the answers are the same within rounding.
- `auto`: NumPy where it can and no other device or number format is asked for, else torch.
"""


def locate(model: str | Path) -> Path | str:
    """Return the folder of a local model, or the id of one of the hub; a server's model cannot be loaded here."""
    if is_address(model):
        raise ModelError(
            "the model of a server cannot be loaded; `taiyi eval` and `taiyi chat` ask it",
            where=model,
            expected="a run, a folder with a model, or the id of one on the Hugging Face hub",
        )
    return checkpoint.locate(model)


def load(
    path: Path | str,
    *,
    device: str = "auto",
    dtype: DTypeName = "auto",
    runtime: Runtime = "auto",
    threads: int | None = None,
) -> tuple[LanguageModel, Tokenizer]:
    """Load a model and its tokenizer into what computes it.

    Args:
        path: as `locate` returns it.
        device: `auto` is a CUDA device where there is one, of models that torch computes.
        dtype: of the weights; `auto` is bfloat16 on a CUDA device and float32 on a CPU.
        runtime: what computes it.
        threads: how many threads it is computed on; those that there are if not given.

    Raises:
        ModelError: there is no such model, or the runtime that is asked for cannot compute it.
    """
    if runtime != "torch":
        try:
            return _in_numpy(path, device, dtype, threads)
        except ModelError:
            if runtime == "numpy":
                raise
    # Before torch is imported, which takes seconds.
    reach(str(path))
    import torch

    from taiyi.generate import torch_model

    if threads is not None:
        torch.set_num_threads(threads)
    return torch_model.load(path, device=device, dtype=dtype)


def _in_numpy(path: Path | str, device: str, dtype: DTypeName, threads: int | None) -> tuple[LanguageModel, Tokenizer]:
    from taiyi.generate import numpy_model

    if device not in ("auto", "cpu") or dtype not in ("auto", "float32") or not isinstance(path, Path):
        raise ModelError(
            "the NumPy runtime computes folders, on a CPU, in 32 bit",
            got=f"{path}, device {device}, dtype {dtype}",
            mend="use the runtime torch",
        )
    return numpy_model.NumpyModel.load(path, threads=threads), FastTokenizer.load(path)
