"""The command line as a whole: version, help, exit codes, and that it starts fast."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import taiyi
import tiny
from taiyi import catalogue, cli
from taiyi.errors import CorpusError

ROOT = Path(__file__).parent.parent


def taiyi_command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(taiyi.__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "taiyi", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"PYTHONPATH": path, "NO_COLOR": "1", "COLUMNS": "100"} | environment,
    )


def export_command() -> Any:
    return cli.load("export")


def test_version() -> None:
    done = taiyi_command("--version")
    assert done.returncode == 0
    assert done.stdout == f"taiyi {taiyi.__version__}\n"


def test_help_lists_every_command_and_imports_none() -> None:
    before = set(sys.modules)
    result = CliRunner().invoke(cli.app, ["--help"])
    assert result.exit_code == 0
    assert all(name in result.stdout for name in cli.COMMANDS)
    assert not {f"taiyi.cli.{name}" for name in cli.COMMANDS} & (set(sys.modules) - before)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_help_of_each_command(name: str) -> None:
    result = CliRunner().invoke(cli.app, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.stdout
    assert "install-completion" not in result.stdout


@pytest.mark.parametrize("columns", ["80", "120"])
def test_help_of_training_tells_how_it_is_called(columns: str) -> None:
    lines = [line.strip() for line in taiyi_command("train", "--help", COLUMNS=columns).stdout.splitlines()]
    # Each on a line of its own, to be copied.
    for command in (
        "taiyi train RECIPE --corpora DIR --runs DIR --parallel fsdp",
        "torchrun --nproc-per-node N -m taiyi train RECIPE",
        "taiyi train stages --help",
        "taiyi train recipes/demo.yaml",
    ):
        assert any(line.endswith(f": {command}") for line in lines), command
    assert "Usage: taiyi train [OPTIONS] RECIPE | COMMAND [ARGS]..." in lines


@pytest.mark.parametrize(
    ("rank", "options", "workers"),
    [("0", ("--workers", "3"), 3), ("0", (), 1), ("1", ("--workers", "3", "--engine", "ray"), 1)],
)
def test_the_first_process_of_a_training_makes_its_data_as_other_commands_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rank: str, options: tuple[str, ...], workers: int
) -> None:
    used: list[Any] = []

    def build(run: Any) -> Path:
        used.append(run.engine)
        return tmp_path

    monkeypatch.setenv("RANK", rank)
    monkeypatch.setattr("taiyi.steps.build", build)
    monkeypatch.setattr("taiyi.steps.train_stages", lambda *_: "model")
    given = ["train", str(tiny.write(tmp_path)), "--runs", str(tmp_path), *options]
    assert CliRunner().invoke(cli.app, given, catch_exceptions=False).exit_code == 0
    assert [(type(engine).__name__, engine.workers) for engine in used] == [("Local", workers)]


@pytest.mark.parametrize("columns", ["80", "120"])
def test_help_of_export_is_whole_sentences_as_shown(columns: str) -> None:
    shown = taiyi_command("export", "--help", COLUMNS=columns).stdout
    told = " ".join(word for word in shown.split() if word != "│")
    for text in (
        "Write the weights as bf16, fp16 or fp32, or as the type that they have (auto). [default: bf16]",
        "by default none is written.",
        "by default from the one that LLAMA_CPP names, else from the PATH.",
        "otherwise a folder with files is refused.",
    ):
        assert text in told
    # What stands in brackets is taken for markup, and is not shown.
    for option in export_command().params:
        assert "[" not in option.help and option.help.endswith("."), option.name


def test_unknown_command_is_wrong_usage() -> None:
    done = taiyi_command("corpra")
    assert done.returncode == 2
    assert "No such command 'corpra'. Did you mean 'corpora'?" in done.stderr
    assert "Traceback" not in done.stderr


def test_unknown_option_is_wrong_usage() -> None:
    assert taiyi_command("doctor", "--jsn").returncode == 2


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (CorpusError("no such corpus", got="x", mend="did you mean 'y'?"), 1, "taiyi: no such corpus; got x. Did you"),
        (CorpusError("two\nlines"), 1, "taiyi: two lines"),
        (KeyboardInterrupt(), 130, "taiyi: interrupted. The same command goes on from the steps"),
        (OSError(errno.ENOSPC, "No space left on device", "model.bin"), 1, "taiyi: model.bin: No space left"),
    ],
)
def test_what_fails_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    def fail(_: str) -> None:
        raise error

    monkeypatch.setattr(cli, "load", fail)
    result = CliRunner().invoke(cli.app, ["doctor"])
    assert result.exit_code == code
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_a_fault_of_the_program_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "load", fail)
    assert isinstance(CliRunner().invoke(cli.app, ["doctor"]).exception, ZeroDivisionError)


def test_doctor_names_the_machine_and_the_packages() -> None:
    done = taiyi_command("doctor", "--json")
    answer = json.loads(done.stdout)
    found = {row["what"]: row for row in answer["findings"]}
    assert {"python", "cores", "memory", "gpu", "bitsandbytes", "corpora"} <= found.keys()
    assert int(found["cores"]["found"]) >= 1
    problems = [row for row in answer["findings"] if row["problem"]]
    assert answer["problems"] == len(problems)
    assert done.returncode == (1 if problems else 0)


def test_doctor_finds_the_corpora_that_are_there(tmp_path: Path) -> None:
    next(c for c in catalogue.all_corpora() if c.bundled is None).location(tmp_path).mkdir()
    done = taiyi_command("doctor", TAIYI_CORPORA=str(tmp_path))
    line = next(line for line in done.stdout.splitlines() if line.startswith("corpora"))
    assert str(tmp_path) in line
    assert ": 1 of " in line


@pytest.mark.parametrize("arguments", [("--help",), ("corpora", "list", "--json"), ("doctor", "--json")])
def test_light_commands_import_nothing_heavy(arguments: tuple[str, ...]) -> None:
    script = (
        "import sys\nfrom taiyi.cli import app\ntry:\n    app(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'transformers', 'peft', 'polars', 'pandas', 'sklearn', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    path = os.pathsep.join([str(Path(taiyi.__file__).parent.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr


def test_corpora_list_answers_in_under_half_a_second() -> None:
    """The time of the processor is measured, the least of three, so that other work on the machine does not count."""
    spent: list[float] = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        # Compiled modules are kept, as they are where Taiyi is installed.
        assert taiyi_command("corpora", "list", "--json", PYTHONDONTWRITEBYTECODE="").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.5


def test_lock_pins_what_the_package_requires() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    lines = [line for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines() if line[:1] not in ("#", "")]
    assert all(line.count("==") == 1 for line in lines)
    # An extra may be made of others of this package.
    locked = {"taiyi"} | {line.partition("==")[0] for line in lines}
    for line in wanted:
        name = line.partition(">=")[0].partition("[")[0]
        assert name in locked, f"run make lock: {name} is not in requirements.lock"
