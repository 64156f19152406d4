"""The commands of the line: build, train, eval and report, from the demo corpora to a report."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

import tiny
from taiyi import checkpoint, cli
from taiyi.checkpoint import Checkpoint, model_folder
from taiyi.errors import TrainError
from taiyi.evaluate import suites
from taiyi.train import launch
from whole import WHOLE

TINY: dict[str, Any] = {
    "name": "tiny",
    "scratch": {"vocab_size": 400, "hidden": 16, "layers": 1, "heads": 1, "feed_forward": 16},
    "stages": [
        {
            "name": "one",
            "data": [
                {"corpus": "demo_cdr", "task": "ner", "window_chars": 200, "max_records": 3},
                {"corpus": "demo_qic", "task": "tc", "max_records": 3},
            ],
        }
    ],
    "evaluate": {
        "suites": ["demo_qic_tc", "demo_cdr_ner"],
        "max_records": 2,
        "window_chars": {"demo_cdr_ner": 200},
        "prompt": {"corpus": True},
    },
}

# A signal, and whether it is ignored.
ENDINGS = [(signal.SIGTERM, False), (signal.SIGHUP, False), (signal.SIGHUP, True)]


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(a) for a in arguments], env={"COLUMNS": "200", "NO_COLOR": "1"})


def said(*arguments: object) -> str:
    """The one line that a command says when it fails."""
    result = call(*arguments)
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("taiyi: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny recipe that was trained, but not evaluated."""
    folder = tmp_path_factory.mktemp("line")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(TINY))
    result = call("train", folder / "tiny.yaml", "--runs", folder / "runs")
    assert result.exit_code == 0, result.output
    assert "Model: " in result.stdout
    assert f"taiyi extract TEXT --model {folder / 'runs' / 'tiny'}" in result.stdout, "it did not learn to talk"
    return folder


@pytest.mark.parametrize("name", ["build", "train", "eval", "report"])
def test_help_has_an_example(name: str) -> None:
    result = call(name, "--help")
    assert result.exit_code == 0
    assert f"Example: taiyi {name} " in result.stdout


def test_suites_are_listed() -> None:
    plain = call("eval", "--list-suites")
    assert plain.exit_code == 0
    rows = json.loads(call("eval", "--list-suites", "--json").stdout)
    assert [row["suite"] for row in rows] == list(suites.SUITES)
    for row in rows:
        assert f"{row['suite']}: {len(row['test_sets'])} test set" in plain.stdout
        for test_set in row["test_sets"]:
            assert test_set["name"] in plain.stdout
    assert "corpus not at hand" in plain.stdout


@pytest.mark.parametrize("arguments", [(), ("runs/x",)])
def test_eval_needs_a_suite(arguments: tuple[str, ...]) -> None:
    result = call("eval", *arguments)
    assert result.exit_code == 2
    assert "--list-suites lists them" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("eval", "./none", "--suite", "demo"), "none: no model here; expected a run with run.json"),
        (("eval", "runs/none", "--suite", "demo"), "none: no model here"),
        (("eval", "./none", "--suite", "dmeo"), "unknown suite; got 'dmeo'. Did you mean 'demo'"),
        (("report", "./none"), "none: no report here; expected a run with run.json"),
        (("build", "none.yaml"), "none.yaml: no such recipe"),
        (("train", "none.yaml"), "none.yaml: no such recipe"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], fault: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert fault in said(*arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ("list", "--form: not a task and a form; got list; expected TASK=FORM"),
        ("nerr=list", "unknown task; got nerr. Did you mean 'ner'"),
        ("ner=lst", "--form: the task ner has no such form; got lst. Did you mean 'list'"),
    ],
)
def test_a_wrong_form_is_said(folder: Path, form: str, fault: str) -> None:
    assert fault in said("eval", folder / "runs" / "tiny", "--suite", "demo", "--form", form)


def test_build_counts_examples_beside_the_papers_and_says_where_they_are(folder: Path) -> None:
    result = call("build", folder / "tiny.yaml", "--runs", folder / "runs")
    assert result.exit_code == 0, result.output
    for expected in (
        "Table 1",
        "1,114,315",
        "demo_cdr ner train",
        "demo_qic tc train",
        "demo_qic_tc",
        "over max_records",
    ):
        assert expected in result.stdout
    for name in ("rejects.jsonl", "decontamination.jsonl"):
        [line] = [line for line in result.stdout.splitlines() if line.endswith(name)]
        assert Path(line.split(": ", 1)[1]).exists()


def test_a_run_that_was_not_evaluated_has_no_report(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"model": "train-one-0/model"}')
    assert "the run was not evaluated yet" in said("report", tmp_path)


def test_eval_scores_a_run_as_its_recipe_asks_and_report_shows_it(folder: Path) -> None:
    runs = folder / "runs"
    result = call(
        "eval", runs / "tiny", "--suite", "demo_cdr_ner", "--runs", runs, "--window", 200, "--max-records", 2, "--json"
    )
    assert result.exit_code == 0, result.output
    [row] = json.loads(result.stdout)
    assert (row["name"], row["num_records"], row["metric"]) == ("demo_cdr_ner", 2, "micro_f1")
    made = runs / "eval-tiny-demo_cdr_ner"
    pointer = json.loads((made / "run.json").read_text())
    assert (made / pointer["model"] / "config.json").exists()
    assert (made / pointer["report"] / "report.html").exists()
    shown = call("report", made)
    assert shown.exit_code == 0, shown.output
    assert "Report: " in shown.stdout
    assert "demo_cdr entities" in shown.stdout
    assert json.loads(call("report", made, "--json").stdout)["results"] == [row]


def test_eval_warns_of_test_sets_that_the_training_data_was_not_cleaned_of(folder: Path) -> None:
    def warned(suite: str, model: Path) -> bool:
        result = call("eval", model, "--suite", suite, "--runs", folder / "warned", "--max-records", 1, "--json")
        assert result.exit_code == 0, result.output
        json.loads(result.stdout)
        assert f"so their scores may be too good: {suite} (" in result.stderr or "warning" not in result.stderr
        return "warning: the training data of this model was not cleaned of these test sets" in result.stderr

    run = folder / "runs" / "tiny"
    model = next(run.glob("train-one-*/model"))
    assert [warned("demo_qic_tc", model), warned("demo_hoc_tc", model), warned("demo_hoc_tc", run)] == [
        False,
        True,
        True,
    ]


def test_the_model_says_how_it_learned_entities(folder: Path) -> None:
    made = Checkpoint.load(model_folder(folder / "runs" / "tiny"))
    assert (made.form, made.window_chars) == ("tagged", 200)


def test_the_model_says_what_it_learned(folder: Path) -> None:
    made = Checkpoint.load(model_folder(folder / "runs" / "tiny"))
    assert [(one.task, one.corpus, one.lang, one.form, one.title) for one in made.learned] == [
        ("ner", "demo_cdr", "en", "tagged", ""),
        ("tc", "demo_qic", "zh", "list", ""),
    ]
    assert made.learned[0].types == ("chemical", "disease")
    assert made.knows("tc", "zh") and not made.knows("tc", "en") and not made.talks


def test_what_was_evaluated_can_be_used_from_its_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "base.yaml").write_text(
        yaml.safe_dump({"name": "base", "base": "runs/tiny", "evaluate": TINY["evaluate"]})
    )
    for arguments in (("eval", "runs/tiny", "--suite", "demo_qic_tc", "--max-records", 1), ("run", "base.yaml")):
        result = call(*arguments)
        assert result.exit_code == 0, result.output
    for name in ("eval-tiny-demo_qic_tc", "base"):
        assert model_folder(Path("runs") / name).samefile(model_folder("runs/tiny"))


def test_eval_scores_the_model_of_the_package_alike_in_both_runtimes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "EMBEDDED_DIR", model_folder(folder / "runs" / "tiny"))
    options = ("--suite", "demo_cdr_ner", "--runs", folder / "packaged", "--max-records", 3, "--json")
    found = [call("eval", *options), call("eval", "mini", *options, "--runtime", "numpy")]
    assert all(result.exit_code == 0 for result in found), found[0].output + found[1].output
    assert "predictions: begins" in found[1].stderr, "answers of another runtime are other answers"
    values = [[(row["name"], row["value"], row["num_records"]) for row in json.loads(r.stdout)] for r in found]
    assert values[0] == values[1]
    for model in ("mini", ""):
        monkeypatch.setattr(checkpoint, "EMBEDDED_DIR", folder / "mini")
        assert "has no model inside" in said("eval", *filter(None, [model]), "--suite", "demo")


def test_what_was_evaluated_is_not_evaluated_again(folder: Path) -> None:
    model = next((folder / "runs" / "tiny").glob("train-one-*/model"))
    arguments = ("eval", model, "--suite", "demo_qic_tc", "--runs", folder / "runs", "--max-records", 2)
    first = call(*arguments)
    assert first.exit_code == 0, first.output
    again = call(*arguments)
    for name in ("data", "predictions", "report"):
        assert f"{name}: begins" in first.stderr
        assert f"{name}: done already" in again.stderr
    assert again.stdout == first.stdout
    other = call(*arguments[:-1], 1)
    assert "predictions: begins" in other.stderr


def test_run_goes_on_from_what_was_trained_and_eval_then_asks_alike(folder: Path) -> None:
    runs = folder / "runs"
    result = call("run", folder / "tiny.yaml", "--runs", runs)
    assert result.exit_code == 0, result.output
    assert "train-one: done already" in result.stderr
    shown = call("report", runs / "tiny")
    assert shown.exit_code == 0
    assert "demo_qic" in shown.stdout
    assert call("train", folder / "tiny.yaml", "--runs", runs).exit_code == 0
    assert "report" in json.loads((runs / "tiny" / "run.json").read_text())
    # The run now tells in which windows, and with what in its prompts, its recipe asks.
    result = call("eval", runs / "tiny", "--suite", "demo_cdr_ner", "--runs", folder / "more", "--max-records", 1)
    assert result.exit_code == 0, result.output
    manifest = next((folder / "more" / "eval-tiny-demo_cdr_ner").glob("data-*/manifest.json"))
    inputs = json.loads(manifest.read_text())["inputs"]["evaluate"]
    assert (inputs["window_chars"], inputs["prompt"]["corpus"]) == ({"demo_cdr_ner": 200}, True)


def test_a_recipe_without_stages_cannot_be_trained(folder: Path) -> None:
    path = folder / "none.yaml"
    path.write_text(yaml.safe_dump({"name": "none", "base": "some/model", "evaluate": {"suites": ["demo"]}}))
    assert "the recipe has no stage to train" in said("train", path, "--runs", folder / "runs")


@pytest.mark.slow
def test_run_trains_in_several_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = TINY["stages"][0] | {"accumulation": 2}
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(TINY | {"name": "two", "stages": [stage]}))
    arguments = ("run", tmp_path / "two.yaml", "--runs", tmp_path, "--processes", 2)
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    (trained,) = (tmp_path / "two").glob("train-one-*/result.json")
    assert json.loads(trained.read_bytes())["processes"] == 2
    # What is trained is not begun again.
    monkeypatch.setattr(launch, "start", None)
    assert call(*arguments).exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "ignored"), ENDINGS if WHOLE else ENDINGS[:1])
def test_processes_end_with_the_one_that_started_them_unless_it_goes_on(
    tmp_path: Path, sent: signal.Signals, ignored: bool
) -> None:
    """Under `nohup` a hang-up ends nothing."""
    stage = TINY["stages"][0] | {"accumulation": 2, "epochs": 30 if ignored else 500}
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(TINY | {"name": "two", "stages": [stage], "evaluate": {}}))
    command = [sys.executable, "-m", "taiyi", "run", "two.yaml", "--runs", "runs", "--processes", "2"]
    run = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=tiny.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL),
        start_new_session=True,
    )
    try:
        while not list(tmp_path.glob("runs/two/train-one-*/loss.jsonl")):
            assert run.poll() is None
            time.sleep(0.05)
        if ignored:
            os.killpg(run.pid, sent)
        else:
            run.send_signal(sent)
        assert run.wait(60) == (0 if ignored else -sent)
        with pytest.raises(ProcessLookupError):
            os.killpg(run.pid, 0)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()


def test_processes_that_end_badly_are_told() -> None:
    with pytest.raises(TrainError, match="2 processes: training did not end well; got exit status 1"):
        launch.start(2, ["train", "nothing.yaml"])


def test_no_more_processes_are_started_than_have_something_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_cores", lambda: 4)
    assert [launch.fitting(n) for n in (1, 2, 8)] == [1, 2, 4]
