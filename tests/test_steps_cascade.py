"""A run whose model answers relations by a cascade: what its data, its model and its report say of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from typer.testing import CliRunner

from taiyi import cli, steps, storage
from taiyi.checkpoint import Checkpoint, Joined, model_folder
from taiyi.errors import RecipeError
from taiyi.evaluate import report
from taiyi.generate.engine import NOT_LEARNED
from taiyi.manifest import Log, finished, manifest
from taiyi.recipe import Recipe, load
from taiyi.schema import Prediction
from taiyi.steps import joined, predictions, relating
from taiyi.steps.run import Run

NER: dict[str, Any] = {"corpus": "demo_cdr", "task": "ner", "window_chars": 1, "max_records": 12}
RC: dict[str, Any] = {"corpus": "demo_cdr", "task": "rc", "max_records": 12, "pairs": {"by_name": True, "near": True}}
DEV: dict[str, Any] = {
    "records": 3,
    "every_steps": 3,
    "data": [{"corpus": "demo_cdr", "task": "re", "splits": ["dev"]}],
}
CONTENT: dict[str, Any] = {
    "name": "cascade",
    "scratch": {"vocab_size": 500, "hidden": 16, "layers": 1, "heads": 1, "feed_forward": 32},
    "encoding": {"positions": "aligned"},
    "stages": [
        {
            "name": "one",
            "max_tokens": 512,
            "batch_tokens": 1024,
            "max_steps": 3,
            "learning_rate": 0.01,
            "data": [NER, RC],
            "dev": DEV,
        }
    ],
    "deduplicate": {"near": False},
    "evaluate": {"suites": ["demo_cdr_re", "demo_cmeie_re"], "max_records": 3, "max_new_tokens": {"re": 12}},
}


def run_of(folder: Path, **changes: Any) -> Run:
    path = folder / "cascade.yaml"
    content = CONTENT | {"evaluate": CONTENT["evaluate"] | changes}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return Run(load(path), folder / "run", folder, Log(folder / "run"))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = run_of(tmp_path_factory.mktemp("cascade"))
    steps.carry_out(run)
    return run


def test_a_model_says_which_pairs_it_can_be_asked_about(done: Run) -> None:
    checkpoint = Checkpoint.load(model_folder(done.folder))
    assert checkpoint.relations == "cascade"
    assert checkpoint.joined == (
        Joined(
            corpus="demo_cdr",
            lang="en",
            entities=(("chemical", "disease"),),
            joins=(("chemical-induced disease", "concept", "chemical", "concept", "disease"),),
            near=True,
        ),
    )
    ((_, data),) = finished(done.folder, "data")
    assert joined.FILE in data.files


def test_its_tokenizer_has_the_marks_of_pairs_as_tokens(done: Run) -> None:
    from taiyi.train.base import load_tokenizer

    tokenizer = load_tokenizer(str(model_folder(done.folder)))
    assert [len(tokenizer.encode(mark, add_special_tokens=False)) for mark in ("<e1>", "</e2>", "<e1+>")] == [1, 1, 1]


def test_the_bias_is_fitted_on_the_dev_sample_and_kept_with_the_model(done: Run) -> None:
    ((folder, made),) = finished(done.folder, "train-one")
    bias = made.facts["pair_bias"]
    assert Checkpoint.load(folder / "model").pair_bias == bias["model"]
    for place, of in bias.items():
        assert Checkpoint.load(folder / place).pair_bias == of
    (scores, *_) = storage.read_jsonl(folder / "dev.jsonl", dict[str, Any])
    assert scores["tasks"].keys() == {"re/en"}
    assert scores["num_unparsable"] == 0


def test_predictions_and_the_report_say_that_it_is_a_cascade(done: Run) -> None:
    folder, made = finished(done.folder, "predictions")[0]
    assert made.inputs["relations"]["relations"] == "cascade"
    of_set = predictions.read(folder, "demo_cdr_re")
    assert {(p.finish, p.constrained) for p in of_set} == {("stop", True)}
    # Nobody taught it pairs in Chinese, and what it was not taught it does not write.
    assert {p.text for p in predictions.read(folder, "demo_cmeie_re")} == {"无"}
    results = report.load(steps.report_folder(done) / "results.json")
    assert all("relations by a cascade" in result.note for result in results.results)


def test_how_relations_are_answered_is_an_input_of_predictions(done: Run) -> None:
    first, _ = finished(done.folder, "predictions")[0]
    biased = Run(run_of(done.corpora, pair_bias=50.0).recipe, done.folder, done.corpora, done.log)
    ((data, _),) = finished(done.folder, "data")
    model = model_folder(done.folder)
    second = steps.predict(biased, data, model)
    assert second != first
    assert manifest(second).inputs["relations"] == {"relations": "cascade", "pair_bias": 50.0}
    found = [predictions.read(folder, "demo_cdr_re") for folder in (first, second)]
    # All pairs of what it finds are related now.
    assert sum(len(p.text) for p in found[1]) >= sum(len(p.text) for p in found[0])
    written = Run(run_of(done.corpora, relations="written").recipe, done.folder, done.corpora, done.log)
    third = steps.predict(written, data, model)
    assert "relations" not in manifest(third).inputs
    # It learned to answer about pairs, and not to write them.
    assert {p.reason for p in predictions.read(third, "demo_cdr_re")} == {NOT_LEARNED}


def test_a_model_is_evaluated_as_it_was_trained_to_answer(done: Run, tmp_path: Path) -> None:
    model = model_folder(done.folder)
    recipe = Recipe.model_validate({"name": "alone", "base": str(model), "evaluate": {"suites": ["demo_cdr_re"]}})
    alone = Run(recipe, tmp_path / "alone", tmp_path, Log(tmp_path / "alone"))
    checkpoint = Checkpoint.load(model)
    assert relating.way(alone, model) == ("cascade", checkpoint.pair_bias)
    settings = {"relations": "either", "pair_bias": 0.25}
    told = recipe.model_copy(update={"evaluate": recipe.evaluate.model_copy(update=settings)})
    assert relating.way(Run(told, alone.folder, tmp_path, alone.log), model) == ("either", 0.25)
    shown = recipe.model_copy(update={"evaluate": recipe.evaluate.model_copy(update={"few_shot": 1})})
    with pytest.raises(RecipeError, match=r"evaluate\.few_shot: a cascade asks with the wording alone"):
        relating.way(Run(shown, alone.folder, tmp_path, alone.log), model)
    msgspec.structs.replace(checkpoint, joined=()).save(model)
    try:
        with pytest.raises(RecipeError, match="the model does not say which types relations join"):
            relating.way(alone, model)
    finally:
        checkpoint.save(model)
    others = recipe.model_copy(update={"evaluate": recipe.evaluate.model_copy(update={"suites": ("demo_cdr_ner",)})})
    assert relating.way(Run(others, alone.folder, tmp_path, alone.log), model) == ("written", 0.0)


def test_extract_finds_relations_by_a_cascade_without_any_corpus(done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from taiyi.generate import LocalEngine

    asked: list[str] = []

    def generate(self: Any, examples: Any, **_: Any) -> Any:
        for example in examples:
            asked.append(example.task)
            text = example.source_text.replace("aspirin", "<chemical>aspirin</chemical>")
            text = text.replace("asthma", "<disease>asthma</disease>")
            yield Prediction(example=example.id, text=text, finish="stop")

    def load(made: Checkpoint) -> Callable[[Path], Checkpoint]:
        return lambda _: made

    monkeypatch.setattr(LocalEngine, "generate", generate)
    model = model_folder(done.folder)
    checkpoint = Checkpoint.load(model)
    triple = {"head": "aspirin", "tail": "asthma", "type": "chemical-induced disease"}
    for bias, rows in ((100.0, [triple]), (-100.0, [])):
        made = msgspec.structs.replace(checkpoint, pair_bias=bias)
        monkeypatch.setattr(Checkpoint, "load", load(made))
        arguments = ["extract", "Of aspirin. It gave her asthma.", "--model", str(model), "--task", "re", "--json"]
        found = CliRunner().invoke(cli.app, arguments, env={"NO_COLOR": "1"})
        assert found.exit_code == 0, found.output
        told = [json.loads(line) for line in found.stdout.splitlines()]
        assert all(0 <= row.pop("confidence") <= 1 for row in told)
        assert told == rows
        assert "types: chemical-induced disease" in found.stderr
    assert set(asked) == {"ner"}
    assert "e1" not in found.stderr


def test_entities_are_named_as_the_model_learned_to_find_them(tmp_path: Path) -> None:
    ner = NER | {"merge_types": {"Chemical": "Drug"}, "subtasks": [["Drug"], ["Disease"]]}

    def found(*data: dict[str, Any]) -> list[Joined]:
        recipe = Recipe.model_validate({"name": "r", "stages": [{"name": "one", "data": data}]})
        return joined.joined(Run(recipe, tmp_path, tmp_path, Log(tmp_path)))

    (merged,) = found(ner, RC)
    assert merged.entities == (("drug",), ("disease",))
    assert merged.joins == (("chemical-induced disease", "concept", "drug", "concept", "disease"),)
    assert found(ner) == []
    (alone,) = found(RC)
    assert (alone.entities, alone.joins[0][2]) == ((), "chemical")
