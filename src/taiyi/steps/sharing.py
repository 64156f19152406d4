"""Steps that several processes carry out: together, or one of them while the others wait.

Whether there are several is told by the environment, so that a run in one process imports nothing for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from taiyi.manifest import step, take_part
from taiyi.steps.run import Run


def is_main() -> bool:
    """Whether this process is the one that writes files and says what happens."""
    return os.environ.get("RANK", "0") == "0"


def alone() -> bool:
    """Whether this process is the only one."""
    return os.environ.get("WORLD_SIZE", "1") == "1"


def together(run: Run, made: Callable[[], Path]) -> Path:
    """Let the first process carry out a step; the others wait, and then find it done."""
    if alone():
        return made()
    from taiyi.train.world import world

    if is_main():
        folder = made()
        world().wait()
        return folder
    world().wait()
    return made()


def collective(run: Run, name: str, inputs: Mapping[str, Any], work: Callable[[Path], dict[str, Any]]) -> Path:
    """Carry out a step that needs all processes; the first writes its manifest."""
    if alone():
        return step(run.folder, name, inputs, work, run.log)
    from taiyi.train.world import world

    folder = step(run.folder, name, inputs, work, run.log) if is_main() else take_part(run.folder, name, inputs, work)
    world().wait()
    return folder
