"""`taiyi corpora` as its users meet it: list, show, fetch, check, convert and docs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from taiyi import catalogue
from taiyi.cli.corpora import app
from taiyi.convert import TARGETS

FIXTURES = str(catalogue.fixtures_dir())


def run(*arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == status, done.output
    return done.stdout if status == 0 else done.output


def test_list_tells_real_from_fixture_and_the_papers_number() -> None:
    rows = {row["name"]: row for row in json.loads(run("list", "--json"))}
    assert rows["bc5cdr"]["verified"] == "real"
    assert rows["bc5cdr"]["listed"] == "en 100"
    assert rows["n2c2_2010_relation"]["verified"] == "fixture"
    assert rows["n2c2_2010_relation"]["access"] != "open"
    assert rows["gsm8k"]["listed"] is None
    assert len({row["listed"] for row in rows.values()} - {None}) == 140


def test_show_is_the_data_card_with_example_records() -> None:
    page = run("show", "bc5cdr")
    assert page.startswith("# ")
    assert "## Example records" in page
    row = json.loads(run("show", "bc5cdr", "--json"))
    assert next(layout["name"] for layout in row["layouts"]) == "official"
    assert 1 <= len(row["examples"]) <= 3
    assert row["entity_types"]["Chemical"]["zh"] == "化学物质"


def test_all_fixtures_are_checked() -> None:
    said = run("check", "--all", "--fixtures")
    assert "differs" not in said
    assert "error" not in said


def test_check_goes_on_after_a_fault_and_exits_with_one(tmp_path: Path) -> None:
    for name in ("bc5cdr", "ncbi_disease", "gsm8k"):
        (tmp_path / name).mkdir()
    (tmp_path / "gsm8k" / "train.jsonl").write_text("prose\n")
    said = run("check", "--all", "--corpora", str(tmp_path), status=1)
    assert "missing  bc5cdr" in said
    assert "CDR_TrainingSet.PubTator.txt is missing" in said
    assert "error    gsm8k" in said
    assert "missing  ncbi_disease" in said
    assert "corpora are as the catalogue says" in said


def test_a_corpus_that_is_asked_for_and_not_there_is_a_fault(tmp_path: Path) -> None:
    assert "missing  bc5cdr" in run("check", "bc5cdr", "--corpora", str(tmp_path), status=1)


def test_check_as_json_has_problems_layouts_and_what_is_absent(tmp_path: Path) -> None:
    (row,) = json.loads(run("check", "kuake_qic", "--corpora", FIXTURES, "--json", status=1))
    assert row["status"] == "differs"
    assert any("expected 6931" in problem for problem in row["problems"])
    assert row["layouts"] == {"train": "official", "dev": "official"}


@pytest.mark.parametrize("to", TARGETS)
def test_convert_writes_a_file_each_split_and_says_what_is_lost(tmp_path: Path, to: str) -> None:
    out = tmp_path / "out"
    said = run("convert", "bc5cdr", "--to", to, "--out", str(out), "--corpora", FIXTURES)
    suffix = TARGETS[to].suffix
    assert sorted(path.name for path in out.iterdir()) == sorted(
        f"{split}{suffix}" for split in ("train", "dev", "test")
    )
    assert "train: " in said
    assert ("not carried" in said) == (to in ("bigbio", "pubtator", "brat", "conll"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_convert_as_json(tmp_path: Path) -> None:
    rows = json.loads(
        run("convert", "bc5cdr", "--to", "conll", "--out", str(tmp_path / "x"), "--corpora", FIXTURES, "--json")
    )
    assert [row["split"] for row in rows] == ["train", "dev", "test"]
    assert rows[0]["lost"]["relation"] >= 1


def test_strict_conversion_leaves_nothing(tmp_path: Path) -> None:
    said = run(
        "convert", "bc5cdr", "--to", "conll", "--strict", "--out", str(tmp_path / "x"), "--corpora", FIXTURES, status=1
    )
    assert "conll cannot carry all of the corpus" in said
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    said = run("convert", "bc5cdr", "--to", "brat", "--out", str(tmp_path), "--corpora", FIXTURES, status=1)
    assert "is not empty" in said


def test_an_unknown_format_is_said(tmp_path: Path) -> None:
    assert "Did you mean 'brat'" in run("convert", "bc5cdr", "--to", "bratt", "--corpora", FIXTURES, status=1)


def test_converting_what_is_not_there_says_how_to_obtain_it(tmp_path: Path) -> None:
    assert "Get it from" in run("convert", "bc5cdr", "--to", "brat", "--corpora", str(tmp_path), status=1)


def test_fetch_of_a_gated_corpus_says_what_to_sign(tmp_path: Path) -> None:
    said = run("fetch", "n2c2_2010_relation", "--corpora", str(tmp_path), status=1)
    assert "gated" in said
    assert "n2c2" in said
    assert str(tmp_path / "n2c2_2010_relation") in said


def test_fetch_recognises_what_is_there() -> None:
    (row,) = json.loads(run("fetch", "bc5cdr", "--corpora", FIXTURES, "--json"))
    assert (row["corpus"], row["state"]) == ("bc5cdr", "there")


def test_docs_writes_a_page_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = tuple(corpus for corpus in catalogue.all_corpora() if "mt" in corpus.tasks)
    monkeypatch.setattr(catalogue, "all_corpora", lambda: some)
    run("docs", str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {"README.md", "figure.svg", *(f"{c.name}.md" for c in some)}
