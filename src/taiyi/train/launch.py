"""The processes that train together: what the environment tells of them, without imports, and how they are started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from taiyi.errors import TrainError

if TYPE_CHECKING:
    from taiyi.train.settings import Parallel


NOT_SHARDED = "weights in 4 bit are not sharded"
_ENDING = (signal.SIGTERM, signal.SIGHUP)


def is_main() -> bool:
    """Whether this process is the one that writes files and says what happens."""
    return os.environ.get("RANK", "0") == "0"


def check() -> None:
    """Raise TrainError where a process is one of several and is not told: each would take itself to be the first."""
    if "RANK" not in os.environ and os.environ.get("SLURM_PROCID", "0") != "0":
        raise TrainError(
            "this process is one of several, but nothing tells it so",
            got="SLURM_PROCID without RANK",
            expected="RANK and WORLD_SIZE, as torchrun sets them",
            mend="let srun start one torchrun on each node: docs/larger-machines.md",
        )


def alone() -> bool:
    """Whether this process is the only one."""
    return os.environ.get("WORLD_SIZE", "1") == "1"


def fitting(micro_batches: int) -> int:
    """Return how many processes are worth starting on this machine: one where there is a GPU, which a launcher gives a
    process each of, else one for every core, as far as the micro-batches of a step can be dealt out to them."""
    import torch

    return 1 if torch.cuda.is_available() else max(1, min(micro_batches, _cores()))


def start(processes: int, arguments: Sequence[str]) -> None:
    """Run a command of `taiyi` in several processes of this machine, which share its cores.

    They end with this process where it is told to end: by SIGTERM, as of a batch system, by SIGHUP, or by Ctrl-C.

    Raises:
        TrainError: it did not end well; why is what it wrote.
    """
    threads = max(1, _cores() // processes)
    # What this process ignores, as under nohup, its children do too, but for a launcher that handles it again.
    handled = [number for number in _ENDING if signal.getsignal(number) != signal.SIG_IGN]
    names = ",".join(signal.Signals(number).name for number in (signal.SIGINT, *handled))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    launcher = subprocess.Popen(
        [*command, f"--signals-to-handle={names}", "-m", "taiyi", *arguments],
        env=os.environ | {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads))},
    )
    told: list[int] = []

    def end(number: int, _: object) -> None:
        told.append(number)
        launcher.terminate()

    before = {number: signal.signal(number, end) for number in handled}
    try:
        status = launcher.wait()
    finally:
        launcher.terminate()
        launcher.wait()
        for number, handler in before.items():
            signal.signal(number, handler)
    if told:
        signal.raise_signal(told[0])
    if status:
        raise TrainError(
            "training did not end well",
            where=f"{processes} processes",
            got=f"exit status {status}; the first that failed says why above",
            mend="mend it, and give the same command again: it goes on from the last checkpoint",
        )


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_four_bit(parallel: Parallel, *, where: str | None = None) -> None:
    """Raise TrainError where several processes would have to share weights that are in 4 bit."""
    if parallel == "fsdp":
        raise TrainError(
            NOT_SHARDED,
            where=where,
            expected="whole weights on each device",
            mend="leave out `--parallel fsdp`, or use `method: lora`",
        )
