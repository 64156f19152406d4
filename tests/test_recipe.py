"""Recipes: what is asked is checked before anything runs, and every fault is said with its file and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from taiyi import recipe
from taiyi.errors import RecipeError

GOOD: dict[str, Any] = {
    "name": "toy",
    "stages": [
        {"name": "one", "data": [{"corpus": "demo_cdr", "task": "ner", "subtasks": [["Disease"]]}]},
        {"name": "two", "replay": ["one"], "data": [{"corpus": "demo_qa_zh", "task": "qa_sqa"}]},
    ],
    "evaluate": {"suites": ["demo"], "forms": {"ner": "list"}},
}
ROOT = Path(__file__).parent.parent


def changed(where: str, value: object) -> dict[str, Any]:
    """The good recipe with something else at a place, given as keys and indices with dots between."""
    data: Any = yaml.safe_load(yaml.safe_dump(GOOD))
    inner = data
    *path, last = where.split(".")
    for part in path:
        inner = inner[int(part)] if isinstance(inner, list) else inner.setdefault(part, {})
    inner[int(last) if isinstance(inner, list) else last] = value
    return data


def loaded(folder: Path, data: object) -> recipe.Recipe:
    path = folder / "toy.yaml"
    path.write_text(data if isinstance(data, str) else yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return recipe.load(path)


def test_a_recipe_is_read_with_its_defaults(tmp_path: Path) -> None:
    read = loaded(tmp_path, GOOD)
    assert [stage.name for stage in read.stages] == ["one", "two"]
    assert read.stages[0].data[0].subtasks == (("Disease",),)
    assert read.stages[0].data[0].splits == ("train",)
    assert read.stages[1].replay == ("one",)
    assert (read.base, read.seed, read.evaluate.template) == ("scratch", 0, "01")


def test_what_is_said_of_the_longest_answers_adds_to_the_defaults(tmp_path: Path) -> None:
    assert loaded(tmp_path, GOOD).evaluate.max_new_tokens == recipe.MAX_NEW_TOKENS
    read = loaded(tmp_path, changed("evaluate.max_new_tokens", {"re": 512}))
    assert read.evaluate.max_new_tokens == recipe.MAX_NEW_TOKENS | {"re": 512}
    assert recipe.Recipe.model_validate(read.model_dump(exclude_defaults=True)) == read


def test_tasks_are_evaluated_in_the_form_that_they_are_trained_in(tmp_path: Path) -> None:
    def forms(*trained: str | None, **given: str) -> dict[str, str]:
        data = changed("evaluate.forms", given)
        ner = [{"corpus": "demo_cdr", "task": "ner"} | ({"form": form} if form else {}) for form in trained]
        data["stages"][0]["data"] = [*ner, {"corpus": "demo_qic", "task": "tc"}]
        return loaded(tmp_path, data).forms() | {"tc": "", "qa_sqa": ""}

    others = {"tc": "", "qa_sqa": ""}
    assert forms("list") == forms("list", "list") == {"ner": "list"} | others
    assert forms(None) == forms(None, "tagged") == {"ner": "tagged"} | others
    assert forms("list", None) == forms() == others
    assert forms("list", ner="tagged") == {"ner": "tagged"} | others


def test_the_window_that_entities_are_learned_in_is_the_largest(tmp_path: Path) -> None:
    def window(*sizes: int) -> int:
        ner = [{"corpus": "demo_cdr", "task": "ner", "window_chars": size} for size in sizes]
        others = [{"corpus": "demo_cdr", "task": "re", "window_chars": 900}]
        return loaded(tmp_path, changed("stages.0.data", [*ner, *others])).window_chars()

    assert [window(*sizes) for sizes in ((), (0,), (1,), (1, 200), (1, 0))] == [0, 0, 1, 200, 1]


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda path: path.name)
def test_recipes_that_ship_are_valid(path: Path) -> None:
    assert recipe.load(path).name == path.stem


DATA = "stages.0.data.0"
FAULTS: list[tuple[str, object, str]] = [
    # keys
    ("sead", 1, "sead: unknown key. Did you mean 'seed'"),
    ("stages.0.epoch", 1, "stages.0.epoch: unknown key. Did you mean 'epochs'"),
    (f"{DATA}.templates_per_recrd", 1, f"{DATA}.templates_per_recrd: unknown key. Did you mean 'templates_per_record'"),
    ("evaluate.suite", [], "evaluate.suite: unknown key. Did you mean 'suites'"),
    ("encoding.position", "plain", "encoding.position: unknown key. Did you mean 'positions'"),
    ("decontaminate.by_id", True, "decontaminate.by_id: unknown key."),
    ("scratch.width", 8, "scratch.width: unknown key."),
    # values
    ("seed", "many", "seed: .*integer.*; got 'many'"),
    ("seed", -1, "seed: .*greater than or equal to 0; got -1"),
    ("name", "Not a name", "name: .*pattern.*; got 'Not a name'"),
    ("stages", {}, "stages: .*"),
    ("stages.0.epochs", "three", "stages.0.epochs: .*; got 'three'"),
    ("stages.0.method", "lorra", "stages.0.method: .*; got 'lorra'"),
    (f"{DATA}.splits", ["validation"], f"{DATA}.splits.0: .*'train', 'dev' or 'test'; got 'validation'"),
    (f"{DATA}.window_chars", -1, f"{DATA}.window_chars: .*; got -1"),
    (f"{DATA}.subtasks", [["Disease"], []], f"{DATA}.subtasks.1: .*at least 1 item"),
    ("evaluate.window_chars", {"demo_cdr": -1}, "evaluate.window_chars.demo_cdr: .*; got -1"),
    ("evaluate.max_new_tokens", {"re": 0}, "evaluate.max_new_tokens.re: .*; got 0"),
    (f"{DATA}.max_records", 0, f"{DATA}.max_records: .*; got 0"),
    ("encoding.positions", "alined", "encoding.positions: .*'plain' or 'aligned'; got 'alined'"),
    # names
    (f"{DATA}.corpus", "demo_crd", f"{DATA}.corpus: there is no corpus 'demo_crd'. Did you mean 'demo_cdr'"),
    (f"{DATA}.task", "nerr", f"{DATA}.task: unknown task; got nerr. Did you mean 'ner'"),
    (f"{DATA}.task", "tc", f"{DATA}.task: demo_cdr is no corpus for this task; got tc; expected ner or re"),
    (f"{DATA}.form", "tags", f"{DATA}.form: the task ner has no such form; got tags"),
    (f"{DATA}.templates", ["01", "99"], f"{DATA}.templates: unknown template; got 99"),
    (f"{DATA}.templates", ["ner.zh.01"], f"{DATA}.templates: unknown template; got ner.zh.01"),
    (f"{DATA}.subtasks", [["Diseas"]], f"{DATA}.subtasks: unknown type; got Diseas. Did you mean 'Disease'"),
    (f"{DATA}.merge_types", {"Chem": "Disease"}, f"{DATA}.merge_types: unknown type; got Chem"),
    ("evaluate.suites", ["demo", "taiyi14"], "evaluate.suites.1: unknown suite; got 'taiyi14'. Did you mean 'taiyi13'"),
    ("evaluate.forms", {"nre": "list"}, "evaluate.forms: unknown task; got nre"),
    (
        "evaluate.forms",
        {"ner": "lists"},
        "evaluate.forms.ner: the task ner has no such form; got lists. Did you mean 'list'",
    ),
    ("evaluate.template", "99", "evaluate.template: unknown template; got 99"),
    ("evaluate.max_new_tokens", {"nre": 9}, "evaluate.max_new_tokens: unknown task; got nre"),
    (
        "evaluate.window_chars",
        {"bc6cdr": 9},
        "evaluate.window_chars: there is no corpus 'bc6cdr'. Did you mean 'bc5cdr'",
    ),
    # sense
    ("stages.0.replay", ["two"], "stage 'one' replays 'two', which is no earlier stage"),
    ("stages.1.replay", ["two"], "stage 'two' replays 'two', which is no earlier stage"),
    ("stages.1.name", "one", "two stages are named 'one'"),
    ("stages.1", {"name": "two"}, "stage 'two' has neither data nor replay"),
    ("stages.0.method", "qlora", "stage 'one' trains adapters over a base of nothing: use method: full"),
    ("stages.0.method", "lora", "stage 'one' trains adapters over a base of nothing"),
    ("stages", [], "a recipe needs stages to train, or a base to evaluate"),
]


@pytest.mark.parametrize(("where", "value", "said"), FAULTS, ids=[f"{where}={value}" for where, value, _ in FAULTS])
def test_a_fault_is_said_with_its_file_and_key(tmp_path: Path, where: str, value: object, said: str) -> None:
    with pytest.raises(RecipeError, match=rf"toy\.yaml: {said}"):
        loaded(tmp_path, changed(where, value))


def test_a_split_without_files_is_refused(tmp_path: Path) -> None:
    data = changed(f"{DATA}", {"corpus": "cmeie_v2", "task": "re", "splits": ["dev", "test"]})
    with pytest.raises(
        RecipeError, match=rf"toy\.yaml: {DATA}\.splits: cmeie_v2 has no such split; got test; expected"
    ):
        loaded(tmp_path, data)


def test_a_missing_key_is_named_and_further_faults_are_counted(tmp_path: Path) -> None:
    data = changed("seed", "x")
    del data["name"]
    with pytest.raises(RecipeError, match=r"toy\.yaml: name: Field required \(1 more faults? follow\)"):
        loaded(tmp_path, data)


def test_a_base_without_stages_is_evaluated_as_it_is(tmp_path: Path) -> None:
    read = loaded(tmp_path, changed("stages", []) | {"base": "some/model"})
    assert read.stages == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: [", "not YAML; got .*line 1"),
        ("a: b: c", "not YAML; got .*line 1"),
        ("- a\n- b\n", "a recipe is a mapping of keys to values; got list"),
        ("", "a recipe is a mapping of keys to values; got NoneType"),
    ],
)
def test_what_is_no_recipe_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RecipeError, match=rf"toy\.yaml: {said}"):
        loaded(tmp_path, text)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "toy.yaml"
    path.write_bytes(b"\xff\xfe\x00name: x")
    with pytest.raises(RecipeError, match=r"toy\.yaml: not YAML"):
        recipe.load(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"none\.yaml: no such recipe. Recipes that ship are in recipes/"):
        recipe.load(tmp_path / "none.yaml")
    with pytest.raises(RecipeError, match="no such recipe"):
        recipe.load(tmp_path)
