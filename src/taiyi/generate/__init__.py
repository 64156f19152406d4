"""Engines that answer examples and dialogues."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from taiyi.endpoint import EndpointSettings, is_address
from taiyi.generate.engine import Asked, Choosing, Engine, Estimate, Grammar, Paid, Weighed, Weighing
from taiyi.generate.local import LocalEngine, Sampled
from taiyi.generate.remote import RemoteEngine

__all__ = [
    "Asked",
    "Choosing",
    "Engine",
    "Estimate",
    "Grammar",
    "LocalEngine",
    "Paid",
    "RemoteEngine",
    "Sampled",
    "Weighed",
    "Weighing",
    "load_engine",
]


def load_engine(
    model: str | Path, *, grammar: Grammar | None = None, endpoint: EndpointSettings | None = None, **options: Any
) -> Engine:
    """Return the engine of a model by the form of its name.

    Args:
        model: a run, a folder, a hub id, or the address of a server.
        grammar: what the answer to an example may be.
        endpoint: how a server is asked.
        options: those of `LocalEngine.load`.
    """
    if is_address(model):
        return RemoteEngine(str(model), endpoint, grammar=grammar)
    return LocalEngine.load(model, grammar=grammar, **options)
