"""What a model is said to have learned: what the stages that led to it taught."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from taiyi.manifest import Log
from taiyi.recipe import Recipe
from taiyi.steps.learned import learned
from taiyi.steps.run import Run

STAGES = [
    {"name": "entities", "data": [{"corpus": "demo_cdr", "task": "ner", "prompt": {"corpus": True}}]},
    {
        "name": "labels",
        "data": [{"corpus": "demo_qic", "task": "tc", "templates": ["04"]}, {"corpus": "demo_hoc", "task": "tc"}],
    },
    {"name": "alone", "init_from": "base", "data": [{"corpus": "demo_qa_en", "task": "qa_sqa"}]},
    {"name": "again", "replay": ["entities"], "data": [{"corpus": "demo_qa_en", "task": "qa_sqa"}]},
]
COUNTS = {
    "entities": {"demo_cdr ner train": 3},
    "labels": {"demo_qic tc train": 3},
    "alone": {"demo_qa_en qa_sqa train": 1},
    "again": {"demo_qa_en qa_sqa train": 1, "demo_cdr ner train": 3},
}


@pytest.mark.parametrize(
    ("until", "corpora"),
    [
        ("entities", ["demo_cdr"]),
        ("labels", ["demo_cdr", "demo_qic"]),
        ("alone", ["demo_qa_en"]),
        ("again", ["demo_cdr", "demo_qa_en"]),
    ],
)
def test_what_led_to_a_model_counts_as_far_as_it_was_there(until: str, corpora: list[str], tmp_path: Path) -> None:
    recipe = Recipe.model_validate({"name": "r", "stages": STAGES, "evaluate": {"suites": ["demo"]}})
    run = Run(recipe, tmp_path, tmp_path, Log(tmp_path))
    stage = next(stage for stage in recipe.stages if stage.name == until)
    found = learned(run, stage, COUNTS)
    assert [one.corpus for one in found] == corpora
    named = {one.corpus: one.title for one in found}
    assert bool(named.get("demo_cdr")) == ("demo_cdr" in corpora)
    assert not named.get("demo_qic") and not named.get("demo_qa_en")
    assert {one.corpus: one.template for one in found}.get("demo_qic", "tc.zh.04") == "tc.zh.04"
    assert {one.corpus: one.form for one in found}.get("demo_qa_en", "text") == "text"


@pytest.mark.parametrize(
    ("more", "together"),
    [
        ({}, True),
        ({"query": {"max_types": 2}}, False),
        ({"subtasks": [["Chemical"], ["Disease"]]}, False),
        ({"subtasks": [["Chemical"]]}, False),
        ({"subtasks": [["Chemical", "Disease"]]}, True),
    ],
)
def test_it_says_which_types_were_always_asked_for_together(
    more: dict[str, Any], together: bool, tmp_path: Path
) -> None:
    stage: Any = {"name": "entities", "data": [{"corpus": "demo_cdr", "task": "ner", **more}]}
    recipe = Recipe.model_validate({"name": "r", "stages": [stage], "evaluate": {"suites": ["demo"]}})
    [one] = learned(Run(recipe, tmp_path, tmp_path, Log(tmp_path)), recipe.stages[0], COUNTS)
    assert one.together == together
