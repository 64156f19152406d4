"""Bad input of the build through the command line: templates, corpora without a usable split, test sets in training."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taiyi import catalogue, storage, templates
from taiyi.schema import Split
from test_bad_input import Done, call, fault, recipe, stage


def build(tmp_path: Path, stages: list[dict[str, Any]], **changes: Any) -> Done:
    path = recipe(tmp_path, **{"stages": stages, "evaluate": {}} | changes)
    return call("build", path, "--runs", tmp_path / "runs", "--corpora", tmp_path / "corpora")


# --- templates -------------------------------------------------------------------------------------------------------


@pytest.fixture
def wordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the package's templates, in their place."""
    folder = tmp_path / "templates"
    shutil.copytree(templates.FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    monkeypatch.setattr(templates, "FOLDER", folder)
    templates.load.cache_clear()
    yield folder
    templates.load.cache_clear()


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_templates_that_are_whole_are_built_with(tmp_path: Path, wordings: Path) -> None:
    assert build(tmp_path, stage("demo_cdr", "ner", max_records=2)).returncode == 0


def test_two_templates_with_one_id(tmp_path: Path, wordings: Path) -> None:
    replaced(wordings / "ner.en.toml", 'id = "02"', 'id = "01"')
    said = fault(build(tmp_path, stage("demo_cdr", "ner")))
    assert "ner.en.toml: two templates have the same id; got ner.en.01. Give each an id that no other has" in said
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("slot", "got"),
    [("{body}", "['body', 'types']"), ("{text} {source}", "['text', 'source', 'types']"), ("", "['types']")],
)
def test_a_template_with_other_slots_than_its_task(tmp_path: Path, wordings: Path, slot: str, got: str) -> None:
    (wordings / "ner.zh.toml").write_text(
        f'version = 9\n\n[[template]]\nid = "01"\ntext = "{slot} {{types}}"\n', "utf-8"
    )
    said = fault(build(tmp_path, stage("demo_cmeee", "ner")))
    assert f"ner.zh.toml: ner.zh.01: a template has other slots than its task fills; got {got}; expected " in said
    assert "expected ['text', 'types']. Write each of these once, in braces" in said
    assert not (tmp_path / "runs").exists()


# --- corpora without a usable split ----------------------------------------------------------------------------------

GOOD = {"question": "Which vitamin cures scurvy?", "options": {"A": "C", "B": "D"}, "answer_idx": "A"}
# Neither is a question: options that are no options, and an answer that is none of them.
BAD = [GOOD | {"options": "C"}, GOOD | {"options": ["C"]}, GOOD | {"answer": "D"}]


def questions(tmp_path: Path, split: Split, *rows: dict[str, Any]) -> Path:
    """Write the raw file of a split of MedQA."""
    corpus = catalogue.get("med_qa_us")
    path = corpus.location(tmp_path / "corpora") / corpus.files[split][0].path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_a_split_of_which_every_line_is_bad(tmp_path: Path) -> None:
    chosen = stage("med_qa_us", "qa_mc")
    raw = questions(tmp_path, "train", *BAD)
    said = fault(build(tmp_path, chosen))
    assert (
        "nothing is left to train on; got {'malformed line': 2, 'answer differs from its option': 1}. Look into" in said
    )
    [rejects] = tmp_path.glob("runs/tiny/data-*/rejects.jsonl")
    assert str(rejects) in said
    assert [row["where"] for row in storage.read_jsonl(rejects, dict[str, str])] == [
        f"{raw.name}:{n}" for n in (1, 2, 3)
    ]
    assert not list(tmp_path.glob("runs/tiny/data-*/manifest.json"))
    # What was bad is mended, and the same command goes on.
    questions(tmp_path, "train", GOOD)
    assert build(tmp_path, chosen).returncode == 0


def test_a_split_of_which_every_record_is_unfit(tmp_path: Path) -> None:
    questions(
        tmp_path,
        "train",
        GOOD | {"options": {"A": "C", "B": "C"}},
        GOOD | {"question": "?", "options": {"A": "!", "B": "."}},
    )
    said = fault(build(tmp_path, stage("med_qa_us", "qa_mc")))
    assert "stage one: nothing is left to train on; got {'the question cannot be answered': 1, 'the text is" in said


def test_a_test_set_without_a_usable_record(tmp_path: Path) -> None:
    questions(tmp_path, "test", *BAD)
    said = fault(build(tmp_path, stage("demo_qic", "tc"), evaluate={"suites": ["med_qa_us"]}))
    assert "med_qa_us: the test set is empty" in said


def test_a_stage_of_which_nothing_is_there(tmp_path: Path) -> None:
    said = fault(build(tmp_path, stage("med_qa_us", "qa_mc"), absent="skip"))
    assert (
        "nothing is left to train on; got no record; not there: med_qa_us qa_mc train. See `taiyi corpora show" in said
    )


# --- evaluation sets in training -------------------------------------------------------------------------------------

OFF = dict.fromkeys(("by_document_id", "by_text", "by_overlap", "by_near_duplicate"), False)


@pytest.mark.parametrize("decontaminate", [{}, OFF])
@pytest.mark.parametrize("splits", [["test"], ["train", "test"]])
def test_an_evaluation_set_that_is_to_be_trained_on(
    tmp_path: Path, splits: list[str], decontaminate: dict[str, bool]
) -> None:
    chosen = stage("demo_qic", "tc", splits=splits)
    said = fault(build(tmp_path, chosen, evaluate={"suites": ["demo"]}, decontaminate=decontaminate))
    assert str(tmp_path / "tiny.yaml") in said
    assert f"stages.0.data.0.splits.{len(splits) - 1}: an evaluation set is never trained on" in said
    assert "got demo_qic test, which is the test set demo_qic_tc" in said
    assert "Take test out here, or demo_qic_tc out of the suites under `evaluate:`" in said
    assert not (tmp_path / "runs").exists()
    # It is not one where another set is evaluated.
    assert build(tmp_path, chosen, evaluate={"suites": ["demo_hoc_tc"]}, decontaminate=decontaminate).returncode == 0


def test_an_evaluation_set_under_the_name_of_another_corpus(tmp_path: Path) -> None:
    demo = catalogue.get("demo_qic")
    path = tmp_path / "corpora" / "kuake_qic" / catalogue.get("kuake_qic").files["train"][0].path
    path.parent.mkdir(parents=True)
    shutil.copy(demo.location(tmp_path) / demo.files["test"][0].path, path)
    said = fault(build(tmp_path, stage("kuake_qic", "tc"), evaluate={"suites": ["demo_qic_tc"]}))
    assert "stage one: nothing is left to train on; got {'contaminated by text': 30}" in said


# --- what was made is damaged, or half removed -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["items-00000.parquet", "*.npz", "*-*.json"])
@pytest.mark.parametrize("cut", [True, False], ids=["cut", "gone"])
def test_a_shard_that_is_damaged_is_named_and_one_that_lacks_a_part_is_made_again(
    tmp_path: Path, name: str, cut: bool
) -> None:
    chosen = stage("med_qa_us", "qa_mc")
    questions(tmp_path, "train", GOOD)
    assert build(tmp_path, chosen).returncode == 0
    [shard] = (path for path in tmp_path.glob("runs/tiny/shards/med_qa_us-train-*"))
    [part] = shard.glob(name)
    shutil.rmtree(next(tmp_path.glob("runs/tiny/data-*")))
    if cut:
        part.write_bytes(part.read_bytes()[:20])
        said = fault(build(tmp_path, chosen))
        assert f"{part}: not what it should hold" in said
        assert "Remove it" in said
    part.unlink()
    assert build(tmp_path, chosen).returncode == 0


def test_work_that_a_kill_left_half_removed_is_made_again(tmp_path: Path) -> None:
    chosen = stage("med_qa_us", "qa_mc")
    questions(tmp_path, "train", GOOD)
    assert build(tmp_path, chosen).returncode == 0
    [data] = tmp_path.glob("runs/tiny/data-*")
    (data / "manifest.json").unlink()
    left = data / "work.removed"
    left.mkdir()
    (left / "one-00000.jsonl").touch()
    assert build(tmp_path, chosen).returncode == 0
    assert not left.exists()
    assert not (data / "work").exists()
