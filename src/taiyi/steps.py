"""The steps that carry a recipe out: data, tokenizer, rows, training, predictions, report."""

from __future__ import annotations

import os
import platform
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from taiyi import __version__, catalogue, storage, templates
from taiyi.build import statistics
from taiyi.build.decontaminate import decontaminate
from taiyi.build.deduplicate import deduplicate
from taiyi.build.instructions import instructions
from taiyi.build.settings import Selection
from taiyi.checkpoint import RUN_FILE, Checkpoint, model_folder
from taiyi.errors import CorpusError, RecipeError
from taiyi.evaluate import aggregate, report, suites
from taiyi.evaluate import run as evaluation
from taiyi.evaluate.suites import TestSet
from taiyi.evaluate.tables import StatisticsRow
from taiyi.manifest import Log, hash_file, manifest, step
from taiyi.recipe import Recipe, Stage
from taiyi.schema import Example, Prediction, Reject

if TYPE_CHECKING:
    from taiyi.encoding import Encoder

# Raised when a step would make something else of the same inputs, so that what an older version made is made anew.
VERSIONS = {"data": 1, "tokenizer": 1, "rows": 1, "train": 1, "predict": 1, "report": 1}


@dataclass(frozen=True)
class Run:
    """A recipe with what carrying it out needs.

    Attributes:
        recipe: what is to be done.
        folder: where its steps are written.
        corpora: where raw corpora are.
        log: where it is said what happens.
        command: as typed, for the report.
    """

    recipe: Recipe
    folder: Path
    corpora: Path
    log: Log
    command: str = ""

    @property
    def console(self) -> Console:
        return self.log.console

    def progress(self) -> Progress:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        return Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal)


def carry_out(run: Run) -> report.RunResult:
    """Carry out every step of a recipe that is not done yet, and return its results.

    A recipe without stages evaluates its base as it is.
    """
    data = build(run)
    model = train_stages(run, data)
    predictions = predict(run, data, model)
    return write_report(run, data, predictions, model)


def train_stages(run: Run, data: Path) -> str | Path:
    """Train every stage, point the run to the last one's model and return it; the base where there is no stage."""
    previous: Path | None = None
    for index in range(len(run.recipe.stages)):
        previous = train(run, data, index, previous)
    if previous is None:
        return run.recipe.base
    _point(run, model=f"{previous.name}/model")
    return previous / "model"


def _point(run: Run, **places: str) -> None:
    """Say in the run's folder where its model and report are; a report of another model is forgotten."""
    path = run.folder / RUN_FILE
    known: dict[str, str] = storage.read_json(path, dict[str, str]) if path.exists() else {}
    if places.get("model") == known.get("model"):
        places = known | places
    if places != known:
        storage.write_json(places, path)


# --- data ------------------------------------------------------------------------------------------------------------


def test_sets(recipe: Recipe) -> list[TestSet]:
    """Return the test sets of a recipe's suites, each once."""
    found = {test_set.name: test_set for suite in recipe.evaluate.suites for test_set in suites.get(suite)}
    return list(found.values())


def build(run: Run) -> Path:
    """Make the examples of every stage and test set: `<stage>.parquet`, `test-<set>.parquet`, and what was rejected."""
    recipe = run.recipe
    wanted = sorted({s.corpus for stage in recipe.stages for s in stage.data} | {t.corpus for t in _at_hand(recipe)})
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
        bar = progress.add_task("test sets", total=len(_at_hand(recipe)))
        tests: dict[str, list[Example]] = {}
        for test_set in _at_hand(recipe):
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
    counts = [count for stage in recipe.stages for count in statistics.count_tasks(stage.name, _data(stage, training))]
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


def _at_hand(recipe: Recipe) -> list[TestSet]:
    return [test_set for test_set in test_sets(recipe) if not test_set.missing]


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


# --- training --------------------------------------------------------------------------------------------------------


def train(run: Run, data: Path, index: int, previous: Path | None) -> Path:
    """Train a stage, from the base or from what the previous stage left, and return its folder, with `model/` in it."""
    recipe = run.recipe
    stage = recipe.stages[index]
    settings = stage.model_dump(mode="json", exclude={"name", "data", "replay"})
    rows = encode(run, data, index)
    inputs = {
        "version": VERSIONS["train"],
        "rows": rows.name,
        "settings": settings,
        "begins": previous.name
        if previous
        else {"base": _base(run), "scratch": recipe.scratch.model_dump(mode="json")},
    }
    return step(run.folder, f"train-{stage.name}", inputs, lambda out: _train(run, stage, rows, previous, out), run.log)


def _train(run: Run, stage: Stage, rows_folder: Path, previous: Path | None, out: Path) -> dict[str, Any]:
    from taiyi.train import loop, model, rows
    from taiyi.train.settings import StageSettings

    recipe = run.recipe
    settings = StageSettings.model_validate(stage.model_dump(exclude={"name", "data", "replay"}))
    if previous is not None:
        learner, tokenizer = model.load_base(
            str(previous / "model"), method=stage.method, dtype="auto", lora=stage.lora
        )
    elif recipe.base == "scratch":
        tokenizer = model.load_tokenizer(str(run.folder / manifest(rows_folder).inputs["tokenizer"] / "tokenizer"))
        size = recipe.scratch.model_dump(exclude={"vocab_size"})
        learner = model.scratch(tokenizer, **size, seed=recipe.seed)
    else:
        learner, tokenizer = model.load_base(recipe.base, method=stage.method, dtype="auto", lora=stage.lora)
    checkpoint = Checkpoint(
        recipe=recipe.name,
        stage=stage.name,
        base=recipe.base,
        positions=recipe.encoding.positions,
        decisions=recipe.encoding.decisions,
        max_tokens=stage.max_tokens,
        templates=templates.digest(),
        form=recipe.evaluate.forms.get("ner", "tagged"),
    )
    with run.progress() as progress:
        bar = progress.add_task(f"training {stage.name}", total=None)

        def advance(done: loop.Step) -> None:
            text = f"training {stage.name}, loss {done.loss:.3f}, {done.tokens / done.seconds:,.0f} tokens/s"
            progress.update(bar, completed=done.step, total=done.steps, description=text)

        result = loop.train(rows.read(rows_folder), out, settings, learner, tokenizer, checkpoint, progress=advance)
    facts: dict[str, Any] = msgspec.to_builtins(result)
    del facts["losses"]  # they are in loss.jsonl
    return facts


def encode(run: Run, data: Path, index: int) -> Path:
    """Encode the examples of a stage; under `scratch` the tokenizer, trained on all stages, comes first."""
    recipe = run.recipe
    stage = recipe.stages[index]
    inputs: dict[str, Any] = {
        "version": VERSIONS["rows"],
        "data": data.name,
        "stages": [*stage.replay, stage.name],
        "max_tokens": stage.max_tokens,
        "encoding": recipe.encoding.model_dump(mode="json"),
        "base": _base(run),
    }
    if recipe.base == "scratch":
        inputs["tokenizer"] = make_tokenizer(run, data).name

    def work(folder: Path) -> dict[str, Any]:
        from taiyi.train import rows

        examples = (e for name in (*stage.replay, stage.name) for e in _examples(data / f"{name}.parquet"))
        encoded, rejects = rows.prepare(examples, _encoder(run, inputs), folder, max_tokens=stage.max_tokens)
        storage.write_jsonl(rejects, folder / "rejects.jsonl")
        if not len(encoded):
            raise RecipeError(
                "no example is left to train on",
                where=f"stage {stage.name}",
                got=statistics.count_reasons(rejects),
                mend=f"raise max_tokens, or look into {folder / 'rejects.jsonl'}",
            )
        return {
            "num_rows": len(encoded),
            "num_tokens": encoded.tokens,
            "num_targets": encoded.targets,
            "rejects": statistics.count_reasons(rejects),
        }

    return step(run.folder, f"rows-{stage.name}", inputs, work, run.log)


def make_tokenizer(run: Run, data: Path) -> Path:
    """Train the tokenizer of a model from nothing, on the texts of all stages; tags are tokens of their own."""
    recipe = run.recipe
    inputs = {"version": VERSIONS["tokenizer"], "data": data.name, "vocab_size": recipe.scratch.vocab_size}

    def work(folder: Path) -> dict[str, Any]:
        from taiyi import tagged
        from taiyi.train.tokenizer import train_bpe

        tags: set[str] = set()
        texts: dict[str, None] = {}
        for stage in recipe.stages:
            for example in _examples(data / f"{stage.name}.parquet"):
                for message in example.messages:
                    texts[message.content] = None
                if example.tagging is None:
                    texts[example.answer] = None
                else:
                    tags.update(f(tag) for tag in example.tagging.tags for f in (tagged.open_tag, tagged.close_tag))
        tokenizer = train_bpe(texts, vocab_size=recipe.scratch.vocab_size, tags=sorted(tags))
        tokenizer.save_pretrained(folder / "tokenizer")
        return {"vocab_size": len(tokenizer), "num_tags": len(tags), "num_texts": len(texts)}

    return step(run.folder, "tokenizer", inputs, work, run.log)


def _encoder(run: Run, inputs: dict[str, Any]) -> Encoder:
    from taiyi.encoding import Encoder
    from taiyi.train.model import load_tokenizer

    encoding = run.recipe.encoding
    own = run.folder / inputs["tokenizer"] / "tokenizer" if "tokenizer" in inputs else run.recipe.base
    return Encoder(load_tokenizer(str(own)), positions=encoding.positions, decisions=encoding.decisions)


def _examples(path: Path) -> Iterable[Example]:
    return storage.read_parquet(path, Example)


# --- evaluation ------------------------------------------------------------------------------------------------------


def predict(run: Run, data: Path, model: str | Path) -> Path:
    """Generate a model's answers to every test set; those that an interrupted run left are kept."""
    settings = run.recipe.evaluate
    inputs = {
        "version": VERSIONS["predict"],
        "data": data.name,
        "model": _identity(run, model),
        "settings": settings.model_dump(mode="json", include={"max_new_tokens", "batch_tokens"}),
    }

    def work(folder: Path) -> dict[str, Any]:
        from taiyi.generate import load_engine

        engine = load_engine(model)
        facts: dict[str, Any] = {}
        for test_set in _at_hand(run.recipe):
            examples = list(_examples(data / f"test-{test_set.name}.parquet"))
            path = folder / f"{test_set.name}.jsonl"
            done = _finished(path)
            remaining = [e for e in examples if e.id not in done]
            most = settings.max_new_tokens.get(test_set.task, 256)
            with run.progress() as progress, path.open("ab") as file:
                bar = progress.add_task(f"answering {test_set.title}", total=len(examples), completed=len(done))
                made = engine.generate(remaining, max_new_tokens=most, batch_tokens=settings.batch_tokens)
                for prediction in made:
                    file.write(msgspec.json.encode(prediction) + b"\n")
                    file.flush()
                    progress.advance(bar)
            predictions = list(storage.read_jsonl(path, Prediction))
            seconds = sum(p.seconds for p in predictions)
            facts[test_set.name] = {"num_examples": len(examples), "seconds": round(seconds, 1)}
            run.log.say(f"answered {test_set.title}: {len(examples)} examples in {seconds:.0f} s")
        return facts

    return step(run.folder, "predictions", inputs, work, run.log)


def _base(run: Run) -> object:
    return "scratch" if run.recipe.base == "scratch" else _identity(run, run.recipe.base)


def _identity(run: Run, model: str | Path) -> object:
    """Return what tells a model from others: its step in this run, the hashes of its files, or its hub id."""
    path = Path(model)
    if path.parent.parent == run.folder:
        return path.parent.name
    if path.is_dir() or isinstance(model, Path):
        folder = model_folder(path)
        return {file.name: hash_file(file) for file in sorted(folder.iterdir()) if file.is_file()}
    return str(model)


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
    inputs = {"version": VERSIONS["report"], "predictions": predictions.name, "description": recipe.description}

    def work(folder: Path) -> dict[str, Any]:
        results: list[aggregate.SetResult] = []
        samples: list[report.Sample] = []
        for test_set in test_sets(recipe):
            if test_set.missing:
                results.append(aggregate.missing(test_set))
                continue
            examples = list(_examples(data / f"test-{test_set.name}.parquet"))
            answered = {p.example: p for p in storage.read_jsonl(predictions / f"{test_set.name}.jsonl", Prediction)}
            scores = evaluation.score(examples, answered)
            storage.write_parquet(scores, folder / f"scores-{test_set.name}.parquet", type(scores[0]))
            results.append(aggregate.evaluate(test_set, scores, seed=recipe.seed))
            samples += evaluation.samples(test_set.title, examples, answered, most=report.SAMPLES_PER_TASK)
        result = report.RunResult(
            name=recipe.name,
            title=recipe.name,
            description=recipe.description,
            results=tuple(results),
            samples=tuple(samples),
            loss=tuple(_loss(stages)),
            statistics=tuple(statistics_rows(data)),
            facts=_facts(run, data, predictions, stages),
            recipe=msgspec.yaml.encode(recipe.model_dump(mode="json", exclude_defaults=True)).decode(),
        )
        report.write(result, folder)
        return {r.name: r.value for r in results}

    folder = step(run.folder, "report", inputs, work, run.log)
    if stages:
        place = f"{stages[-1].name}/model"
    else:
        place = str(model_folder(model).resolve() if Path(model).exists() else model)
    _point(run, model=place, report=folder.name)
    return report.load(folder / "results.json")


def report_folder(run: Run) -> Path:
    """Return the folder of the run's report."""
    return run.folder / storage.read_json(run.folder / RUN_FILE, dict[str, str])["report"]


def _trained(run: Run, model: str | Path) -> list[Path]:
    """Return the folders of the run's stages that led to a model, the first first; none where it has no stages."""
    folders: list[Path] = []
    name: Any = _identity(run, model) if run.recipe.stages else None
    while isinstance(name, str):
        folders.append(run.folder / name)
        name = manifest(folders[-1]).inputs["begins"]
    return folders[::-1]


def _loss(stages: Iterable[Path]) -> Iterable[report.LossPoint]:
    for folder in stages:
        for point in storage.read_jsonl(folder / "loss.jsonl", dict[str, Any]):
            yield report.LossPoint(
                folder.name.rsplit("-", 1)[0].removeprefix("train-"), int(point["step"]), float(point["loss"])
            )


def statistics_rows(data: Path) -> Iterable[StatisticsRow]:
    """Return how many examples the stages have of each task and language, as the data step counted them."""
    for count in storage.read_json(data / "statistics.json", list[statistics.TaskCount]):
        yield StatisticsRow(task=count.task, lang=count.lang, stage=count.stage, count=count.num_examples)  # pyright: ignore[reportArgumentType]


def _facts(run: Run, data: Path, predictions: Path, stages: Iterable[Path]) -> dict[str, str]:
    facts = {
        "command": run.command,
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": f"taiyi {__version__}, torch {version('torch')}, transformers {version('transformers')}",
        "python": sys.version.split()[0],
        "data": f"{manifest(data).seconds:.0f} s",
    }
    for folder in stages:
        made = manifest(folder)
        facts[made.step] = (
            f"{made.facts['seconds']:.0f} s, {made.facts['steps']} steps, {made.facts['tokens']:,} tokens"
        )
    facts["predictions"] = f"{manifest(predictions).seconds:.0f} s"
    return facts


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
