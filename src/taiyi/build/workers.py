"""Work on independent parts: one after another, in processes of this machine, or on a Ray cluster.

Whatever the engine, results come in the order of the parts, and a part's result depends on that part alone: the same
bytes come of one worker or of many.
"""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from multiprocessing.process import BaseProcess
from typing import Any, Literal, Protocol, Self, TypeVar

from taiyi import catalogue
from taiyi.catalogue import Corpus
from taiyi.errors import RecipeError, TaiyiError

Part = TypeVar("Part")
Result = TypeVar("Result")
EngineName = Literal["local", "ray"]

SMALL_BYTES = 50_000_000
"""Raw files of fewer bytes are worked on by one process: others would take as long to start as they save."""
ONE_THREAD = {"RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
"""What keeps libraries from starting as many threads as there are cores in each of as many processes."""


class Engine(Protocol):
    """Carries out a function, which can be imported by name, on parts that can be pickled.

    As a context manager it keeps what it has started for the calls of `map` inside; else each call starts its own.
    """

    def map(self, function: Callable[[Part], Result], parts: Sequence[Part]) -> Iterator[Result]:
        """Yield the results in the order of the parts, each as soon as those before it are there."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


class Local:
    """This machine: one process, or as many as it is given."""

    def __init__(self, workers: int = 0) -> None:
        """`workers` is the number of processes; that of the cores this process may use where it is 0."""
        self.workers = workers or cores()
        self._pool: ProcessPoolExecutor | None = None
        self._users = 0
        self._others: set[BaseProcess] = set()

    def __enter__(self) -> Self:
        self._users += 1
        return self

    def __exit__(self, *error: object) -> None:
        self._users -= 1
        if not self._users and self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def map(self, function: Callable[[Part], Result], parts: Sequence[Part]) -> Iterator[Result]:
        if min(self.workers, len(parts)) <= 1:
            yield from map(function, parts)
            return
        with self:
            if self._pool is None:
                # Forked processes would inherit the locks of other threads (Arrow's, tokenizers').
                context = multiprocessing.get_context("spawn")
                self._others = set(multiprocessing.active_children())
                own = catalogue.added()
                self._pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_begin, initargs=(own,))
            pool = self._pool
            try:
                yield from pool.map(function, parts)
            except BrokenExecutor as error:
                self._pool = None
                raise TaiyiError(
                    "a worker process died", mend="give fewer --workers if memory ran out; what is whole is kept"
                ) from error
            except BaseException:
                # Whoever stops is not to wait for parts that take minutes; files appear under their names when whole.
                self._pool = None
                for process in set(multiprocessing.active_children()) - self._others:
                    process.terminate()
                pool.shutdown(cancel_futures=True)
                raise


class OnRay:
    """A Ray cluster, through Ray Data: the one that RAY_ADDRESS names, or one of this machine.

    Its machines share the folder of the run and that of the raw corpora, under the same paths.
    """

    def __init__(self, workers: int = 0) -> None:
        """`workers` is how many parts are worked on at once; as many as the cluster has cores where it is 0."""
        try:
            ray: Any = importlib.import_module("ray")
            importlib.import_module("ray.data")
        except ImportError as error:
            raise RecipeError(
                "Ray is not installed", got="--engine ray", mend="pip install 'taiyi[ray]', or leave --engine out"
            ) from error
        self._ray = ray
        self.workers = workers
        if not ray.is_initialized():
            here = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": workers or cores(), "include_dashboard": False}
            ray.init(
                log_to_driver=False,
                logging_level=logging.WARNING,
                runtime_env={"env_vars": dict(ONE_THREAD)},
                **here,
            )
        logging.getLogger("ray.data").setLevel(logging.WARNING)
        ray.data.DataContext.get_current().enable_progress_bars = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the cluster as it is: it is not this engine's alone."""

    def map(self, function: Callable[[Part], Result], parts: Sequence[Part]) -> Iterator[Result]:
        if not parts:
            return
        # Parts are Python objects of one row each; Ray Data keeps no order by itself, so that they carry their place.
        own = _packed(catalogue.added())
        rows = [
            {"place": place, "function": _packed(function), "part": _packed(part), "own": own}
            for place, part in enumerate(parts)
        ]
        data = self._ray.data.from_items(rows, override_num_blocks=len(rows))
        done = data.map(_applied, concurrency=min(self.workers, len(rows)) or None)
        found: dict[int, Any] = {}
        due = 0
        for row in done.iter_rows():
            found[row["place"]] = pickle.loads(row["result"])
            while due in found:
                result = found.pop(due)
                if isinstance(result, TaiyiError | OSError):
                    raise result
                yield result
                due += 1


def _applied(row: dict[str, Any]) -> dict[str, Any]:
    catalogue.add(*pickle.loads(row["own"]))
    function, part = pickle.loads(row["function"]), pickle.loads(row["part"])
    try:
        result = function(part)
    except (TaiyiError, OSError) as error:
        # Ray would wrap what is raised in errors of its own, with a traceback for a message.
        result = error
    return {"place": row["place"], "result": _packed(result)}


def _packed(value: object) -> bytes:
    return pickle.dumps(value)


def _begin(own: tuple[Corpus, ...] = ()) -> None:
    """Begin a worker process: with one thread, gone with who started it, and silent when it is interrupted.

    It knows the corpora of the user's own that the process which started it knows.
    """
    catalogue.add(*own)
    os.environ.update(ONE_THREAD)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    """End this process when its parent does: one that was killed cannot say so, and another may begin the same work."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def engine(name: EngineName = "local", workers: int | None = None, *, num_bytes: int = 0) -> Engine:
    """Return the engine of that name.

    Args:
        workers: how many parts are worked on at once; by the size of the raw files if not given: a process for every
            core where they have more than 50 MB, else one.

    Raises:
        RecipeError: it is not installed.
    """
    if name == "ray":
        return OnRay(workers or 0)
    return Local(workers if workers is not None else 1 if num_bytes <= SMALL_BYTES else 0)
