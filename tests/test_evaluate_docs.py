"""docs/evaluation.md does what it says: its commands run, its suite is read and scored, its tables are today's.

`python tests/test_evaluate_docs.py` writes the table of protocols into it.
"""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from taiyi import cli, storage
from taiyi.checkpoint import RUN_FILE
from taiyi.evaluate import report, suites
from taiyi.evaluate.protocol_tables import every_protocol
from taiyi.evaluate.scoring import ScoreRow

PAGE = Path(__file__).parent.parent / "docs" / "evaluation.md"
TEXT = PAGE.read_text(encoding="utf-8")
FILES = re.findall(r"^```\w+ file=(\S+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line.partition(" #")[0].strip()
    for session in re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    for line in session.splitlines()
]
_TABLE = re.compile(r"(?<=<!-- protocols:begin -->\n).*?(?=<!-- protocols:end -->)", re.DOTALL)


def renewed(text: str) -> str:
    table = every_protocol()
    lines = [[column.name for column in table.columns], ["---"] * len(table.columns)]
    shown = "".join(f"| {' | '.join(cells)} |\n" for cells in (*lines, *(row.cells for row in table.rows)))
    return _TABLE.sub(lambda _: shown, text)


def call(*arguments: object) -> Any:
    return CliRunner().invoke(cli.app, [str(a) for a in arguments], env={"COLUMNS": "160", "NO_COLOR": "1"})


def test_the_table_of_protocols_is_todays() -> None:
    assert renewed(TEXT) == TEXT, "renew it with: python tests/test_evaluate_docs.py"


def test_every_suite_is_told() -> None:
    told = TEXT.partition("## Suites")[2].partition("##")[0]
    assert re.findall(r"^\| `([\w-]+)` \|", told, re.MULTILINE) == list(suites.SUITES)
    assert f"{len(suites.get('all-tasks'))} sets" in told


def columns(head: str) -> list[str]:
    table = TEXT.partition(f"| {head} | what it is |")[2].partition("\n\n")[0]
    return [name for row in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder in which the commands of the page were given, in their order."""
    path = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        # The package has a function of the module's name.
        patch.setattr(import_module("taiyi.catalogue.load"), "_added", {})
        patch.setattr(suites, "_own", {})
        for name, text in FILES:
            Path(name).write_text(text, encoding="utf-8")
        for command in COMMANDS:
            _, *arguments = shlex.split(command)
            if any(argument.startswith("http") for argument in arguments):
                continue
            done = call(*arguments)
            assert done.exit_code == 0, (command, done.output)
        yield path


def results(run: Path) -> report.RunResult:
    return report.load(run / storage.read_json(run / RUN_FILE, dict[str, str])["report"] / "results.json")


@pytest.mark.slow
def test_the_commands_of_the_page_run(folder: Path) -> None:
    assert (folder / "figure.svg").exists()
    ward = {result.name: result for result in results(folder / "runs" / "eval-baseline-dictionary-ward").results}
    assert set(ward) == {"ward_notes", "cdr_chemicals"}
    assert (ward["cdr_chemicals"].metric, ward["cdr_chemicals"].num_records) == ("semeval_partial_f1", 5)
    assert ward["ward_notes"].missing


@pytest.mark.slow
def test_the_suite_of_the_page_is_scored_as_it_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    notes, chemicals = suites.get("ward.yaml")
    assert (notes.title, notes.protocol, notes.metric) == ("Notes of our ward", "strict", "micro_f1")
    assert (chemicals.protocol, chemicals.metric) == ("semeval", "semeval_partial_f1")


def test_a_request_to_a_server_has_options_that_there_are() -> None:
    [command] = [command for command in COMMANDS if "http" in command]
    told = call("eval", "--help").stdout
    for option in re.findall(r"--[\w-]+", command):
        assert option in told, option


@pytest.mark.slow
def test_the_files_have_the_columns_of_the_page(folder: Path) -> None:
    import pyarrow.parquet as pq

    [predictions] = (folder / "runs" / "eval-baseline-dictionary-demo").glob("predictions-*/demo_cdr_ner.parquet")
    assert sorted(columns("column of predictions")) == sorted(pq.read_schema(predictions).names)
    assert sorted(columns("column of scores")) == sorted(ScoreRow.__struct_fields__)


@pytest.mark.slow
def test_the_program_of_the_page_prints_the_score_of_the_report(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pandas")
    [program] = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(folder)
    exec(program, {})
    printed = capsys.readouterr().out.splitlines()[0]
    found = results(folder / "runs" / "eval-baseline-dictionary-demo").results
    strict = next(p for r in found if r.name == "demo_cdr_ner" for p in r.protocols if p.name == "strict")
    assert printed == f"{strict.measures[0].value:.3f}"


if __name__ == "__main__":
    PAGE.write_text(renewed(TEXT), encoding="utf-8")
