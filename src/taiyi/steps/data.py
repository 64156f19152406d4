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
from taiyi.build.instructions import instructions
from taiyi.build.settings import Selection
from taiyi.errors import CorpusError, RecipeError
from taiyi.evaluate.suites import TestSet
from taiyi.manifest import hash_file, step
from taiyi.recipe import Stage
from taiyi.schema import Example, Reject
from taiyi.steps.run import VERSIONS, Run, at_hand


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
            mode="json", include={"suites", "forms", "template", "window_chars", "max_records"}
        ),
        "templates": templates.digest(),
        "corpora": {name: _raw_hashes(catalogue.get(name), run.corpora) for name in wanted},
    }
    return step(run.folder, "data", inputs, lambda folder: _build(run, folder), run.log)


def _build(run: Run, folder: Path) -> dict[str, Any]:
    recipe = run.recipe
    rejects: list[tuple[str, Reject]] = []
    with run.progress() as progress:
        bar = progress.add_task("test sets", total=len(at_hand(recipe)))
        tests: dict[str, list[Example]] = {}
        for test_set in at_hand(recipe):
            tests[test_set.name] = _keep(_test_examples(run, test_set), test_set.name, rejects)
            if not tests[test_set.name]:
                raise RecipeError("the test set is empty", where=test_set.name)
            progress.advance(bar)
        bar = progress.add_task("training", total=sum(len(stage.data) for stage in recipe.stages))
        training: dict[str, list[Example]] = {}
        everything = [example for examples in tests.values() for example in examples]
        audit: list[msgspec.Struct] = []
        for stage in recipe.stages:
            rendered: list[Example] = []
            for selection in stage.data:
                made = instructions(selection, run.corpora, seed=recipe.seed, training=True)
                rendered += _keep(made, stage.name, rejects)
                progress.advance(bar)
            unique, repeated = deduplicate(rendered)
            clean, leaks, matches = decontaminate(unique, everything, recipe.decontaminate)
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


def _data(stage: Stage, training: dict[str, list[Example]]) -> list[Example]:
    """The examples of a stage: those that it replays and its own."""
    return [example for name in (*stage.replay, stage.name) for example in training[name]]


def _test_examples(run: Run, test_set: TestSet) -> Iterable[Example | Reject]:
    settings = run.recipe.evaluate
    selection = Selection(
        corpus=test_set.corpus,
        task=test_set.task,
        splits=(test_set.split,),
        form=settings.forms.get(test_set.task),
        subtasks=(test_set.types,) if test_set.types else (),
        merge_types=dict(test_set.merge_types),
        window_chars=settings.window_chars.get(test_set.corpus, 0),
        templates=(settings.template,),
        max_records=settings.max_records,
    )
    return instructions(selection, run.corpora, seed=run.recipe.seed, training=False)


def _raw_hashes(corpus: catalogue.Corpus, root: Path) -> dict[str, str]:
    folder = corpus.location(root)
    hashes: dict[str, str] = {}
    for sources in corpus.files.values():
        for source in sources:
            for path in source.find(folder):
                for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                    if file.is_file():
                        hashes[str(file.relative_to(folder))] = hash_file(file)
    if not hashes:
        raise CorpusError(
            "the corpus is not there",
            where=folder,
            mend=f"see `taiyi corpora show {corpus.name}` for how to obtain it, or give --corpora DIR",
        )
    return hashes
