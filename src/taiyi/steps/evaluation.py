"""The steps of evaluation: a model's answers to the test sets, their scores, and the report."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from taiyi import __version__, storage, tasks
from taiyi.build import statistics
from taiyi.checkpoint import RUN_FILE, model_folder
from taiyi.evaluate import aggregate, curves, documents, protocols, report, suites
from taiyi.evaluate import run as scoring
from taiyi.evaluate.details import Details, details
from taiyi.evaluate.paper import GENERAL_DIALOGUE
from taiyi.evaluate.scoring import ScoreRow, score_set
from taiyi.evaluate.slices import Seen, mentions
from taiyi.evaluate.tables import StatisticsRow
from taiyi.heap import kept_heap
from taiyi.manifest import Manifest, manifest, step
from taiyi.schema import Answer, Example, Prediction, Shown
from taiyi.steps import baselines, relating
from taiyi.steps import predictions as answers
from taiyi.steps.asking import Purse, ask, refused, usage
from taiyi.steps.data import training_data
from taiyi.steps.declared import set_digest
from taiyi.steps.run import VERSIONS, Run, at_hand, examples, identity, point, test_sets


def predict(run: Run, data: Path, model: str | Path, *, fits: Mapping[str, Path] | None = None) -> Path:
    """Generate a model's answers to every test set; those that an interrupted run left are kept.

    `fits` are, by test set, the folders of what a baseline learned for it.
    """
    settings = run.recipe.evaluate
    inputs = {
        "version": VERSIONS["predict"],
        "data": data.name,
        "model": identity(run, model),
        "settings": settings.model_dump(mode="json", include={"max_new_tokens", "batch_tokens", "constrained"}),
    }
    if settings.choices != "generate":
        inputs["choices"] = settings.choices
    if settings.runtime != "torch":
        inputs["runtime"] = settings.runtime
    way = relating.way(run, model) if fits is None else relating.Way()
    if way.relations != "written":
        inputs["relations"] = way._asdict()
    if fits is not None:
        inputs["fits"] = {name: folder.name for name, folder in fits.items()}

    def work(folder: Path) -> dict[str, Any]:
        from taiyi.generate import load_engine

        grammar = {"none": None, "extraction": tasks.grammar_of_extraction, "all": tasks.grammar}[settings.constrained]
        engine = None
        if fits is None:
            engine = load_engine(model, grammar=grammar, endpoint=settings.endpoint, runtime=settings.runtime)
        purse = Purse(run, engine)
        for test_set in at_hand(run.recipe, run.corpora):
            purse.reckon(test_set, *_left(data, folder, test_set.name))
        purse.open()
        facts: dict[str, Any] = {}
        for test_set in at_hand(run.recipe, run.corpora):
            path = answers.working(folder, test_set.name)
            remaining, done = _left(data, folder, test_set.name)
            count = len(remaining) + len(done)
            with kept_heap(), run.progress() as progress, path.open("ab") as file:
                bar = progress.add_task(f"answering {test_set.title}", total=count, completed=len(done))
                answering = engine or baselines.load_baseline((fits or {})[test_set.name])
                if relating.asks(test_set):
                    answering = relating.answering(answering, way)
                for prediction in ask(answering, test_set, remaining, settings):
                    file.write(msgspec.json.encode(prediction) + b"\n")
                    file.flush()
                    progress.advance(bar)
                    purse.pay(prediction)
                os.fsync(file.fileno())
            predictions = answers.keep(folder, test_set.name)
            seconds = sum(p.seconds for p in predictions)
            held = sum(p.constrained for p in predictions)
            facts[test_set.name] = {"num_examples": count, "seconds": round(seconds, 1), "num_constrained": held}
            facts[test_set.name] |= purse.facts(predictions) | refused(run, test_set, answering, predictions)
            run.log.say(f"answered {test_set.title}: {count} examples in {seconds:.0f} s")
        return facts

    return step(run.folder, "predictions", inputs, work, run.log)


def _left(data: Path, folder: Path, name: str) -> tuple[list[Example], list[Prediction]]:
    """Return the examples of a test set that are not answered, and the answers to the others."""
    made = answers.made(folder, name)
    done = {prediction.example for prediction in made}
    return [e for e in examples(data / f"test-{name}.parquet") if e.id not in done], made


def write_report(
    run: Run,
    data: Path,
    predictions: Path,
    model: str | Path,
    *,
    left_out: Mapping[str, str] | None = None,
    named: Sequence[str] = (),
) -> report.RunResult:
    """Score the predictions and write the report; the run then points to its model and its report.

    `left_out` are test sets beyond those of the recipe that nothing was asked about, with the reason: they have rows.
    `named` are then the suites as they were asked for, which the report keeps: those of the recipe are without them.
    """
    recipe = run.recipe
    unasked = dict(left_out or {})
    # A set of a user's own suite is found through that alone.
    suites_kept = recipe.evaluate.model_copy(update={"suites": tuple(named) or recipe.evaluate.suites})
    kept = recipe.model_copy(update={"evaluate": suites_kept})
    stages = _trained(run, model)
    learned = training_data(Path(model)) if Path(model).exists() else []
    inputs = {
        "version": VERSIONS["report"],
        "predictions": predictions.name,
        "description": recipe.description,
        "tests": {test_set.name: set_digest(test_set) for test_set in test_sets(recipe)},
        "learned": [f"{path.parent.name}/{path.stem}" for path in learned],
        "left_out": unasked,
    }

    def work(folder: Path) -> dict[str, Any]:
        results: list[aggregate.SetResult] = []
        samples: list[report.Sample] = []
        told: list[Details] = []
        shown: list[documents.Shown] = []
        seen = _seen(learned) if any(tasks.get(t.task).kind == "entities" for t in test_sets(recipe)) else None
        records_left: dict[str, dict[str, int]] = manifest(data).facts["left_out"]
        there = {test_set.name for test_set in at_hand(recipe, run.corpora)}
        way = relating.Way(**manifest(predictions).inputs.get("relations", {}))
        for test_set in test_sets(recipe):
            if test_set.name not in there:
                results.append(aggregate.missing(test_set))
                continue
            asked = list(examples(data / f"test-{test_set.name}.parquet"))
            place = f"{predictions}: {test_set.name}"
            given = answers.by_example(place, asked, answers.read(predictions, test_set.name))
            answered = scoring.answered(asked, given)
            found = score_set(test_set, answered, seed=recipe.seed)
            storage.write_parquet(found.scores, folder / f"scores-{test_set.name}.parquet", ScoreRow)
            held = sum(prediction.constrained for prediction in given.values())
            said = way.said if relating.asks(test_set) else ""
            noted = _noted(found.result, said, **records_left[test_set.name], constrained=held, answers=len(given))
            results.append(noted)
            samples += scoring.samples(test_set.title, asked, given, most=report.SAMPLES_PER_TASK)
            measure = protocols.own(test_set).measures[0]
            told.append(details(test_set.name, answered, found.own, measure, seen=seen, seed=recipe.seed))
            shown.append(documents.Shown(test_set.name, test_set.title, list(zip(answered, found.own, strict=True))))
        results += [aggregate.missing(suites.test_set(name), reason) for name, reason in unasked.items()]
        whole = report.RunResult(
            name=recipe.name,
            title=recipe.name,
            description=recipe.description,
            results=tuple(results),
            details=tuple(told),
            documents=documents.write(recipe.name, shown, folder).name,
            samples=tuple(samples),
            training=tuple(_curves(run, stages)),
            statistics=tuple(statistics_rows(data)) if recipe.stages else (),
            facts=_facts(run, data, predictions, stages),
            recipe=msgspec.yaml.encode(kept.model_dump(mode="json", exclude_defaults=True)).decode(),
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


class _Learned(msgspec.Struct, frozen=True):
    """What of an example of training data tells which mentions it has."""

    gold: Answer
    types: tuple[Shown, ...]


def _seen(files: Sequence[Path]) -> Seen | None:
    """Return the mentions of training data; None where it is not known."""
    if not files:
        return None
    learned = (row for path in files for row in storage.read_parquet(path, _Learned))
    return {mention for row in learned for mention in mentions(row.gold, row.types)}


def _noted(
    result: aggregate.SetResult, way: str, *, records: int, faults: int, constrained: int, answers: int
) -> aggregate.SetResult:
    """Add to a test set's note in which way it was answered, how many of its records were left out, how many faults its
    files have, and how many of the answers were held to what their form allows."""
    left = f"{records:,} record{'s' * (records != 1)} left out" if records else ""
    wrong = f"{faults:,} fault{'s' * (faults != 1)} in its files" if faults else ""
    held = "constrained decoding" if constrained else ""
    if 0 < constrained < answers:
        held += f" of {constrained:,} of {answers:,} answers"
    return msgspec.structs.replace(result, note="; ".join(filter(None, (result.note, way, left, wrong, held))))


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
    for name, folder in manifest(predictions).inputs.get("fits", {}).items():
        facts[f"learned for {name}"] = baselines.said_of(run.folder / folder)
    made = manifest(predictions)
    facts["predictions"] = f"{made.seconds:.0f} s{usage(made.facts)}"
    return facts


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
