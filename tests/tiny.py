"""A run on the bundled demo corpora that has every step and takes seconds: what the tests of whole runs carry out."""

from __future__ import annotations

import copy
import fnmatch
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import yaml

import taiyi as package

_STAGE: dict[str, Any] = {
    "optimizer": "muon",
    "learning_rate": 0.01,
    "max_tokens": 512,
    "batch_tokens": 512,
    "epochs": 3,
    "max_steps": 12,
    "save_every_steps": 4,
}

RECIPE: dict[str, Any] = {
    "name": "tiny",
    "description": "Every step, in seconds.",
    "seed": 3,
    "scratch": {"vocab_size": 500, "hidden": 16, "layers": 1, "heads": 1, "feed_forward": 32},
    "encoding": {"positions": "aligned"},
    "stages": [
        _STAGE
        | {
            "name": "stage1",
            "data": [
                {"corpus": "demo_cdr", "task": "ner", "window_chars": 1, "max_records": 4},
                {"corpus": "demo_cmeee", "task": "ner", "max_records": 4},
                {"corpus": "demo_qic", "task": "tc", "max_records": 8},
            ],
        },
        _STAGE
        | {
            "name": "stage2",
            "replay": ["stage1"],
            "data": [
                {"corpus": "demo_pubmedqa", "task": "qa_yesno", "max_records": 4},
                {"corpus": "demo_chat", "task": "mrd", "max_records": 4},
            ],
        },
    ],
    "evaluate": {
        "suites": ["demo"],
        "window_chars": {"demo_cdr_ner": 1},
        "max_records": 2,
        "max_new_tokens": dict.fromkeys(("ner", "re", "tc", "qa_mc", "qa_yesno", "qa_sqa", "qa_cqa", "mrd"), 12),
    },
}


def changed(**changes: Any) -> dict[str, Any]:
    """Return the recipe with other values of some keys; over a base it has no size of a model from nothing."""
    content = copy.deepcopy(RECIPE) | changes
    if "base" in changes:
        del content["scratch"]
    return content


def write(folder: Path, recipe: dict[str, Any] | None = None) -> Path:
    """Write a recipe, the tiny one if none is given, into a folder, and return its path."""
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(recipe or RECIPE, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def python(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run Python on one thread with this package on its path."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
        **{"timeout": 120} | options,
    )


def taiyi(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line, as `python -m taiyi`."""
    return python("-m", "taiyi", *arguments, **options)


# Most of the seconds of a small run go into imports: what is run many times is forked off a process that has them.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "bitsandbytes",
        "matplotlib.backends.backend_svg",
        "matplotlib.figure",
        "pandas",
        "rouge_score.rouge_scorer",
        "taiyi.cli.build",
        "taiyi.cli.eval",
        "taiyi.cli.run",
        "taiyi.evaluate.plots",
        "taiyi.generate.local",
        "taiyi.train.encoder",
        "taiyi.train.loop",
        "taiyi.train.tracking",
        "tensorboard.summary.writer.event_file_writer",
        "transformers.models.bloom.modeling_bloom",
        "transformers.models.qwen3.modeling_qwen3",
    ]
)


def forked(
    *arguments: object, before: Callable[[], object] = int, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run the command line as `taiyi` does, in a process that has imported what it needs; `before` is called there."""
    given = [str(argument) for argument in arguments]
    pipes = [_FORKS.Pipe(duplex=False) for _ in range(2)]
    process = _FORKS.Process(target=_run, args=(given, environment(), Path.cwd(), before, *(end for _, end in pipes)))
    process.start()
    for _, end in pipes:
        end.close()
    late = threading.Timer(timeout, process.kill)
    late.start()
    with ThreadPoolExecutor(2) as readers:
        output, error = readers.map(_read, [end for end, _ in pipes])
    process.join()
    if not late.is_alive():
        raise subprocess.TimeoutExpired(given, timeout, output, error)
    late.cancel()
    assert process.exitcode is not None
    return subprocess.CompletedProcess(given, process.exitcode, output, error)


def _read(pipe: Connection) -> str:
    with os.fdopen(os.dup(pipe.fileno()), encoding="utf-8") as file, pipe:
        return file.read()


def _run(
    arguments: list[str],
    variables: dict[str, str],
    folder: Path,
    before: Callable[[], object],
    output: Connection,
    error: Connection,
) -> None:
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    os.dup2(output.fileno(), 1)
    os.dup2(error.fileno(), 2)
    output.close()
    error.close()
    # A shell that starts jobs in the background makes them ignore interrupts; these are to heed them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    before()
    sys.argv = ["taiyi", *arguments]
    runpy.run_module("taiyi", run_name="__main__", alter_sys=True)


def stopped(
    number: int, pattern: str, nth: int, *arguments: object, before: Callable[[], object] = int
) -> subprocess.CompletedProcess[str]:
    """Run the command line, and send it a signal where it begins to write the n-th file whose path has a pattern.

    Before it is killed it leaves half of something under that name, as a machine does that stops while it writes.
    """
    return forked(*arguments, before=partial(_watch, int(number), pattern, nth, before))


def _watch(number: int, pattern: str, count: int, before: Callable[[], object]) -> None:
    before()

    def opened(event: str, args: tuple[Any, ...]) -> None:
        nonlocal count
        if event != "open" or not isinstance(args[0], str | os.PathLike) or not set(str(args[1])) & set("wa"):
            return
        path = str(os.fspath(args[0]))
        if fnmatch.fnmatch(path, pattern):
            count -= 1
            if count == 0:
                count = -1
                if number == signal.SIGKILL:
                    os.write(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), b'{"half":"of some')
                os.kill(os.getpid(), number)

    sys.addaudithook(opened)


def environment() -> dict[str, str]:
    path = os.pathsep.join([str(Path(package.__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
    return os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "100"}
