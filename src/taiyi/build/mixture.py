"""The mixture of a stage: how often each corpus is drawn from, and which of its records how many times.

Sizes are tempered by a power, as in multilingual pre-training (Conneau and Lample, 2019: share proportional to n^T),
languages may be given shares, and a small corpus is repeated up to a limit; each time under another wording.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
import xxhash
from pydantic import Field

from taiyi.build.settings import Settings
from taiyi.schema import Lang


class MixtureSettings(Settings):
    """How the corpora of a stage are weighed. Sizes are records, each of which may give several examples."""

    total_records: Annotated[int, Field(ge=1)] | None = None
    """How many records are drawn in all, repeated ones included; as many as there are after the limits if not given.
    Where the limits, the wordings or the shares of `langs` do not allow for so many, the log says how many they are."""
    temperature: Annotated[float, Field(gt=0, le=1)] = 1.0
    """The power T of a corpus's size that its share is proportional to: 1 as it is, towards 0 all alike."""
    max_records: Annotated[int, Field(ge=1)] | None = None
    """At most so many different records of each corpus and task, those that the seed ranks first; its selections and
    languages have parts of them in proportion to their sizes. Each may be drawn up to `max_epochs` times."""
    max_task_records: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict[str, int])
    """By task: at most so many records, repeated ones included, from its corpora in proportion to their tempered
    sizes."""
    langs: dict[Lang, Annotated[float, Field(gt=0)]] = Field(default_factory=dict[Lang, float])
    """Shares of the languages, such as `{en: 1, zh: 1}` for as much of both; as they come if not given. They are kept:
    the language that is used up first, after `max_epochs` where `total_records` is given, says how much there is of
    the others. A language that has no records does not count; of one that is not named nothing is drawn."""
    max_epochs: Annotated[float, Field(ge=1)] = 1.0
    """How often the records of one corpus may be drawn at most, where `total_records` asks for more than there are;
    never more often than there are wordings to draw them under (see `templates_per_record`)."""


class Supply(msgspec.Struct, frozen=True, order=True):
    """The clean records that a selection has in one language."""

    corpus: str
    task: str
    lang: Lang
    num_records: int
    draws: int | None = None
    """How many of them are drawn, where the selection says so."""
    num_wordings: int = 1 << 31
    """How often each can be drawn, under another wording each time."""


def num_different(supplies: Sequence[Supply], settings: MixtureSettings) -> list[int]:
    """Return how many different records of each supply may be drawn: all, or its part of the limit of its corpus."""
    left_out = [s.draws is None and bool(settings.langs) and s.lang not in settings.langs for s in supplies]
    found = [0 if out else s.num_records for s, out in zip(supplies, left_out, strict=True)]
    groups: dict[tuple[str, str], list[int]] = {}
    for i in _mixed(supplies):
        groups.setdefault((supplies[i].corpus, supplies[i].task), []).append(i)
    for members in groups.values():
        sizes = [found[i] for i in members]
        if settings.max_records is not None and sum(sizes) > settings.max_records:
            for i, size in zip(members, share_out(settings.max_records, sizes), strict=True):
                found[i] = size
    return found


def allocate(supplies: Sequence[Supply], settings: MixtureSettings) -> list[int]:
    """Return how many records are drawn from each supply; more than it has where its records are repeated.

    Supplies with a number of draws of their own stand apart from the mixture. What is asked for may be more than the
    limits allow: then as much is drawn as they do, in the shares of the languages where these are given.
    """
    drawn = [min(s.draws or 0, s.num_records * s.num_wordings) for s in supplies]
    different = num_different(supplies, settings)
    mixed = _mixed(supplies)
    repeats = 1.0 if settings.total_records is None else settings.max_epochs
    limits = {i: int(min(repeats, supplies[i].num_wordings) * different[i] + 1e-9) for i in mixed}
    weights = {i: float(different[i]) ** settings.temperature if different[i] else 0.0 for i in mixed}
    for lang, share in settings.langs.items():
        members = [i for i in mixed if supplies[i].lang == lang]
        scale = share / (sum(weights[i] for i in members) or 1.0)
        weights |= {i: weights[i] * scale for i in members}
    for task, limit in settings.max_task_records.items():
        members = [i for i in mixed if supplies[i].task == task]
        limits |= _allotted(members, weights, limits, limit)
    for members, total in _groups(supplies, mixed, limits, settings):
        for i, number in _allotted(members, weights, limits, total).items():
            drawn[i] = number
    return drawn


def share_out(total: int, sizes: Sequence[int]) -> list[int]:
    """Share a number out in proportion to sizes, in whole numbers: the largest remainders are rounded up."""
    return _whole([total * size / (sum(sizes) or 1) for size in sizes])


def allot(weights: Sequence[float], limits: Sequence[int], total: int) -> list[int]:
    """Share a number out in proportion to weights, in whole numbers, none above its limit; what one cannot take goes to
    the others."""
    return _whole(_shares(weights, limits, total))


def _mixed(supplies: Sequence[Supply]) -> list[int]:
    """Return which supplies the mixture draws from, in an order of their own, by which ties are decided."""
    return sorted((i for i, s in enumerate(supplies) if s.draws is None), key=lambda i: supplies[i])


def _groups(
    supplies: Sequence[Supply], mixed: Sequence[int], limits: dict[int, int], settings: MixtureSettings
) -> list[tuple[list[int], int]]:
    """Return what shares a number of draws among itself, and the number: each language that has a share, or all."""
    total = settings.total_records or sum(limits.values())
    if not settings.langs:
        return [(list(mixed), total)]
    members = {lang: [i for i in mixed if supplies[i].lang == lang] for lang in settings.langs}
    most = {lang: sum(limits[i] for i in found) for lang, found in members.items()}
    shares = {lang: share for lang, share in sorted(settings.langs.items()) if most[lang]}
    # As many as can be had in these proportions: the language that is used up first says how many.
    whole = min([total / (sum(shares.values()) or 1.0), *(most[lang] / share for lang, share in shares.items())])
    numbers = _whole([whole * share for share in shares.values()])
    return [(members[lang], number) for lang, number in zip(shares, numbers, strict=True)]


def _allotted(members: Sequence[int], weights: dict[int, float], limits: dict[int, int], total: int) -> dict[int, int]:
    numbers = allot([weights[i] for i in members], [limits[i] for i in members], total)
    return dict(zip(members, numbers, strict=True))


def _shares(weights: Sequence[float], limits: Sequence[int], total: int) -> list[float]:
    """Share a total out in proportion to weights, none above its limit; what one cannot take goes to the others."""
    shares = [0.0] * len(weights)
    free: set[int] = {i for i, weight in enumerate(weights) if weight}
    left = float(min(total, sum(limits[i] for i in free)))
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


def _whole(shares: Sequence[float]) -> list[int]:
    """Round shares to whole numbers of the same sum: the largest remainders are rounded up."""
    floors = [int(share + 1e-9) for share in shares]
    missing = round(sum(shares)) - sum(floors)
    by_rest = sorted(range(len(shares)), key=lambda i: (floors[i] - shares[i], i))
    for i in by_rest[: max(missing, 0)]:
        floors[i] += 1
    return floors


def draws(places: Sequence[str], total: int, seed: int, different: int | None = None) -> list[int]:
    """Return how often each record is drawn: all equally often, and those that the seed ranks first once more.

    Where only so many different ones may be drawn, they are those that the seed ranks first. What a record gets
    depends on the seed, its place and which others there are, not on their order.
    """
    most = len(places) if different is None else min(different, len(places))
    if not most:
        return [0] * len(places)
    each, more = divmod(total, most)
    if most == len(places) and not more:
        return [each] * most
    counts = [0] * len(places)
    ranked = sorted(range(len(places)), key=lambda i: (rank(seed, places[i]), places[i]))
    for position, i in enumerate(ranked[:most]):
        counts[i] = each + (position < more)
    return counts


def rank(seed: int, place: str) -> int:
    """Return a number by which records are ordered as if by chance, the same in every run."""
    return xxhash.xxh3_64_intdigest(f"{seed}/{place}".encode())


def ranks(seed: int, place: str, count: int) -> list[int]:
    """Return the ranks of so many things at a place: those of `place/0`, `place/1`, ..."""
    start = f"{seed}/{place}/"
    return [xxhash.xxh3_64_intdigest(f"{start}{number}".encode()) for number in range(count)]
