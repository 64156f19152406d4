"""Steps: each is done once, a killed one goes on, and a run and a model folder say what is in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from taiyi import steps
from taiyi.checkpoint import Checkpoint, model_folder
from taiyi.errors import CorpusError, ModelError, RecipeError
from taiyi.manifest import MANIFEST, Log, hash_file, manifest, step
from taiyi.recipe import Recipe
from taiyi.steps import evaluation
from taiyi.steps import run as step_run


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "run", Console(quiet=True))


def test_a_step_is_done_once_and_its_manifest_says_what_it_made(tmp_path: Path, log: Log) -> None:
    calls: list[Path] = []

    def work(folder: Path) -> dict[str, Any]:
        calls.append(folder)
        (folder / "sub").mkdir()
        (folder / "sub" / "x.txt").write_text("病")
        (folder / "checkpoints").mkdir()
        (folder / "checkpoints" / "1.pt").write_text("not kept")
        return {"num": 1}

    run = tmp_path / "run"
    folder = step(run, "data", {"a": 1, "b": [2]}, work, log)
    assert step(run, "data", {"b": [2], "a": 1}, work, log) == folder
    assert calls == [folder]
    made = manifest(folder)
    assert made.facts == {"num": 1}
    assert made.files == {"sub/x.txt": hash_file(folder / "sub" / "x.txt")}
    assert made.inputs["b"] == [2]
    assert "data: done already" in (run / "log.txt").read_text()


def test_other_inputs_are_another_step(tmp_path: Path, log: Log) -> None:
    folders = {step(tmp_path, "data", {"a": a}, lambda _: {}, log) for a in (1, "1", [1], {"x": None})}
    assert len(folders) == 4


@pytest.mark.parametrize("error", [RuntimeError("x"), KeyboardInterrupt()])
def test_a_step_that_was_stopped_goes_on_with_what_it_left(tmp_path: Path, log: Log, error: BaseException) -> None:
    def stopped(folder: Path) -> dict[str, Any]:
        (folder / "half").write_text("1")
        raise error

    with pytest.raises(type(error)):
        step(tmp_path, "data", {}, stopped, log)
    [folder] = tmp_path.glob("data-*")
    assert not (folder / MANIFEST).exists()
    assert step(tmp_path, "data", {}, lambda f: {"found": (f / "half").read_text()}, log) == folder
    assert manifest(folder).facts == {"found": "1"}


def test_predictions_that_a_kill_cut_off_are_made_again(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    assert evaluation._finished(path) == set()
    whole = '{"example":"a","text":"病","finish":"stop"}\n'
    path.write_text(whole + '{"example":"b","te', encoding="utf-8")
    assert evaluation._finished(path) == {"a"}
    assert path.read_text("utf-8") == whole
    path.write_text('{"example"')
    assert evaluation._finished(path) == set()


def toy(tmp_path: Path, log: Log, corpus: str = "demo_qic", **data: Any) -> steps.Run:
    stage = {"name": "one", "data": [{"corpus": corpus, "task": "tc"} | data]}
    recipe = Recipe.model_validate({"name": "toy", "stages": [stage], "evaluate": {"suites": ["demo_qic_tc"]}})
    return steps.Run(recipe, tmp_path / "run", tmp_path / "corpora", log)


def test_a_missing_corpus_is_said_before_anything_is_read(tmp_path: Path, log: Log) -> None:
    with pytest.raises(CorpusError, match=r"kuake_qic: the corpus is not there\. See `taiyi corpora show kuake_qic`"):
        steps.build(toy(tmp_path, log, "kuake_qic"))


def test_a_stage_without_anything_left_is_refused(tmp_path: Path, log: Log) -> None:
    with pytest.raises(RecipeError, match=r"stage one: nothing is left to train on; got \{'contaminated by"):
        steps.build(toy(tmp_path, log, splits=["test"]))


def test_a_run_points_to_its_model_and_its_report(tmp_path: Path, log: Log) -> None:
    run = toy(tmp_path, log)
    said = run.folder / "run.json"

    def pointer() -> dict[str, str]:
        return json.loads(said.read_text())

    step_run.point(run, model="a/model")
    assert pointer() == {"model": "a/model"}
    step_run.point(run, model="a/model", report="r")
    step_run.point(run, model="a/model")
    assert pointer() == {"model": "a/model", "report": "r"}
    assert steps.report_folder(run) == run.folder / "r"
    step_run.point(run, model="b/model")
    assert pointer() == {"model": "b/model"}


def test_a_model_is_told_by_its_step_its_files_or_its_id(tmp_path: Path, log: Log) -> None:
    run = toy(tmp_path, log)
    own = run.folder / "train-one-0" / "model"
    assert step_run.identity(run, own) == "train-one-0"
    assert step_run.identity(run, "some/model") == "some/model"
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text("{}")
    first = step_run.identity(run, other)
    assert first == {"config.json": hash_file(other / "config.json")}
    (other / "model.safetensors").write_bytes(b"x")
    assert step_run.identity(run, str(other)) != first


def test_a_model_folder_says_how_it_was_trained(tmp_path: Path) -> None:
    assert Checkpoint.load(tmp_path) == Checkpoint()
    made = Checkpoint(recipe="r", positions="aligned", decisions=True, form="list")
    made.save(tmp_path)
    assert Checkpoint.load(tmp_path) == made
    (tmp_path / "taiyi.json").write_text('{"positions": "sideways"}')
    with pytest.raises(ModelError, match=r"taiyi\.json: cannot be read"):
        Checkpoint.load(tmp_path)


def test_the_model_of_a_run_is_found(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model here; expected a run with run\.json"):
        model_folder(tmp_path)
    model = tmp_path / "train-one-0" / "model"
    model.mkdir(parents=True)
    (model / "adapter_config.json").write_text("{}")
    (tmp_path / "run.json").write_text('{"model": "train-one-0/model"}')
    assert model_folder(tmp_path) == model_folder(str(model)) == model
    for text in ("{", "[]", '{"report": "x"}'):
        (tmp_path / "run.json").write_text(text)
        with pytest.raises(ModelError, match=r"run\.json: does not say where the model is"):
            model_folder(tmp_path)
