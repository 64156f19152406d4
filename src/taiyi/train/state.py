"""What a stage in training writes, its checkpoints above all: whole or not there, whatever happens meanwhile."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import torch
import xxhash
from torch import Tensor, nn
from torch.optim import Optimizer

from taiyi.errors import TrainError, machine_fault
from taiyi.train.optimizer import fill, states
from taiyi.train.world import gathered, put

FILE = "state.pt"
DIGEST = "digest"
_PIECE = 1 << 24


def save_whole(folder: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a folder that takes its name only once everything in it is on the disk."""
    with _writing(folder) as partial:
        partial.mkdir(parents=True)
        write(partial)


def save_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a file that takes its name only once it is whole and on the disk."""
    with _writing(path) as partial, partial.open("wb") as file:
        write(file)


@contextmanager
def _writing(target: Path) -> Generator[Path]:
    """Give the place where a folder or a file is made before it takes its name, and the place of an older one."""
    partial = target.with_name(target.name + ".partial")
    try:
        _remove(partial)
        yield partial
        for path in [*partial.rglob("*"), partial]:
            _sync(path)
        if target.is_dir():
            shutil.rmtree(target)
        partial.replace(target)
        _sync(target.parent)
    except Exception as error:
        if (fault := machine_fault(error)) is None:
            raise
        _remove(partial)
        raise TrainError("cannot be written", where=target, got=fault.what, mend=fault.mend) from error


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def capture(model: nn.Module, optimizer: Optimizer, progress: dict[str, Any], main: bool) -> dict[str, Any]:
    """Return the state of a training: the weights that learn and what the optimizer holds of each, by name.

    Every process must ask, since each may have a part of them; all of them are in what the `main` one gets. The
    schedule follows from the step, and what is random from the seed and the step, so neither is here.
    """
    held = states(optimizer)
    learning = {name: p for name, p in model.named_parameters() if p.requires_grad}
    return {
        "model": {name: gathered(p.detach(), main) for name, p in learning.items()},
        "optimizer": {
            name: {key: gathered(value, main) for key, value in held[p].items()} for name, p in learning.items()
        },
        "progress": progress,
    }


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint and remove the ones before it."""

    def write(partial: Path) -> None:
        with (partial / FILE).open("wb") as file:
            torch.save(state, file)
        (partial / DIGEST).write_text(_digest(partial / FILE))

    target = folder / f"step-{state['progress']['step']:08d}"
    save_whole(target, write)
    for path in folder.glob("step-*"):
        if path != target:
            # What stays behind is only too much: on network disks a folder whose file is still open cannot be removed.
            shutil.rmtree(path, ignore_errors=True)


def _digest(path: Path) -> str:
    """Return a hash of a file."""
    found = xxhash.xxh3_128()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
    return found.hexdigest()


def restore(folder: Path, model: nn.Module, optimizer: Optimizer) -> dict[str, Any] | None:
    """Put the last checkpoint back in place and return its progress; None where there is none.

    It may have been written by more or fewer processes than there are now, or with weights that lay otherwise on them.
    """
    complete = sorted(path for path in folder.glob("step-*") if not path.name.endswith(".partial"))
    if not complete:
        return None
    path = complete[-1] / FILE
    learning = {name: p for name, p in model.named_parameters() if p.requires_grad}
    try:
        if _digest(path) != (path.parent / DIGEST).read_text():
            raise EOFError("it is not what was written")
        # Weights only: nothing that a file says is run.
        state = cast(dict[str, Any], torch.load(path, map_location="cpu", weights_only=True, mmap=True))
        saved = cast(dict[str, Tensor], state["model"])
        held, progress = cast(dict[str, dict[str, Any]], state["optimizer"]), cast(dict[str, Any], state["progress"])
        if {n: p.shape for n, p in saved.items()} != {n: p.shape for n, p in learning.items()}:
            raise TrainError("the checkpoint is of another model", where=path, mend="remove the folder of the stage")
    except (OSError, RuntimeError, KeyError, EOFError, pickle.UnpicklingError) as error:
        raise TrainError(
            "the checkpoint cannot be read",
            where=path,
            got=type(error).__name__,
            mend=f"remove {path.parent}: the stage then begins anew",
        ) from error
    with torch.no_grad():
        for name, p in learning.items():
            put(p, saved[name])
        fill(optimizer, {p: held[name] for name, p in learning.items()})
    return progress


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
