"""The mixture of a stage: how often each corpus is drawn from, and which of its records how many times.

Sizes are tempered by a power, as in multilingual pre-training (Conneau and Lample, 2019: share proportional to n^T),
languages may be given shares, and a small corpus is repeated up to a limit; each time under another wording.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
import xxhash
from pydantic import Field

from taiyi.build.settings import Settings
from taiyi.schema import Lang


class MixtureSettings(Settings):
    """How the corpora of a stage are weighed. Sizes are records, each of which may give several examples."""

    total_records: Annotated[int, Field(ge=1)] | None = None
    """How many records are drawn in all, repeated ones included; as many as there are after the limits if not given."""
    temperature: Annotated[float, Field(gt=0, le=1)] = 1.0
    """The power T of a corpus's size that its share is proportional to: 1 as it is, towards 0 all alike."""
    max_records: Annotated[int, Field(ge=1)] | None = None
    """At most so many records of each corpus and task."""
    max_task_records: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict[str, int])
    """By task: at most so many records, from its corpora in proportion to their tempered sizes."""
    langs: dict[Lang, Annotated[float, Field(gt=0)]] = Field(default_factory=dict[Lang, float])
    """Shares of the languages, such as `{en: 1, zh: 1}` for as much of both; as they come if not given."""
    max_epochs: Annotated[float, Field(ge=1)] = 1.0
    """How often the records of one corpus may be drawn at most, where `total_records` asks for more than there are."""


class Source(msgspec.Struct, frozen=True):
    """The clean records that a selection has in one language."""

    corpus: str
    task: str
    lang: Lang
    num_records: int
    draws: int | None = None
    """How many of them are drawn, where the selection says so."""
    num_wordings: int = 1 << 31
    """How often each can be drawn, under another wording each time."""

    @property
    def most(self) -> int:
        return self.num_records * self.num_wordings


def allocate(sources: Sequence[Source], settings: MixtureSettings) -> list[int]:
    """Return how many records are drawn from each source; more than it has where its records are repeated.

    Sources with a number of draws of their own stand apart from the mixture. What is asked for may be more than the
    limits allow: then each source is drawn from up to its limit.
    """
    fixed = {i: min(s.draws, s.most) for i, s in enumerate(sources) if s.draws is not None}
    if fixed:
        others = [i for i in range(len(sources)) if i not in fixed]
        shared = dict(zip(others, allocate([sources[i] for i in others], settings), strict=True)) if others else {}
        return [fixed[i] if i in fixed else shared[i] for i in range(len(sources))]
    once = [min(s.num_records, settings.max_records or s.num_records) for s in sources]
    weights = [float(n) ** settings.temperature if n else 0.0 for n in once]
    most: list[float] = [min(settings.max_epochs * n, s.most) for s, n in zip(sources, once, strict=True)]
    limits: list[float] = list(once) if settings.total_records is None else most
    for task, limit in settings.max_task_records.items():
        members = [i for i, source in enumerate(sources) if source.task == task]
        for i, share in zip(
            members, _shares([weights[i] for i in members], [limits[i] for i in members], limit), strict=True
        ):
            limits[i] = share
    if settings.langs:
        weights = _with_langs(sources, weights, settings.langs)
    total = sum(limits) if settings.total_records is None else settings.total_records
    if settings.total_records is None and settings.langs:
        # As many as can be had in these proportions: the language that is used up first says how many.
        total = min(
            sum(limit for s, limit in zip(sources, limits, strict=True) if s.lang == lang) / share
            for lang, share in settings.langs.items()
        ) * sum(settings.langs.values())
    return _whole(_shares(weights, limits, total), limits)


def _with_langs(sources: Sequence[Source], weights: Sequence[float], langs: Mapping[Lang, float]) -> list[float]:
    sums = {lang: sum(w for s, w in zip(sources, weights, strict=True) if s.lang == lang) for lang in langs}
    return [
        weight * langs[source.lang] / sums[source.lang] if sums.get(source.lang) else 0.0
        for source, weight in zip(sources, weights, strict=True)
    ]


def _shares(weights: Sequence[float], limits: Sequence[float], total: float) -> list[float]:
    """Share a total out in proportion to weights, none above its limit; what one cannot take goes to the others."""
    if total >= sum(limit for limit, weight in zip(limits, weights, strict=True) if weight):
        return [limit if weight else 0.0 for limit, weight in zip(limits, weights, strict=True)]
    shares = [0.0] * len(weights)
    free: set[int] = {i for i, weight in enumerate(weights) if weight}
    left = total
    while free:
        scale = left / sum(weights[i] for i in free)
        full: set[int] = {i for i in free if weights[i] * scale >= limits[i]}
        for i in full or free:
            shares[i] = limits[i] if full else weights[i] * scale
        if not full:
            break
        left -= sum(limits[i] for i in full)
        free -= full
    return shares


def _whole(shares: Sequence[float], limits: Sequence[float]) -> list[int]:
    """Round shares to whole numbers of the same sum, none above its limit: the largest remainders are rounded up."""
    floors = [int(share + 1e-9) for share in shares]
    missing = round(sum(shares)) - sum(floors)
    by_rest = sorted(range(len(shares)), key=lambda i: (floors[i] - shares[i], i))
    for i in [i for i in by_rest if floors[i] + 1 <= limits[i] + 1e-9][: max(missing, 0)]:
        floors[i] += 1
    return floors


def draws(places: Sequence[str], total: int, seed: int) -> list[int]:
    """Return how often each record is drawn: all equally often, and those that the seed ranks first once more.

    What a record gets depends on the seed, its place and which others there are, not on their order.
    """
    if not places:
        return []
    each, more = divmod(total, len(places))
    counts = [each] * len(places)
    if more:
        for i in sorted(range(len(places)), key=lambda i: (rank(seed, places[i]), places[i]))[:more]:
            counts[i] += 1
    return counts


def rank(seed: int, place: str) -> int:
    """Return a number by which records are ordered as if by chance, the same in every run."""
    return xxhash.xxh3_64_intdigest(f"{seed}/{place}".encode())
