"""Steps: each is done once, a killed one goes on, and a run and a model folder say what is in them."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import tiny
from taiyi import __version__, catalogue, steps
from taiyi.checkpoint import Checkpoint, model_folder
from taiyi.errors import CorpusError, ModelError, RecipeError, TaiyiError
from taiyi.evaluate import aggregate, suites
from taiyi.generate.engine import NO_ROOM
from taiyi.manifest import MANIFEST, Log, hash_file, manifest, step
from taiyi.recipe import Recipe
from taiyi.schema import Example, Prediction
from taiyi.steps import evaluation
from taiyi.steps import run as step_run
from taiyi.steps.declared import corpus_digest
from taiyi.storage import StorageError


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
    assert made.inputs == {"a": 1, "b": [2]}
    assert made.sizes == {"sub/x.txt": 3}
    assert made.taiyi == __version__
    assert "data: done already" in (run / "log.txt").read_text()


def test_a_step_that_is_carried_out_again_says_what_changed(tmp_path: Path, log: Log) -> None:
    run = tmp_path / "run"

    def said(name: str, **inputs: Any) -> list[str]:
        before = (run / "log.txt").read_text().splitlines() if (run / "log.txt").exists() else []
        folders.append(step(run, name, inputs, lambda _: {}, log))
        lines = (run / "log.txt").read_text().splitlines()[len(before) :]
        return [line.split("again: ")[1] for line in lines if "again: " in line]

    folders: list[Path] = []
    settings = {"rate": 0.1, "dev": {"records": 3}, "tags": ("a", "b")}
    assert not said("train-one", settings=settings, rows="rows-1")
    # Neither another step, nor one whose name only begins so, is an earlier one.
    assert not said("train-one-more", settings=settings, rows="rows-2")
    assert not said("rows-one", rows=2)
    first = folders[0].name
    changed = settings | {"rate": 0.2, "dev": {"records": 4}, "new": 1}
    assert said("train-one", settings=changed, rows="rows-1") == [f"changed since {first}: settings (rate, dev, new)"]
    second = folders[-1].name
    assert said("train-one", settings=changed, rows="rows-2", begins="x") == [f"changed since {second}: rows, begins"]
    # Done is done, and what was not finished is nothing to compare with.
    assert not said("train-one", settings=settings, rows="rows-1")
    with pytest.raises(ZeroDivisionError):
        step(run, "train-two", {"a": 1}, lambda _: {"a": 1 // 0}, log)
    assert not said("train-two", a=2)
    many = {f"corpus{n}": n for n in range(9)}
    assert not said("data", corpora=many)
    (told,) = said("data", corpora=dict.fromkeys(many, 0))
    assert told.endswith(": corpora (corpus1, corpus2, corpus3, corpus4, corpus5 and 3 more)")


def test_an_old_manifest_that_cannot_be_read_stops_no_step(tmp_path: Path, log: Log) -> None:
    (step(tmp_path, "data", {"a": 1}, lambda _: {}, log) / MANIFEST).write_text("{")
    assert (step(tmp_path, "data", {"a": 2}, lambda _: {}, log) / MANIFEST).exists()


def test_another_version_of_the_package_makes_no_step_anew(
    tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = step(tmp_path, "data", {"a": 1}, lambda _: {}, log)
    monkeypatch.setattr("taiyi.manifest.__version__", "99")
    assert step(tmp_path, "data", {"a": 1}, lambda _: pytest.fail("made anew"), log) == folder


def test_a_finished_step_whose_files_are_not_as_they_were_is_refused(tmp_path: Path, log: Log) -> None:
    def work(folder: Path) -> dict[str, Any]:
        (folder / "x.txt").write_text("abc")
        return {}

    folder = step(tmp_path, "data", {}, work, log)
    (folder / "x.txt").write_text("ab")
    with pytest.raises(StorageError, match=r"x\.txt: a file of a finished step was changed; got 2 bytes; expected 3"):
        step(tmp_path, "data", {}, work, log)
    (folder / "x.txt").unlink()
    with pytest.raises(StorageError, match=r"x\.txt: a file of a finished step is missing"):
        step(tmp_path, "data", {}, work, log)


def test_what_a_corpus_declares_is_an_input_of_data_and_what_it_tells_is_not(
    tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = catalogue.get("demo_qic")
    run = toy(tmp_path, log)
    first = steps.build(run)

    def built(**changes: Any) -> Path:
        monkeypatch.setattr(catalogue, "get", lambda _: dataclasses.replace(corpus, **changes))
        return steps.build(run)

    assert built(notes="x", counts={}, licence="x", citation="x") == first
    (name, shown), *rest = corpus.labels.items()
    renamed = {name: dataclasses.replace(shown, zh="别的")} | dict(rest)
    [source] = corpus.files["train"]
    option = dataclasses.replace(source, options=dict(source.options) | {"unused": ("x",)})
    digests = {
        corpus_digest(dataclasses.replace(corpus, **changes))
        for changes in (
            {},
            {"labels": renamed},
            {"labels": dict(reversed(corpus.labels.items()))},
            {"domain": "general"},
            {"files": {**corpus.files, "train": (option,)}},
        )
    }
    assert len(digests) == 5
    assert built(labels=renamed) != first


def test_digests_are_of_every_corpus_and_test_set_and_the_same_in_every_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = (
        "from taiyi import catalogue; from taiyi.evaluate.suites import SUITES; from taiyi.steps import declared as d;"
    )
    said += "print([d.corpus_digest(c) for c in catalogue.all_corpora()])"
    said += "; print([d.set_digest(t) for s in SUITES.values() for t in s])"
    found: set[str] = set()
    for seed in "12":
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        found.add(tiny.python("-c", said).stdout)
    assert len(found) == 1
    assert found.pop().count("'") == 2 * (
        len(catalogue.all_corpora()) + sum(len(test_sets) for test_sets in suites.SUITES.values())
    )


def test_what_a_test_set_asks_is_an_input_of_data_and_all_of_it_of_the_report(
    tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = toy(tmp_path, log)
    monkeypatch.setattr("taiyi.generate.load_engine", lambda *_, **__: Engine())
    [test_set] = suites.get("demo_qic_tc")

    def made(**changes: Any) -> tuple[Path, Path]:
        changed = dataclasses.replace(test_set, **changes)
        monkeypatch.setattr(suites, "get", lambda _: (changed,))
        data = steps.build(run)
        steps.write_report(run, data, steps.predict(run, data, "some/model"), "some/model")
        return data, steps.report_folder(run)

    run = dataclasses.replace(run, recipe=run.recipe.model_copy(update={"stages": (), "base": "some/model"}))
    data, report = made()
    assert made() == (data, report)
    noted, told = made(note="x"), made(title="x")
    assert noted[0] == told[0] == data
    assert len({report, noted[1], told[1]}) == 3
    assert made(types=tuple(catalogue.get("demo_qic").labels)[:-1])[0] != data
    assert made(split="train")[0] != data


class Engine:
    """Answers everything with nothing, and finds the first prompt too long."""

    context = 77

    def generate(self, examples: Sequence[Example], *, max_new_tokens: int, batch_tokens: int) -> Iterator[Prediction]:
        for index, example in enumerate(examples):
            if index:
                yield Prediction(example=example.id, text="", finish="stop")
            else:
                yield Prediction(example=example.id, text="", finish="refused", reason=NO_ROOM)


def test_prompts_that_are_too_long_are_said_once_and_answers_are_on_disk_before_the_step_is_done(
    tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe.model_validate({"name": "toy", "base": "some/model", "evaluate": {"suites": ["demo_qic_tc"]}})
    run = steps.Run(recipe, tmp_path / "run", tmp_path, log)
    synced: list[tuple[int, int]] = []
    sync = os.fsync

    def watched(number: int) -> None:
        synced.append((os.fstat(number).st_ino, os.fstat(number).st_size))
        sync(number)

    monkeypatch.setattr(os, "fsync", watched)
    monkeypatch.setattr("taiyi.generate.load_engine", lambda *_, **__: Engine())
    data = steps.build(run)
    folder = steps.predict(run, data, "some/model")
    answers = (folder / "demo_qic_tc.parquet").stat()
    assert (answers.st_ino, answers.st_size) in synced
    assert manifest(folder).facts["demo_qic_tc"]["refused"] == {NO_ROOM: 1}
    said = (run.folder / "log.txt").read_text("utf-8")
    assert said.count(f"have no answer, and count as wrong: {NO_ROOM}; the model's context has 77 tokens") == 1
    [result] = steps.write_report(run, data, folder, "some/model").results
    assert result.num_unparsable == result.num_records
    assert result.unparsable_reasons[NO_ROOM] == 1


@pytest.mark.parametrize(
    ("note", "way", "records", "faults", "constrained", "said"),
    [
        ("as given", "", 0, 0, 0, "as given"),
        ("as given", "", 1, 0, 0, "as given; 1 record left out"),
        ("", "", 1200, 2, 0, "1,200 records left out; 2 faults in its files"),
        ("", "by pairs", 0, 0, 8, "by pairs; constrained decoding"),
        ("as given", "", 0, 0, 7, "as given; constrained decoding of 7 of 8 answers"),
    ],
)
def test_the_note_of_a_test_set_says_what_was_left_out_and_held(
    note: str, way: str, records: int, faults: int, constrained: int, said: str
) -> None:
    [test_set] = suites.get("demo_qic_tc")
    result = aggregate.missing(dataclasses.replace(test_set, note=note))
    told = evaluation._noted(result, way, records=records, faults=faults, constrained=constrained, answers=8)
    assert told.note == said


def test_other_inputs_are_another_step(tmp_path: Path, log: Log) -> None:
    folders = {step(tmp_path, "data", {"a": a}, lambda _: {}, log) for a in (1, "1", [1], {"x": None})}
    assert len(folders) == 4


_HELD = """
import sys, time
from pathlib import Path
from taiyi.manifest import Log, step
run = Path(sys.argv[1])
step(run, "data", {}, lambda _: print("begun", flush=True) or time.sleep(60), Log(run, quiet=True))
"""


def test_a_step_is_carried_out_by_one_process_at_a_time_and_is_free_when_that_dies(tmp_path: Path, log: Log) -> None:
    command = [sys.executable, "-c", _HELD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=tiny.environment()) as other:
        assert other.stdout is not None and other.stdout.readline() == b"begun\n"
        held = f"process {other.pid} on {socket.gethostname()}"
        said = rf"{tmp_path}, data: another process works on this run; got {held}\. Wait until it has ended"
        for inputs in ({}, {"a": 1}):
            with pytest.raises(TaiyiError, match=said):
                step(tmp_path, "data", inputs, lambda _: pytest.fail("made at once"), log)
        # Others are not hindered, such as those of a plan.
        step(tmp_path, "rows", {}, lambda _: {}, log)
        other.kill()
        other.wait()
    folder = step(tmp_path, "data", {}, lambda _: {}, log)
    assert step(tmp_path, "data", {}, lambda _: pytest.fail("made twice"), log) == folder
    assert not list(tmp_path.glob("*.lock"))


def test_a_step_that_another_process_just_finished_is_done(
    tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder,) = {step(tmp_path, "data", {}, lambda _: {}, log)}
    made = (folder / MANIFEST).read_bytes()
    (folder / MANIFEST).unlink()
    locks: list[int] = []

    def lock(file: Any, how: int) -> None:
        locks.append(how)
        (folder / MANIFEST).write_bytes(made)
        if len(locks) == 1:
            # As its holder leaves it.
            Path(file.name).unlink()

    monkeypatch.setattr("fcntl.flock", lock)
    assert step(tmp_path, "data", {}, lambda _: pytest.fail("made twice"), log) == folder
    assert len(locks) == 2


def test_without_locks_a_step_goes_on_and_says_so(tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    def lock(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", lock)
    folder = step(tmp_path / "run", "data", {}, lambda _: {}, log)
    assert "data: goes on without a lock" in (tmp_path / "run" / "log.txt").read_text()
    assert manifest(folder).step == "data"


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
