"""Suites: the paper's as it uses them and as their benchmarks do, samples of them, and those of users' own files."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from taiyi import catalogue, recipe, tasks
from taiyi.build.workers import Local
from taiyi.catalogue import Corpus
from taiyi.errors import CorpusError, RecipeError
from taiyi.evaluate import protocols, suites
from taiyi.evaluate.suites import SAMPLE_SEED, TestSet
from taiyi.schema import Document, Scale
from taiyi.steps.rendering import _size  # pyright: ignore[reportPrivateUsage]

CONLL = "Aspirin\tB-Drug\nhelped\tO\nheadache\tB-Finding\n\nFever\tB-Finding\nwent\tO\n"
MINE = """\
name: mine
title: Our ward
test_sets:
  - name: cdr_dev
    corpus: demo_cdr
    split: dev
    task: ner
    types: [Chemical]
    metric: semeval_partial_f1
    max_records: 5
  - name: ward_entities
    title: Notes of our ward
    path: ward/notes.conll
    format: conll
    options: {per_sentence: true}
    lang: en
    task: ner
    types: {Drug: medication, Finding: finding}
    protocol: strict
    note: two annotators
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a suite; what it adds to the catalogue and to the suites is forgotten after the test."""
    # The package has a function of the module's name.
    monkeypatch.setattr(sys.modules["taiyi.catalogue.load"], "_added", {})
    monkeypatch.setattr(suites, "_own", {})
    (tmp_path / "ward").mkdir()
    (tmp_path / "ward" / "notes.conll").write_text(CONLL, encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(MINE, encoding="utf-8")
    return tmp_path


# --- the suites that ship --------------------------------------------------------------------------------------------


def by_name(name: str) -> Mapping[str, TestSet]:
    return {test_set.name: test_set for test_set in suites.get(name)}


def test_litcovid_and_hoc_are_the_papers_in_one_suite_and_their_benchmarks_in_the_other() -> None:
    papers, official = by_name("taiyi13"), by_name("taiyi13-official")
    assert papers["litcovid"].split == "dev", "the 6,239 articles that the paper calls its test set"
    assert papers["litcovid"].missing
    assert (official["litcovid_official"].split, official["litcovid_official"].protocol) == ("test", "litcovid")
    assert official["litcovid_official"].title == "LitCovid, official"
    assert not official["litcovid_official"].missing
    assert (papers["hoc"].protocol, official["hoc_official"].protocol) == ("", "blurb")
    units = {protocol.name: protocol.unit for protocol in protocols.of(official["hoc_official"])}
    assert units["blurb"] == "document"
    assert units["own"] == "record"


def test_official_sets_have_the_state_of_the_art_beside_them_and_not_what_is_scored_otherwise() -> None:
    for test_set in suites.get("taiyi13-official"):
        assert test_set.paper is not None
        assert test_set.paper.sota is not None
        if test_set.name.endswith("_official"):
            assert test_set.protocol
            assert (test_set.paper.taiyi, test_set.paper.chatgpt) == (None, None)
            assert test_set.part_of in by_name("taiyi13")
    # What does not differ is the same set, so that both suites together ask it once.
    assert by_name("taiyi13-official")["pubmed_qa"] is by_name("taiyi13")["pubmed_qa"]


def test_every_task_has_a_test_set_with_a_metric_of_the_field() -> None:
    found = suites.get("all-tasks")
    assert {test_set.task for test_set in found} == set(tasks.names())
    assert {lang for test_set in found for lang in test_set.langs} == {"en", "zh"}
    metrics = {test_set.task: test_set.metric for test_set in found}
    assert metrics["mt"] == "bleu"
    assert metrics["summary"] == metrics["title"] == metrics["report"] == "rouge_l"
    assert (metrics["coref"], metrics["ee"], metrics["struct"]) == ("conll_f1", "micro_f1", "tree_edit_ratio")


def test_samples_are_200_records_of_each_set_asked_like_it() -> None:
    for test_set, whole in zip(suites.get("taiyi-sample200"), suites.get("taiyi13"), strict=True):
        assert test_set.max_records == 200
        assert (test_set.part_of, test_set.corpus, test_set.split) == (whole.name, whole.corpus, whole.split)
        assert test_set.paper is None, "Figure 4 has no numbers"


def test_a_sample_is_the_same_whatever_the_seed_of_the_recipe() -> None:
    sample, whole = suites.get("taiyi-sample200")[0], suites.get("taiyi13")[0]

    def size(test_set: TestSet, seed: int, most: int | None) -> tuple[int | None, int]:
        run = SimpleNamespace(recipe=SimpleNamespace(seed=seed, evaluate=SimpleNamespace(max_records=most)))
        return _size(cast(Any, run), test_set)

    assert size(sample, 1, None) == size(sample, 2, None) == (200, SAMPLE_SEED)
    assert size(sample, 7, 20) == (20, SAMPLE_SEED)
    assert size(sample, 7, 900) == (200, SAMPLE_SEED)
    assert size(whole, 7, 20) == (20, 7)


@pytest.mark.parametrize("name", ["biored-unseen", "biored_unseen", "taiyi_sample200", "all_tasks", "taiyi13_official"])
def test_hyphens_and_underscores_are_the_same(name: str) -> None:
    assert suites.get(name) == suites.get(name.replace("_", "-"))


def test_unknown_names_are_met_with_suggestions() -> None:
    with pytest.raises(RecipeError, match="unknown suite; got 'taiyi-oficial'"):
        suites.get("taiyi-oficial")
    with pytest.raises(RecipeError, match=r"unknown test set; got 'bc5cdr_chem'\. Did you mean"):
        suites.test_set("bc5cdr_chem")


# --- users' own ------------------------------------------------------------------------------------------------------


def test_a_file_becomes_a_suite(folder: Path) -> None:
    mine = suites.get(str(folder / "mine.yaml"))
    cdr, ward = mine
    assert (cdr.corpus, cdr.split, cdr.types, cdr.max_records) == ("demo_cdr", "dev", ("Chemical",), 5)
    assert (cdr.protocol, cdr.metric) == ("semeval", "semeval_partial_f1")
    assert (ward.title, ward.corpus, ward.split, ward.note) == (
        "Notes of our ward",
        "ward_entities",
        "test",
        "two annotators",
    )
    assert (ward.protocol, ward.metric, ward.types) == ("strict", "micro_f1", None)
    corpus = catalogue.get("ward_entities")
    assert [(name, type.en, type.zh) for name, type in corpus.entity_types.items()] == [
        ("Drug", "medication", "medication"),
        ("Finding", "finding", "finding"),
    ]
    first, second = catalogue.load(corpus, "test", Path("nowhere"))
    assert isinstance(first, Document)
    assert isinstance(second, Document)
    assert [entity.text for entity in first.entities] == ["Aspirin", "headache"]
    assert suites.test_set("ward_entities") == ward
    assert "ward_entities" not in catalogue.names(), "it is in no list"
    # The same file again is the same suite; one that changed is read again.
    assert suites.get(str(folder / "mine.yaml")) == mine
    (folder / "mine.yaml").write_text(MINE.replace("two annotators", "three"), encoding="utf-8")
    assert suites.get(str(folder / "mine.yaml"))[1].note == "three"


def own(**changes: Any) -> str:
    settings = {"name": "mine_own", "path": "data.txt", "lang": "en", "format": "conll", "task": "ner"} | changes
    lines = [f"    {key}: {value}" for key, value in settings.items()]
    return "name: s\ntest_sets:\n  -" + lines[0][3:] + "\n" + "\n".join(lines[1:]) + "\n"


@pytest.mark.parametrize(
    ("settings", "content", "metric", "protocol"),
    [
        ({"types": "[Drug, Finding]"}, CONLL, "micro_f1", ""),
        ({"types": "[Drug]", "metric": "overlap_f1"}, CONLL, "overlap_f1", "relaxed"),
        ({"types": "[Drug]", "metric": "macro_f1"}, CONLL, "macro_f1", ""),
        ({"types": "[Drug]", "metric": "macro_f1", "protocol": "blurb"}, CONLL, "macro_f1", "blurb"),
        (
            {"task": "tc", "format": "labelled", "types": "{a: A, b: B}", "path": "data.json"},
            '[{"text": "x", "label": "a"}]',
            "micro_f1",
            "",
        ),
        (
            {
                "task": "tp_ss",
                "format": "pairs",
                "path": "data.json",
                "scale": "{lowest: 0, highest: 4}",
                "options": "{value_key: value}",
            },
            '[{"first": "x", "second": "y", "value": 3.5}]',
            "pearson",
            "",
        ),
        (
            {"task": "qa_mc", "format": "medqa", "path": "data.jsonl"},
            '{"question": "?", "options": {"A": "x", "B": "y"}, "answer_idx": "A", "answer": "x"}\n',
            "accuracy",
            "",
        ),
    ],
)
def test_files_of_many_tasks_are_read_and_scored(
    folder: Path, settings: dict[str, Any], content: str, metric: str, protocol: str
) -> None:
    said = own(**settings)
    path = re.search(r"path: (\S+)", said)
    assert path is not None
    (folder / path[1]).write_text(content, encoding="utf-8")
    (folder / "own.yaml").write_text(said, encoding="utf-8")
    [found] = suites.get(str(folder / "own.yaml"))
    assert (found.metric, found.protocol) == (metric, protocol)
    assert protocols.of(found)[0].measures[0].name == metric
    corpus = catalogue.get("mine_own")
    assert (corpus.scale is not None) == found.graded
    if found.graded:
        assert corpus.scale == Scale(measure="similarity", lowest=0, highest=4)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("format: conll", "format: connl", ":14: test_sets.1.format: unknown format; got connl. Did you mean 'conll'"),
        (
            "format: conll",
            "format: cblue",
            ":14: test_sets.1.format: the format has no such reader; got cblue; expected",
        ),
        ("per_sentence", "per_sentense", ":15: test_sets.1.options.per_sentense: the reader has no such option"),
        ("lang: en", "lang: fr", ":16: test_sets.1.lang: unfit value; got 'fr'; expected en or zh"),
        ("    lang: en\n", "", ":11: test_sets.1: a path needs `lang`"),
        ("split: dev\n    task: ner", "split: dev\n    task: nre", ":7: test_sets.0.task: unknown task; got nre"),
        (
            "task: ner\n    types: [",
            "task: tc\n    types: [",
            ":7: test_sets.0.task: the corpus does not have this task",
        ),
        ("types: [Chemical]", "types: [Chemicals]", ":8: test_sets.0.types: unknown type; got Chemicals. Did you mean"),
        ("types: [Chemical]", "types: {Chemical: x}", ":8: test_sets.0.types: the types of a corpus of the catalogue"),
        (
            "metric: semeval_partial_f1",
            "metric: f1",
            ":9: test_sets.0.metric: no such metric for this test set; got f1",
        ),
        ("max_records: 5", "max_records: 0", ":10: test_sets.0.max_records: unfit value; got 0; expected whole number"),
        ("protocol: strict", "protocol: strikt", ":19: test_sets.1.protocol: no such protocol for this test set"),
        ("notes.conll", "none.conll", ":13: test_sets.1.path: there is no such file"),
        (
            "    path: ward/notes.conll\n",
            "",
            ":11: test_sets.1: a test set is of a corpus of the catalogue, or of a path",
        ),
        ("    corpus: demo_cdr\n", "    corpus: demo_cdr\n    lang: en\n", ":6: test_sets.0.lang: `lang` is said of a"),
        ("name: ward_entities", "name: cdr_dev", ":11: test_sets.1.name: two test sets have one name"),
        ("name: ward_entities", "name: bc5cdr", ":11: test_sets.1.name: a corpus of the catalogue has this name"),
        (
            "    types: {Drug: medication, Finding: finding}\n",
            "",
            ":11: test_sets.1.types: the task ner asks for entities",
        ),
        ("corpus: demo_cdr", "corpus: demo_crd", ":5: test_sets.0.corpus: there is no corpus 'demo_crd'. Did you mean"),
        ("split: dev", "split: devel", ":6: test_sets.0.split: unfit value; got 'devel'; expected train, dev or test"),
        ("test_sets:", "testsets:", ":1: test_sets: a key is missing"),
        ("note: two", "notes: two", ":20: test_sets.1.notes: unknown key. Did you mean 'note'"),
        ("name: mine", "name: mine\nname: other", ":2: a key is given twice"),
    ],
)
def test_what_is_wrong_in_a_suite_is_said_with_its_line(folder: Path, old: str, new: str, said: str) -> None:
    assert old in MINE
    path = folder / "wrong.yaml"
    path.write_text(MINE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RecipeError, match=re.escape(f"wrong.yaml{said}")):
        suites.get(str(path))


def test_a_file_that_is_not_there_or_is_empty_or_cannot_be_read(folder: Path) -> None:
    with pytest.raises(
        RecipeError, match=r"none\.yaml: no such suite\. How to write one stands in docs/evaluation\.md"
    ):
        suites.get(str(folder / "none.yaml"))
    (folder / "empty.yaml").write_text("")
    with pytest.raises(RecipeError, match=r"empty\.yaml: the suite is empty"):
        suites.get(str(folder / "empty.yaml"))
    (folder / "ward" / "notes.conll").write_text("one\ntwo\n")
    (folder / "broken.yaml").write_text(MINE, encoding="utf-8")
    with pytest.raises(RecipeError, match=r"broken\.yaml:13: test_sets\.1\.path: .*notes\.conll"):
        suites.get(str(folder / "broken.yaml"))


def test_names_of_other_suites_are_taken(folder: Path) -> None:
    suites.get(str(folder / "mine.yaml"))
    for name, path in (("cmeee", "shipped.yaml"), ("cdr_dev", "second.yaml")):
        text = MINE.replace("name: cdr_dev", f"name: {name}").replace("max_records: 5", "max_records: 6")
        (folder / path).write_text(text, encoding="utf-8")
        with pytest.raises(RecipeError, match=f"another suite has a test set of this name; got {name}"):
            suites.get(str(folder / path))
    with pytest.raises(CorpusError, match="a corpus of the catalogue has this name"):
        catalogue.add(catalogue.get("bc5cdr"))


def title(name: str) -> str:
    return catalogue.get(name).title


def test_other_processes_know_the_corpora_of_a_suite(folder: Path) -> None:
    suites.get(str(folder / "mine.yaml"))
    assert "Notes of our ward" in list(Local(2).map(title, ["ward_entities", "demo_cdr"]))
    assert [corpus.name for corpus in catalogue.added()] == ["ward_entities"]
    assert all(isinstance(corpus, Corpus) for corpus in catalogue.added())


def test_recipes_name_suites_in_files(folder: Path) -> None:
    path = folder / "recipe.yaml"
    path.write_text(
        f"name: r\nbase: some/model\nevaluate:\n  suites: [{folder / 'mine.yaml'}, demo]\n", encoding="utf-8"
    )
    assert recipe.load(path).evaluate.suites == (str(folder / "mine.yaml"), "demo")
    (folder / "mine.yaml").write_text(MINE.replace("corpus: demo_cdr", "corpus: none"), encoding="utf-8")
    with pytest.raises(RecipeError, match=r"recipe\.yaml:4: evaluate\.suites\.0: there is no corpus 'none'"):
        recipe.load(path)
