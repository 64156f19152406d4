"""Engines that answer examples and dialogues."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taiyi.endpoint import EndpointSettings
    from taiyi.generate.engine import Asked, Choosing, Ended, Engine, Estimate, Grammar, Paid, Weighed, Weighing
    from taiyi.generate.local import LocalEngine, Sampled
    from taiyi.generate.remote import RemoteEngine

__all__ = [
    "Asked",
    "Choosing",
    "Ended",
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

_HOMES = {"LocalEngine": "local", "Sampled": "local", "RemoteEngine": "remote"}


def __getattr__(name: str) -> Any:
    # Who asks a model here waits for no client of servers, and the other way round.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'engine')}"), name)


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
    from taiyi.checkpoint import is_address
    from taiyi.generate.local import LocalEngine

    if is_address(model):
        from taiyi.generate.remote import RemoteEngine

        return RemoteEngine(str(model), endpoint, grammar=grammar)
    return LocalEngine.load(model, grammar=grammar, **options)
