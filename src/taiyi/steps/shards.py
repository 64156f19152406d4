"""Shards of a run: what its stages and test sets are made of, read once and kept by what they are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from taiyi import catalogue, storage
from taiyi.build.collect import Collected, Shard, collect
from taiyi.build.settings import Selection
from taiyi.evaluate.suites import TestSet
from taiyi.manifest import key_of
from taiyi.schema import Reject
from taiyi.steps.declared import corpus_digest
from taiyi.steps.raw import raw_files, raw_hashes
from taiyi.steps.run import VERSIONS, Run, at_hand


class Made(msgspec.Struct, frozen=True):
    """A shard that is there: its folder, and its parts."""

    folder: Path
    parts: list[Path]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a shard, for a selection."""

    selection: Selection
    part: Path


class Sample(msgspec.Struct, frozen=True):
    """The dev sample of a stage: each selection that is asked with a file of its records.

    A stage that only replays others asks nothing of its own.
    """

    stage: str
    asks: bool
    parts: tuple[Wanted, ...]

    @property
    def name(self) -> str:
        return f"dev-{self.stage}"

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(of.part for of in self.parts)


def there(run: Run, selection: Selection) -> Selection | None:
    """Return a selection of those of its splits that are there; of all, where the recipe does not leave others out."""
    if run.recipe.absent == "refuse":
        return selection
    corpus = catalogue.get(selection.corpus)
    splits = tuple(split for split in selection.splits if corpus.layout(split, run.corpora))
    return selection.model_copy(update={"splits": splits}) if splits else None


def absent(run: Run) -> dict[str, list[str]]:
    """Return, by stage and dev sample, what of its data is not there."""
    found: dict[str, list[str]] = {}
    for stage in run.recipe.stages:
        for name, selection in (
            *((stage.name, s) for s in stage.data),
            *((f"dev-{stage.name}", s) for s in stage.dev_data),
        ):
            left = there(run, selection)
            missing = [split for split in selection.splits if left is None or split not in left.splits]
            if missing:
                found.setdefault(name, []).append(f"{selection.corpus} {selection.task} {' '.join(missing)}")
    return found


def wanted(run: Run, selections: Sequence[Selection]) -> tuple[list[Wanted], list[Path]]:
    """Return the parts of what the selections of a stage want, and the folders of their shards."""
    asked = [(selection, shard) for selection in selections for shard in _shards_of(run, selection)]
    made = _made(run, [shard for _, shard in asked])
    found = [Wanted(selection=s, part=part) for (s, _), shard in zip(asked, made, strict=True) for part in shard.parts]
    return found, [*dict.fromkeys(shard.folder for shard in made)]


def of_tests(run: Run) -> dict[str, Made]:
    """Return, by name, the whole test sets, of which a sample may be evaluated now and all later."""
    sets = at_hand(run.recipe, run.corpora)
    made = _made(run, [_of_test_set(test_set) for test_set in sets])
    return {test_set.name: shard for test_set, shard in zip(sets, made, strict=True)}


def of_training(run: Run, sets: Sequence[TestSet]) -> dict[str, Made]:
    """Return, by the name of a test set, the training split of its corpus under its task."""
    made = _made(run, [msgspec.structs.replace(_of_test_set(test_set), split="train") for test_set in sets])
    return {test_set.name: shard for test_set, shard in zip(sets, made, strict=True)}


def left_out(folder: Path) -> Iterable[Reject]:
    """Yield what was left out when a shard was made."""
    return storage.read_jsonl(folder / "rejects.jsonl", Reject)


def _shards_of(run: Run, selection: Selection) -> list[Shard]:
    return [
        Shard(
            corpus=selection.corpus,
            split=split,
            task=selection.task,
            merge_types=dict(selection.merge_types),
            reverse=selection.reverse,
            max_records=selection.max_records,
            seed=run.recipe.seed if selection.max_records else 0,
        )
        for split in selection.splits
    ]


def _of_test_set(test_set: TestSet) -> Shard:
    return Shard(
        corpus=test_set.corpus, split=test_set.split, task=test_set.task, merge_types=dict(test_set.merge_types)
    )


class _Collect(msgspec.Struct, frozen=True):
    shard: Shard
    root: Path
    folder: Path


def _collect(job: _Collect) -> Collected:
    """Make a shard unless it is there; what says what it is is written last."""
    done = job.folder / "shard.json"
    if done.exists():
        made = storage.read_json(done, Collected)
        if all((job.folder / part).exists() for part in made.parts):
            return made
    made = collect(job.shard, job.root, job.folder)
    storage.write_json(made, done)
    return made


def _folder(run: Run, shard: Shard) -> Path:
    corpus = catalogue.get(shard.corpus)
    made_of = {
        "version": VERSIONS["data"],
        "shard": msgspec.to_builtins(shard),
        "corpus": corpus_digest(corpus),
        "files": raw_hashes(corpus, run.corpora),
    }
    return run.folder / "shards" / f"{shard.corpus}-{shard.split}-{shard.task}-{key_of(made_of)}"


def _made(run: Run, wanted: Sequence[Shard]) -> list[Made]:
    """Make the shards that are not there, and return all."""
    folders = [_folder(run, shard) for shard in wanted]
    # Two selections may want the same shard, which only one worker is to write.
    jobs = {folder: _Collect(shard, run.corpora, folder) for shard, folder in zip(wanted, folders, strict=True)}
    # A shard is one worker's: the largest come first, so that none is left alone at the end.
    first = sorted(jobs, key=lambda folder: -_num_bytes(run, jobs[folder].shard))
    made = dict(zip(first, run.engine.map(_collect, [jobs[folder] for folder in first]), strict=True))
    return [Made(folder, [folder / part for part in made[folder].parts]) for folder in folders]


def _num_bytes(run: Run, shard: Shard) -> int:
    return sum(file.stat().st_size for file in raw_files(catalogue.get(shard.corpus), run.corpora))
