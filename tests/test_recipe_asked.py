"""Test sets are asked as training asks: the same settings give the same prompts and windows."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from taiyi import catalogue, steps
from taiyi.build.instructions import Instructions, task_of
from taiyi.build.settings import PromptSettings, Selection
from taiyi.cli import eval as command
from taiyi.errors import RecipeError
from taiyi.evaluate.report import RunResult
from taiyi.manifest import Log
from taiyi.recipe import Recipe
from taiyi.schema import Example, Reject
from taiyi.steps.declared import corpus_digest
from taiyi.storage import read_parquet

PROMPT = PromptSettings(definitions=True, corpus=True, form=True)
ALIKE: dict[str, Any] = {"window_chars": 160, "overlap_chars": 60}


def asked(folder: Path, name: str = "demo_cdr_re", **evaluate: Any) -> Path:
    """The data step of a recipe that asks one test set."""
    settings = {"suites": [name]} | evaluate
    recipe = Recipe.model_validate({"name": "toy", "base": "some/model", "evaluate": settings})
    return steps.build(steps.Run(recipe, folder / "run", folder, Log(folder / "run")))


@pytest.mark.parametrize("task_name", ["ner", "re"])
def test_a_test_set_is_asked_as_training_asks(tmp_path: Path, task_name: str) -> None:
    name, corpus = f"demo_cdr_{task_name}", catalogue.get("demo_cdr")
    sizes = {key: {name: size} for key, size in ALIKE.items()}
    data = asked(tmp_path, name, prompt=PROMPT.model_dump(), **sizes)
    found = list(read_parquet(data / f"test-{name}.parquet", Example))

    learned = Selection(corpus=corpus.name, task=task_name, templates=("01",), prompt=PROMPT, **ALIKE)
    made = Instructions(learned, task_of(task_name, corpus, tmp_path), corpus, seed=0, training=True)
    records = [r for r in catalogue.load(corpus, "test", tmp_path) if not isinstance(r, Reject)]
    expected = {e.id: e.messages for record in records for e in made.of(record) if isinstance(e, Example)}
    assert {e.id: e.messages for e in found if e.id in expected} == expected
    assert len(expected) > len(records)
    assert corpus.title in found[0].messages[0].content


def test_how_a_test_set_is_asked_is_an_input_of_data(tmp_path: Path) -> None:
    name = "demo_cdr_re"
    made = [
        asked(tmp_path, name),
        asked(tmp_path, name, prompt={"corpus": True}),
        asked(tmp_path, name, window_chars={name: 160}),
        asked(tmp_path, name, window_chars={name: 160}, overlap_chars={name: 60}),
    ]
    assert len(set(made)) == len(made)
    assert asked(tmp_path, name, prompt={}) == made[0]


def test_the_title_of_a_corpus_is_an_input_of_data_since_prompts_have_it() -> None:
    corpus = catalogue.get("demo_cdr")
    assert corpus_digest(dataclasses.replace(corpus, title="another")) != corpus_digest(corpus)
    assert corpus_digest(dataclasses.replace(corpus, notes="others")) == corpus_digest(corpus)


def evaluated(folder: Path, **evaluate: Any) -> str:
    """A run that was evaluated, as far as `taiyi eval` looks at it for how to ask."""
    run = folder / "old"
    (run / "report").mkdir(parents=True, exist_ok=True)
    recipe = {"name": "old", "base": "some/model", "evaluate": {"suites": ["demo"]} | evaluate}
    told = RunResult(name="old", title="old", description="", results=(), recipe=yaml.safe_dump(recipe))
    (run / "report" / "results.json").write_bytes(msgspec.json.encode(told))
    (run / "run.json").write_text('{"model": "model", "report": "report"}')
    return str(run)


def test_a_run_is_evaluated_as_its_recipe_asks(tmp_path: Path) -> None:
    windows: dict[str, Any] = {"window_chars": {"demo_cdr_re": 160, "demo_cdr_ner": 0}}
    run = evaluated(tmp_path, prompt=PROMPT.model_dump(), overlap_chars={"demo_cdr_re": 60}, **windows)
    settings = command._recipe(run, "demo", [], None, None, None, {}).evaluate
    assert settings.prompt == PROMPT
    assert (settings.window_chars, settings.overlap_chars) == (windows["window_chars"], {"demo_cdr_re": 60})
    # Of test sets that are not asked nothing is said.
    settings = command._recipe(run, "demo_cdr_ner", [], None, None, None, {}).evaluate
    assert (settings.window_chars, settings.overlap_chars) == ({"demo_cdr_ner": 0}, {})


def test_a_window_is_for_every_test_set_of_documents(tmp_path: Path) -> None:
    run = evaluated(tmp_path, window_chars={"demo_cdr_re": 160}, overlap_chars={"demo_cdr_re": 60})
    settings = command._recipe(run, "demo", [], 50, None, None, {}).evaluate
    assert settings.window_chars == dict.fromkeys(
        ["demo_cdr_ner", "demo_cmeee_ner", "demo_cdr_re", "demo_cmeie_re"], 50
    )
    # A window that is shorter than an overlap could not have it.
    assert settings.overlap_chars == {}
    with pytest.raises(RecipeError, match=r"--window: only documents are cut into windows; got demo_qic_tc; expected"):
        command._recipe(run, "demo_qic_tc", [], 50, None, None, {})


def test_windows_of_an_older_run_by_corpus_are_not_ignored(tmp_path: Path) -> None:
    run = evaluated(tmp_path, window_chars={"demo_cdr": 160})
    said = (
        r"window_chars: windows are given by test set; got demo_cdr: 160; expected demo_cdr_ner or demo_cdr_re\. Give"
    )
    with pytest.raises(RecipeError, match=rf"{run}: evaluate\.{said} --window 160"):
        command._recipe(run, "demo", [], None, None, None, {})
    assert command._recipe(run, "demo_cdr_re", [], 50, None, None, {}).evaluate.window_chars == {"demo_cdr_re": 50}
