"""Exact deduplication: the same material asked for the same thing, in whatever wording; and answers that conflict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
import xxhash
from numpy.typing import NDArray

from taiyi.build.items import Item
from taiyi.build.settings import DeduplicateSettings
from taiyi.build.shingles import points

DUPLICATE = "duplicate"
CONFLICT = "conflicting answers"

_MATERIAL, _ANSWER, _ASKED = range(3)
Digests = NDArray[np.uint64]


class Repeat(msgspec.Struct, frozen=True):
    """An item that goes, and the one that stays in its place: `kept` is -1 where no answer has a majority."""

    index: int
    kept: int
    reason: str


def digests(items: Sequence[Item], settings: DeduplicateSettings) -> Digests:
    """Return three numbers for each item: of its task and texts, of its answer, and of what may not be answered twice.

    The last is 0 where a text may have several right answers. Of a million items, two unlike ones share a number by
    chance about once in thirty million times.
    """
    rows = np.zeros((len(items), 3), dtype=np.uint64)
    for row, item in zip(rows, items, strict=True):
        forms = [_form(text) for text in item.texts]
        row[_MATERIAL] = _digest(item.task, *forms)
        row[_ANSWER] = _digest(item.gold)
        if forms and item.task not in settings.several_answers:
            asked = forms[:1] if item.task in settings.answer_in_texts else forms
            # Other corpora annotate by other rules.
            row[_ASKED] = _digest(item.corpus, item.task, *asked)
    return rows


def repeats(digests: Digests, settings: DeduplicateSettings, *, rank: NDArray[np.int64] | None = None) -> list[Repeat]:
    """Return the items that conflict with others or say what another one says, by index: each if the settings ask it.

    Of those that say the same, that of the smallest rank stays (its place in an order that does not depend on the run).
    """
    ranks = np.arange(len(digests), dtype=np.int64) if rank is None else rank
    found = {repeat.index: repeat for repeat in _conflicts(digests, ranks)} if settings.conflicts else {}
    for group in _groups(digests, (_MATERIAL, _ANSWER), ranks) if settings.exact else ():
        staying = [index for index in group if index not in found]
        for index in staying[1:]:
            found[index] = Repeat(index=index, kept=staying[0], reason=DUPLICATE)
    return [found[index] for index in sorted(found)]


def _conflicts(digests: Digests, ranks: NDArray[np.int64]) -> Iterable[Repeat]:
    for group in _groups(digests, (_ASKED,), ranks):
        answers, places, counts = np.unique(digests[group, _ANSWER], return_inverse=True, return_counts=True)
        if digests[group[0], _ASKED] == 0 or len(answers) == 1:
            continue
        most = int(counts.argmax())
        if 2 * int(counts[most]) <= len(group):
            yield from (Repeat(index=index, kept=-1, reason=CONFLICT) for index in group)
        else:
            kept = group[int(np.argmax(places == most))]
            losing = (index for index, place in zip(group, places.tolist(), strict=True) if place != most)
            yield from (Repeat(index=index, kept=kept, reason=CONFLICT) for index in losing)


def _groups(digests: Digests, columns: Sequence[int], ranks: NDArray[np.int64]) -> Iterable[list[int]]:
    """Yield the items that agree in some columns, two or more each, in order of rank."""
    order = np.lexsort([ranks, *(digests[:, column] for column in columns)])
    same = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
    for column in columns:
        values = digests[order, column]
        same &= values[1:] == values[:-1]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        yield order[start : end + 1].tolist()


def _form(text: str) -> bytes:
    # Texts of marks alone ("+", "?") are told apart by their marks.
    return points(text).tobytes() or text.encode("utf-8", "surrogatepass")


def _digest(*parts: str | bytes) -> int:
    state = xxhash.xxh3_64()
    for part in parts:
        content = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        state.update(len(content).to_bytes(8, "little"))
        state.update(content)
    return state.intdigest()
