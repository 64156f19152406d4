"""Examples of the stages and test sets of a run, from their shards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from taiyi import catalogue, storage, tasks
from taiyi.build import statistics
from taiyi.build.augment import Mentions
from taiyi.build.clean import Cleaned
from taiyi.build.collect import Stored
from taiyi.build.few_shot import Shots
from taiyi.build.instructions import wordings
from taiyi.build.mixture import Supply, allocate, num_different, share_out
from taiyi.build.mixture import draws as draw
from taiyi.build.records import NOT_DRAWN
from taiyi.build.rendering import entity_names, join, render_part
from taiyi.build.settings import Selection
from taiyi.errors import RecipeError
from taiyi.evaluate.suites import SAMPLE_SEED, TestSet
from taiyi.recipe import Stage
from taiyi.schema import Document, Lang, Reject
from taiyi.steps.rejects import Rejects
from taiyi.steps.run import Run, at_hand
from taiyi.steps.shards import Made, Sample, Wanted, left_out


class Epochs(msgspec.Struct, frozen=True):
    """How often the clean records of a selection are drawn in a stage, in one language.

    Attributes:
        num_records: clean records.
        num_drawn: how many are drawn, repeated ones included.
        num_different: of how many records those are taken; 0 where that is not known.
        passes: by stage, this one and those that replay it: how often it trains on a record, on average over
            `num_different`; under another wording each time, but for the epochs of the stage.
    """

    corpus: str
    task: str
    lang: Lang
    num_records: int
    num_drawn: int
    num_different: int = 0
    passes: dict[str, float] = {}


def render_stage(
    run: Run,
    stage: Stage,
    selections: Sequence[Selection],
    pieces: Sequence[Wanted],
    cleaned: Cleaned,
    folder: Path,
    rejects: Rejects,
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
    num_rows = {key: sum(len(there) for _, there in rows[key]) for key in keys}
    supplies = _supplies(selections, num_rows)
    drawn, different = allocate(supplies, stage.mixture), num_different(supplies, stage.mixture)
    _tell(run, stage, selections, dict(zip(keys, drawn, strict=True)), num_rows)
    draws = [np.zeros(len(keep), dtype=np.int64) for keep in cleaned.kept]
    for key, total, most in zip(keys, drawn, different, strict=True):
        places = [place for number, there in rows[key] for place in cleaned.places[number].take(there).to_pylist()]
        counts = np.array(draw(places, total, run.recipe.seed, most)) * selections[key[0]].templates_per_record
        for number, there in rows[key]:
            draws[number][there], counts = counts[: len(there)], counts[len(there) :]
    pool = _pool(run, stage, pieces, draws, folder)
    jobs = [
        _Render(
            part=piece.part,
            draws=tuple(draws[n].tolist()),
            pool=pool,
            selection=piece.selection,
            root=run.corpora,
            seed=run.recipe.seed,
            training=True,
            out=folder / "work" / f"{stage.name}-{n:05}",
        )
        for n, piece in enumerate(pieces)
    ]
    _render(run, f"{stage.name}: examples", jobs)
    rejects.add(stage.name, _joined(jobs, folder / f"{stage.name}.parquet"))
    epochs: list[Epochs] = []
    for (number, _), s, n, most in zip(keys, supplies, drawn, different, strict=True):
        of = min(n, most)
        augment = selections[number].augment
        copies = 1 + (augment.copies if augment is not None else 0)
        once = n * selections[number].templates_per_record * copies / of if of else 0.0
        trained = {t.name: once * t.epochs for t in run.recipe.stages if t.name == stage.name or stage.name in t.replay}
        epochs.append(Epochs(s.corpus, s.task, s.lang, s.num_records, n, of, trained))
    return epochs


def _pool(
    run: Run, stage: Stage, pieces: Sequence[Wanted], draws: Sequence[NDArray[np.int64]], folder: Path
) -> Path | None:
    """Write the mentions of the records that a stage draws, where its copies have others in place of their own."""
    if not any(piece.selection.augment and piece.selection.augment.swap for piece in pieces):
        return None
    found = Mentions()
    for piece, times in zip(pieces, draws, strict=True):
        corpus = catalogue.get(piece.selection.corpus)
        names = {lang: entity_names(piece.selection, corpus, lang) for lang in corpus.langs}
        for stored, drawn in zip(storage.read_parquet(piece.part, Stored), times, strict=True):
            if drawn and corpus.entity_types and isinstance(record := stored.read(), Document):
                found.add(record, names[record.lang])
    out = folder / "work" / f"{stage.name}-mentions.json"
    storage.write_json(found.pool(), out)
    return out


def _supplies(selections: Sequence[Selection], num_rows: Mapping[tuple[int, Lang], int]) -> list[Supply]:
    """Return what each selection has in each language; of its draws, as large a part as it has of the records."""
    draws: dict[tuple[int, Lang], int] = {}
    for number, selection in enumerate(selections):
        keys = [key for key in num_rows if key[0] == number]
        if selection.draws is not None:
            draws |= zip(keys, share_out(selection.draws, [num_rows[key] for key in keys]), strict=True)
    return [
        Supply(
            corpus=selections[i].corpus,
            task=selections[i].task,
            lang=lang,
            num_records=count,
            num_wordings=_num_wordings(selections[i], lang),
            draws=draws.get((i, lang)),
        )
        for (i, lang), count in num_rows.items()
    ]


def _tell(
    run: Run,
    stage: Stage,
    selections: Sequence[Selection],
    drawn: Mapping[tuple[int, Lang], int],
    num_rows: Mapping[tuple[int, Lang], int],
) -> None:
    """Say where fewer records are drawn than the recipe asks for."""
    mixed = 0
    for number, selection in enumerate(selections):
        keys = [key for key in drawn if key[0] == number]
        got, there = sum(drawn[key] for key in keys), sum(num_rows[key] for key in keys)
        if selection.draws is None:
            mixed += got
        elif got < selection.draws:
            run.log.say(
                f"{stage.name}: {selection.corpus} {selection.task}: {got:,} records are drawn, not the"
                f" {selection.draws:,} of draws: {there:,} are clean, and none is drawn more often than it has wordings"
            )
    if mixed < (asked := stage.mixture.total_records or 0):
        run.log.say(
            f"{stage.name}: {mixed:,} records are drawn, not the {asked:,} of total_records: the clean records, the"
            " limits of the mixture and the wordings do not allow for more"
        )


def _num_wordings(selection: Selection, lang: Lang) -> int:
    """Return how often a record can be drawn without being asked in the same words again."""
    known = wordings(tasks.get(selection.task), selection, lang, training=True)
    return max(1, len(known) // selection.templates_per_record)


def render_tests(
    run: Run, tests: Mapping[str, Made], folder: Path, rejects: Rejects, shots: Mapping[str, Shots]
) -> dict[str, int]:
    """Write the examples of the test sets, or of those of their records that are drawn, and count them.

    `shots` are, by test set, what its examples are shown before them.
    """
    sets = at_hand(run.recipe, run.corpora)
    jobs: dict[str, list[_Render]] = {}
    for test_set in sets:
        parts = tests[test_set.name].parts
        rejects.add(test_set.name, left_out(tests[test_set.name].folder))
        drawn, others = _sample(parts, *_size(run, test_set))
        rejects.add(test_set.name, others)
        jobs[test_set.name] = [
            _Render(
                part=part,
                draws=draws,
                selection=asked(run, test_set),
                root=run.corpora,
                seed=run.recipe.seed,
                training=False,
                out=folder / "work" / f"test-{test_set.name}-{n:05}",
                shots=shots.get(test_set.name),
            )
            for n, (part, draws) in enumerate(zip(parts, drawn, strict=True))
        ]
    _render(run, "test sets", [job for of_set in jobs.values() for job in of_set])
    counts: dict[str, int] = {}
    for name, of_set in jobs.items():
        path = folder / f"test-{name}.parquet"
        rejects.add(name, _joined(of_set, path))
        counts[name] = storage.num_rows(path)
        if not counts[name]:
            raise RecipeError(
                "the test set is empty",
                where=name,
                got=rejects.reasons(name) or "no record",
                mend=f"look at its files with: taiyi corpora check {next(s.corpus for s in sets if s.name == name)}",
            )
    return counts


def _size(run: Run, test_set: TestSet) -> tuple[int | None, int]:
    """Return how many records of a test set are asked about, and by which seed they are drawn.

    A test set that is a sample is the same one in every run: of fewer, those come first that it ranks first.
    """
    most = run.recipe.evaluate.max_records
    if test_set.max_records is None:
        return most, run.recipe.seed
    return min(test_set.max_records, most or test_set.max_records), SAMPLE_SEED


def asked(run: Run, test_set: TestSet) -> Selection:
    """Return what is asked of the records of a test set."""
    settings = run.recipe.evaluate
    return Selection(
        corpus=test_set.corpus,
        task=test_set.task,
        splits=(test_set.split,),
        form=run.recipe.forms().get(test_set.task),
        subtasks=(test_set.types,) if test_set.types else (),
        merge_types=dict(test_set.merge_types),
        window_chars=settings.window_chars.get(test_set.name, 0),
        overlap_chars=settings.overlap_chars.get(test_set.name, 0),
        lead_chars=settings.lead_chars.get(test_set.name, 0),
        prompt=settings.prompt,
        templates=(settings.template,),
    )


def _sample(parts: Sequence[Path], most: int | None, seed: int) -> tuple[list[tuple[int, ...]], list[Reject]]:
    """Draw the `most` records that the seed ranks first: once or not at all, for each record of each part."""
    places: list[list[str]] = [storage.read_column(part, "place").to_pylist() for part in parts]
    everything = [place for part in places for place in part]
    total = len(everything) if most is None else min(most, len(everything))
    counts = draw(everything, total, seed)
    others = [Reject(where=p, reason=NOT_DRAWN) for p, count in zip(everything, counts, strict=True) if not count]
    left = iter(counts)
    return [tuple(islice(left, len(part))) for part in places], others


def render_samples(run: Run, samples: Sequence[Sample], folder: Path, rejects: Rejects) -> dict[str, dict[str, int]]:
    """Write the examples of the dev samples, and count their records by corpus, task and language."""
    jobs = [
        [
            _Render(
                part=of.part,
                draws=(1,) * storage.num_rows(of.part),
                selection=_trained(of.selection),
                root=run.corpora,
                seed=run.recipe.seed,
                training=False,
                out=folder / "work" / f"{sample.name}-{n:05}",
            )
            for n, of in enumerate(sample.parts)
        ]
        for sample in samples
    ]
    _render(run, "dev samples", [job for of_sample in jobs for job in of_sample])
    counts: dict[str, dict[str, int]] = {}
    for sample, of_sample in zip(samples, jobs, strict=True):
        path = folder / f"{sample.name}.parquet"
        rejects.add(sample.name, _joined(of_sample, path))
        counts[sample.stage] = statistics.count_records([path])
        if sample.asks and not counts[sample.stage]:
            raise RecipeError(
                "the dev sample is empty",
                where=f"stage {sample.stage}",
                got=rejects.reasons(sample.name) or "no record",
                mend="give `dev` data of its own, or take it out",
            )
    return counts


def _trained(selection: Selection) -> Selection:
    """Return a selection that is asked in the wordings that it is trained in."""
    task, langs = tasks.get(selection.task), catalogue.get(selection.corpus).langs
    known = [template.id for lang in langs for template in wordings(task, selection, lang, training=True)]
    return selection.model_copy(update={"templates": tuple(known)})


class _Render(msgspec.Struct, frozen=True, kw_only=True):
    part: Path
    draws: tuple[int, ...]
    selection: Selection
    root: Path
    seed: int
    training: bool
    out: Path
    shots: Shots | None = None
    pool: Path | None = None


def _render(run: Run, what: str, jobs: Sequence[_Render]) -> None:
    with run.progress() as progress:
        bar = progress.add_task(what, total=len(jobs))
        for _ in run.engine.map(_render_part, jobs):
            progress.advance(bar)


def _render_part(job: _Render) -> None:
    if not job.out.with_suffix(".jsonl").exists():
        render_part(
            job.part,
            job.draws,
            job.selection,
            job.root,
            job.seed,
            job.out,
            training=job.training,
            shots=job.shots,
            pool=job.pool,
        )


def _joined(jobs: Sequence[_Render], out: Path) -> Iterator[Reject]:
    """Put what was rendered into one file, and yield what was left out."""
    for job in jobs:
        yield from storage.read_jsonl(job.out.with_suffix(".jsonl"), Reject)
    yield from join([job.out.with_suffix(".parquet") for job in jobs], out)
