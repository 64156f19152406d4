"""Steps that several processes carry out: together, or one of them while the others wait.

Whether there are several is told by the environment, so that a run in one process imports nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from taiyi.manifest import step, take_part
from taiyi.steps.run import Run
from taiyi.train.launch import alone, is_main


def together(run: Run, made: Callable[[], Path]) -> Path:
    """Let the first process carry out a step; the others wait, and then find it done."""
    if alone():
        return made()
    from taiyi.train.world import world

    with world().main_first():
        return made()


def collective(run: Run, name: str, inputs: Mapping[str, Any], work: Callable[[Path], dict[str, Any]]) -> Path:
    """Carry out a step that needs all processes; the first writes its manifest."""
    if alone():
        return step(run.folder, name, inputs, work, run.log)
    from taiyi.train.world import world

    folder = step(run.folder, name, inputs, work, run.log) if is_main() else take_part(run.folder, name, inputs, work)
    world().wait()
    return folder
