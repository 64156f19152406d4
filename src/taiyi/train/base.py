"""Where a base is, and its tokenizer: what encoding needs, without the libraries that train."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from logging import ERROR, getLogger
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from transformers import AutoTokenizer, PreTrainedTokenizerFast
from transformers.utils import logging

from taiyi.checkpoint import model_folder
from taiyi.encoding import end_token
from taiyi.errors import ModelError
from taiyi.hub import reach

# Pieces of both languages, with letters of each script that is found in biomedical texts.
_PIECES = ("A", " x", "7", "%", "µ", "β", "疸", "癯")


@contextmanager
def quiet() -> Generator[None, None, None]:
    """Keep transformers from drawing progress bars of its own, and the hub's client from telling each new try."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    hub = getLogger("huggingface_hub")
    level = hub.level
    hub.setLevel(ERROR)
    try:
        yield
    finally:
        hub.setLevel(level)
        if shown:
            logging.enable_progress_bar()


def load_tokenizer(base: str) -> PreTrainedTokenizerFast:
    """Load the tokenizer of a folder or of a hub id."""
    path = Path(base)
    if (path / "tokenizer.json").exists():
        return tokenizer_of(base, base)
    source = source_of(base)
    if not is_adapter(source):
        return tokenizer_of(source, source)
    from peft import PeftConfig

    return tokenizer_of(source, source_of(str(PeftConfig.from_pretrained(source).base_model_name_or_path), of=source))


def source_of(base: str, of: str | None = None) -> str:
    """Return the folder that a base means, or its hub id."""
    path = Path(base).expanduser()
    if path.is_dir():
        return str(model_folder(path))
    if of is not None and (there := _beside(path, Path(of))) is not None:
        return str(there)
    if path.is_absolute() or base.startswith((".", "~")) or base.count("/") > 1:
        raise ModelError(
            "the base model is not there" if of is None else "the base of the adapter is not there",
            where=base if of is None else of,
            got=None if of is None else base,
            expected="a folder with config.json, or an id of the Hugging Face hub such as Qwen/Qwen3-0.6B-Base",
            mend="correct `base:` in the recipe, or use `base: scratch`",
        )
    return base


def _beside(base: Path, adapter: Path) -> Path | None:
    """Return the base of an adapter where both are of one run, which was moved since."""
    for run in list(adapter.resolve().parents)[:3]:
        for count in (2, 3):
            there = run.joinpath(*base.parts[-count:])
            if len(base.parts) > count and (there / "config.json").exists():
                return there
    return None


def is_adapter(source: str) -> bool:
    """Whether a folder holds an adapter, not a model."""
    return (Path(source) / "adapter_config.json").exists()


def tokenizer_of(source: str, weights: str) -> PreTrainedTokenizerFast:
    """Load the tokenizer of a model or adapter; that of its weights, where it has none of its own."""
    own = (Path(source) / "tokenizer_config.json").exists()
    tokenizer = loaded(AutoTokenizer.from_pretrained, source if own else weights)
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise ModelError("the base has no fast tokenizer", where=source, got=type(tokenizer).__name__)
    end = end_token(tokenizer)
    for piece in _PIECES:
        ids = tokenizer.encode(piece, add_special_tokens=False)
        if not ids or tokenizer.unk_token_id in ids:
            raise ModelError(
                "the tokenizer cannot encode every text",
                where=source,
                got=repr(piece),
                expected="byte-level BPE, or a vocabulary with a token for every byte",
                mend="use a base such as Qwen/Qwen3-0.6B-Base",
            )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(end)
    return tokenizer


def loaded(load: Any, source: str, **options: Any) -> Any:
    """Load something of a model; raises ModelError where it is not there."""
    try:
        with quiet():
            reach(source)
            return load(source, **options)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            "the base model cannot be loaded",
            where=source,
            got=str(error).split("\n")[0],
            mend="give a folder of a model, or a hub id that this machine can reach or has in its cache",
        ) from error
