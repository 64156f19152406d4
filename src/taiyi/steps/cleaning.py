"""Cleaning of a stage: its parts are judged each by itself, by all workers, and then held against one another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from taiyi import storage
from taiyi.build.clean import Cleaned, Part, judge, resolve
from taiyi.build.collect import Stored
from taiyi.build.decontaminate import Guard
from taiyi.build.settings import DecontaminateSettings, DeduplicateSettings, FilterSettings
from taiyi.manifest import key_of
from taiyi.recipe import Stage
from taiyi.steps.rejects import Rejects
from taiyi.steps.run import Run
from taiyi.steps.shards import Wanted


def clean(run: Run, stage: Stage, parts: Sequence[Wanted], tests: tuple[Path, ...], rejects: Rejects) -> Cleaned:
    """Return what of the parts of a stage stays; `tests` are the parts of the test sets that they are held against."""
    settings = (run.recipe.decontaminate, run.recipe.filters, run.recipe.deduplicate)
    made_of = {
        "tests": [f"{part.parent.name}/{part.name}" for part in tests],
        "settings": [part.model_dump(mode="json") for part in settings],
    }
    judged = {of.part: of.part.with_name(f"{of.part.stem}-{key_of(made_of)}") for of in parts}
    with run.progress() as progress:
        bar = progress.add_task(f"{stage.name}: cleaning", total=len(judged))
        for _ in run.engine.map(_judge, [_Judge(part, tests, *settings, out) for part, out in judged.items()]):
            progress.advance(bar)
    found = [Part(of.part, judged[of.part], of.selection.corpus, of.selection.task) for of in parts]
    cleaned = resolve(found, run.recipe.deduplicate)
    rejects.add(stage.name, cleaned.rejects)
    return cleaned


class _Judge(msgspec.Struct, frozen=True):
    part: Path
    tests: tuple[Path, ...]
    decontaminate: DecontaminateSettings
    quality: FilterSettings
    deduplicate: DeduplicateSettings
    out: Path


def _judge(job: _Judge) -> None:
    if not (job.out.with_suffix(".json").exists() and job.out.with_suffix(".npz").exists()):
        guard = _guard(job.tests, job.decontaminate.model_dump_json()) if job.tests else None
        judge(job.part, guard, job.quality, job.deduplicate, job.out)


def forget() -> None:
    """Let go of the guard that this process holds, where it judged parts by itself."""
    _guard.cache_clear()


@lru_cache(maxsize=1)
def _guard(tests: tuple[Path, ...], settings: str) -> Guard:
    """Return the guard of test sets, which every worker makes once, under settings that are given as JSON."""
    items = (stored.item() for part in tests for stored in storage.read_parquet(part, Stored))
    return Guard(items, DecontaminateSettings.model_validate_json(settings))
