"""Cleaning of shards: what each part is told by itself, and what only all of them together tell.

By itself a record may be unfit, or material of an evaluation set; its texts become numbers (digests, signatures). From
the numbers of all parts follow duplicates, contradictions and near duplicates, whatever the order of parts or workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from taiyi import storage, tasks
from taiyi.build import filters, near
from taiyi.build.collect import Stored
from taiyi.build.decontaminate import Guard, Match
from taiyi.build.deduplicate import Digests, digests, repeats
from taiyi.build.settings import DeduplicateSettings, FilterSettings
from taiyi.schema import Reject

NEAR = "near duplicate"
_BATCH = 512
_PARTS_IN_MEMORY = 4


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What the records of a part are told by themselves: which go, and why; and what they matched."""

    rejects: tuple[tuple[int, Reject], ...] = ()
    matches: tuple[Match, ...] = ()


def judge(
    part: Path, guard: Guard | None, quality: FilterSettings, deduplicate: DeduplicateSettings, out: Path
) -> None:
    """Filter a part, hold it against the evaluation sets, and write what was found: `<out>.npz` and `<out>.json`."""
    rejects: list[tuple[int, Reject]] = []
    matches: list[Match] = []
    numbers: list[Digests] = []
    signed: list[near.Signatures] = []
    langs: list[str] = []
    index = 0
    for batch in _batches(part):
        items = [stored.item() for stored in batch]
        found = guard.matches(items) if guard is not None else [None] * len(items)
        for stored, item, match in zip(batch, items, found, strict=True):
            reject = filters.reject(stored.read(), item, quality)
            if match is not None:
                matches.append(match)
                detail = f"{match.value} is in {match.evaluation}"
                rejects.append((index, Reject(where=item.place, reason=f"contaminated by {match.by}", detail=detail)))
            elif reject is not None:
                rejects.append((index, reject))
            langs.append(item.lang)
            index += 1
        numbers.append(digests(items, deduplicate))
        if deduplicate.near:
            texts = [item.texts[0] if item.texts else "" for item in items]
            signed.append(near.signatures(texts, shortest=deduplicate.shortest_chars))
    with storage.writing(out.with_suffix(".npz")) as file:
        np.savez(
            file,
            digests=np.concatenate(numbers),
            signatures=np.concatenate(signed) if signed else np.empty((index, 0), np.uint32),
            langs=np.array(langs),
        )
    storage.write_json(Judged(rejects=tuple(rejects), matches=tuple(matches)), out.with_suffix(".json"))


def _batches(part: Path) -> Iterator[list[Stored]]:
    batch: list[Stored] = []
    for stored in storage.read_parquet(part, Stored):
        batch.append(stored)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


class Part(msgspec.Struct, frozen=True):
    """A part of a shard with what it was told by itself."""

    items: Path
    judged: Path
    corpus: str
    task: str


class Cleaned(msgspec.Struct, frozen=True):
    """The records of parts that stay, and what became of the others.

    Attributes:
        kept: for each part, which of its records stay.
        places: for each part, where its records are from.
        langs: for each part, their languages.
    """

    kept: list[NDArray[np.bool_]]
    places: list[list[str]]
    langs: list[list[str]]
    rejects: list[Reject]
    matches: list[Match]


def resolve(parts: Sequence[Part], settings: DeduplicateSettings) -> Cleaned:
    """Put together what parts were told by themselves, and take out what others of them say already."""
    places = [column(part.items, "place") for part in parts]
    kept = [np.ones(len(there), dtype=np.bool_) for there in places]
    rejects: list[Reject] = []
    matches: list[Match] = []
    numbers: list[dict[str, Any]] = []
    for part, keep in zip(parts, kept, strict=True):
        judged: Judged = storage.read_json(part.judged.with_suffix(".json"), Judged)
        matches += judged.matches
        for index, reject in judged.rejects:
            keep[index] = False
            rejects.append(reject)
        with np.load(part.judged.with_suffix(".npz")) as stored:
            numbers.append(dict(stored))
    langs = [list(map(str, number["langs"])) for number in numbers]
    groups: dict[str, list[int]] = {}
    for index, part in enumerate(parts):
        groups.setdefault(_group(part), []).append(index)
    for name in sorted(groups):
        members = groups[name]
        rejects += _repeated([parts[i] for i in members], [places[i] for i in members], [kept[i] for i in members],
                             [numbers[i] for i in members], settings)  # fmt: skip
    return Cleaned(kept, places, langs, rejects, matches)


def _group(part: Part) -> str:
    """Return which parts are compared: corpora of entities and relations each annotate by rules of their own."""
    kind = tasks.get(part.task).kind
    return part.task if kind in (None, "labels") else f"{part.task} {part.corpus}"


def _repeated(
    parts: Sequence[Part],
    places: Sequence[Sequence[str]],
    kept: Sequence[NDArray[np.bool_]],
    numbers: Sequence[dict[str, Any]],
    settings: DeduplicateSettings,
) -> list[Reject]:
    """Take what repeats or contradicts out of a group of parts; of what says the same, the first place stays."""
    where = [(p, i) for p, keep in enumerate(kept) for i in np.flatnonzero(keep).tolist()]
    if not where or not (settings.exact or settings.conflicts or settings.near):
        return []
    names = [places[p][i] for p, i in where]
    # The same record may be in two shards, under other types: it is compared once, and goes or stays in both.
    first: dict[str, int] = {}
    twins: dict[int, list[int]] = {}
    for index, name in enumerate(names):
        twins.setdefault(first.setdefault(name, index), []).append(index)
    order = np.array(sorted(twins, key=lambda index: names[index]), dtype=np.int64)
    ranks = np.empty(len(where), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    rejects: list[Reject] = []
    gone: set[int] = set()

    def drop(index: int, other: int, reason: str, detail: str = "") -> None:
        gone.add(index)
        for twin in twins[index]:
            part, row = where[twin]
            kept[part][row] = False
        said = f"{names[other]}{detail}" if other >= 0 else "no answer has a majority"
        rejects.append(Reject(where=names[index], reason=reason, detail=said))

    mine = [i for i in range(len(where)) if i in twins]
    rows = np.stack([numbers[where[i][0]]["digests"][where[i][1]] for i in mine])
    if settings.exact or settings.conflicts:
        for repeat in repeats(rows, rank=ranks[mine]):
            drop(mine[repeat.index], mine[repeat.kept] if repeat.kept >= 0 else -1, repeat.reason)
    mine = [i for i in mine if i not in gone]
    if settings.near and mine:
        signatures = np.stack([numbers[where[i][0]]["signatures"][where[i][1]] for i in mine])
        text_of = _Texts([part.items for part in parts])
        found = near.near_duplicates(
            signatures, lambda i: text_of(*where[mine[i]]), settings.near_threshold, rank=ranks[mine]
        )
        for match in found:
            drop(mine[match.index], mine[match.kept], NEAR, f" ({match.similarity:.2f})")
    return rejects


class _Texts:
    """The texts of parts, of which a few are held at once."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._column = lru_cache(maxsize=_PARTS_IN_MEMORY)(self._read)

    def _read(self, part: int) -> list[str]:
        return column(self._paths[part], "texts")

    def __call__(self, part: int, row: int) -> str:
        return msgspec.json.decode(self._column(part)[row], type=list[str])[0]


def column(path: Path, name: str) -> list[str]:
    """Return one column of a Parquet file, as it is stored."""
    import pyarrow.parquet

    return cast("list[str]", pyarrow.parquet.read_table(path, columns=[name])[name].to_pylist())
