"""The steps of evaluation: a model's answers to the test sets, their scores, and the report."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from taiyi import __version__, storage
from taiyi.build import statistics
from taiyi.checkpoint import RUN_FILE, model_folder
from taiyi.evaluate import aggregate, curves, report
from taiyi.evaluate import run as scoring
from taiyi.evaluate.paper import GENERAL_DIALOGUE
from taiyi.evaluate.tables import StatisticsRow
from taiyi.manifest import Manifest, manifest, step
from taiyi.schema import Prediction
from taiyi.steps.declared import set_digest
from taiyi.steps.run import VERSIONS, Run, at_hand, examples, identity, point, test_sets


def predict(run: Run, data: Path, model: str | Path) -> Path:
    """Generate a model's answers to every test set; those that an interrupted run left are kept."""
    settings = run.recipe.evaluate
    inputs = {
        "version": VERSIONS["predict"],
        "data": data.name,
        "model": identity(run, model),
        "settings": settings.model_dump(mode="json", include={"max_new_tokens", "batch_tokens"}),
    }

    def work(folder: Path) -> dict[str, Any]:
        from taiyi.generate import load_engine

        engine = load_engine(model)
        facts: dict[str, Any] = {}
        for test_set in at_hand(run.recipe, run.corpora):
            asked = list(examples(data / f"test-{test_set.name}.parquet"))
            path = folder / f"{test_set.name}.jsonl"
            done = _finished(path)
            remaining = [e for e in asked if e.id not in done]
            most = settings.max_new_tokens.get(test_set.task, 256)
            with run.progress() as progress, path.open("ab") as file:
                bar = progress.add_task(f"answering {test_set.title}", total=len(asked), completed=len(done))
                made = engine.generate(remaining, max_new_tokens=most, batch_tokens=settings.batch_tokens)
                for prediction in made:
                    file.write(msgspec.json.encode(prediction) + b"\n")
                    file.flush()
                    progress.advance(bar)
                os.fsync(file.fileno())
            predictions = list(storage.read_jsonl(path, Prediction))
            seconds = sum(p.seconds for p in predictions)
            facts[test_set.name] = {"num_examples": len(asked), "seconds": round(seconds, 1)}
            run.log.say(f"answered {test_set.title}: {len(asked)} examples in {seconds:.0f} s")
            if too_long := sum(p.finish == "length" and not p.num_tokens for p in predictions):
                facts[test_set.name]["num_too_long"] = too_long
                run.log.say(
                    f"{test_set.title}: {too_long} prompts with their answers are longer than the model's context of "
                    f"{engine.context} tokens; they are not answered and count as wrong"
                )
        return facts

    return step(run.folder, "predictions", inputs, work, run.log)


def _finished(path: Path) -> set[str]:
    """Return the examples that have a prediction; a last line that a kill cut off is taken away first."""
    if not path.exists():
        return set()
    with path.open("r+b") as file:
        file.truncate(file.read().rfind(b"\n") + 1)
    return {p.example for p in storage.read_jsonl(path, Prediction)}


def write_report(run: Run, data: Path, predictions: Path, model: str | Path) -> report.RunResult:
    """Score the predictions and write the report; the run then points to its model and its report."""
    recipe = run.recipe
    stages = _trained(run, model)
    inputs = {
        "version": VERSIONS["report"],
        "predictions": predictions.name,
        "description": recipe.description,
        "tests": {test_set.name: set_digest(test_set) for test_set in test_sets(recipe)},
    }

    def work(folder: Path) -> dict[str, Any]:
        results: list[aggregate.SetResult] = []
        samples: list[report.Sample] = []
        left_out: dict[str, dict[str, int]] = manifest(data).facts["left_out"]
        there = {test_set.name for test_set in at_hand(recipe, run.corpora)}
        for test_set in test_sets(recipe):
            if test_set.name not in there:
                results.append(aggregate.missing(test_set))
                continue
            asked = list(examples(data / f"test-{test_set.name}.parquet"))
            answered = {p.example: p for p in storage.read_jsonl(predictions / f"{test_set.name}.jsonl", Prediction)}
            scores = scoring.score(asked, answered)
            storage.write_parquet(scores, folder / f"scores-{test_set.name}.parquet", type(scores[0]))
            result = aggregate.evaluate(
                test_set,
                scores,
                clusters=scoring.clusters(asked),
                num_cut=scoring.num_cut(asked, answered),
                seed=recipe.seed,
            )
            results.append(_noted(result, **left_out[test_set.name]))
            samples += scoring.samples(test_set.title, asked, answered, most=report.SAMPLES_PER_TASK)
        whole = report.RunResult(
            name=recipe.name,
            title=recipe.name,
            description=recipe.description,
            results=tuple(results),
            samples=tuple(samples),
            training=tuple(_curves(run, stages)),
            statistics=tuple(statistics_rows(data)),
            facts=_facts(run, data, predictions, stages),
            recipe=msgspec.yaml.encode(recipe.model_dump(mode="json", exclude_defaults=True)).decode(),
        )
        report.write(whole, folder)
        return {r.name: r.value for r in results}

    folder = step(run.folder, "report", inputs, work, run.log)
    if stages:
        place = stages[-1] if "/" in stages[-1] else f"{stages[-1]}/model"
    else:
        place = str(model_folder(model).resolve() if Path(model).exists() else model)
    point(run, model=place, report=folder.name)
    return report.load(folder / "results.json")


def _noted(result: aggregate.SetResult, *, records: int, faults: int) -> aggregate.SetResult:
    """Add to a test set's note how many of its records were left out, and how many faults its files have."""
    left = f"{records:,} record{'s' * (records != 1)} left out" if records else ""
    wrong = f"{faults:,} fault{'s' * (faults != 1)} in its files" if faults else ""
    return msgspec.structs.replace(result, note="; ".join(filter(None, (result.note, left, wrong))))


def report_folder(run: Run) -> Path:
    """Return the folder of the run's report."""
    return run.folder / storage.read_json(run.folder / RUN_FILE, dict[str, str])["report"]


def _trained(run: Run, model: str | Path) -> list[str]:
    """Return the models of the run's stages that led to a model, the first first; none where it has no stages.

    Each is named as in what is made of it: by the folder of its stage, and its own below that where it was chosen.
    """
    places: list[str] = []
    name: Any = identity(run, model) if run.recipe.stages else None
    while isinstance(name, str):
        places.append(name)
        name = manifest(run.folder / name.split("/")[0]).inputs["begins"]
    return places[::-1]


def _kept(made: Manifest, place: str) -> int | None:
    """Return the step of the model that a stage left: that of a candidate which was chosen, else what it kept."""
    candidate = re.search(r"/step-0*(\d+)$", place)
    return int(candidate[1]) if candidate else made.facts.get("kept")


def _curves(run: Run, stages: Iterable[str]) -> Iterator[curves.StageCurves]:
    for place in stages:
        folder = run.folder / place.split("/")[0]
        made = manifest(folder)
        name, kind = made.step.removeprefix("train-"), made.inputs["settings"].get("kind", "sft")
        yield curves.read(folder, name=name, kind=kind, kept=_kept(made, place))


def statistics_rows(data: Path) -> Iterable[StatisticsRow]:
    """Return how many examples the stages have of each task and language, as the data step counted them."""
    for count in storage.read_json(data / "statistics.json", list[statistics.TaskCount]):
        row = GENERAL_DIALOGUE if count.domain == "general" else ""
        yield StatisticsRow(
            task=count.task, lang=count.lang, stage=count.stage, count=count.num_examples, table_1_row=row
        )


def _facts(run: Run, data: Path, predictions: Path, stages: Iterable[str]) -> dict[str, str]:
    facts = {
        "command": run.command,
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": f"taiyi {__version__}, torch {version('torch')}, transformers {version('transformers')}",
        "python": sys.version.split()[0],
        "data": f"{manifest(data).seconds:.0f} s",
    }
    for place in stages:
        made = manifest(run.folder / place.split("/")[0])
        told = made.facts
        parts = [f"{told['seconds']:.0f} s", f"{told['steps']:,} steps", f"{told['tokens']:,} tokens"]
        if (kept := _kept(made, place)) not in (None, told["steps"]):
            parts.append(f"the model of step {kept:,}")
        if (processes := told.get("processes", 1)) > 1:
            parts.append(f"{processes} processes")
        if memory := told.get("peak_memory", 0):
            parts.append(f"{memory / 2**30:.1f} GiB of its device at the highest")
        facts[made.step] = ", ".join(parts)
    facts["predictions"] = f"{manifest(predictions).seconds:.0f} s"
    return facts


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
