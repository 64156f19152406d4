"""Dev samples: which records are kept out of training, that none of them is trained on, and how they are asked."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import tiny
from taiyi import catalogue, storage, tasks
from taiyi.build.clean import HELD
from taiyi.build.decontaminate import Match
from taiyi.build.instructions import wordings
from taiyi.build.sample import Candidates, Place, Stratum, drawn, num_drawn, ranks_of
from taiyi.build.settings import Selection
from taiyi.build.workers import Local
from taiyi.catalogue import Corpus, Source, TypeName
from taiyi.errors import RecipeError
from taiyi.evaluate import suites
from taiyi.evaluate.suites import TestSet
from taiyi.manifest import Log, hash_file, manifest
from taiyi.recipe import Recipe, load
from taiyi.schema import Document, Entity, Example, Reject, Span
from taiyi.steps import Run, build

# --- how many, and which ---------------------------------------------------------------------------------------------

STRATA = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 5000), min_size=1).map(
    lambda sizes: {Stratum(name, "ner", "en"): size for name, size in sizes.items()}
)


@given(STRATA, st.integers(1, 2000), st.booleans())
def test_every_stratum_has_its_part_within_limits(sizes: dict[Stratum, int], records: int, own: bool) -> None:
    found = num_drawn(sizes, records, own=own)
    there = {name: size for name, size in sizes.items() if size}
    most = {name: max(1, size // 10) if own else size for name, size in there.items()}
    assert set(found) == set(there)
    assert all(1 <= found[name] <= most[name] for name in found)
    assert sum(found.values()) == max(min(records, sum(most.values())), len(there))
    # Of two, the larger never has less.
    by_size = sorted(there, key=lambda name: there[name])
    assert all(found[a] <= found[b] + 1 for a, b in pairwise(by_size))


def test_parts_are_as_the_square_roots_of_sizes() -> None:
    small, large = Stratum("a", "ner", "en"), Stratum("b", "tc", "zh")
    assert num_drawn({small: 10_000, large: 90_000}, 100, own=True) == {small: 25, large: 75}
    assert num_drawn({small: 30, large: 300}, 40, own=False) == {small: 10, large: 30}
    assert num_drawn({small: 30, large: 300}, 40, own=True) == {small: 3, large: 30}
    assert num_drawn({small: 1, large: 90_000}, 40, own=False) == {small: 1, large: 39}


@given(st.integers(0, 5), st.integers(1, 12), st.sets(st.integers(0, 29)))
def test_the_first_by_rank_are_drawn_that_fit(seed: int, number: int, unfit: set[int]) -> None:
    places = [f"c/train/{i}" for i in range(30)]
    ranks, stratum = ranks_of(places, seed), Stratum("c", "ner", "en")
    # The second part has the first ten records again.
    parts = [list(range(30)), list(range(10))]
    candidates = {stratum: Candidates([ranks, ranks[:10]], [0, 1], [_rows(p) for p in parts])}
    assert len(candidates[stratum]) == 30
    found = drawn(candidates, {stratum: number}, lambda asked: [place.row not in unfit for place in asked])
    first = sorted(set(range(30)) - unfit, key=lambda i: ranks[i])[:number]
    assert [place.row for place in found[stratum]] == first
    assert {place for place in found[stratum] if place.part == 1} <= {Place(1, row) for row in range(10)}


def _rows(rows: list[int]) -> Any:
    import numpy as np

    return np.array(rows, dtype=np.int64)


# --- the step, on demo corpora ---------------------------------------------------------------------------------------

RECIPE: dict[str, Any] = {
    "name": "held",
    "seed": 3,
    "stages": [
        {
            "name": "one",
            "dev": {"records": 20},
            "data": [
                {"corpus": "demo_cdr", "task": "ner", "window_chars": 1, "subtasks": [["Chemical"]]},
                {"corpus": "demo_cdr", "task": "ner", "form": "list", "templates": ["02", "03"]},
                {"corpus": "demo_cdr", "task": "re", "templates_per_record": 2, "prompt": {"corpus": True}},
                {"corpus": "demo_qic", "task": "tc"},
                {"corpus": "demo_chat", "task": "mrd"},
            ],
        },
        {
            "name": "two",
            "dev": {"records": 8, "data": [{"corpus": "demo_qic", "task": "tc", "splits": ["dev"]}]},
            "replay": ["one"],
            "data": [{"corpus": "demo_cdr", "task": "ner", "form": "json"}, {"corpus": "demo_qa_zh", "task": "qa_sqa"}],
        },
    ],
    "deduplicate": {"near": False, "conflicts": False},
    "decontaminate": {"by_overlap": False, "by_near_duplicate": False},
    "evaluate": {"suites": ["demo_cdr_ner"]},
}


def built(folder: Path, recipe: dict[str, Any] = RECIPE, workers: int = 1) -> Path:
    run = Run(Recipe.model_validate(recipe), folder, folder, Log(folder, Console(quiet=True)), engine=Local(workers))
    return build(run)


def examples(path: Path) -> list[Example]:
    return list(storage.read_parquet(path, Example))


def places(path: Path) -> set[str]:
    return {f"{example.corpus}/{example.split}/{example.record}" for example in examples(path)}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("held"))


def test_no_stage_trains_on_a_dev_record(made: Path) -> None:
    held = places(made / "dev-one.parquet") | places(made / "dev-two.parquet")
    trained = places(made / "one.parquet") | places(made / "two.parquet")
    assert len(held) > 15
    assert not held & trained
    # Stage two asks demo_cdr for other answers: what stage one keeps out is left out there too, and said.
    rejects = Counter(
        (r["for"], r["reason"], r["detail"]) for r in storage.read_jsonl(made / "rejects.jsonl", dict[str, str])
    )
    here = {place for place in held if place.startswith("demo_cdr/")}
    assert rejects["two", HELD, "dev-one"] == len(here)


def test_the_manifest_counts_the_records(made: Path) -> None:
    dev = manifest(made).facts["dev"]
    assert sum(dev["one"].values()) == 20
    assert set(dev["one"]) == {
        "demo_cdr ner en",
        "demo_cdr re en",
        "demo_chat mrd en",
        "demo_chat mrd zh",
        "demo_qic tc zh",
    }
    assert dev["two"] == {"demo_qic tc zh": 8}
    for stage, counts in dev.items():
        found = {(e.corpus, e.task, e.lang, e.record) for e in examples(made / f"dev-{stage}.parquet")}
        assert Counter(f"{corpus} {task} {lang}" for corpus, task, lang, _ in found) == counts
    # One in ten of the records of a stratum goes at most, but one of each.
    assert dev["one"]["demo_chat mrd en"] == 1
    assert dev["one"]["demo_cdr ner en"] <= 6


def test_they_are_asked_as_their_selection_is_and_once(made: Path) -> None:
    found = examples(made / "dev-one.parquet")
    asked = [Selection(**chosen) for chosen in RECIPE["stages"][0]["data"]]
    # Of a record under a task, all examples are of one selection.
    forms = Counter((e.task, e.record, e.form) for e in found)
    assert len({(task, record) for task, record, _ in forms}) == len(forms)
    tagged = [e for e in found if e.form == "tagged"]
    assert tagged
    assert all([shown.name for shown in e.types] == ["Chemical"] and "@" in e.id for e in tagged)
    listed = [e for e in found if e.task == "ner" and e.form == "list"]
    assert {e.template for e in listed} <= {"ner.en.02", "ner.en.03"}
    related = [e for e in found if e.task == "re"]
    assert related
    assert all(e.id.endswith("~corpus") for e in related)
    assert len({e.record for e in related}) == len(related)
    trained = {
        t.id
        for s in asked
        for lang in catalogue.get(s.corpus).langs
        for t in wordings(tasks.get(s.task), s, lang, training=True)
    }
    assert {e.template for e in found} <= trained


def test_a_recipe_without_dev_is_made_as_before(tmp_path: Path) -> None:
    stages = [{key: value for key, value in stage.items() if key != "dev"} for stage in RECIPE["stages"]]
    folder = built(tmp_path, RECIPE | {"stages": stages})
    done = manifest(folder)
    assert "dev" not in done.inputs
    assert done.facts["dev"] == {}
    assert not list(folder.glob("dev-*"))
    # How often a model answers has nothing to do with what its data is made of.
    often = [stages[0] | {"dev": {"records": 20, "every_steps": n}} for n in (5, 7)]
    assert len({built(tmp_path, RECIPE | {"stages": [stage]}) for stage in often}) == 1


def test_they_are_kept_out_where_nothing_is_decontaminated(tmp_path: Path) -> None:
    off = dict.fromkeys(("by_document_id", "by_text", "by_overlap", "by_near_duplicate"), False)
    folder = built(tmp_path, RECIPE | {"decontaminate": off})
    held = places(folder / "dev-one.parquet")
    assert held
    assert not held & (places(folder / "one.parquet") | places(folder / "two.parquet"))
    assert not list(storage.read_jsonl(folder / "decontamination.jsonl", Match))


def test_a_stage_that_replays_only_has_an_empty_sample_of_its_own(tmp_path: Path) -> None:
    last = {"name": "three", "replay": ["one"], "dev": {}}
    folder = built(tmp_path, RECIPE | {"stages": [RECIPE["stages"][0], last]})
    assert examples(folder / "dev-three.parquet") == []
    assert manifest(folder).facts["dev"]["three"] == {}


def hashes(folder: Path) -> dict[str, str]:
    found = {path.name: hash_file(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    del found["manifest.json"]
    return found


def test_workers_and_parts_do_not_change_them(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hashes(built(tmp_path / "two", workers=2)) == hashes(made)
    monkeypatch.setattr("taiyi.build.collect._PART_RECORDS", 7)
    small = built(tmp_path / "small")
    for name in ("dev-one", "dev-two", "one", "two"):
        by_id = {e.id: e for e in examples(small / f"{name}.parquet")}
        assert by_id == {e.id: e for e in examples(made / f"{name}.parquet")}


KILLS = (
    ("*/shards/dev-one-*/items-00000.parquet.partial", 1),
    ("*/shards/dev-one-*/drawn.json.partial", 1),
    ("*/shards/dev-two-*/items-*.partial", 1),
    ("*/work/dev-one-00001.parquet.partial", 1),
    ("*/work/dev-two-*.jsonl.partial", 1),
    ("*/data-*/dev-one.parquet.partial", 1),
    ("*/shards/demo_cdr-train-*/items-00000-*.json.partial", 1),
    ("*/data-*/one.parquet.partial", 1),
)


@pytest.mark.whole
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_build_that_is_killed_in_each_phase_ends_with_the_same_bytes(made: Path, tmp_path: Path) -> None:
    recipe = tiny.write(tmp_path, RECIPE)
    command = ("build", recipe, "--corpora", tmp_path / "none", "--runs", tmp_path / "runs")
    for pattern, nth in KILLS:
        done = tiny.stopped(signal.SIGKILL, pattern, nth, *command, "--workers", 1)
        assert done.returncode == -signal.SIGKILL, (pattern, done.stderr)
    done = tiny.forked(*command, "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert "dev-one: 20 records" in done.stdout
    [folder] = (tmp_path / "runs" / "held").glob("data-*")
    assert hashes(folder) == hashes(made)


# --- material of dev records, and of test sets -----------------------------------------------------------------------

_WORDS = ("liver", "cell", "dose", "trial", "gene", "mouse", "serum", "renal", "cohort", "assay", "blood", "tumour")


def _text(number: int, changed: int = 0) -> str:
    """A text of sixty words like no other, but for so many of its words where they are changed."""
    source = random.Random(number)
    found = [f"{source.choice(_WORDS)}{source.randrange(1000)}" for _ in range(60)]
    for place in range(changed):
        found[place * 7] = f"else{place}"
    return f"Drug {' '.join(found)}."


def _document(corpus: str, split: str, number: int, text: str, *ids: str) -> Document:
    drug = Entity(id="T", type="Chemical", text=text[:4], spans=(Span(0, 4),))
    return Document(
        corpus=corpus,
        split=split,  # pyright: ignore[reportArgumentType]
        lang="en",
        id=str(number),
        text=text,
        entities=(drug,),
        document_ids=ids,
    )


# Each corpus has something of every one of the forty documents of the first.
LIKE: dict[str, Callable[[int], tuple[str, tuple[str, ...]]]] = {
    "document id": lambda n: (_text(1000 + n), (f"PMID:{n}",)),
    "text": lambda n: (_text(n).upper(), ()),
    "near duplicate": lambda n: (_text(n, changed=6), ()),
    "overlap": lambda n: (f"{_text(n)} {_text(2000 + n)}", ()),
}
HELD_ALONE: dict[str, dict[str, bool]] = {
    "document id": {"by_text": False, "by_overlap": False, "by_near_duplicate": False},
    "text": {"by_document_id": False, "by_overlap": False, "by_near_duplicate": False},
    "near duplicate": {"by_document_id": False, "by_text": False, "by_overlap": False},
    "overlap": {"by_document_id": False, "by_text": False, "by_near_duplicate": False},
}


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A corpus `first`, one that is like it in each way, and a test set that has its first twenty documents."""
    known: dict[str, Corpus] = {}

    def add(name: str, **splits: list[Document]) -> None:
        def reading(found: list[Document]) -> Source:
            def read(path: Path, **_: Any) -> Iterator[Document]:
                yield from found

            return Source(path="test_build_dev.py", read=read)

        known[name] = Corpus(
            name=name,
            title=name,
            langs=("en",),
            tasks=("ner",),
            licence="x",
            access="open",
            homepage="http://x",
            citation="x",
            verified="fixture",
            files={split: (reading(found),) for split, found in splits.items()},  # pyright: ignore[reportArgumentType]
            entity_types={"Chemical": TypeName(en="chemical", zh="药物")},
            bundled=Path(__file__).parent,
        )

    add("first", train=[_document("first", "train", n, _text(n), f"PMID:{n}") for n in range(40)])
    for way, like in LIKE.items():
        name = way.replace(" ", "_")
        texts = [like(n) for n in range(40)]
        add(name, train=[_document(name, "train", 100 + n, text, *ids) for n, (text, ids) in enumerate(texts)])
    add("sealed", test=[_document("sealed", "test", n, _text(n, changed=2)) for n in range(20)])
    monkeypatch.setattr(catalogue, "get", known.__getitem__)
    test_set = TestSet(
        name="sealed", title="s", corpus="sealed", split="test", task="ner", metric="micro_f1", langs=("en",)
    )
    monkeypatch.setitem(suites.SUITES, "sealed", (test_set,))


def toy(way: str, suite: list[str], **decontaminate: bool) -> dict[str, Any]:
    """A recipe whose second stage trains on what is like the first stage's data."""
    return {
        "name": "toy",
        "stages": [
            {"name": "one", "dev": {"records": 4}, "data": [{"corpus": "first", "task": "ner"}]},
            {"name": "two", "data": [{"corpus": way.replace(" ", "_"), "task": "ner"}]},
        ],
        "deduplicate": {"near": False},
        "decontaminate": decontaminate,
        "evaluate": {"suites": suite},
    }


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize("way", LIKE)
def test_what_is_like_a_dev_record_is_not_trained_on(way: str, tmp_path: Path) -> None:
    folder = built(tmp_path, toy(way, [], **HELD_ALONE[way]))
    held = {int(e.record) for e in examples(folder / "dev-one.parquet")}
    assert len(held) == 4
    trained = {int(e.record) - 100 for e in examples(folder / "two.parquet")}
    assert trained == set(range(40)) - held
    audit = [m for m in storage.read_jsonl(folder / "decontamination.jsonl", Match) if "first" not in m.training]
    assert {(m.by, m.evaluation) for m in audit} == {(way, f"dev-one/first/train/{n}") for n in held}
    assert all(m.evaluation_text == _text(int(m.evaluation.rpartition("/")[2])) for m in audit)
    rejects = [r for r in storage.read_jsonl(folder / "rejects.jsonl", dict[str, str]) if r["for"] == "two"]
    assert Counter(r["reason"] for r in rejects) == {f"contaminated by {way}": 4}
    assert all("dev-one/first/train/" in r["detail"] for r in rejects)


@pytest.mark.usefixtures("toys")
def test_a_dev_sample_has_nothing_of_a_test_set(tmp_path: Path) -> None:
    folder = built(tmp_path, toy("text", ["sealed"]))
    held = {int(e.record) for e in examples(folder / "dev-one.parquet")}
    # Others take the places of the documents of the test set, which are told.
    assert len(held) == 4
    assert min(held) >= 20
    rejects = [r for r in storage.read_jsonl(folder / "rejects.jsonl", dict[str, str]) if r["for"] == "dev-one"]
    assert rejects
    assert all(r["reason"].startswith("contaminated by") and "sealed/test/" in r["detail"] for r in rejects)
    assert all(int(r["where"].rpartition("/")[2]) < 20 for r in rejects)


@pytest.mark.usefixtures("toys")
def test_a_dev_sample_without_records_is_refused(tmp_path: Path) -> None:
    recipe = toy("document id", ["sealed"])
    recipe["stages"][0]["dev"] = {"data": [{"corpus": "near_duplicate", "task": "ner"}]}
    recipe["stages"][0]["data"] = [{"corpus": "overlap", "task": "ner"}]
    assert {int(e.record) for e in examples(built(tmp_path, recipe) / "dev-one.parquet")} == set(range(120, 140))
    known = catalogue.get("near_duplicate").files["train"][0].read

    def few(path: Path, **_: Any) -> Iterator[Document | Reject]:
        yield from (item for item in known(path, split="train") if not isinstance(item, Reject) and int(item.id) < 120)

    source = Source(path="test_build_dev.py", read=few)
    object.__setattr__(catalogue.get("near_duplicate"), "files", {"train": (source,)})
    with pytest.raises(RecipeError, match=r"stage one: the dev sample is empty; got .*contaminated"):
        built(tmp_path / "few", recipe)


# --- recipes ---------------------------------------------------------------------------------------------------------

NER: dict[str, Any] = {"corpus": "demo_cdr", "task": "ner"}
TC: dict[str, Any] = {"corpus": "demo_qic", "task": "tc"}
FAULTS: list[tuple[list[dict[str, Any]], str]] = [
    ([{"dev": {"data": [NER]}}], "stages.0.data.0.splits.0: .*never trained on; .*that of the dev sample of stage one"),
    ([{"dev": {"data": [TC | {"splits": ["test"]}]}}], "stages.0.dev.data.0.splits.0: a model is never chosen by"),
    ([{"dev": {"data": [TC | {"corpus": "demo_qid"}]}}], "stages.0.dev.data.0.corpus: .*Did you mean 'demo_qic'"),
    ([{"dev": {"data": [TC | {"splits": ["dev"], "draws": 5}]}}], "stages.0.dev.data.0.draws: each record .*once"),
    ([{"dev": {"data": [TC | {"task": "text"}]}}], "stages.0.dev.data.0.task: a model is evaluated by its answers"),
    ([{"dev": {}}, {"name": "dev-one", "data": [TC]}], "stages.1.name: the dev sample of stage 'one' has this name"),
    ([{}, {"name": "two", "replay": ["one"], "dev": {}}], "stages.1.dev: stage 'two' has no records of its own"),
    ([{"name": "base"}], "stages.0.name: no stage is named as the base"),
    ([{"init_from": "two"}], "stages.0.init_from: .*begins from what is no earlier stage; got 'two'"),
    ([{}, {"name": "two", "data": [TC], "init_from": "oen"}], "stages.1.init_from: .*Did you mean 'one'"),
    (
        [{"method": "full"}, {"name": "two", "data": [TC], "method": "lora", "adapter": "continue"}],
        "stages.1.adapter: .*got continue, .*'one', trained by method full; expected new",
    ),
    (
        [{"method": "lora"}, {"name": "two", "data": [TC], "method": "lora", "adapter": "new"}],
        "stages.1.adapter: .*has an adapter already; .*expected continue, or merge",
    ),
    (
        [{"method": "lora", "lora": {"r": 8}}, {"name": "two", "data": [TC], "method": "lora", "lora": {"r": 16}}],
        "stages.1.lora.r: an adapter that is trained on keeps its shape; got 16; expected 8",
    ),
]
FITS: list[list[dict[str, Any]]] = [
    # A base may be an adapter.
    [{"method": "lora", "adapter": "continue"}],
    [{"method": "lora", "adapter": "merge"}],
    [{"dev": {"data": [TC | {"splits": ["dev"]}]}}],
    [{"dev": {}}, {"name": "two", "replay": ["one"], "dev": {}}],
    [{"method": "lora"}, {"name": "two", "data": [TC], "init_from": "base", "method": "lora", "adapter": "new"}],
    [{"method": "lora"}, {"name": "two", "data": [TC], "method": "lora", "adapter": "merge", "lora": {"r": 2}}],
    [{"method": "lora", "lora": {"r": 8}}, {"name": "two", "data": [TC], "method": "qlora", "adapter": "continue"}],
    [{"method": "lora"}, {"name": "two", "data": [TC], "method": "full", "adapter": "merge"}],
    [{}, {"name": "two", "data": [TC]}, {"name": "three", "init_from": "one", "kind": "grpo", "replay": ["two"]}],
]


def loaded(folder: Path, stages: list[dict[str, Any]]) -> Recipe:
    first, *others = stages
    whole = [{"name": "one", "data": [NER]} | first, *others]
    path = folder / "held.yaml"
    said = {"name": "held", "base": "some/model", "stages": whole, "evaluate": {"suites": ["demo_qic_tc"]}}
    path.write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")
    return load(path)


@pytest.mark.parametrize(("stages", "said"), FAULTS, ids=[said[:60] for _, said in FAULTS])
def test_what_cannot_be_is_refused_with_its_line(tmp_path: Path, stages: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(RecipeError, match=rf"held\.yaml:\d+: {said}"):
        loaded(tmp_path, stages)


@pytest.mark.parametrize("stages", FITS)
def test_what_can_be_is_taken(tmp_path: Path, stages: list[dict[str, Any]]) -> None:
    assert len(loaded(tmp_path, stages).stages) == len(stages)


# --- real corpora ----------------------------------------------------------------------------------------------------


@pytest.mark.real
def test_no_real_training_example_shares_a_document_with_a_dev_example(tmp_path: Path) -> None:
    data = [{"corpus": "bc5cdr", "task": task} for task in ("ner", "re")]
    stages = [
        {"name": "one", "data": data[:1], "dev": {"records": 60}},
        {"name": "two", "data": data[1:], "dev": {"records": 30}},
    ]
    recipe = Recipe.model_validate(
        {"name": "real", "stages": stages, "evaluate": {"suites": ["bc5cdr_disease"], "max_records": 5}}
    )
    run = Run(recipe, tmp_path, catalogue.corpora_dir(), Log(tmp_path, Console(quiet=True)), engine=Local(1))
    folder = build(run)
    # A tenth of the 500 documents at most.
    assert manifest(folder).facts["dev"] == {"one": {"bc5cdr ner en": 50}, "two": {"bc5cdr re en": 30}}

    def ids(name: str) -> set[str]:
        return {identifier for e in examples(folder / f"{name}.parquet") for identifier in e.document_ids}

    held, trained = ids("dev-one") | ids("dev-two"), ids("one") | ids("two")
    assert len(held) >= 50
    assert len(trained) > 400
    assert not held & trained
    assert msgspec.json.decode((folder / "statistics.json").read_bytes())
