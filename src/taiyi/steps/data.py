"""The data step: the examples of every stage and test set, and what was rejected on the way."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from taiyi import catalogue, storage, templates
from taiyi.build import statistics
from taiyi.build.clean import Cleaned, Part, judge, resolve
from taiyi.build.collect import Collected, Shard, Stored, collect
from taiyi.build.decontaminate import Guard
from taiyi.build.instructions import INAPPLICABLE, NOT_DRAWN, REPEATED, UNDECLARED, instructions, sample
from taiyi.build.mixture import Source, allocate
from taiyi.build.mixture import draws as draw
from taiyi.build.rendering import join, render_part
from taiyi.build.settings import DecontaminateSettings, DeduplicateSettings, FilterSettings, Selection
from taiyi.build.statistics import Header
from taiyi.errors import RecipeError, TaiyiError
from taiyi.evaluate.suites import TestSet
from taiyi.manifest import MANIFEST, finished, key_of, manifest, step
from taiyi.recipe import Stage
from taiyi.schema import Example, Lang, Reject
from taiyi.steps.declared import corpus_digest, set_digest
from taiyi.steps.raw import raw_hashes
from taiyi.steps.run import VERSIONS, Run, at_hand

_ASKED = ("corpus", "split", "task", "types", "merge_types")
"""What of a test set makes its examples; the rest says how they are scored and shown."""


def build(run: Run) -> Path:
    """Make the examples of every stage and test set: `<stage>.parquet`, `test-<set>.parquet`, and what was rejected."""
    recipe = run.recipe
    trained = {s.corpus for stage in recipe.stages for s in stage.data if _there(run, s) is not None}
    wanted = sorted(trained | {t.corpus for t in at_hand(recipe, run.corpora)})
    inputs = {
        "version": VERSIONS["data"],
        "seed": recipe.seed,
        "stages": {stage.name: [s.model_dump(mode="json") for s in stage.data] for stage in recipe.stages},
        "absent": _absent(run),
        "mixtures": {stage.name: stage.mixture.model_dump(mode="json") for stage in recipe.stages},
        "filters": recipe.filters.model_dump(mode="json"),
        "deduplicate": recipe.deduplicate.model_dump(mode="json"),
        "decontaminate": recipe.decontaminate.model_dump(mode="json"),
        "evaluate": recipe.evaluate.model_dump(
            mode="json", include={"suites", "template", "window_chars", "max_records"}
        ),
        "forms": recipe.forms(),
        "templates": templates.digest(),
        "declared": {name: corpus_digest(catalogue.get(name)) for name in wanted},
        "tests": {t.name: set_digest(t, _ASKED) for t in at_hand(recipe, run.corpora)},
        "corpora": {name: raw_hashes(catalogue.get(name), run.corpora) for name in wanted},
    }
    return step(run.folder, "data", inputs, lambda folder: _build(run, folder), run.log)


def _build(run: Run, folder: Path) -> dict[str, Any]:
    # What is left out goes to disk as it is found: of millions of records it can be as much as what stays.
    with (
        storage.writing_jsonl(folder / "rejects.jsonl") as lines,
        storage.writing_jsonl(folder / "decontamination.jsonl") as audit,
    ):
        held = frozenset(t.name for t in at_hand(run.recipe, run.corpora))
        return _made(run, folder, _Rejects(lines, held), audit)


def _made(run: Run, folder: Path, rejects: _Rejects, audit: storage.Lines) -> dict[str, Any]:
    recipe = run.recipe
    tests = _tests(run, folder, rejects)
    guarded = _test_parts(run)
    epochs: dict[str, list[Epochs]] = {}
    for stage in recipe.stages:
        data = [there for selection in stage.data if (there := _there(run, selection)) is not None]
        pieces = _pieces(run, data)
        cleaned = _clean(run, stage, pieces, guarded, rejects)
        audit.extend(cleaned.matches)
        epochs[stage.name] = _render(run, stage, data, pieces, cleaned, folder, rejects)
        if stage.data and not storage.num_rows(folder / f"{stage.name}.parquet"):
            raise RecipeError(
                "nothing is left to train on",
                where=f"stage {stage.name}",
                got=rejects.reasons(stage.name),
                mend="look into rejects.jsonl of the data step",
            )
    storage.write_json(epochs, folder / "epochs.json")
    domains = {s.corpus: catalogue.get(s.corpus).domain for stage in recipe.stages for s in stage.data}
    counts = [
        count
        for stage in recipe.stages
        for count in statistics.count_tasks(stage.name, _headers(folder, (*stage.replay, stage.name)), domains)
    ]
    storage.write_json(counts, folder / "statistics.json")
    return {
        "training": {s.name: statistics.count_corpora(_headers(folder, (s.name,))) for s in recipe.stages},
        "tests": tests,
        "absent": _absent(run),
        "left_out": {t.name: _left_out(t, rejects.of(t.name)) for t in at_hand(recipe, run.corpora)},
        "decontaminated": _guarded(run),
        "rejects": rejects.counts(),
    }


class _Rejects:
    """What was left out, by what it was left out of: written in order, counted, and of some held."""

    def __init__(self, lines: storage.Lines, held: frozenset[str]) -> None:
        self._lines = lines
        self._reasons: dict[str, Counter[str]] = {}
        self._held: dict[str, list[Reject]] = {name: [] for name in held}

    def add(self, where: str, rejects: Iterable[Reject]) -> None:
        for reject in rejects:
            self._lines.append({"for": where, **msgspec.to_builtins(reject)})
            self._reasons.setdefault(where, Counter())[reject.reason] += 1
            if where in self._held:
                self._held[where].append(reject)

    def of(self, where: str) -> list[Reject]:
        return self._held[where]

    def reasons(self, where: str) -> dict[str, int]:
        return dict(self._reasons.get(where, Counter()).most_common())

    def counts(self) -> dict[str, dict[str, int]]:
        return {where: self.reasons(where) for where in self._reasons}


def _tests(run: Run, folder: Path, rejects: _Rejects) -> dict[str, int]:
    """Write the examples of the test sets, or of those of their records that are drawn, and count them."""
    counts: dict[str, int] = {}
    for test_set in at_hand(run.recipe, run.corpora):
        found: list[Example] = []
        for made in _test_examples(run, test_set):
            if isinstance(made, Reject):
                rejects.add(test_set.name, [made])
            else:
                found.append(made)
        if not found:
            raise RecipeError("the test set is empty", where=test_set.name)
        drawn, others = sample(found, run.recipe.evaluate.max_records, run.recipe.seed)
        rejects.add(test_set.name, others)
        counts[test_set.name] = storage.write_parquet(drawn, folder / f"test-{test_set.name}.parquet", Example)
    return counts


# --- Shards: read once, kept in the folder of the run by what they are made of ---------------------------------------


class _Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a shard, for a selection."""

    selection: Selection
    part: Path


class _Collect(msgspec.Struct, frozen=True):
    shard: Shard
    root: Path
    folder: Path


def _collect(job: _Collect) -> Collected:
    """Make a shard unless it is there; what says what it is is written last."""
    done = job.folder / "shard.json"
    if not done.exists():
        storage.write_json(collect(job.shard, job.root, job.folder), done)
    return storage.read_json(done, Collected)


def _shard_folder(run: Run, shard: Shard) -> Path:
    corpus = catalogue.get(shard.corpus)
    made_of = {
        "version": VERSIONS["data"],
        "shard": msgspec.to_builtins(shard),
        "corpus": corpus_digest(corpus),
        "files": raw_hashes(corpus, run.corpora),
    }
    return run.folder / "shards" / f"{shard.corpus}-{shard.split}-{shard.task}-{key_of(made_of)}"


def _shards(run: Run, wanted: Sequence[Shard]) -> list[list[Path]]:
    """Make the shards that are not there, and return the parts of each."""
    folders = [_shard_folder(run, shard) for shard in wanted]
    # Two selections may want the same shard, which only one worker is to write.
    jobs = {folder: _Collect(shard, run.corpora, folder) for shard, folder in zip(wanted, folders, strict=True)}
    made = dict(zip(jobs, run.engine.map(_collect, list(jobs.values())), strict=True))
    return [[folder / part for part in made[folder].parts] for folder in folders]


def _wanted(run: Run, selection: Selection) -> list[Shard]:
    return [
        Shard(
            corpus=selection.corpus,
            split=split,
            task=selection.task,
            merge_types=dict(selection.merge_types),
            max_records=selection.max_records,
            seed=run.recipe.seed if selection.max_records else 0,
        )
        for split in selection.splits
    ]


def _there(run: Run, selection: Selection) -> Selection | None:
    """Return a selection of those of its splits that are there; of all, where the recipe does not leave others out."""
    if run.recipe.absent == "refuse":
        return selection
    corpus = catalogue.get(selection.corpus)
    splits = tuple(split for split in selection.splits if corpus.layout(split, run.corpora))
    return selection.model_copy(update={"splits": splits}) if splits else None


def _absent(run: Run) -> dict[str, list[str]]:
    """Return, by stage, what of its data is not there."""
    found: dict[str, list[str]] = {}
    for stage in run.recipe.stages:
        for selection in stage.data:
            there = _there(run, selection)
            missing = [split for split in selection.splits if there is None or split not in there.splits]
            if missing:
                found.setdefault(stage.name, []).append(f"{selection.corpus} {selection.task} {' '.join(missing)}")
    return found


def _pieces(run: Run, selections: Sequence[Selection]) -> list[_Piece]:
    """Return the parts of what the selections of a stage want, whose shards are made in one go."""
    wanted = [(selection, shard) for selection in selections for shard in _wanted(run, selection)]
    made = _shards(run, [shard for _, shard in wanted])
    return [_Piece(selection=s, part=part) for (s, _), parts in zip(wanted, made, strict=True) for part in parts]


# --- Cleaning --------------------------------------------------------------------------------------------------------


class _Judge(msgspec.Struct, frozen=True):
    part: Path
    tests: tuple[Path, ...]
    decontaminate: DecontaminateSettings
    quality: FilterSettings
    deduplicate: DeduplicateSettings
    out: Path


def _judge(job: _Judge) -> None:
    if not job.out.with_suffix(".json").exists():
        guard = _guard(job.tests, job.decontaminate.model_dump_json()) if job.tests else None
        judge(job.part, guard, job.quality, job.deduplicate, job.out)


@lru_cache(maxsize=1)
def _guard(tests: tuple[Path, ...], settings: str) -> Guard:
    """Return the guard of test sets, which every worker makes once, under settings that are given as JSON."""
    items = (stored.item() for part in tests for stored in storage.read_parquet(part, Stored))
    return Guard(items, DecontaminateSettings.model_validate_json(settings))


def _test_parts(run: Run) -> tuple[Path, ...]:
    """Return the parts of the whole test sets, of which a sample may be evaluated now and all later."""
    wanted = [
        Shard(corpus=t.corpus, split=t.split, task=t.task, merge_types=dict(t.merge_types))
        for t in at_hand(run.recipe, run.corpora)
    ]
    return tuple(chain.from_iterable(_shards(run, wanted))) if run.recipe.stages else ()


def _clean(run: Run, stage: Stage, pieces: Sequence[_Piece], tests: tuple[Path, ...], rejects: _Rejects) -> Cleaned:
    settings = (run.recipe.decontaminate, run.recipe.filters, run.recipe.deduplicate)
    made_of = {
        "tests": [f"{part.parent.name}/{part.name}" for part in tests],
        "settings": [part.model_dump(mode="json") for part in settings],
    }
    judged = {piece.part: piece.part.with_name(f"{piece.part.stem}-{key_of(made_of)}") for piece in pieces}
    with run.progress() as progress:
        bar = progress.add_task(f"{stage.name}: cleaning", total=len(judged))
        for _ in run.engine.map(_judge, [_Judge(part, tests, *settings, out) for part, out in judged.items()]):
            progress.advance(bar)
    for folder in dict.fromkeys(part.parent for part in judged):
        rejects.add(stage.name, storage.read_jsonl(folder / "rejects.jsonl", Reject))
    parts = [Part(p.part, judged[p.part], p.selection.corpus, p.selection.task) for p in pieces]
    cleaned = resolve(parts, run.recipe.deduplicate)
    rejects.add(stage.name, cleaned.rejects)
    return cleaned


# --- Mixture and rendering -------------------------------------------------------------------------------------------


class Epochs(msgspec.Struct, frozen=True):
    """How often the clean records of a selection are drawn in a stage, in one language."""

    corpus: str
    task: str
    lang: Lang
    num_records: int
    num_drawn: int

    @property
    def epochs(self) -> float:
        return self.num_drawn / self.num_records if self.num_records else 0.0


class _Render(msgspec.Struct, frozen=True):
    part: Path
    draws: tuple[int, ...]
    selection: Selection
    root: Path
    seed: int
    out: Path


def _render_part(job: _Render) -> None:
    if not job.out.with_suffix(".jsonl").exists():
        render_part(job.part, job.draws, job.selection, job.root, job.seed, job.out)


def _render(
    run: Run,
    stage: Stage,
    selections: Sequence[Selection],
    pieces: Sequence[_Piece],
    cleaned: Cleaned,
    folder: Path,
    rejects: _Rejects,
) -> list[Epochs]:
    """Draw the records of a stage, write its examples, and return how often each corpus was drawn."""
    # The rows of each selection and language that stay, as places in the pieces.
    rows: dict[tuple[int, Lang], list[tuple[int, NDArray[np.int64]]]] = {}
    for number, piece in enumerate(pieces):
        which = next(i for i, selection in enumerate(selections) if selection is piece.selection)
        for lang in np.unique(cleaned.langs[number][cleaned.kept[number]]).tolist():
            found = np.flatnonzero(cleaned.kept[number] & (cleaned.langs[number] == lang))
            rows.setdefault((which, cast(Lang, lang)), []).append((number, found))
    keys = sorted(rows)
    num_rows = {key: sum(len(there) for _, there in found) for key, found in rows.items()}
    sizes = {i: sum(count for (j, _), count in num_rows.items() if j == i) for i, _ in keys}
    sources = [
        Source(
            corpus=selections[i].corpus,
            task=selections[i].task,
            lang=lang,
            num_records=num_rows[i, lang],
            # Of a corpus in several languages, each as large a share as it has of the records.
            draws=round(total * num_rows[i, lang] / sizes[i]) if (total := selections[i].draws) else None,
        )
        for i, lang in keys
    ]
    drawn = allocate(sources, stage.mixture)
    draws = [np.zeros(len(keep), dtype=np.int64) for keep in cleaned.kept]
    for key, total in zip(keys, drawn, strict=True):
        places = [place for number, there in rows[key] for place in cleaned.places[number].take(there).to_pylist()]
        counts = np.array(draw(places, total, run.recipe.seed)) * selections[key[0]].templates_per_record
        for number, there in rows[key]:
            draws[number][there], counts = counts[: len(there)], counts[len(there) :]
    work = folder / "work"
    jobs = [
        _Render(
            part=piece.part,
            draws=tuple(draws[n].tolist()),
            selection=piece.selection,
            root=run.corpora,
            seed=run.recipe.seed,
            out=work / f"{stage.name}-{n:05}",
        )
        for n, piece in enumerate(pieces)
    ]
    with run.progress() as progress:
        bar = progress.add_task(f"{stage.name}: examples", total=len(jobs))
        for _ in run.engine.map(_render_part, jobs):
            progress.advance(bar)
    for job in jobs:
        rejects.add(stage.name, storage.read_jsonl(job.out.with_suffix(".jsonl"), Reject))
    parts = [job.out.with_suffix(".parquet") for job in jobs]
    rejects.add(stage.name, join(parts, folder / f"{stage.name}.parquet"))
    shutil.rmtree(work, ignore_errors=True)
    return [Epochs(s.corpus, s.task, s.lang, s.num_records, n) for s, n in zip(sources, drawn, strict=True)]


def _headers(folder: Path, stages: Sequence[str]) -> Iterator[Header]:
    for name in stages:
        yield from storage.read_parquet(folder / f"{name}.parquet", Header)


def _left_out(test_set: TestSet, rejects: Iterable[Reject]) -> dict[str, int]:
    """Count the records that a test set lacks in whole or in part, not being drawn apart, and the faults of its files.

    A file is read before there are records, so what is wrong in it is counted by itself.
    """
    records, faults = 0, 0
    rendered: set[str] = set()
    for reject in rejects:
        if reject.reason in (INAPPLICABLE, REPEATED):
            records += 1
        elif reject.where.startswith(f"{test_set.corpus}/{test_set.split}/"):
            if reject.reason not in (NOT_DRAWN, UNDECLARED):
                rendered.add(reject.where.rpartition("#")[0])
        else:
            faults += 1
    return {"records": records + len(rendered), "faults": faults}


def _guarded(run: Run) -> list[list[str]]:
    """Return the corpora and splits that training data is clean of."""
    if not (run.recipe.decontaminate.by_document_id or run.recipe.decontaminate.by_text):
        return []
    return [list(pair) for pair in sorted({(t.corpus, t.split) for t in at_hand(run.recipe, run.corpora)})]


def data_folder(run: Path) -> Path:
    """Return the folder of a run's data step that was finished last, or the folder itself where it is one.

    Raises:
        TaiyiError: the run has none.
    """
    if (run / MANIFEST).exists() and manifest(run).step == "data":
        return run
    if found := finished(run, "data"):
        return found[-1][0]
    raise TaiyiError(
        "no instruction data here",
        where=run,
        expected="a run whose data was built",
        mend="build it with: taiyi build RECIPE",
    )


def decontaminated(model: Path) -> frozenset[tuple[str, str]] | None:
    """Return the corpora and splits that the training data of a run's model is clean of; None where no run tells."""
    folder = model.parent
    for made_from in ("rows", "data"):
        if not (folder / MANIFEST).exists():
            return None
        folder = folder.parent / manifest(folder).inputs[made_from]
    if not (folder / MANIFEST).exists():
        return None
    return frozenset((corpus, split) for corpus, split in manifest(folder).facts.get("decontaminated", []))


def _test_examples(run: Run, test_set: TestSet) -> Iterable[Example | Reject]:
    settings = run.recipe.evaluate
    selection = Selection(
        corpus=test_set.corpus,
        task=test_set.task,
        splits=(test_set.split,),
        form=run.recipe.forms().get(test_set.task),
        subtasks=(test_set.types,) if test_set.types else (),
        merge_types=dict(test_set.merge_types),
        window_chars=settings.window_chars.get(test_set.corpus, 0),
        templates=(settings.template,),
    )
    return instructions(selection, run.corpora, seed=run.recipe.seed, training=False)
