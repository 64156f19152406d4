"""Texts as they stand: what of a record is read, in which windows, cleaned as all training data, and how learned."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from taiyi import catalogue, storage, tasks
from taiyi.build.collect import Shard, collect
from taiyi.build.instructions import Instructions
from taiyi.build.records import place
from taiyi.build.settings import TEXT_CHARS, Selection
from taiyi.encoding import Encoder
from taiyi.errors import RecipeError, SchemaError
from taiyi.evaluate.tables import statistics_table
from taiyi.look import examples as look
from taiyi.look import rows
from taiyi.manifest import Log, manifest
from taiyi.recipe import Recipe, load
from taiyi.schema import (
    Dialogue,
    Document,
    Example,
    FreeText,
    Labelled,
    Option,
    Pair,
    Parallel,
    Question,
    Record,
    TextToStruct,
    TextToText,
    TreeNode,
    Triple,
    Turn,
)
from taiyi.steps import Run, build, export, statistics_rows
from taiyi.train.tokenizer import train_bpe

HEAD: dict[str, Any] = {"id": "1", "corpus": "demo_cdr", "split": "train", "lang": "en"}
TEXT = tasks.get("text")

RECORDS: list[tuple[Record, str]] = [
    (Document(**HEAD, text=" Aspirin helps. \n"), " Aspirin helps. \n"),
    (Labelled(**HEAD, text="A fever.", labels=("sign",)), "A fever."),
    (Pair(**HEAD, first="He coughs.", second="He has a cough.", label="entailment"), "He coughs.\nHe has a cough."),
    (
        Question(
            **HEAD,
            kind="choice",
            question="Which vitamin?",
            answers=("B",),
            contexts=("Scurvy is a lack of it.",),
            options=(Option(key="A", text="K"), Option(key="B", text="C")),
            long_answer="It is C.",
        ),
        "Scurvy is a lack of it.\nWhich vitamin?\nK\nC",
    ),
    (Question(**HEAD, kind="simple", question="What is it?", answers=("An answer.",)), "What is it?"),
    (
        Dialogue(
            **HEAD,
            turns=(Turn(role="system", text=""), Turn(role="user", text="Hi "), Turn(role="assistant", text="Yes?")),
        ),
        "Hi\nYes?",
    ),
    (Parallel(**HEAD, source="Fever.", target="发热。", target_lang="zh"), "Fever.\n发热。"),
    (TextToText(**HEAD, kind="summary", source="A long text.", target="Short."), "A long text.\nShort."),
    (TextToText(**HEAD, kind="title", source="The abstract.", target="The title"), "The title\nThe abstract."),
    (
        TextToStruct(
            **HEAD,
            source="If fever, rest.",
            nodes=(TreeNode(role="decision", triples=(Triple(head="a", tail="b", type="c"),)),),
        ),
        "If fever, rest.",
    ),
]


def rendered(record: Record, **selection: Any) -> list[Any]:
    wanted = Selection(corpus="demo_cdr", task="text", **selection)
    made = Instructions(wanted, TEXT, catalogue.get("demo_cdr"), seed=1, training=True)
    return list(made.of(record))


@pytest.mark.parametrize(("record", "text"), RECORDS, ids=lambda case: type(case).__name__)
def test_the_texts_of_a_record_stand_in_reading_order(record: Record, text: str) -> None:
    assert TEXT.applies(record)
    assert TEXT.texts(record)[0] == text
    [example] = rendered(record)
    assert (example.messages, example.answer, example.gold) == ((), text.strip(), FreeText(text=text.strip()))
    assert (example.task, example.lang, example.types, example.tagging) == ("text", "en", (), None)
    assert example.id == f"demo_cdr/train/1#text.en.01.text@{len(text) - len(text.lstrip())}"


@pytest.mark.parametrize("chars", [1, 30, 90])
def test_long_texts_of_every_form_are_cut_between_sentences(chars: int) -> None:
    turns = [f"This is the sentence number {n} of it." for n in range(8)]
    said = [Turn(role=("user", "assistant")[n % 2], text=text) for n, text in enumerate(turns)]  # pyright: ignore[reportArgumentType]
    for record in (Document(**HEAD, text=" ".join(turns)), Dialogue(**HEAD, turns=tuple(said))):
        found = rendered(record, window_chars=chars)
        whole = TEXT.texts(record)[0]
        assert len(found) == {1: 8, 30: 8, 90: 4}[chars]
        assert "".join("".join(e.answer.split()) for e in found) == "".join(whole.split())
        assert all(whole[e.offset :].startswith(e.answer) for e in found)
        assert len({e.id for e in found}) == len(found)


def test_texts_are_cut_where_a_recipe_says_nothing() -> None:
    assert Selection(corpus="demo_cdr", task="text").window_chars == TEXT_CHARS
    assert Selection(corpus="demo_cdr", task="text", window_chars=0).window_chars == 0
    assert Selection(corpus="demo_cdr", task="ner").window_chars == 0


def test_only_texts_have_no_prompt() -> None:
    assert "text" not in tasks.names()
    with pytest.raises(SchemaError, match="does not end with the user"):
        Example(**_example() | {"messages": (look_message(),)})


def _example() -> dict[str, Any]:
    [example] = rendered(RECORDS[0][0])
    return {name: getattr(example, name) for name in example.__struct_fields__}


def look_message() -> Any:
    from taiyi.schema import Message

    return Message(role="assistant", content="x")


# --- learned ---------------------------------------------------------------------------------------------------------


def test_all_tokens_but_the_first_are_learned() -> None:
    texts = [text for _, text in RECORDS]
    tokenizer = train_bpe(texts, vocab_size=300, tags=[])
    encoder = Encoder(tokenizer)
    for record, text in RECORDS:
        [example] = rendered(record)
        row = encoder.row(example)
        assert row.ids[-1] == encoder.end
        assert tokenizer.decode(row.ids[:-1]) == text.strip()
        assert row.targets == list(range(1, len(row.ids)))
        assert row.choices == [()] * len(row.targets)
        assert row.positions == list(range(len(row.ids)))


def test_a_tokenizer_learns_from_them(made: Path) -> None:
    from taiyi.steps.training import _texts  # pyright: ignore[reportPrivateUsage]

    [example, *_] = examples(made / "warm.parquet")
    assert list(_texts(example)) == [example.answer]


# --- the step --------------------------------------------------------------------------------------------------------

CORPORA = ("demo_cdr", "demo_cmeee", "demo_chat", "demo_qa_zh", "demo_pubmedqa", "demo_hoc")
RECIPE: dict[str, Any] = {
    "name": "plain",
    "seed": 3,
    "stages": [
        {"name": "warm", "kind": "cpt", "data": [{"corpus": name, "task": "text"} for name in CORPORA]},
        {"name": "more", "kind": "cpt", "replay": ["warm"], "data": [{"corpus": "demo_qic", "task": "text"}]},
        {"name": "asked", "dev": {"records": 6}, "data": [{"corpus": "demo_cdr", "task": "ner"}]},
    ],
    "deduplicate": {"near": False},
    "decontaminate": {"by_overlap": False, "by_near_duplicate": False, "text_chars_en": 1, "text_chars_zh": 1},
    "evaluate": {"suites": ["demo"]},
}


def examples(path: Path) -> list[Example]:
    return list(storage.read_parquet(path, Example))


def built(folder: Path, recipe: dict[str, Any] = RECIPE) -> Path:
    return build(Run(Recipe.model_validate(recipe), folder, folder, Log(folder, Console(quiet=True))))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("plain") / "run")


def test_every_corpus_gives_its_texts(made: Path) -> None:
    found = examples(made / "warm.parquet")
    assert {e.corpus for e in found} == set(CORPORA)
    assert all(e.messages == () and e.task == "text" and e.answer for e in found)
    langs = {name: {e.lang for e in found if e.corpus == name} for name in CORPORA}
    assert langs["demo_cdr"] == {"en"}
    assert langs["demo_chat"] == {"en", "zh"}
    counts = {row.stage: row.count for row in statistics_rows(made) if row.task == "text" and row.lang == "zh"}
    # What a stage replays is counted with what it has.
    assert counts["more"] > counts["warm"] > 0
    # They are no instructions, which the paper's table counts.
    cells = {row.cells[0]: row.cells for row in statistics_table(list(statistics_rows(made))).rows}
    assert cells["Texts as they stand"][2] == f"{counts['warm']:,}"
    assert [cells["Total"][n] for n in (1, 2, 3, 4)] == ["–"] * 4
    assert cells["Named Entity Recognition"][5] == cells["Total"][5] != "–"


def test_texts_are_held_against_test_sets_and_dev_samples(made: Path) -> None:
    held = {e.record for e in examples(made / "dev-asked.parquet")}
    trained = {e.record for e in examples(made / "warm.parquet") if e.corpus == "demo_cdr"}
    assert held
    assert not held & trained
    rejects = Counter((r["for"], r["reason"]) for r in storage.read_jsonl(made / "rejects.jsonl", dict[str, str]))
    assert rejects["warm", "kept out for evaluation during training"] == len(held)
    known = {
        text
        for path in made.glob("test-*.parquet")
        for e in examples(path)
        for text in (e.tagging.source if e.tagging else "", *(m.content for m in e.messages))
    }
    assert not known & {e.answer for e in examples(made / "warm.parquet")}


def test_a_text_of_two_corpora_is_learned_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = [{"corpus": "demo_cdr", "task": "text"}, {"corpus": "demo_cdr", "task": "text", "max_records": 7}]
    # The same record is no repetition of itself, and the same example is made once.
    stage = {"name": "warm", "kind": "cpt", "data": data}
    folder = built(tmp_path / "one", RECIPE | {"stages": [stage], "evaluate": {}})
    ids = Counter(e.id for e in examples(folder / "warm.parquet"))
    assert max(ids.values()) == 1
    # Another corpus with the same texts, under ids of its own.
    load_all = catalogue.load

    def copied(corpus: Any, split: Any, root: Path) -> Any:
        if corpus.name != "demo_hoc":
            return load_all(corpus, split, root)
        texts = [item for item in load_all(catalogue.get("demo_cdr"), split, root) if isinstance(item, Document)]
        return iter(
            Labelled(**HEAD | {"id": f"h{n}", "corpus": "demo_hoc"}, text=item.text, labels=())
            for n, item in enumerate(texts)
        )

    monkeypatch.setattr(catalogue, "load", copied)
    stage = {"name": "warm", "kind": "cpt", "data": [{"corpus": c, "task": "text"} for c in ("demo_cdr", "demo_hoc")]}
    folder = built(tmp_path / "two", RECIPE | {"stages": [stage], "evaluate": {}})
    found = examples(folder / "warm.parquet")
    assert {e.corpus for e in found} == {"demo_cdr"}
    reasons = manifest(folder).facts["rejects"]["warm"]
    assert reasons == {"duplicate": len({e.record for e in found})}


@pytest.mark.parametrize("form", ["openai", "alpaca", "sharegpt", "taiyi"])
def test_texts_are_exported_as_texts(made: Path, tmp_path: Path, form: str) -> None:
    done = export.export(made, form, tmp_path, console=Console(quiet=True))
    assert [(file.name, file.texts) for file in done.files] == [
        ("warm.jsonl", True),
        ("more.jsonl", True),
        ("asked.jsonl", False),
    ]
    assert not done.rejects
    written = [json.loads(line) for line in (tmp_path / "warm.jsonl").read_text("utf-8").splitlines()]
    assert [row["text"] for row in written] == [e.answer for e in examples(made / "warm.parquet")]
    assert {"id", "corpus", "task", "lang", "split", "template", "text"} == set(written[0])
    if form != "taiyi":
        described = json.loads((tmp_path / "dataset_info.json").read_text("utf-8"))
        [entry] = [entry for entry in described.values() if entry["file_name"] == "warm.jsonl"]
        assert entry == {"file_name": "warm.jsonl", "columns": {"prompt": "text"}}
    card = (tmp_path / "README.md").read_text("utf-8")
    assert "`warm.jsonl`, `more.jsonl` are texts for continued pre-training, under `text`" in card
    assert "Texts as they stand (`text`)" in card


def test_texts_can_be_looked_at(made: Path) -> None:
    data = look.find(made.parent)
    [(stage, example)] = look.choose(data, stage="warm", corpus="demo_chat")
    seen = rows.see(stage, example, None)
    assert [piece.state for piece in seen.pieces] == ["learned"] * len(seen.pieces)
    assert "".join(piece.text for piece in seen.pieces).strip() == example.answer
    assert seen.says_all
    [(name, _)] = look.choose(data, stage="dev-asked")
    assert name == "dev-asked"


# --- recipes ---------------------------------------------------------------------------------------------------------

PLAIN: dict[str, Any] = {"corpus": "demo_cdr", "task": "text"}
NER: dict[str, Any] = {"corpus": "demo_cdr", "task": "ner"}
DATA = "stages.0.data.0"
FAULTS: list[tuple[list[dict[str, Any]], str]] = [
    ([{"kind": "cpt", "data": [NER]}], f"{DATA}.task: a stage of kind cpt learns texts as they stand; got ner"),
    ([{"data": [PLAIN]}], f"{DATA}.task: a stage of kind sft learns from answers, and the task text has none"),
    ([{"kind": "grpo", "data": [PLAIN]}], f"{DATA}.task: a stage of kind grpo learns from answers"),
    ([{"kind": "cpt", "data": [PLAIN], "dev": {}}], "stages.0.dev: the texts of a stage of kind cpt ask nothing"),
    ([{"kind": "cpt", "data": [PLAIN | {"templates": ["01"]}]}], f"{DATA}.templates: texts are learned without a word"),
    ([{"kind": "cpt", "data": [PLAIN | {"prompt": {"form": True}}]}], f"{DATA}.prompt: .* without a prompt"),
    ([{"kind": "cpt", "data": [PLAIN | {"empty": 0.5}]}], f"{DATA}.empty: the answer is never empty"),
    ([{"kind": "cpt", "data": [PLAIN | {"subtasks": [["Chemical"]]}]}], f"{DATA}.subtasks: there are no types"),
    ([{"kind": "cpt", "data": [PLAIN | {"merge_types": {"a": "b"}}]}], f"{DATA}.merge_types: only tasks about ent"),
    ([{"kind": "cpt", "data": [PLAIN | {"form": "list"}]}], f"{DATA}.form: the task text has no such form"),
    ([{"kind": "cpt", "data": [PLAIN | {"templates_per_record": 2}]}], f"{DATA}.templates_per_record: .*at most 1"),
    (
        [{"kind": "cpt", "data": [PLAIN]}, {"name": "two", "data": [NER], "replay": ["one"]}],
        "stages.1.replay.0: a stage of kind sft cannot train on the data of one of kind cpt; .*expected .*kind sft",
    ),
    (
        [{"data": [NER]}, {"name": "two", "kind": "cpt", "data": [PLAIN], "replay": ["one"]}],
        "stages.1.replay.0: a stage of kind cpt cannot train on the data of one of kind sft",
    ),
    (
        [{"kind": "cpt", "data": [PLAIN]}, {"name": "two", "kind": "dpo", "data": [NER], "replay": ["one"]}],
        "stages.1.replay.0: a stage of kind dpo cannot train on the data of one of kind cpt",
    ),
]


def loaded(folder: Path, stages: list[dict[str, Any]]) -> Recipe:
    first, *others = stages
    path = folder / "plain.yaml"
    said = {"name": "plain", "stages": [{"name": "one"} | first, *others]}
    path.write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")
    return load(path)


@pytest.mark.parametrize(("stages", "said"), FAULTS, ids=[said[:60] for _, said in FAULTS])
def test_what_cannot_be_is_refused_with_its_line(tmp_path: Path, stages: list[dict[str, Any]], said: str) -> None:
    stages = [stage | ({"batch_tokens": 4096} if stage.get("kind") == "dpo" else {}) for stage in stages]
    with pytest.raises(RecipeError, match=rf"plain\.yaml:\d+: {said}"):
        loaded(tmp_path, stages)


def test_every_corpus_has_texts(tmp_path: Path) -> None:
    data = [{"corpus": corpus.name, "task": "text"} for corpus in catalogue.all_corpora()]
    dev = {"data": [{"corpus": "demo_cdr", "task": "ner", "splits": ["test"]}]}
    data = [chosen | {"splits": list(catalogue.get(chosen["corpus"]).splits[:1])} for chosen in data]
    dev["data"][0]["splits"] = ["test"]
    assert len(loaded(tmp_path, [{"kind": "cpt", "data": data, "dev": dev}]).stages[0].data) == len(data)


# --- real corpora ----------------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "split"), [("bc5cdr", "train"), ("cmeee_chip2020", "train"), ("xywy_disease_subset", "train")]
)
def test_the_texts_of_real_corpora_are_learned_whole(tmp_path: Path, name: str, split: Any) -> None:
    corpus, root = catalogue.get(name), catalogue.corpora_dir()
    if not corpus.layout(split, root):
        pytest.skip(f"{name} is not here")
    shard = Shard(corpus=name, split=split, task="text", max_records=200, seed=1)
    [part] = collect(shard, root, tmp_path).parts
    wanted = Selection(corpus=name, task="text")
    made = Instructions(wanted, TEXT, corpus, seed=1, training=True)
    from taiyi.build.collect import Stored

    sizes: list[int] = []
    for stored in storage.read_parquet(tmp_path / part, Stored):
        record = stored.read()
        found = [e for e in made.of(record) if isinstance(e, Example)]
        assert "".join("".join(e.answer.split()) for e in found) == "".join(TEXT.texts(record)[0].split()), place(
            record
        )
        sizes += [len(e.answer) for e in found]
    assert len(sizes) >= 200
    # Sentences longer than a window are rare.
    assert sum(size > TEXT_CHARS for size in sizes) <= len(sizes) // 50
