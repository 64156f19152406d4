"""Engines that answer examples and dialogues."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from taiyi.errors import ModelError
from taiyi.generate.engine import Engine
from taiyi.generate.local import LocalEngine, Sampled

__all__ = ["Engine", "LocalEngine", "Sampled", "load_engine"]


def load_engine(model: str | Path, **options: Any) -> LocalEngine:
    """Load the engine of a model: a run, a folder or a hub id; the options are those of `LocalEngine.load`."""
    if str(model).startswith(("http://", "https://")):
        raise ModelError(
            "servers are not supported yet", where=model, expected="a run, a folder with a model, or a hub id"
        )
    return LocalEngine.load(model, **options)
