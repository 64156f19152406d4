"""The finished data step of a run, and the choice of examples from it."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import xxhash

from taiyi import storage
from taiyi.errors import TaiyiError, suggestion
from taiyi.manifest import Manifest, manifest
from taiyi.schema import Example, Lang
from taiyi.steps.data import data_folder

_TEST, _DEV = "test-", "dev-"
Key = tuple[str, str, Lang]
"""A corpus, a task and a language."""
Counts = Mapping[Key, int]


class LookError(TaiyiError):
    """There is nothing to look at where it was looked for."""


class Head(msgspec.Struct, frozen=True):
    """What of an example it is chosen by."""

    id: str
    corpus: str
    task: str
    lang: Lang
    template: str


@dataclass(frozen=True, slots=True)
class Data:
    """A finished data step.

    Attributes:
        run: the folder of its run.
        folder: its own.
        manifest: what it was made of.
    """

    run: Path
    folder: Path
    manifest: Manifest

    @property
    def stages(self) -> dict[str, Path]:
        """The files of the stages, in order of the recipe."""
        return {name: self.folder / f"{name}.parquet" for name in self.manifest.inputs.get("stages", {})}

    @property
    def tests(self) -> dict[str, Path]:
        """The files of the test sets and dev samples, as `test-<set>` and `dev-<stage>`."""
        return {path.stem: path for name in (_TEST, _DEV) for path in sorted(self.folder.glob(f"{name}*.parquet"))}


def find(run: Path) -> Data:
    """Return the data step of a run that was finished last, or the one whose folder is given."""
    folder = data_folder(run)
    return Data(run.resolve().parent if folder == run else run, folder, manifest(folder))


def choose(
    data: Data,
    *,
    stage: str | None = None,
    example: str | None = None,
    task: str | None = None,
    corpus: str | None = None,
    count: int = 1,
) -> list[tuple[str, Example]]:
    """Return examples with the stage that they are of: the one of an id, or some of a task and corpus, spread over all.

    Test sets are looked into where one is named (`test-<set>`), or an id is given that no stage has.
    """
    known = data.stages | data.tests
    if stage is not None and stage not in known:
        raise LookError("no such stage or test set", where=data.folder, got=stage, mend=suggestion(stage, known))
    files = {stage: known[stage]} if stage is not None else data.stages if example is None and data.stages else known
    for field, value in (("corpus", corpus), ("task", task)):
        there = {getattr(head, field) for path in files.values() for head in _heads(path)} if value else set[str]()
        if value and value not in there:
            raise LookError(f"no example of this {field}", where=data.folder, got=value, mend=suggestion(value, there))

    def wanted(head: Head) -> bool:
        if example is not None:
            return head.id == example
        return task in (None, head.task) and corpus in (None, head.corpus)

    places = [(name, index) for name, path in files.items() for index in _matching(path, wanted)]
    if not places:
        raise LookError(
            "no such example",
            where=data.folder,
            got=example or ", ".join(filter(None, (task, corpus))) or None,
            mend="what was left out is in rejects.jsonl there",
        )
    count = 1 if example is not None else min(count, len(places))
    taken = [places[i * len(places) // count] for i in range(count)]
    return [
        (name, found)
        for name, path in files.items()
        for found in storage.read_rows(path, Example, [index for of, index in taken if of == name])
    ]


def sample(path: Path, *, per_group: int) -> Mapping[Key, list[Example]]:
    """Return up to so many examples of each corpus, task and language, over as many of its templates as there are."""
    groups: dict[Key, dict[str, list[tuple[int, int]]]] = {}
    for index, head in enumerate(_heads(path)):
        rows = groups.setdefault((head.corpus, head.task, head.lang), {}).setdefault(head.template, [])
        # Those whose hash is smallest: any, and the same every time.
        heapq.heappush(rows, (-xxhash.xxh3_64_intdigest(head.id.encode()), index))
        if len(rows) > per_group:
            heapq.heappop(rows)
    chosen: dict[Key, list[int]] = {}
    for key, templates in groups.items():
        turns = sorted(
            (turn, template, row)
            for template, rows in templates.items()
            for turn, (_, row) in enumerate(sorted(rows, reverse=True))
        )
        chosen[key] = [row for _, row in sorted((template, row) for _, template, row in turns[:per_group])]
    rows = sorted(row for rows in chosen.values() for row in rows)
    found = dict(zip(rows, storage.read_rows(path, Example, rows), strict=True))
    return {key: [found[row] for row in rows] for key, rows in sorted(chosen.items())}


def count(path: Path) -> Counts:
    """Count the examples of each corpus, task and language."""
    counts: dict[Key, int] = {}
    for head in _heads(path):
        key = (head.corpus, head.task, head.lang)
        counts[key] = counts.get(key, 0) + 1
    return dict(sorted(counts.items()))


def _heads(path: Path) -> Iterable[Head]:
    return storage.read_parquet(path, Head)


def _matching(path: Path, wanted: Callable[[Head], bool]) -> Iterator[int]:
    return (index for index, head in enumerate(_heads(path)) if wanted(head))
