"""The catalogue: every declaration is whole, and missing or differing files are said clearly."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from taiyi import catalogue
from taiyi.catalogue import TASK_NAMES, Corpus
from taiyi.cli.corpora import app
from taiyi.errors import CorpusError
from taiyi.schema import Reject

OTHERS = [corpus for corpus in catalogue.all_corpora() if corpus.bundled is None]
CHIP = "肺部感染。|||0    3    dis|||\n咳嗽。|||0    1    sym|||\n"


@pytest.fixture
def chip(tmp_path: Path) -> Corpus:
    """A corpus of two sentences in the CHIP-2020 text."""
    folder = tmp_path / "cmeee_chip2020"
    folder.mkdir()
    (folder / "train_data_all.txt").write_text(CHIP, encoding="utf-8")
    corpus = catalogue.get("cmeee_chip2020")
    return dataclasses.replace(
        corpus, files={"train": corpus.files["train"]}, counts={"train": {"records": 2, "entities": 2}}
    )


@pytest.mark.parametrize("corpus", catalogue.all_corpora(), ids=lambda corpus: corpus.name)
def test_every_declaration_is_whole(corpus: Corpus) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", corpus.name)
    assert corpus.langs
    assert corpus.tasks
    assert set(corpus.tasks) <= set(TASK_NAMES)
    assert corpus.title
    assert corpus.licence
    assert corpus.citation
    assert corpus.homepage.startswith("http") or corpus.bundled
    assert corpus.splits
    for layout in corpus.layouts:
        assert set(layout.counts) <= set(layout.files)
        if layout.verified == "real":
            assert layout.counts
    for types in (corpus.entity_types, corpus.relation_types, corpus.event_types, corpus.labels):
        for shown in (lambda t: t.en, lambda t: t.zh):
            names = [shown(t) for t in types.values()]
            assert all(name.strip() for name in names)
            assert len(set(names)) == len(names), "two types are shown under one name"


@pytest.mark.parametrize("corpus", OTHERS, ids=lambda corpus: corpus.name)
def test_every_corpus_can_be_obtained(corpus: Corpus) -> None:
    assert corpus.downloads or corpus.obtain
    if corpus.access != "open":
        assert corpus.obtain
    assert corpus.sizes
    assert corpus.unit
    for download in corpus.downloads:
        assert download.url.startswith("https://") or download.url.startswith("http://")
        assert not re.search(r"\s", download.url)
        assert not download.sha256 or re.fullmatch("[0-9a-f]{64}", download.sha256)


def test_the_corpora_of_the_paper_are_there() -> None:
    listed = [corpus.listed for corpus in catalogue.all_corpora() if corpus.listed]
    assert sorted(given.number for given in listed if given.lang == "zh") == list(range(1, 39))
    assert sorted(given.number for given in listed if given.lang == "en") == list(range(1, 103))
    general = {"moss_sample", "belle_cot", "gsm8k", "zhiwang_ds_en", "zhiwang_ds_zh", "zhiwang_mt"}
    assert general <= set(catalogue.names())


def test_what_a_corpus_is_extracted_for_has_types() -> None:
    for corpus in catalogue.all_corpora():
        if "ner" in corpus.tasks:
            assert corpus.entity_types, corpus.name
        if "ee" in corpus.tasks:
            assert corpus.event_types, corpus.name
        if "re" in corpus.tasks or "cre" in corpus.tasks:
            assert corpus.relation_types, corpus.name
        if "tc" in corpus.tasks or "tp_te" in corpus.tasks:
            assert corpus.labels, corpus.name


def test_an_unknown_corpus_is_answered_with_a_suggestion() -> None:
    with pytest.raises(CorpusError, match="Did you mean 'bc5cdr'"):
        catalogue.get("bc5cdrr")


def test_corpora_dir_prefers_what_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TAIYI_CORPORA", str(tmp_path / "env"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert catalogue.corpora_dir(tmp_path) == tmp_path
    assert catalogue.corpora_dir() == tmp_path / "env"
    monkeypatch.delenv("TAIYI_CORPORA")
    assert catalogue.corpora_dir() == tmp_path / "cache" / "taiyi" / "corpora"


def test_a_missing_corpus_is_said_at_the_call_with_what_was_expected(tmp_path: Path) -> None:
    corpus = catalogue.get("bc5cdr")
    with pytest.raises(CorpusError, match=r"CDR_TestSet\.PubTator\.txt.*Get it from http"):
        catalogue.load(corpus, "test", tmp_path)
    assert catalogue.check(corpus, tmp_path).status == "missing"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("pubmed_qa", "data/test_ground_truth.json"),
        ("hallmarks_of_cancer", "data_generation/indexing/HoC/dev_pmid.tsv"),
    ],
)
def test_a_file_that_a_reader_needs_is_part_of_its_source(tmp_path: Path, name: str, file: str) -> None:
    corpus = catalogue.get(name)
    folder = corpus.location(tmp_path)
    (source,) = corpus.files["train"]
    for needed in (source.path, *source.needs):
        (folder / needed).parent.mkdir(parents=True, exist_ok=True)
        if needed != ".":
            (folder / needed).write_text("{}", encoding="utf-8")
    assert folder / file in source.find(folder)
    assert source.paths(folder) == [folder / source.path]
    assert source.missing(folder) == []
    (folder / file).unlink()
    assert folder / file not in source.find(folder)
    with pytest.raises(CorpusError, match=rf"{file}: train files of corpus '{name}' are missing.*{file}.*Get it from"):
        catalogue.load(corpus, "train", tmp_path)
    result = catalogue.check(corpus, tmp_path)
    assert result.status == "missing"
    assert f"train: {folder / file} is missing" in result.problems


def test_a_split_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no split 'test'; expected train or dev"):
        catalogue.load(catalogue.get("cmeee_v2"), "test", tmp_path)


def test_check_passes_on_what_is_stated(chip: Corpus, tmp_path: Path) -> None:
    result = catalogue.check(chip, tmp_path)
    assert (result.status, result.problems) == ("ok", ())
    assert result.counted["train"]["entities.dis"] == 1


def test_check_says_what_differs(chip: Corpus, tmp_path: Path) -> None:
    path = tmp_path / "cmeee_chip2020" / "train_data_all.txt"
    path.write_text(f"{CHIP}头痛|||0    9    sym|||0    1    new|||\n", encoding="utf-8")
    result = catalogue.check(chip, tmp_path)
    assert result.status == "differs"
    assert set(result.problems) == {
        "train: records is 3, expected 2",
        "train: entities is 3, expected 2",
        "train: rejects.span outside the text is 1, expected 0",
        "train: entity type 'new' is not declared",
    }


def test_check_reports_a_file_in_another_format_as_an_error(chip: Corpus, tmp_path: Path) -> None:
    (tmp_path / "cmeee_chip2020" / "train_data_all.txt").write_text("prose\n", encoding="utf-8")
    assert catalogue.check(chip, tmp_path).status == "error"


def test_counts_of_rejects_are_by_reason() -> None:
    counts = catalogue.count(iter([Reject(where="a:1", reason="x"), Reject(where="a:2", reason="x")]))
    assert counts == {"rejects.x": 2}


# --- The command ------------------------------------------------------------------------------------------------------


def test_list_as_json_has_the_promised_keys() -> None:
    done = CliRunner().invoke(app, ["list", "--json"])
    assert done.exit_code == 0
    rows = json.loads(done.stdout)
    assert {"name", "lang", "tasks", "splits", "licence", "access", "verified"} <= rows[0].keys()
    assert [row["name"] for row in rows] == catalogue.names()


def test_show_names_types_in_both_languages() -> None:
    done = CliRunner().invoke(app, ["show", "cmeee_v2"])
    assert done.exit_code == 0
    assert "| `dis` | disease | 疾病 |" in done.stdout


def test_check_exits_with_1_where_something_is_wrong(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["check", "bc5cdr", "--corpora", str(tmp_path), "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)[0]["status"] == "missing"
    assert CliRunner().invoke(app, ["check", "bc5cdrr", "--corpora", str(tmp_path)]).exit_code == 1
    assert CliRunner().invoke(app, ["check", "bc5cdr", "--corpora", str(tmp_path / "no")]).exit_code == 1


@pytest.mark.parametrize("arguments", [[], ["bc5cdr", "--all"]])
def test_check_without_names_is_wrong_usage(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, ["check", *arguments]).exit_code == 2


def test_the_catalogue_imports_nothing_heavy() -> None:
    code = (
        "import sys, taiyi.cli.corpora, taiyi.catalogue as c; c.all_corpora(); "
        "print([m for m in ('torch', 'transformers', 'polars', 'numpy', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
