"""What the environment tells of the processes that a launcher started; nothing is imported or started for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from taiyi.errors import TrainError

if TYPE_CHECKING:
    from taiyi.train.settings import Parallel


NOT_SHARDED = "weights in 4 bit are not sharded"


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


def check_four_bit(parallel: Parallel, *, where: str | None = None) -> None:
    """Raise TrainError where several processes would have to share weights that are in 4 bit."""
    if parallel == "fsdp":
        raise TrainError(
            NOT_SHARDED,
            where=where,
            expected="whole weights on each device",
            mend="leave out `--parallel fsdp`, or use `method: lora`",
        )
