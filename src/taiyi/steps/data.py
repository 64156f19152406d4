"""The data step: the examples of every stage and test set, and what was rejected on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from taiyi import catalogue, storage, templates
from taiyi.build import statistics
from taiyi.build.instructions import ACROSS, PAIR_ACROSS
from taiyi.build.records import INAPPLICABLE, NOT_DRAWN, REPEATED, UNDECLARED
from taiyi.errors import RecipeError, TaiyiError
from taiyi.evaluate.suites import TestSet
from taiyi.manifest import MANIFEST, finished, manifest, step
from taiyi.schema import Reject
from taiyi.steps import few_shot, joined
from taiyi.steps.cleaning import clean, forget
from taiyi.steps.declared import ASKED, corpus_digest, set_digest
from taiyi.steps.raw import raw_hashes
from taiyi.steps.rejects import Rejects
from taiyi.steps.rendering import Epochs, render_samples, render_stage, render_tests
from taiyi.steps.run import VERSIONS, Run, at_hand
from taiyi.steps.sampling import sample
from taiyi.steps.shards import absent, left_out, of_tests, there, wanted


def build(run: Run) -> Path:
    """Make the examples of every stage, dev sample and test set, and tell what was rejected: `<stage>.parquet`,
    `dev-<stage>.parquet`, `test-<set>.parquet`, `rejects.jsonl`."""
    recipe = run.recipe
    asked = [selection for stage in recipe.stages for selection in (*stage.data, *stage.dev_data)]
    trained = {selection.corpus for selection in asked if there(run, selection) is not None}
    names = sorted(trained | {t.corpus for t in at_hand(recipe, run.corpora)})
    inputs: dict[str, Any] = {
        "version": VERSIONS["data"],
        "seed": recipe.seed,
        "stages": {stage.name: [s.model_dump(mode="json") for s in stage.data] for stage in recipe.stages},
        "replay": {stage.name: list(stage.replay) for stage in recipe.stages},
        "absent": absent(run),
        "mixtures": {stage.name: stage.mixture.model_dump(mode="json") for stage in recipe.stages},
        "filters": recipe.filters.model_dump(mode="json"),
        "deduplicate": recipe.deduplicate.model_dump(mode="json"),
        "decontaminate": recipe.decontaminate.model_dump(mode="json"),
        "evaluate": recipe.evaluate.model_dump(
            mode="json", include={"suites", "template", "prompt", "window_chars", "overlap_chars", "max_records"}
        ),
        "forms": recipe.forms(),
        "templates": templates.digest(),
        "declared": {name: corpus_digest(catalogue.get(name)) for name in names},
        "tests": {t.name: set_digest(t, ASKED) for t in at_hand(recipe, run.corpora)},
        "corpora": {name: raw_hashes(catalogue.get(name), run.corpora) for name in names},
    }
    if recipe.evaluate.lead_chars:
        inputs["lead_chars"] = recipe.evaluate.lead_chars
    if recipe.evaluate.few_shot:
        inputs["few_shot"] = recipe.evaluate.few_shot
    if samples := {t.name: t.max_records for t in at_hand(recipe, run.corpora) if t.max_records is not None}:
        inputs["samples"] = samples
    if dev := {s.name: s.dev.model_dump(mode="json", include={"records", "data"}) for s in recipe.stages if s.dev}:
        inputs["dev"] = dev
    return step(run.folder, "data", inputs, lambda folder: _build(run, folder), run.log)


def _build(run: Run, folder: Path) -> dict[str, Any]:
    # What is left out goes to disk as it is found: of millions of records it can be as much as what stays.
    with (
        storage.writing_jsonl(folder / "rejects.jsonl") as lines,
        storage.writing_jsonl(folder / "decontamination.jsonl") as audit,
        run.engine,
    ):
        held = frozenset(t.name for t in at_hand(run.recipe, run.corpora))
        rejects = Rejects(lines, held)
        facts = _made(run, folder, rejects, audit)
        forget()
    # Said once the file is there that it points to.
    for stage in run.recipe.stages:
        if stage.data and not storage.num_rows(folder / f"{stage.name}.parquet"):
            raise _nothing_left(stage.name, rejects.reasons(stage.name), absent(run).get(stage.name, []), folder)
    return facts


def _nothing_left(stage: str, reasons: Mapping[str, int], missing: Sequence[str], folder: Path) -> RecipeError:
    return RecipeError(
        "nothing is left to train on",
        where=f"stage {stage}",
        got=reasons or "; ".join(["no record", *(f"not there: {name}" for name in missing)]),
        mend=f"look into {folder / 'rejects.jsonl'}" if reasons else "see `taiyi corpora show` for how to obtain it",
    )


def _made(run: Run, folder: Path, rejects: Rejects, audit: storage.Lines) -> dict[str, Any]:
    recipe = run.recipe
    sets = of_tests(run)
    shots = few_shot.draw(run, sets)
    tests = render_tests(run, sets, folder, rejects, shots)
    guarded = tuple(part for test_set in sets.values() for part in test_set.parts)
    samples = [sample(run, stage, guarded, rejects) for stage in recipe.stages if stage.dev is not None]
    dev = render_samples(run, samples, folder, rejects) if samples else {}
    epochs: dict[str, list[Epochs]] = {}
    for stage in recipe.stages:
        data = [found for selection in stage.data if (found := there(run, selection)) is not None]
        parts, shards = wanted(run, data)
        for shard in shards:
            rejects.add(stage.name, left_out(shard))
        cleaned = clean(run, stage, parts, guarded, samples, rejects)
        audit.extend(cleaned.matches)
        epochs[stage.name] = render_stage(run, stage, data, parts, cleaned, folder, rejects)
    storage.remove(folder / "work")
    storage.write_json(epochs, folder / "epochs.json")
    storage.write_json(joined.joined(run), folder / joined.FILE)
    domains = {s.corpus: catalogue.get(s.corpus).domain for stage in recipe.stages for s in stage.data}
    counts = [
        count
        for stage in recipe.stages
        for count in statistics.count_tasks(stage.name, _files(folder, *stage.replay, stage.name), domains)
    ]
    storage.write_json(counts, folder / "statistics.json")
    return {
        "training": {s.name: statistics.count_corpora(_files(folder, s.name)) for s in recipe.stages},
        "dev": dev,
        "tests": tests,
        **({"few_shot": {name: of_set.ids() for name, of_set in shots.items()}} if shots else {}),
        "absent": absent(run),
        "left_out": {t.name: _left_out(t, rejects.of(t.name)) for t in at_hand(recipe, run.corpora)},
        "decontaminated": _guarded(run),
        "rejects": rejects.counts(),
    }


def _files(folder: Path, *stages: str) -> list[Path]:
    return [folder / f"{name}.parquet" for name in stages]


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
            if reject.reason not in (NOT_DRAWN, UNDECLARED, ACROSS, PAIR_ACROSS):
                rendered.add(reject.where.rpartition("#")[0])
        else:
            faults += 1
    return {"records": records + len(rendered), "faults": faults}


def _guarded(run: Run) -> list[list[str]]:
    """Return the corpora and splits that training data is clean of."""
    by = run.recipe.decontaminate
    if not (by.by_document_id or by.by_text or by.by_overlap or by.by_near_duplicate):
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


def training_data(model: Path) -> list[Path]:
    """Return the files of the examples that a run's model was trained on, in all its stages; none where no run tells.

    What a base was trained on, nobody knows.
    """
    found: dict[Path, None] = {}
    step = _step_of(model)
    while (step / MANIFEST).exists() and "rows" in (made := manifest(step)).inputs:
        rows = step.parent / made.inputs["rows"]
        if not (rows / MANIFEST).exists():
            break
        of_rows = manifest(rows).inputs
        found |= dict.fromkeys(_files(step.parent / of_rows["data"], *of_rows["stages"]))
        begins = made.inputs["begins"]
        if not isinstance(begins, str):
            break
        step = step.parent / begins.split("/")[0]
    return [path for path in found if path.exists()]


def decontaminated(model: Path) -> frozenset[tuple[str, str]] | None:
    """Return the corpora and splits that the training data of a run's model is clean of; None where no run tells."""
    folder = _step_of(model)
    for made_from in ("rows", "data"):
        if not (folder / MANIFEST).exists():
            return None
        folder = folder.parent / manifest(folder).inputs[made_from]
    if not (folder / MANIFEST).exists():
        return None
    return frozenset((corpus, split) for corpus, split in manifest(folder).facts.get("decontaminated", []))


def _step_of(model: Path) -> Path:
    """Return the folder of the step that trained a model; a candidate of a stage lies one folder deeper."""
    model = model.resolve()
    return model.parent if model.name == "model" else model.parents[1]
