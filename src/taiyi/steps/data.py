"""The data step: the examples of every stage and test set, and what was rejected on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from taiyi import catalogue, storage, templates
from taiyi.build import statistics
from taiyi.build.decontaminate import decontaminate
from taiyi.build.deduplicate import deduplicate
from taiyi.build.instructions import INAPPLICABLE, NOT_DRAWN, REPEATED, UNDECLARED, instructions, sample
from taiyi.build.settings import Selection
from taiyi.errors import CorpusError, RecipeError
from taiyi.evaluate.suites import TestSet
from taiyi.manifest import MANIFEST, hash_file, manifest, step
from taiyi.recipe import Recipe, Stage
from taiyi.schema import Example, Reject
from taiyi.steps.declared import corpus_digest, set_digest
from taiyi.steps.run import VERSIONS, Run, at_hand

_ASKED = ("corpus", "split", "task", "types", "merge_types")
"""What of a test set makes its examples; the rest says how they are scored and shown."""


def build(run: Run) -> Path:
    """Make the examples of every stage and test set: `<stage>.parquet`, `test-<set>.parquet`, and what was rejected."""
    recipe = run.recipe
    wanted = sorted({s.corpus for stage in recipe.stages for s in stage.data} | {t.corpus for t in at_hand(recipe)})
    inputs = {
        "version": VERSIONS["data"],
        "seed": recipe.seed,
        "stages": {stage.name: [s.model_dump(mode="json") for s in stage.data] for stage in recipe.stages},
        "decontaminate": recipe.decontaminate.model_dump(mode="json"),
        "evaluate": recipe.evaluate.model_dump(
            mode="json", include={"suites", "template", "window_chars", "max_records"}
        ),
        "forms": recipe.forms(),
        "templates": templates.digest(),
        "declared": {name: corpus_digest(catalogue.get(name)) for name in wanted},
        "tests": {t.name: set_digest(t, _ASKED) for t in at_hand(recipe)},
        "corpora": {name: _raw_hashes(catalogue.get(name), run.corpora) for name in wanted},
    }
    return step(run.folder, "data", inputs, lambda folder: _build(run, folder), run.log)


def _build(run: Run, folder: Path) -> dict[str, Any]:
    recipe = run.recipe
    rejects: list[tuple[str, Reject]] = []
    with run.progress() as progress:
        bar = progress.add_task("test sets", total=len(at_hand(recipe)))
        tests: dict[str, list[Example]] = {}
        # Training data must be clean of the whole test sets: a sample of them may be evaluated now, and all of them
        # later.
        whole: list[Example] = []
        for test_set in at_hand(recipe):
            found = _keep(_test_examples(run, test_set), test_set.name, rejects)
            if not found:
                raise RecipeError("the test set is empty", where=test_set.name)
            whole += found
            tests[test_set.name], others = sample(found, recipe.evaluate.max_records, recipe.seed)
            rejects += [(test_set.name, reject) for reject in others]
            progress.advance(bar)
        bar = progress.add_task("training", total=sum(len(stage.data) for stage in recipe.stages))
        training: dict[str, list[Example]] = {}
        audit: list[msgspec.Struct] = []
        for stage in recipe.stages:
            rendered: list[Example] = []
            for selection in stage.data:
                made = instructions(selection, run.corpora, seed=recipe.seed, training=True)
                rendered += _keep(made, stage.name, rejects)
                progress.advance(bar)
            unique, repeated = deduplicate(rendered)
            clean, leaks, matches = decontaminate(unique, whole, recipe.decontaminate)
            rejects += [(stage.name, reject) for reject in (*repeated, *leaks)]
            audit += matches
            training[stage.name] = clean
            if stage.data and not clean:
                raise RecipeError(
                    "nothing is left to train on",
                    where=f"stage {stage.name}",
                    got=dict(Counter(reject.reason for where, reject in rejects if where == stage.name)),
                    mend="look into rejects.jsonl of the data step",
                )
    for name, examples in tests.items():
        storage.write_parquet(examples, folder / f"test-{name}.parquet", Example)
    for name, examples in training.items():
        storage.write_parquet(examples, folder / f"{name}.parquet", Example)
    rows = ({"for": where, **msgspec.to_builtins(reject)} for where, reject in rejects)
    storage.write_jsonl(rows, folder / "rejects.jsonl")
    storage.write_jsonl(audit, folder / "decontamination.jsonl")
    domains = {s.corpus: catalogue.get(s.corpus).domain for stage in recipe.stages for s in stage.data}
    counts = [
        count
        for stage in recipe.stages
        for count in statistics.count_tasks(stage.name, _data(stage, training), domains)
    ]
    storage.write_json(counts, folder / "statistics.json")
    return {
        "training": {name: statistics.count_corpora(examples) for name, examples in training.items()},
        "tests": {name: len(examples) for name, examples in tests.items()},
        "left_out": {
            test_set.name: _left_out(test_set, [reject for where, reject in rejects if where == test_set.name])
            for test_set in at_hand(recipe)
        },
        "decontaminated": _guarded(recipe),
        "rejects": {
            name: statistics.count_reasons(reject for where, reject in rejects if where == name)
            for name in dict.fromkeys(where for where, _ in rejects)
        },
    }


def _keep(items: Iterable[Example | Reject], where: str, rejects: list[tuple[str, Reject]]) -> list[Example]:
    kept: list[Example] = []
    for item in items:
        if isinstance(item, Reject):
            rejects.append((where, item))
        else:
            kept.append(item)
    return kept


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


def _guarded(recipe: Recipe) -> list[list[str]]:
    """Return the corpora and splits that training data is clean of."""
    if not (recipe.decontaminate.by_document_id or recipe.decontaminate.by_text):
        return []
    return [list(pair) for pair in sorted({(t.corpus, t.split) for t in at_hand(recipe)})]


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


def _data(stage: Stage, training: dict[str, list[Example]]) -> list[Example]:
    """The examples of a stage: those that it replays and its own."""
    return [example for name in (*stage.replay, stage.name) for example in training[name]]


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


def _raw_hashes(corpus: catalogue.Corpus, root: Path) -> dict[str, str]:
    folder = corpus.location(root)
    hashes: dict[str, str] = {}
    for layout in filter(None, (corpus.layout(split, root) for split in corpus.splits)):
        for source in (source for sources in layout.files.values() for source in sources):
            for path in source.find(folder):
                for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                    if file.is_file() and (name := str(file.relative_to(folder))) not in hashes:
                        hashes[name] = hash_file(file)
    if not hashes:
        raise CorpusError(
            "the corpus is not there",
            where=folder,
            mend=f"see `taiyi corpora show {corpus.name}` for how to obtain it, or give --corpora DIR",
        )
    return hashes
