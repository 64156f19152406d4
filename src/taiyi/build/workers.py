"""Work on independent parts: one after another, in processes of this machine, or on a Ray cluster.

Whatever the engine, results come in the order of the parts, and a part's result depends on that part alone: the same
bytes come of one worker or of many.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Literal, Protocol, TypeVar

from taiyi.errors import RecipeError

Part = TypeVar("Part")
Result = TypeVar("Result")
EngineName = Literal["local", "ray"]


class Engine(Protocol):
    """Carries out a function, which can be imported by name, on parts that can be pickled."""

    def map(self, function: Callable[[Part], Result], parts: Sequence[Part]) -> Iterator[Result]:
        """Yield the results in the order of the parts, each as soon as those before it are there."""
        ...


class Local:
    """This machine: one process, or as many as it is given."""

    def __init__(self, workers: int = 0) -> None:
        """`workers` is the number of processes; that of the cores this process may use where it is 0."""
        self.workers = workers or len(os.sched_getaffinity(0))

    def map(self, function: Callable[[Part], Result], parts: Sequence[Part]) -> Iterator[Result]:
        workers = min(self.workers, len(parts))
        if workers <= 1:
            yield from map(function, parts)
            return
        # Forked processes would inherit the locks of other threads (Arrow's, tokenizers').
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=context) as pool:
            try:
                yield from pool.map(function, parts)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


class OnRay:
    """A Ray cluster, through Ray Data: the one that RAY_ADDRESS names, or one of this machine."""

    def __init__(self, workers: int = 0) -> None:
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
            ray.init(num_cpus=workers or None, include_dashboard=False, log_to_driver=False)

    def map(self, function: Callable[[Part], Result], parts: Sequence[Part]) -> Iterator[Result]:
        if not parts:
            return
        # Parts are Python objects of one row each; Ray Data keeps no order by itself, so that they carry their place.
        rows = [{"place": place, "part": _packed(part)} for place, part in enumerate(parts)]
        data = self._ray.data.from_items(rows, override_num_blocks=len(rows))
        found: dict[int, Any] = {}
        due = 0
        for row in data.map(_Applied(function)).iter_rows():
            found[row["place"]] = _unpacked(row["result"])
            while due in found:
                yield found.pop(due)
                due += 1


class _Applied:
    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return {"place": row["place"], "result": _packed(self.function(_unpacked(row["part"])))}


def _packed(value: object) -> bytes:
    return pickle.dumps(value)


def _unpacked(data: bytes) -> Any:
    return pickle.loads(data)


def engine(name: EngineName = "local", workers: int = 0) -> Engine:
    """Return the engine of that name.

    Raises:
        RecipeError: it is not installed.
    """
    return Local(workers) if name == "local" else OnRay(workers)
