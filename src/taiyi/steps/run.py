"""A run: a recipe with what carrying it out needs, and what its steps share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from taiyi import catalogue, endpoint, storage
from taiyi.build.workers import Engine, Local
from taiyi.checkpoint import RUN_FILE, is_address, model_folder
from taiyi.endpoint import EndpointSettings
from taiyi.evaluate import suites
from taiyi.evaluate.suites import TestSet
from taiyi.manifest import Log, hash_file
from taiyi.recipe import Recipe
from taiyi.schema import Example
from taiyi.train.settings import Parallel

# Raised when a step would make something else of the same inputs, so that what an older version made is made anew.
VERSIONS = {"data": 7, "tokenizer": 1, "rows": 4, "pairs": 1, "train": 4, "fit": 2, "predict": 3, "report": 9}


@dataclass(frozen=True)
class Run:
    """A recipe with what carrying it out needs.

    Attributes:
        recipe: what is to be done.
        folder: where its steps are written.
        corpora: where raw corpora are.
        log: where it is said what happens.
        command: as typed, for the report.
        engine: what the data is made with.
        parallel: how weights lie on several processes that train together.
        together: trains the stages in several processes, where one alone is to begin them.
    """

    recipe: Recipe
    folder: Path
    corpora: Path
    log: Log
    command: str = ""
    engine: Engine = field(default_factory=lambda: Local(1))
    parallel: Parallel = "ddp"
    together: Callable[[], None] | None = None

    @property
    def console(self) -> Console:
        return self.log.console

    def progress(self) -> Progress:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        return Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal)


def point(run: Run, **places: str) -> None:
    """Say in the run's folder where its model and report are; a report of another model is forgotten."""
    path = run.folder / RUN_FILE
    known: dict[str, str] = storage.read_json(path, dict[str, str]) if path.exists() else {}
    if places.get("model") == known.get("model"):
        places = known | places
    if places != known:
        storage.write_json(places, path)


def test_sets(recipe: Recipe) -> list[TestSet]:
    """Return the test sets of a recipe's suites, each once."""
    found = {test_set.name: test_set for suite in recipe.evaluate.suites for test_set in suites.get(suite)}
    return list(found.values())


def at_hand(recipe: Recipe, corpora: Path) -> list[TestSet]:
    """Return the test sets of a recipe that can be asked: all but those that cannot be had freely and are not there."""
    return [t for t in test_sets(recipe) if not t.missing or catalogue.get(t.corpus).layout(t.split, corpora)]


def identity(run: Run, model: str | Path) -> object:
    """Return what tells a model from others: its step in this run, the hashes of its files, its hub id, or how a server
    is asked for it."""
    if is_address(model):
        return endpoint.identity(str(model), run.recipe.evaluate.endpoint or EndpointSettings())
    return identity_in(run.folder, model)


def identity_in(folder: Path, model: str | Path) -> object:
    """Return what tells a model from others in what is made of it in the folder of a run."""
    path = Path(model)
    if path.is_relative_to(folder):
        # The model of a step, or a candidate beside it.
        return path.relative_to(folder).as_posix().removesuffix("/model")
    if path.is_dir() or isinstance(model, Path):
        files = sorted(model_folder(path).iterdir())
        return {
            file.name: _hash(file, file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.is_file()
        }
    return str(model)


@cache
def _hash(file: Path, size: int, changed: int) -> str:
    """Return the hash of a file as long as it is what it was: each step asks for that of the whole base."""
    return hash_file(file)


def examples(path: Path) -> Iterable[Example]:
    return storage.read_parquet(path, Example)
