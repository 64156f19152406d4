"""Checkpoints of a stage in training: whole or not there, whatever happens while they are written."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from taiyi.errors import TrainError, machine_fault

FILE = "state.pt"


def save_whole(folder: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a folder that takes its name only once everything in it is on the disk."""
    partial = folder.with_name(folder.name + ".partial")
    try:
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir(parents=True)
        write(partial)
        for path in [*partial.rglob("*"), partial]:
            _sync(path)
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
        _sync(folder.parent)
    except Exception as error:
        if (fault := machine_fault(error)) is None:
            raise
        shutil.rmtree(partial, ignore_errors=True)
        raise TrainError("cannot be written", where=folder, got=fault.what, mend=fault.mend) from error


def save(
    folder: Path, *, model: nn.Module, optimizer: Optimizer, scheduler: LRScheduler, progress: dict[str, Any]
) -> None:
    """Write a checkpoint and remove the ones before it."""
    state = {
        "model": {name: p.detach() for name, p in model.named_parameters() if p.requires_grad},
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "random": torch.get_rng_state(),
        "cuda_random": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "progress": progress,
    }

    def write(partial: Path) -> None:
        with (partial / FILE).open("wb") as file:
            torch.save(state, file)

    target = folder / f"step-{progress['step']:08d}"
    save_whole(target, write)
    for path in folder.iterdir():
        if path != target:
            shutil.rmtree(path)


def restore(folder: Path, *, model: nn.Module, optimizer: Optimizer, scheduler: LRScheduler) -> dict[str, Any] | None:
    """Put the last checkpoint back in place and return its progress; None where there is none."""
    whole = sorted(path for path in folder.glob("step-*") if not path.name.endswith(".partial"))
    if not whole:
        return None
    path = whole[-1] / FILE
    try:
        # Weights only: nothing that a file says is run.
        state = cast(dict[str, Any], torch.load(path, map_location="cpu", weights_only=True))
        parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
        saved = cast(dict[str, Tensor], state["model"])
        if {n: p.shape for n, p in saved.items()} != {n: p.shape for n, p in parameters.items()}:
            raise TrainError("the checkpoint is of another model", where=path, mend="remove the folder of the stage")
    except (OSError, RuntimeError, KeyError, EOFError, pickle.UnpicklingError) as error:
        raise TrainError(
            "the checkpoint cannot be read",
            where=path,
            got=type(error).__name__,
            mend=f"remove {path.parent}: the stage then begins anew",
        ) from error
    with torch.no_grad():
        for name, p in parameters.items():
            p.copy_(saved[name])
    optimizer.load_state_dict(state["optimizer"])
    scheduler.load_state_dict(state["scheduler"])
    torch.set_rng_state(state["random"])
    if torch.cuda.is_available() and state["cuda_random"]:
        torch.cuda.set_rng_state_all(state["cuda_random"])
    return cast(dict[str, Any], state["progress"])


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
