"""Cleaning of shards: what each part is told by itself, and what only all of them together tell.

By itself a record may be unfit, or material of an evaluation set; its texts become numbers (digests, signatures). From
the numbers of all parts follow duplicates, contradictions and near duplicates, whatever the order of parts or workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from taiyi import storage, tasks
from taiyi.build import filters, near
from taiyi.build.collect import Stored
from taiyi.build.decontaminate import Guard, Match
from taiyi.build.deduplicate import Digests, digests, repeats
from taiyi.build.items import Item
from taiyi.build.settings import DeduplicateSettings, FilterSettings
from taiyi.build.shingles import points
from taiyi.schema import Reject

NEAR = "near duplicate"
HELD = "kept out for evaluation during training"
_BATCH = 512


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What the records of a part are told by themselves: which go, and why; and what they matched."""

    rejects: tuple[tuple[int, Reject], ...] = ()
    matches: tuple[Match, ...] = ()


def contaminated(item: Item, match: Match) -> Reject:
    """Return why an item goes that shares material with an evaluation set."""
    detail = f"{match.value} is in {match.evaluation}"
    return Reject(where=item.place, reason=f"contaminated by {match.by}", detail=detail)


def judge(
    part: Path,
    guards: Sequence[Guard],
    quality: FilterSettings,
    deduplicate: DeduplicateSettings,
    out: Path,
    *,
    held: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Filter a part, hold it against the evaluation sets, and write what was found: `<out>.npz` and `<out>.json`.

    Args:
        guards: those of the evaluation sets; what the first one finds is said.
        held: by place, the records that are evaluated during training, and the name of the sample that has them.
    """
    rejects: list[tuple[int, Reject]] = []
    matches: list[Match] = []
    numbers: list[Digests] = []
    signed: list[near.Signatures] = []
    langs: list[str] = []
    index = 0
    for batch in _batches(part):
        items = [stored.item() for stored in batch]
        mains = [item.texts[0] if item.texts else "" for item in items]
        known: dict[str, near.Signature] = {}
        if deduplicate.near:
            rows = near.signatures(mains, shortest=min(near.SHORTEST, deduplicate.shortest_chars))
            known = dict(zip(mains, rows, strict=True))
            long = np.array([len(points(text)) >= deduplicate.shortest_chars for text in mains])
            signed.append(np.where(long[:, None], rows, near.UNSIGNED))
        found: list[Match | None] = [None] * len(items)
        for guard in guards:
            found = [first or other for first, other in zip(found, guard.matches(items, known), strict=True)]
        for stored, item, match in zip(batch, items, found, strict=True):
            if (sample := held.get(item.place)) is not None:
                rejects.append((index, Reject(where=item.place, reason=HELD, detail=sample)))
            elif match is not None:
                matches.append(match)
                rejects.append((index, contaminated(item, match)))
            elif (reject := filters.reject(stored.read(), item, quality)) is not None:
                rejects.append((index, reject))
            langs.append(item.lang)
            index += 1
        numbers.append(digests(items, deduplicate))
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
        places: for each part, where its records are from: an Arrow array of strings.
        langs: for each part, their languages.
        repeated: what others say already or contradict.
        judged: where it stands what the parts were told by themselves.
    """

    kept: list[NDArray[np.bool_]]
    places: list[Any]
    langs: list[NDArray[np.str_]]
    repeated: list[Reject]
    judged: tuple[Path, ...]

    @property
    def rejects(self) -> Iterator[Reject]:
        for path in self.judged:
            yield from (reject for _, reject in _read(path).rejects)
        yield from self.repeated

    @property
    def matches(self) -> Iterator[Match]:
        for path in self.judged:
            yield from _read(path).matches


def _read(judged: Path) -> Judged:
    return storage.read_json(judged.with_suffix(".json"), Judged)


def _numbers(judged: Path, name: str) -> NDArray[Any]:
    path = judged.with_suffix(".npz")
    with storage.reading(path), np.load(path) as stored:
        return cast("NDArray[Any]", stored[name])


def resolve(parts: Sequence[Part], settings: DeduplicateSettings) -> Cleaned:
    """Put together what parts were told by themselves, and take out what others of them say already.

    Of a record its place and a few numbers are held, and its signature, of 512 bytes, while its group is looked at.
    """
    places = [storage.read_column(part.items, "place") for part in parts]
    kept = [np.ones(len(there), dtype=np.bool_) for there in places]
    repeated: list[Reject] = []
    groups: dict[str, list[int]] = {}
    for index, part in enumerate(parts):
        kept[index][[row for row, _ in _read(part.judged).rejects]] = False
        groups.setdefault(_group(part), []).append(index)
    for name in sorted(groups):
        members = groups[name]
        repeated += _repeated(
            [parts[i] for i in members], [places[i] for i in members], [kept[i] for i in members], settings
        )
    langs = [_numbers(part.judged, "langs") for part in parts]
    return Cleaned(kept, places, langs, repeated, tuple(dict.fromkeys(part.judged for part in parts)))


def _group(part: Part) -> str:
    """Return which parts are compared: corpora of entities and relations each annotate by rules of their own."""
    kind = tasks.get(part.task).kind
    return part.task if kind in (None, "labels") else f"{part.task} {part.corpus}"


def _repeated(
    parts: Sequence[Part], places: Sequence[Any], kept: Sequence[NDArray[np.bool_]], settings: DeduplicateSettings
) -> list[Reject]:
    """Take what repeats or contradicts out of a group of parts; of what says the same, the first place stays."""
    import pyarrow as pa
    import pyarrow.compute as pc

    arrow, compute = cast(Any, pa), cast(Any, pc)
    rows_of = [np.flatnonzero(keep) for keep in kept]
    if not sum(map(len, rows_of)) or not (settings.exact or settings.conflicts or settings.near):
        return []
    part_of = np.repeat(np.arange(len(parts)), [len(rows) for rows in rows_of])
    row_of = np.concatenate(rows_of)
    taken = [there.take(arrow.array(rows)) for there, rows in zip(places, rows_of, strict=True)]
    encoded = arrow.concat_arrays(taken).dictionary_encode()
    names, codes = encoded.dictionary, encoded.indices.to_numpy()
    # The same record may be in two shards, under other types: it is compared once, and goes or stays in both.
    mine = np.sort(np.unique(codes, return_index=True)[1])
    by_code = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[by_code], np.arange(len(names) + 1))
    rank_of = np.empty(len(names), dtype=np.int64)
    rank_of[compute.sort_indices(names).to_numpy()] = np.arange(len(names))
    gone = np.zeros(len(codes), dtype=np.bool_)
    rejects: list[Reject] = []

    def name(index: int) -> str:
        return str(names[int(codes[index])])

    def drop(index: int, other: int, reason: str, detail: str = "") -> None:
        gone[index] = True
        code = int(codes[index])
        for twin in by_code[int(bounds[code]) : int(bounds[code + 1])].tolist():
            kept[int(part_of[twin])][row_of[twin]] = False
        said = f"{name(other)}{detail}" if other >= 0 else "no answer has a majority"
        rejects.append(Reject(where=name(index), reason=reason, detail=said))

    def gathered(what: str) -> NDArray[Any]:
        """Return a row of numbers for each of `mine`, holding one part's at a time beside them."""
        found: NDArray[Any] | None = None
        for part in range(len(parts)):
            if not (part_of[mine] == part).any():
                continue
            numbers = _numbers(parts[part].judged, what)
            here = np.flatnonzero(part_of[mine] == part)
            if found is None:
                found = np.empty((len(mine), numbers.shape[1]), dtype=numbers.dtype)
            found[here] = numbers[row_of[mine[here]]]
        assert found is not None
        return found

    if settings.exact or settings.conflicts:
        for repeat in repeats(gathered("digests"), settings, rank=rank_of[codes[mine]]):
            drop(int(mine[repeat.index]), int(mine[repeat.kept]) if repeat.kept >= 0 else -1, repeat.reason)
    mine = mine[~gone[mine]]
    if settings.near and len(mine):
        texts_of = _Texts([part.items for part in parts])
        found = near.near_duplicates(
            gathered("signatures"),
            lambda indices: texts_of(part_of[mine[indices]], row_of[mine[indices]]),
            settings.near_threshold,
            rank=rank_of[codes[mine]],
        )
        for match in found:
            drop(int(mine[match.index]), int(mine[match.kept]), NEAR, f" ({match.similarity:.2f})")
    return rejects


class _Texts:
    """The main texts of the records of parts, of which one part is held at a time."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths

    def __call__(self, parts: NDArray[np.int64], rows: NDArray[np.int64]) -> list[str]:
        found = [""] * len(parts)
        for part in cast("list[int]", np.unique(parts).tolist()):
            column = storage.read_column(self._paths[part], "texts")
            for place in np.flatnonzero(parts == part).tolist():
                found[place] = msgspec.json.decode(str(column[int(rows[place])]), type=list[str])[0]
        return found
