"""Cleaning of a stage: its parts are judged each by itself, by all workers, and then held against one another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from taiyi import storage
from taiyi.build.clean import Cleaned, Part, judge, resolve
from taiyi.build.collect import Stored
from taiyi.build.decontaminate import Guard, Match
from taiyi.build.items import Item
from taiyi.build.settings import DecontaminateSettings, DeduplicateSettings, FilterSettings
from taiyi.manifest import key_of
from taiyi.recipe import Stage
from taiyi.steps.rejects import Rejects
from taiyi.steps.run import Run
from taiyi.steps.shards import Sample, Wanted

Paths = tuple[Path, ...]
Samples = tuple[tuple[str, Paths], ...]
"""Names of evaluation sets, each with its parts."""


def clean(
    run: Run, stage: Stage, parts: Sequence[Wanted], tests: Paths, samples: Sequence[Sample], rejects: Rejects
) -> Cleaned:
    """Return what of the parts of a stage stays.

    Args:
        tests: the parts of the test sets that they are held against.
        samples: the dev samples of all stages, which they are held against too.
    """
    settings = (run.recipe.decontaminate, run.recipe.filters, run.recipe.deduplicate)
    dev = tuple((sample.name, sample.paths) for sample in samples)
    made_of: dict[str, Any] = {
        "tests": [f"{part.parent.name}/{part.name}" for part in tests],
        "settings": [part.model_dump(mode="json") for part in settings],
    }
    if dev:
        made_of["dev"] = [f"{part.parent.name}/{part.name}" for _, paths in dev for part in paths]
    judged = {of.part: of.part.with_name(f"{of.part.stem}-{key_of(made_of)}") for of in parts}
    with run.progress() as progress:
        bar = progress.add_task(f"{stage.name}: cleaning", total=len(judged))
        for _ in run.engine.map(_judge, [_Judge(part, tests, dev, *settings, out) for part, out in judged.items()]):
            progress.advance(bar)
    found = [Part(of.part, judged[of.part], of.selection.corpus, of.selection.task) for of in parts]
    cleaned = resolve(found, run.recipe.deduplicate)
    rejects.add(stage.name, cleaned.rejects)
    return cleaned


def matches(items: Sequence[Item], tests: Paths, settings: DecontaminateSettings) -> list[Match | None]:
    """Return what each of some items has in common with the test sets, or None."""
    return _guard((("", tests),), settings.model_dump_json()).matches(items) if tests else [None] * len(items)


class _Judge(msgspec.Struct, frozen=True):
    part: Path
    tests: Paths
    dev: Samples
    decontaminate: DecontaminateSettings
    quality: FilterSettings
    deduplicate: DeduplicateSettings
    out: Path


def _judge(job: _Judge) -> None:
    if not (job.out.with_suffix(".json").exists() and job.out.with_suffix(".npz").exists()):
        # Each has a guard of its own: what is common in samples of training data still tells of the test sets.
        of = [(("", job.tests),)] if job.tests else []
        guards = [_guard(samples, job.decontaminate.model_dump_json()) for samples in [*of, job.dev] if samples]
        judge(job.part, guards, job.quality, job.deduplicate, job.out, held=_held(job.dev))


def forget() -> None:
    """Let go of the guards that this process holds, where it judged parts by itself."""
    _guard.cache_clear()
    _held.cache_clear()


@lru_cache(maxsize=2)
def _guard(samples: Samples, settings: str) -> Guard:
    """Return the guard of evaluation sets, which every worker makes once, under settings that are given as JSON."""
    items = (
        msgspec.structs.replace(stored.item(), place=f"{name}/{stored.place}" if name else stored.place)
        for name, parts in samples
        for part in parts
        for stored in storage.read_parquet(part, Stored)
    )
    return Guard(items, DecontaminateSettings.model_validate_json(settings))


@lru_cache(maxsize=1)
def _held(samples: Samples) -> dict[str, str]:
    """Return the places of the records of samples, each with the name of the first that has it."""
    places = [(str(p), name) for name, parts in samples for part in parts for p in storage.read_column(part, "place")]
    return dict(reversed(places))
