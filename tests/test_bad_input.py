"""Bad input through the command line: each is told in one line that names file, line or key, and how to mend it."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import tiny
from taiyi import catalogue, cli
from whole import WHOLE

Done = subprocess.CompletedProcess[str]
RAW = "bc5cdr/CDR_TrainingSet.PubTator.txt"


def call(*arguments: object) -> Done:
    given = [str(a) for a in arguments]
    result = CliRunner().invoke(cli.app, given, env={"COLUMNS": "200", "NO_COLOR": "1"}, catch_exceptions=False)
    return Done(given, result.exit_code, result.stdout, result.stderr)


def fault(done: Done) -> str:
    """The line that says why a command failed: the last one, after what was said of steps."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.rstrip("\n").split("\n")
    assert lines[-1].startswith("taiyi: "), done.stderr
    assert not [line for line in lines[:-1] if line.startswith("taiyi: ")]
    return lines[-1]


def recipe(folder: Path, **changes: Any) -> Path:
    return tiny.write(folder, tiny.changed(**changes))


def stage(corpus: str, task: str, **keys: Any) -> list[dict[str, Any]]:
    return [{"name": "one", "data": [{"corpus": corpus, "task": task} | keys]}]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A raw file of a real corpus, with the text of a demo corpus of the same format."""
    demo = catalogue.get("demo_cdr")
    path = tmp_path / "corpora" / RAW
    path.parent.mkdir(parents=True)
    shutil.copy(demo.location(tmp_path) / demo.files["train"][0].path, path)
    return path


def build(tmp_path: Path, **keys: Any) -> Done:
    """Build examples from the raw file, and from nothing else."""
    path = recipe(tmp_path, stages=stage("bc5cdr", "ner", **keys), evaluate={})
    return call("build", path, "--runs", tmp_path / "runs", "--corpora", tmp_path / "corpora")


# --- raw corpora -----------------------------------------------------------------------------------------------------


def test_a_missing_corpus(tmp_path: Path) -> None:
    said = fault(build(tmp_path))
    assert f"{tmp_path / 'corpora' / 'bc5cdr'}: the corpus is not there" in said
    assert "See `taiyi corpora show bc5cdr` for how to obtain it, or give --corpora DIR" in said


def test_a_missing_file_of_a_corpus(tmp_path: Path, raw: Path) -> None:
    said = fault(build(tmp_path, splits=["train", "test"]))
    assert f"{raw.parent / 'CDR_TestSet.PubTator.txt'}: test files of corpus 'bc5cdr' are missing" in said
    assert "Get it from https://" in said


LINE = "90000001\t0\t16\tN-acetylcysteine\tChemical\tD000111"


@pytest.mark.parametrize(
    ("instead", "reason", "where"),
    [
        (LINE.replace("\t0\t", "\tzero\t"), "malformed line", f"{Path(RAW).name}:3"),
        ("90000001", "malformed line", f"{Path(RAW).name}:3"),
        (LINE.replace("\t0\t16\t", "\t1\t17\t"), "mention does not match the text", f"{Path(RAW).name}:3"),
        (LINE.replace("\t16\t", "\t16000\t"), "span outside the text", f"{Path(RAW).name}:3"),
        (LINE.replace("Chemical", "Chemicla"), "type that the catalogue does not have", "bc5cdr/train/90000001/T1"),
    ],
)
def test_a_wrong_line_is_counted_and_kept_as_a_reject(
    tmp_path: Path, raw: Path, instead: str, reason: str, where: str
) -> None:
    text = raw.read_text("utf-8")
    assert text.count(LINE) == 1
    raw.write_text(text.replace(LINE, instead), "utf-8")
    result = build(tmp_path)
    assert result.returncode == 0, result.stderr
    assert "one: 1 left out" in result.stdout
    assert f"1  {reason}" in result.stdout
    [rejects] = tmp_path.glob("runs/tiny/data-*/rejects.jsonl")
    [reject] = [json.loads(line) for line in rejects.read_text("utf-8").splitlines()]
    assert (reject["for"], reject["where"], reject["reason"]) == ("one", where, reason)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PMID,text\n1,x\n", ":1: the file is not PubTator; got 'PMID,text'; expected id|t|title"),
        (b"\n1|t|x\n1|a|\xff\n", ":3: the file is not UTF-8; got byte 0xff at column 5. Convert it to UTF-8 first"),
        (b"", ": the file holds no document; expected id|t|title"),
    ],
)
def test_a_file_that_is_not_in_its_format(tmp_path: Path, raw: Path, data: bytes, said: str) -> None:
    raw.write_bytes(data)
    assert f"{raw}{said}" in fault(build(tmp_path))
    assert not list(tmp_path.glob("runs/tiny/data-*/manifest.json"))


# --- recipes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sead": 1}, "sead: unknown key. Did you mean 'seed'?"),
        ({"stages": stage("demo_cdr", "ner", form="tagd")}, "stages.0.data.0.form: the task ner has no such form"),
        ({"stages": stage("demo_cdr", "ner", max_recrods=1)}, "max_recrods: unknown key. Did you mean 'max_records'?"),
        ({"seed": "many"}, "seed: unfit value; got 'many'; expected whole number"),
        ({"stages": stage("demo_crd", "ner")}, "there is no corpus 'demo_crd'. Did you mean 'demo_cdr'?"),
        ({"stages": stage("demo_cdr", "nerr")}, "stages.0.data.0.task: unknown task; got nerr. Did you mean 'ner'?"),
        ({"stages": stage("demo_cdr", "ner", templates=["99"])}, "templates: unknown template; got 99"),
        (
            {"stages": stage("demo_cdr", "ner", subtasks=[["Diseas"]])},
            "stages.0.data.0.subtasks: unknown type; got Diseas. Did you mean 'Disease'?",
        ),
        ({"evaluate": {"suites": ["dmeo"]}}, "evaluate.suites.0: unknown suite; got 'dmeo'. Did you mean 'demo'"),
        ({"stages": []}, "a recipe needs stages to train, or a base to evaluate"),
        ({"stages": [{"name": "one"}]}, "stage 'one' has neither data nor replay"),
        ({"base": "./none"}, "base: there is no such folder; got ./none; expected a folder with a model, an id of"),
        ({"base": "."}, "base: no model here; expected a run with run.json, or a folder with config.json"),
    ],
)
def test_a_recipe_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = recipe(tmp_path, **changes)
    found = fault(call("run", path))
    assert str(path) in found
    assert said in found
    assert not (tmp_path / "runs").exists()


QLORA = {"name": "two", "method": "qlora", "data": [{"corpus": "demo_qic", "task": "tc"}]}


@pytest.mark.parametrize(
    ("command", "changes", "processes", "said"),
    [
        (("train",), {"track": ["mlflow"]}, 1, "taiyi: track: the tracker is not installed; got mlflow. Install it"),
        (("run",), {"track": ["mlflow"]}, 1, "taiyi: track: the tracker is not installed; got mlflow. Install it"),
        (("train",), {"two": QLORA}, 1, "taiyi: stage two: weights in 4 bit need bitsandbytes, which is not installed"),
        (
            ("train", "--parallel", "fsdp"),
            {"two": QLORA},
            2,
            "taiyi: stage two: weights in 4 bit are not sharded; expected whole weights on each device. Leave out",
        ),
        (("train", "--parallel", "fsdp"), {}, 2, ""),
        (("build",), {"track": ["mlflow"], "two": QLORA}, 1, ""),
    ],
)
def test_what_training_needs_is_looked_for_before_the_data_is_made(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    changes: dict[str, Any],
    processes: int,
    said: str,
) -> None:
    class BuiltError(Exception):
        pass

    def build(_: object) -> None:
        raise BuiltError

    monkeypatch.setattr("taiyi.steps.build", build)
    monkeypatch.setattr("taiyi.steps.sharing.together", lambda _, made: made())
    for absent in ("mlflow", "bitsandbytes"):
        monkeypatch.setitem(sys.modules, absent, None)
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", str(processes))
    two = [changes["two"]] if "two" in changes else []
    stages = [stage("demo_qic", "tc")[0] | {"method": "lora"}, *two]
    path = recipe(tmp_path, base="org/model", stages=stages, track=changes.get("track", []))
    given = (command[0], path, *command[1:], "--runs", tmp_path / "runs")
    if said:
        assert fault(call(*given)).startswith(said)
        assert not (tmp_path / "runs").exists()
    else:
        with pytest.raises(BuiltError):
            call(*given)


def test_a_hub_id_that_cannot_be_reached(tmp_path: Path) -> None:
    path = recipe(tmp_path, base="nobody/nothing", stages=stage("demo_qic", "tc", max_records=2), evaluate={})
    said = fault(call("run", path, "--runs", tmp_path))
    assert "nobody/nothing: the model cannot be loaded; got no such folder" in said
    assert "Correct the name, or let this machine reach the hub" in said


def test_a_mixture_that_is_too_long_for_its_stage(tmp_path: Path) -> None:
    [one] = stage("demo_qic", "tc", max_records=3)
    path = recipe(tmp_path, stages=[one | {"max_tokens": 8}], evaluate={})
    said = fault(call("train", path, "--runs", tmp_path))
    assert "stage one: no example is left to train on; got {'longer than max_tokens': 3}. Raise max_tokens" in said
    assert not list(tmp_path.glob("tiny/rows-*/manifest.json"))


def test_a_folder_of_runs_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = fault(call("run", recipe(tmp_path), "--runs", tmp_path / "file"))
    assert f"{tmp_path / 'file' / 'tiny'}: the folder of the run cannot be made; got Not a directory" in said


# --- runs and models -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recipe of one stage, and its run, trained."""
    folder = tmp_path_factory.mktemp("trained")
    [one] = stage("demo_qic", "tc", max_records=3)
    path = recipe(folder, stages=[one | {"max_tokens": 256, "batch_tokens": 256}], evaluate={})
    result = call("train", path, "--runs", folder)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the trained run, to be damaged."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    return tmp_path / "tiny"


def again(run: Path) -> Done:
    return call("train", run.parent / "tiny.yaml", "--runs", run.parent)


def only(run: Path, pattern: str) -> Path:
    [path] = run.glob(pattern)
    return path


@pytest.mark.parametrize("data", [b"", b'{"step": "data', b"[]"])
@pytest.mark.parametrize("step", ["data", "train-one"])
def test_a_manifest_that_cannot_be_read(run: Path, step: str, data: bytes) -> None:
    path = only(run, f"{step}-*/manifest.json")
    path.write_bytes(data)
    said = fault(again(run))
    assert f"{path}: not what it should hold" in said
    assert "Remove it, or the folder of the step that made it, and give the same command again" in said
    path.unlink()
    assert again(run).returncode == 0


def test_a_step_without_its_manifest_is_made_again(run: Path) -> None:
    folder = only(run, "data-*")
    (folder / "manifest.json").unlink()
    whole = (folder / "one.parquet").read_bytes()
    (folder / "one.parquet").write_bytes(whole[:100])
    result = again(run)
    assert result.returncode == 0, result.stderr
    assert "data: begins" in result.stderr
    assert "train-one: done already" in result.stderr
    assert (folder / "one.parquet").read_bytes() == whole


def test_a_finished_step_that_lost_a_file(run: Path) -> None:
    path = only(run, "train-one-*/model/model.safetensors")
    path.unlink()
    said = fault(again(run))
    assert f"{path}: a file of a finished step is missing. Put it back, or remove {path.parent.parent}" in said
    shutil.rmtree(path.parent.parent)
    assert again(run).returncode == 0
    assert path.exists()


def test_a_checkpoint_that_cannot_be_read(run: Path) -> None:
    stage_folder = only(run, "train-one-*")
    shutil.rmtree(stage_folder)
    state = stage_folder / "checkpoints" / "step-00000001" / "state.pt"
    state.parent.mkdir(parents=True)
    state.write_bytes(b"half of one")
    said = fault(again(run))
    assert f"{state}: the checkpoint cannot be read" in said
    assert f"Remove {state.parent}: the stage then begins anew" in said
    shutil.rmtree(state.parent)
    assert again(run).returncode == 0


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (shutil.rmtree, "/model: no model here; expected a run with run.json, or a folder with config.json"),
        (lambda model: _cut(model / "model.safetensors"), "/model: the model cannot be loaded; got Error while"),
        (lambda model: (model / "model.safetensors").unlink(), "/model: the model cannot be loaded; got Error no file"),
        (lambda model: (model / "tokenizer.json").unlink(), "/model: the model cannot be loaded; got "),
        (lambda model: _cut(model / "config.json"), "/model: the model cannot be loaded; got It looks like the config"),
        (
            lambda model: (model / "config.json").write_text("{}"),
            "/model: the model cannot be loaded; got Unrecognized",
        ),
        (lambda model: (model / "taiyi.json").write_text("{"), "/model/taiyi.json: cannot be read; got Input data was"),
        (
            lambda model: (model.parent.parent / "run.json").write_text("{"),
            "/run.json: does not say where the model is; got Input data was truncated. Remove it, and give the recipe",
        ),
    ],
    ids=[
        "gone",
        "weights cut",
        "no weights",
        "no tokenizer",
        "config cut",
        "config of nothing",
        "taiyi.json",
        "run.json",
    ],
)
def test_a_run_without_its_whole_model_cannot_talk(run: Path, damage: Callable[[Path], object], said: str) -> None:
    damage(only(run, "train-one-*/model"))
    assert said in fault(call("chat", "--model", run, "--once", "hello", "--max-new-tokens", "2"))


def test_a_folder_that_is_no_model_cannot_talk(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    for command in (
        ["chat", "--model", tmp_path, "--once", "x"],
        ["eval", tmp_path, "--suite", "demo", "--runs", tmp_path],
    ):
        assert f"{tmp_path}: no model here; expected a run with run.json, or a" in fault(call(*command))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


# --- the machine -----------------------------------------------------------------------------------------------------

SMALL: dict[str, Any] = {
    "stages": stage("demo_qic", "tc", max_records=3),
    "evaluate": {"suites": ["demo_qic_tc"], "max_records": 2, "max_new_tokens": {"tc": 4}},
}


def limited(size: int) -> Callable[[], None]:
    return partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.slow
def test_a_disk_that_takes_no_more(tmp_path: Path) -> None:
    """No file can be larger than a limit: a run stops at the first that is, and goes on from there under a higher."""
    path = recipe(tmp_path, **SMALL)
    stopped: list[str] = []
    for size in (2**11, 2**13, 2**15):
        done = tiny.forked("run", path, "--runs", tmp_path, before=limited(size))
        said = fault(done)
        assert "File too large" in said
        assert "ree some space, then give the same command again: it goes on from what is whole" in said
        stopped.append([line for line in done.stderr.splitlines() if "begins, in" in line][-1].split(":")[0])
    assert stopped == ["data", "tokenizer", "train-one"]
    done = tiny.forked("run", path, "--runs", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "rows-one: done already" in done.stderr
    assert "Report: " in done.stdout


# A disk of our own in a name space of our own, where the system lets us have one.
FULL = """
set -e
mount -t tmpfs -o size=$1k none "$2"
shift
folder=$1
shift
for size in "$@"; do
    mount -o remount,size=${size}k "$folder"
    "$PYTHON" -m taiyi run "$RECIPE" --runs "$folder" || echo "stopped with $?" >&2
done
"""


@pytest.mark.slow
def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    probe = ["unshare", "-m", "mount", "-t", "tmpfs", "-o", "size=16k", "none", str(disk)]
    if not shutil.which("unshare") or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a disk of a few kilobytes here")
    # While data is made; before the tokenizer and in training, too.
    sizes = ("40", "80", "200", "4000") if WHOLE else ("80", "4000")
    environment = tiny.environment() | {"PYTHON": sys.executable, "RECIPE": str(recipe(tmp_path, **SMALL))}
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", FULL, "bash", sizes[0], str(disk), *sizes],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("taiyi: ")]
    assert done.stderr.count("stopped with 1") == len(said) == len(sizes) - 1, done.stderr
    for line in said:
        assert line.startswith(f"taiyi: {disk}")
        assert "No space left on device" in line
        assert "ree some space, then give the same command again: it goes on from what is whole" in line
    assert "report: done in" in done.stderr
    assert "Report: " in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "file"),
    [("data", "*/stage1.parquet.partial"), ("train-stage1", "*/state.pt"), ("predictions", "*/demo_hoc_tc.jsonl")],
)
def test_an_interrupted_run_says_how_to_go_on(tmp_path: Path, step: str, file: str) -> None:
    done = tiny.stopped(signal.SIGINT, file, 1, "run", recipe(tmp_path), "--runs", tmp_path)
    assert done.returncode == 130, done.stderr
    assert f"{step}: begins" in done.stderr
    last = done.stderr.rstrip("\n").split("\n")[-1]
    assert (
        last == "taiyi: interrupted. The same command goes on from the steps, or the answers in --out, that are there"
    )
    assert not list((tmp_path / "tiny").glob(f"{step}-*/manifest.json"))
    assert not list((tmp_path / "tiny").glob("data-*/*.partial"))
