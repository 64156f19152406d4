"""From records to examples: windows, templates, sub-tasks, the data step, and what is left out."""

from __future__ import annotations

import dataclasses
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi import catalogue, storage, tasks
from taiyi.build import statistics
from taiyi.build.collect import Shard, collect
from taiyi.build.decontaminate import Match
from taiyi.build.instructions import Instructions
from taiyi.build.queries import names_of
from taiyi.build.records import relabel
from taiyi.build.rendering import render_part
from taiyi.build.settings import Selection
from taiyi.build.windows import windows
from taiyi.catalogue import Corpus, Source, TypeName
from taiyi.errors import RecipeError, TemplateError
from taiyi.manifest import Log, manifest
from taiyi.recipe import Recipe
from taiyi.schema import Document, Entity, Example, Labelled, Mentions, Parallel, Record, Reject, Span, Split
from taiyi.steps import Run, build

HEAD: dict[str, Any] = {"corpus": "toy", "split": "train", "lang": "en"}
TYPES = {name: TypeName(en=name.lower(), zh=f"{name}类") for name in ("Chemical", "Disease", "Rare")}
LABELS = {name: TypeName(en=f"label {name}", zh=f"标签{name}") for name in "abc"}


def corpus(*items: Record | Reject, **parts: Any) -> Corpus:
    """A corpus that holds the given records."""

    def read(path: Path, **_: Any) -> Iterator[Record | Reject]:
        yield from items

    given = {
        "name": "toy",
        "title": "Toy",
        "langs": ("en",),
        "tasks": ("ner", "tc"),
        "licence": "x",
        "access": "open",
        "homepage": "http://x",
        "citation": "x",
        "verified": "fixture",
        "files": {"train": (Source(path=".", read=read),)},
        "entity_types": TYPES,
        "labels": LABELS,
        "bundled": Path(__file__).parent,
    }
    return Corpus(**(given | parts))


def document(identifier: str, text: str, *mentions: tuple[str, int, int]) -> Document:
    entities = tuple(
        Entity(id=f"T{i}", type=kind, text=text[start:end], spans=(Span(start, end),))
        for i, (kind, start, end) in enumerate(mentions)
    )
    return Document(**HEAD, id=identifier, text=text, entities=entities, document_ids=(f"PMID:{identifier}",))


def made(
    records: Corpus, monkeypatch: pytest.MonkeyPatch, *, training: bool = True, seed: int = 1, **selection: Any
) -> list[Any]:
    """What the shards of a selection and their examples are, and what is left out on the way."""
    monkeypatch.setattr(catalogue, "get", lambda _: records)
    wanted = Selection(**({"corpus": "toy", "task": "ner"} | selection))
    found: list[Any] = []
    with tempfile.TemporaryDirectory() as made:
        for split in wanted.splits:
            folder = Path(made) / split
            shard = Shard(
                corpus="toy",
                split=split,
                task=wanted.task,
                merge_types=wanted.merge_types,
                reverse=wanted.reverse,
                max_records=wanted.max_records,
                seed=seed,
            )
            parts = collect(shard, Path(), folder).parts
            found += storage.read_jsonl(folder / "rejects.jsonl", Reject)
            for part in (folder / name for name in parts):
                draws = [wanted.templates_per_record] * storage.num_rows(part)
                render_part(part, draws, wanted, Path(), seed, folder / "examples", training=training)
                found += storage.read_parquet(folder / "examples.parquet", Example)
                found += storage.read_jsonl(folder / "examples.jsonl", Reject)
    return found


RECORDS = [document(str(i), f"Drug {i} cures flu.", ("Chemical", 0, 4), ("Disease", 13, 16)) for i in range(20)]


# --- windows ---------------------------------------------------------------------------------------------------------


@given(st.text(st.sampled_from("ab病。.！? \n\t”AB1")), st.integers(0, 30))
def test_windows_cover_every_character_once(text: str, size: int) -> None:
    found = windows(text, size)
    covered = Counter(i for start, end in found for i in range(start, end))
    assert all(covered[i] == 1 for i, character in enumerate(text) if not character.isspace())
    assert set(covered.values()) <= {1}
    assert found == sorted(found)
    if size == 0:
        assert found == [Span(0, len(text))]


def test_windows_are_of_whole_sentences_up_to_a_size() -> None:
    text = "One is. Two is. Three is a longer sentence. Four."
    ends = {size: [text[start:end] for start, end in windows(text, size)] for size in (1, 15, 1000)}
    assert ends[1] == ["One is.", "Two is.", "Three is a longer sentence.", "Four."]
    assert ends[15] == ["One is. Two is.", "Three is a longer sentence.", "Four."]
    assert ends[1000] == [text]


# --- instructions ----------------------------------------------------------------------------------------------------


def test_every_record_becomes_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = made(corpus(*RECORDS), monkeypatch)
    assert [e.record for e in examples] == [r.id for r in RECORDS]
    assert examples[0].document_ids == ("PMID:0",)
    assert {e.form for e in examples} == {"tagged"}
    assert {e.form for e in made(corpus(*RECORDS), monkeypatch, form="list")} == {"list"}


def test_templates_depend_on_the_seed_and_the_record_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(*records: Record, **options: Any) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for example in made(corpus(*records), monkeypatch, **options):
            found.setdefault(example.record, []).append(example.template)
        return found

    whole = drawn(*RECORDS)
    shuffled = random.Random(0).sample(RECORDS, k=7)
    assert drawn(*shuffled) == {r.id: whole[r.id] for r in shuffled}
    assert drawn(*RECORDS, seed=2) != whole
    assert len({template for [template] in whole.values()}) > 1
    both = drawn(*RECORDS, templates_per_record=2)
    assert all(len(set(found)) == 2 for found in both.values())
    assert {t for found in drawn(*RECORDS, templates=("02", "ner.en.03")).values() for t in found} == {
        "ner.en.02",
        "ner.en.03",
    }
    assert drawn(*RECORDS, templates=("02",), templates_per_record=9) == {r.id: ["ner.en.02"] for r in RECORDS}
    with pytest.raises(TemplateError, match="unknown template"):
        drawn(*RECORDS, templates=("77",))


def test_subtasks_ask_for_some_types_each(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = made(
        corpus(RECORDS[0]), monkeypatch, form="list", subtasks=(("Chemical", "Disease"), ("Disease",), ("Rare",))
    )
    assert [[t.name for t in e.types] for e in examples] == [["Chemical", "Disease"], ["Disease"], ["Rare"]]
    assert [e.answer for e in examples] == ["chemical: Drug\ndisease: flu", "disease: flu", "None"]
    assert len({e.id for e in examples}) == 3


@pytest.mark.parametrize("name", ["subtasks", "merge_types"])
def test_an_unknown_type_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    value = {"Diseas": "Chemical"} if name == "merge_types" else (("Diseas",),)
    with pytest.raises(RecipeError, match=f"toy: {name}: unknown type; got Diseas. Did you mean 'Disease'"):
        made(corpus(*RECORDS), monkeypatch, **{name: value})


def test_merged_types_count_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    merged = {"Chemical": "Disease", "Rare": "Disease"}
    [example] = made(corpus(RECORDS[0]), monkeypatch, form="list", merge_types=merged)
    assert [t.name for t in example.types] == ["Disease"]
    assert example.answer == "disease: Drug; flu"
    [example] = made(corpus(RECORDS[0]), monkeypatch, form="list", merge_types={"Chemical": "Thing"})
    assert example.answer == "disease: flu\nthing: Drug"
    assert relabel(RECORDS[0], {"Rare": "Disease"}) == RECORDS[0]


@pytest.mark.parametrize(
    ("new", "en", "zh"),
    [
        ("Disease", "disease", "Disease类"),
        ("Thing", "thing", "Thing"),
        ("DNA", "DNA", "DNA"),
        ("HealthProblem", "HealthProblem", "HealthProblem"),
        ("病症", "病症", "病症"),
    ],
)
def test_merged_types_are_shown_by_names_of_the_corpus_or_as_given(new: str, en: str, zh: str) -> None:
    name = names_of(tasks.get("ner"), corpus(), {"Chemical": new})[new]
    assert (name.shown("en"), name.shown("zh")) == (en, zh)


def test_windows_of_a_document_are_examples_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    record = document("w", "Flu is bad. It hurts. Drugs cure flu.", ("Disease", 0, 3), ("Disease", 33, 36))
    examples = made(corpus(record), monkeypatch, window_chars=12, subtasks=(("Disease",),))
    assert [(e.offset, e.answer) for e in examples] == [
        (0, "<disease>Flu</disease> is bad."),
        (12, "It hurts."),
        (22, "Drugs cure<disease> flu</disease>."),
    ]
    merged = tasks.get("ner").merge([(e, e.gold) for e in examples])
    assert isinstance(merged, Mentions)
    assert [m.span for m in merged.items] == [Span(0, 3), Span(33, 36)]


@pytest.mark.parametrize(
    ("chars", "shown"),
    [(0, "Flu in Rome. It hurts. It ends."), (1, "Flu in Rome."), (12, "Flu in Rome."), (22, "Flu in Rome. It hurts.")],
)
def test_of_a_text_with_labels_the_first_sentences_can_be_shown_alone(
    monkeypatch: pytest.MonkeyPatch, chars: int, shown: str
) -> None:
    record = Labelled(**HEAD, id="l", text="Flu in Rome. It hurts. It ends.", labels=("a",))
    [example] = made(corpus(record), monkeypatch, task="tc", lead_chars=chars)
    assert isinstance(example, Example)
    assert example.answer == "label a"
    sentences = ("Flu in Rome.", "It hurts.", "It ends.")
    prompt = example.messages[-1].content
    assert [s for s in sentences if s in prompt] == [s for s in sentences if s in shown]


def test_training_leaves_out_what_its_form_cannot_hold_and_evaluation_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    crossing = document("x", "acute flu pain", ("Disease", 0, 9), ("Disease", 6, 14))
    [reject] = made(corpus(crossing), monkeypatch)
    assert isinstance(reject, Reject)
    assert reject.reason == "the answer does not hold all of the gold"
    assert reject.where.startswith("toy/train/x#ner.en.")
    [kept] = made(corpus(crossing), monkeypatch, training=False)
    assert isinstance(kept, Example)
    assert isinstance(made(corpus(crossing), monkeypatch, form="list")[0], Example)


def test_what_is_rejected_or_not_drawn_is_passed_on_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    malformed = Reject(where="toy.txt:3", reason="malformed line")
    unknown = Labelled(**HEAD, id="l", text="x", labels=("z",))
    items = made(corpus(*RECORDS, malformed), monkeypatch, max_records=5)
    rejects = [item for item in items if isinstance(item, Reject)]
    assert statistics.count_reasons(rejects) == {"over max_records": 15, "malformed line": 1}
    assert made(corpus(*RECORDS, malformed), monkeypatch, max_records=5) == items
    assert made(corpus(*RECORDS, malformed), monkeypatch, max_records=5, seed=9) != items
    [item] = made(corpus(unknown), monkeypatch, task="tc")
    assert item.reason == "a label is not in the corpus's set"


def test_records_that_are_of_another_task_or_whose_id_is_used_twice_are_rejected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = Labelled(**HEAD, id="l", text="x", labels=("a",))
    again = msgspec.structs.replace(RECORDS[1], text="Drug 9 cures flu.")
    items = made(corpus(*RECORDS[:3], other, again), monkeypatch)
    assert [item.record for item in items if isinstance(item, Example)] == ["0", "1", "2"]
    assert [item for item in items if isinstance(item, Reject)] == [
        Reject(where="toy/train/l", reason="not a record for this task", detail="ner"),
        Reject(where="toy/train/1", reason="record id is used twice", detail="the first is kept"),
    ]


def test_the_same_id_in_another_split_is_another_record(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(path: Path, *, split: Split, **_: Any) -> Iterator[Record]:
        yield msgspec.structs.replace(RECORDS[0], split=split)

    source = (Source(path=".", read=read),)
    items = made(corpus(files={"train": source, "dev": source}), monkeypatch, splits=("train", "dev"))
    assert [(item.split, item.record) for item in items] == [("train", "0"), ("dev", "0")]


def test_max_records_is_of_each_split(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(path: Path, *, split: Split, **_: Any) -> Iterator[Record]:
        yield from (msgspec.structs.replace(record, split=split) for record in RECORDS)

    source = (Source(path=".", read=read),)
    items = made(corpus(files={"train": source, "dev": source}), monkeypatch, splits=("train", "dev"), max_records=3)
    assert Counter(item.split for item in items if isinstance(item, Example)) == {"train": 3, "dev": 3}


def examples_of(*records: Record, **selection: Any) -> list[Example]:
    wanted = Selection(**({"corpus": "toy", "task": "ner", "form": "list", "templates": ("01",)} | selection))
    of_toy = Instructions(wanted, tasks.get(wanted.task), corpus(), seed=0, training=False)
    found = [x for record in records for x in of_toy.of(record, draws=wanted.templates_per_record)]
    assert all(isinstance(x, Example) for x in found)
    return [x for x in found if isinstance(x, Example)]


def test_what_is_asked_with_something_beside_the_wording_is_an_example_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain, dressed = (
        made(corpus(RECORDS[0]), monkeypatch, templates=("01",), prompt=prompt)[0]
        for prompt in ({}, {"corpus": True, "form": True})
    )
    assert dressed.id == f"{plain.id}~corpus+form"
    assert plain.messages[0].content in dressed.messages[0].content


def test_translations_are_asked_for_in_the_other_direction(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Parallel(**HEAD, id="p", source="Flu is bad.", target="流感很糟。", target_lang="zh")
    there, back = (made(corpus(pair), monkeypatch, task="mt", reverse=reverse)[0] for reverse in (False, True))
    assert (there.answer, back.answer) == ("流感很糟。", "Flu is bad.")
    assert (there.lang, back.lang) == ("en", "zh")
    assert there.id != back.id
    assert "流感很糟。" in back.messages[0].content


def test_a_form_or_names_that_are_not_there_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecipeError, match=r"the task ner has no such form; got lst\. Did you mean 'list'"):
        made(corpus(*RECORDS), monkeypatch, form="lst")
    with pytest.raises(RecipeError, match="toy: the corpus has nothing to ask for in tc"):
        made(corpus(Labelled(**HEAD, id="l", text="x", labels=()), labels={}), monkeypatch, task="tc")


# --- the step --------------------------------------------------------------------------------------------------------


def test_the_data_step_writes_examples_rejects_audit_and_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leak = msgspec.structs.replace(RECORDS[3], id="9", split="test", document_ids=())
    texts = [msgspec.structs.replace(RECORDS[0], id="copy"), leak]

    def read(path: Path, *, split: Split, **_: Any) -> Iterator[Record | Reject]:
        yield from [*RECORDS, texts[0], Reject(where="f:1", reason="malformed line")] if split == "train" else texts[1:]

    def named(*arguments: Any, **options: Any) -> Iterator[Record | Reject]:
        for item in read(*arguments, **options):
            yield item if isinstance(item, Reject) else msgspec.structs.replace(item, corpus="demo_cdr")

    source = (Source(path="test_build.py", read=named),)
    toy = dataclasses.replace(corpus(), name="demo_cdr", files={"train": source, "test": source})
    monkeypatch.setattr(catalogue, "get", lambda _: toy)
    recipe = Recipe.model_validate(
        {
            "name": "toy",
            "stages": [
                {"name": "one", "data": [{"corpus": "demo_cdr", "task": "ner"}]},
                {"name": "two", "replay": ["one"]},
            ],
            "decontaminate": {"text_chars_en": 1},
            "evaluate": {"suites": ["demo_cdr_ner"]},
        }
    )
    folder = build(Run(recipe, tmp_path, Path(), Log(tmp_path)))
    training = list(storage.read_parquet(folder / "one.parquet", Example))
    assert sorted(int(e.record) for e in training) == [*range(3), *range(4, 20)]
    [test] = storage.read_parquet(folder / "test-demo_cdr_ner.parquet", Example)
    assert (test.record, test.template) == ("9", "ner.en.01")
    audit = list(storage.read_jsonl(folder / "decontamination.jsonl", Match))
    assert [(m.by, m.evaluation) for m in audit] == [("text", "demo_cdr/test/9")]
    rejects = list(storage.read_jsonl(folder / "rejects.jsonl", dict[str, str]))
    reasons = Counter((row["for"], row["reason"]) for row in rejects)
    assert reasons == {("one", "malformed line"): 1, ("one", "duplicate"): 1, ("one", "contaminated by text"): 1}
    facts = manifest(folder).facts
    assert facts["left_out"] == {"demo_cdr_ner": {"records": 0, "faults": 0}}
    assert facts["decontaminated"] == [["demo_cdr", "test"]]
    assert facts["training"] == {"one": {"demo_cdr ner train": 19}, "two": {}}
    assert facts["rejects"] == {"one": {reason: 1 for _, reason in reasons}}
    counts = storage.read_json(folder / "statistics.json", list[statistics.TaskCount])
    assert [(c.stage, c.task, c.lang, c.num_examples, c.num_records) for c in counts] == [
        ("one", "ner", "en", 19, 19),
        ("two", "ner", "en", 19, 19),
    ]


def test_training_is_clean_of_the_whole_test_set_even_where_a_sample_is_evaluated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path, *, split: Split, **_: Any) -> Iterator[Record | Reject]:
        records = RECORDS if split == "train" else [msgspec.structs.replace(r, split="test") for r in RECORDS[:15]]
        for record in records:
            yield msgspec.structs.replace(record, corpus="demo_cdr")
        if split == "test":
            last = msgspec.structs.replace(records[-1], corpus="demo_cdr")
            yield last
            yield msgspec.structs.replace(last, id="tag", text="Is <disease> a tag?", entities=())
            yield Labelled(id="l", corpus="demo_cdr", split="test", lang="en", text="x", labels=())
            yield Reject(where="f:1", reason="malformed line")

    source = (Source(path="test_build.py", read=read),)
    toy = dataclasses.replace(corpus(), name="demo_cdr", files={"train": source, "test": source})
    monkeypatch.setattr(catalogue, "get", lambda _: toy)
    recipe = Recipe.model_validate(
        {
            "name": "toy",
            "stages": [{"name": "one", "data": [{"corpus": "demo_cdr", "task": "ner"}]}],
            "evaluate": {"suites": ["demo_cdr_ner"], "max_records": 15},
        }
    )
    folder = build(Run(recipe, tmp_path, Path(), Log(tmp_path)))
    training = {e.record for e in storage.read_parquet(folder / "one.parquet", Example)}
    assert training == {r.id for r in RECORDS[15:]}
    facts = manifest(folder).facts
    assert facts["tests"] == {"demo_cdr_ner": 14}
    assert facts["left_out"] == {"demo_cdr_ner": {"records": 3, "faults": 1}}
    assert facts["rejects"]["demo_cdr_ner"] == {
        "over max_records": 1,
        "record id is used twice": 1,
        "the text contains a tag": 1,
        "not a record for this task": 1,
        "malformed line": 1,
    }


def test_data_is_the_same_bytes_from_the_same_recipe_and_seed(tmp_path: Path) -> None:
    def files(name: str, seed: int) -> dict[str, str]:
        recipe = Recipe.model_validate(
            {
                "name": "toy",
                "seed": seed,
                "stages": [{"name": "one", "data": [{"corpus": "demo_cdr", "task": "ner", "max_records": 5}]}],
                "evaluate": {"suites": ["demo_cdr_ner"]},
            }
        )
        return manifest(build(Run(recipe, tmp_path / name, Path(), Log(tmp_path / name)))).files

    assert files("a", 1) == files("b", 1)
    assert files("c", 2)["one.parquet"] != files("a", 1)["one.parquet"]


def test_counts_are_by_stage_task_and_language(tmp_path: Path) -> None:
    examples = examples_of(*RECORDS[:3], subtasks=(("Disease",), ("Chemical",)))
    own, replayed, none = (tmp_path / f"{name}.parquet" for name in ("own", "replayed", "none"))
    storage.write_parquet(examples, own, Example)
    storage.write_parquet([msgspec.structs.replace(e, corpus="other") for e in examples[:1]], replayed, Example)
    storage.write_parquet([], none, Example)
    counted = statistics.count_tasks("s", [replayed, own, none], {"toy": "general", "other": "general"})
    assert counted == [statistics.TaskCount("s", "ner", "en", 7, 4, "general")]
    assert statistics.count_corpora([own, replayed]) == {"other ner train": 1, "toy ner train": 6}
    assert statistics.count_tasks("s", [], {}) == statistics.count_tasks("s", [none], {}) == []
    assert statistics.count_corpora([none]) == {}
