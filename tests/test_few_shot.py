"""Worked examples before a question: the same for a whole test set, balanced, and never of it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from taiyi import steps, storage
from taiyi.build.few_shot import Shots, balanced
from taiyi.errors import RecipeError
from taiyi.manifest import Log, manifest
from taiyi.recipe import Recipe
from taiyi.schema import Example, FreeText, Labels, Message
from taiyi.text import normalise


def labelled(number: int, *labels: str, messages: tuple[Message, ...] = ()) -> Example:
    return Example(
        id=f"e{number}", corpus="c", task="tc", lang="en", split="train", template="x", form="list", record=str(number),
        messages=messages or (Message(role="user", content=f"q{number}"),), answer=f"a{number}",
        gold=Labels(items=labels),
    )  # fmt: skip


# --- which ones, and where they stand --------------------------------------------------------------------------------


@given(st.lists(st.sampled_from("ABC"), min_size=1, max_size=30), st.integers(1, 12))
def test_labels_are_balanced_as_far_as_there_are_some(labels: list[str], number: int) -> None:
    examples = [labelled(n, label) for n, label in enumerate(labels)]
    chosen = balanced(examples, number)
    assert len(chosen) == min(number, len(examples))
    assert [e.id for e in chosen] == [e.id for e in examples if e in chosen], "they stand in the order that was drawn"
    there = Counter(labels)
    got = Counter(label for e in chosen if isinstance(e.gold, Labels) for label in e.gold.items)
    for one in there:
        for other in there:
            # A label is behind another one only where there are no more of it.
            assert got[one] >= got[other] - 1 or got[one] == there[one]


def test_examples_of_several_labels_and_of_none_count_too() -> None:
    examples = [labelled(0, "A"), labelled(1, "A"), labelled(2, "A", "B"), labelled(3), labelled(4, "B")]
    assert [e.id for e in balanced(examples, 2)] == ["e0", "e2"]
    assert [e.id for e in balanced(examples, 3)] == ["e0", "e2", "e3"]


def test_shots_stand_before_the_question_and_after_what_the_system_says() -> None:
    system, user = Message(role="system", content="s"), Message(role="user", content="u")
    shots = Shots({"en": (labelled(1, "A", messages=(system, user)), labelled(2, "B"))})
    shown = shots.before(labelled(9, "A", messages=(system, Message(role="user", content="asked"))))
    assert [(m.role, m.content) for m in shown.messages] == [
        ("system", "s"), ("user", "u"), ("assistant", "a1"), ("user", "q2"), ("assistant", "a2"), ("user", "asked"),
    ]  # fmt: skip
    assert shown.id == "e9~2shots"
    assert (shown.answer, shown.gold, shown.record) == ("a9", Labels(items=("A",)), "9")
    chinese = Example(
        id="z", corpus="c", task="x", lang="zh", split="test", template="x", form="x", record="z",
        messages=(user,), answer="x", gold=FreeText(text="x"),
    )  # fmt: skip
    assert shots.before(chinese) == chinese


# --- drawn from corpora ----------------------------------------------------------------------------------------------


def run_of(folder: Path, corpora: Path, seed: int = 0, **evaluate: Any) -> steps.Run:
    recipe = Recipe.model_validate({"name": "toy", "base": "some/model", "seed": seed, "evaluate": evaluate})
    return steps.Run(recipe, folder, corpora, Log(folder, Console(quiet=True)))


def built(folder: Path, corpora: Path, **options: Any) -> tuple[Path, dict[str, list[Example]]]:
    run = run_of(folder, corpora, **options)
    data = steps.build(run)
    return data, {
        path.stem.removeprefix("test-"): list(storage.read_parquet(path, Example))
        for path in sorted(data.glob("test-*.parquet"))
    }


def test_every_example_of_a_test_set_is_shown_the_same_shots_and_the_manifest_says_which(tmp_path: Path) -> None:
    data, sets = built(tmp_path / "run", tmp_path, suites=["demo"], few_shot=3, forms={"ner": "list"})
    told = manifest(data).facts["few_shot"]
    assert told.keys() == sets.keys()
    for name, examples in sets.items():
        for lang in {e.lang for e in examples}:
            of = [e for e in examples if e.lang == lang]
            # Before a dialogue stand whole dialogues.
            [before] = {e.messages[: -1 if e.task != "mrd" else 6] for e in of}
            assert len(told[name][lang]) == 3
            assert all(shot.split("#")[0].split("/")[1] == "train" for shot in told[name][lang])
            if name != "demo_chat_mrd":
                assert [m.role for m in before] == ["user", "assistant"] * 3
        assert all(e.id.endswith("~3shots") for e in examples)
    # Shots are asked in the same words and forms as what they stand before.
    first, answer, *_, last = sets["demo_cmeee_ner"][0].messages
    assert first.content[:20] == last.content[:20]
    assert first.content != last.content
    assert "：" in answer.content
    assert "<" not in answer.content


def test_shots_follow_from_the_seed_and_are_another_step(tmp_path: Path) -> None:
    told = [
        (data, manifest(data).facts.get("few_shot"), {e.id for e in sets["demo_qic_tc"]})
        for folder, seed, number in (("a", 0, 4), ("b", 0, 4), ("a", 1, 4), ("a", 0, 2), ("a", 0, 0))
        for data, sets in [built(tmp_path / folder, tmp_path, seed=seed, suites=["demo_qic_tc"], few_shot=number)]
    ]
    assert told[0][1] == told[1][1] != told[2][1]
    assert told[0][0].name == told[1][0].name
    assert len({data.name for data, *_ in told}) == 4
    assert told[4][1] is None
    assert all("shots" not in id for id in told[4][2])
    [example, *_] = storage.read_parquet(told[0][0] / "test-demo_qic_tc.parquet", Example)
    labels = [m.content for m in example.messages if m.role == "assistant"]
    assert len(set(labels)) == 4, "four shots of a corpus of many labels have four labels"


def queries(folder: Path, **splits: list[tuple[str, str]]) -> Path:
    """Write queries with their intents as KUAKE-QIC has them."""
    (folder / "kuake_qic").mkdir(parents=True)
    for split, rows in splits.items():
        made = [{"id": f"{split}{n}", "query": query, "label": label} for n, (query, label) in enumerate(rows)]
        path = folder / "kuake_qic" / f"KUAKE-QIC_{split}.json"
        path.write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")
    return folder


FRESH = [("肚子疼是什么病", "病情诊断"), ("手术要多少钱", "医疗费用"), ("发烧吃什么药", "治疗方案")]
DEV = [("头晕挂什么科", "就医建议"), ("咳嗽怎么办", "治疗方案"), ("喝绿茶有什么好处呢", "功效作用")]


def test_no_shot_shares_a_text_with_the_test_set(tmp_path: Path) -> None:
    # The same texts with other marks, in other widths, under other ids and labels, and nearly the same.
    leaks = [("头晕挂什么科？", "其他"), (" 咳嗽，怎么办", "病因分析"), ("咳嗽怎么办", "治疗方案")]
    leaks += [(query, label) for query, label in DEV for _ in range(20)]
    corpora = queries(tmp_path / "raw", train=[*leaks, *FRESH], dev=DEV)
    for seed in range(3):
        _, sets = built(tmp_path / f"run{seed}", corpora, seed=seed, suites=["kuake_qic"], few_shot=3)
        for example in sets["kuake_qic"]:
            shown = [m.content for m in example.messages[:-1] if m.role == "user"]
            assert len(shown) == 3
            for query, _ in DEV:
                assert not any(normalise(query) in normalise(prompt) for prompt in shown)
            for query, _ in FRESH:
                assert any(query in prompt for prompt in shown)


def test_a_training_split_without_enough_examples_is_said(tmp_path: Path) -> None:
    corpora = queries(tmp_path / "raw", train=[*DEV, *FRESH], dev=DEV)
    with pytest.raises(RecipeError, match=r"kuake_qic: .*too few examples.*got 3 in zh; expected few_shot: 4"):
        built(tmp_path / "run", corpora, suites=["kuake_qic"], few_shot=4)


def test_a_training_split_that_is_not_there_is_said(tmp_path: Path) -> None:
    corpora = queries(tmp_path / "raw", dev=DEV)
    with pytest.raises(
        RecipeError, match=r"kuake_qic: .*the training split, which is not there; got kuake_qic with dev"
    ):
        built(tmp_path / "run", corpora, suites=["kuake_qic"], few_shot=1)
    _, sets = built(tmp_path / "run", corpora, suites=["kuake_qic"])
    assert len(sets["kuake_qic"]) == 3
