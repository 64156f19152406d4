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


def test_relations_are_answered_as_the_stages_learn_them(tmp_path: Path) -> None:
    def relations(*learned: str, **given: object) -> str:
        data = changed("evaluate", {"suites": ["demo"]} | given)
        data["stages"][0]["data"] = [{"corpus": "demo_cdr", "task": task} for task in learned]
        return loaded(tmp_path, data).relations()

    assert relations("ner", "rc") == relations("ner", "rc", relations="cascade", pair_bias=0.5) == "cascade"
    assert relations("rc") == relations("ner") == relations("ner", "rc", "re") == "written"
    assert relations("ner", "rc", relations="written") == "written"
    assert relations("ner", "rc", "re", relations="either") == "either"
    for learned, given, said in (
        (("ner", "re"), {"relations": "cascade"}, "evaluate.relations: .*; got stages with ner, qa_sqa, re; expected"),
        (("ner", "re"), {"pair_bias": 1.0}, "evaluate.pair_bias: .*; got relations: written. Take it out"),
        (("ner", "rc"), {"few_shot": 2}, "evaluate.few_shot: a cascade asks with the wording alone"),
        (("ner", "rc"), {"prompt": {"corpus": True}}, "evaluate.prompt.corpus: a cascade asks with the wording"),
    ):
        with pytest.raises(RecipeError, match=said):
            relations(*learned, **given)


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda path: path.name)
def test_recipes_that_ship_are_valid(path: Path) -> None:
    assert recipe.load(path).name == path.stem


DATA = "stages.0.data.0"
RE: dict[str, Any] = {"corpus": "demo_cdr", "task": "re"}
TC: dict[str, Any] = {"corpus": "demo_hoc", "task": "tc"}
QA: dict[str, Any] = {"corpus": "demo_qa_en", "task": "qa_sqa"}
FAULTS: list[tuple[str, object, str]] = [
    # keys
    ("sead", 1, "sead: unknown key. Did you mean 'seed'"),
    ("temperature", 0.5, "temperature: unknown key. There are: .*; it is a key of .*stages\\[\\].mixture"),
    ("1", 1, "1: unknown key. There are: "),
    ("stages.0.epoch", 1, "stages.0.epoch: unknown key. Did you mean 'epochs'"),
    (f"{DATA}.templates_per_recrd", 1, f"{DATA}.templates_per_recrd: unknown key. Did you mean 'templates_per_record'"),
    ("evaluate.suite", [], "evaluate.suite: unknown key. Did you mean 'suites'"),
    ("encoding.position", "plain", "encoding.position: unknown key. Did you mean 'positions'"),
    ("decontaminate.by_id", True, "decontaminate.by_id: unknown key."),
    ("scratch.width", 8, "scratch.width: unknown key."),
    # values
    ("seed", "many", "seed: unfit value; got 'many'; expected whole number of at least 0. What every choice"),
    ("seed", -1, "seed: unfit value; got -1; expected whole number of at least 0"),
    ("seed", None, "seed: unfit value; got nothing; expected .*. Give the key a value, or take it out"),
    ("name", "Not a name", "name: unfit value; got 'Not a name'; expected text like .*, in small letters"),
    ("stages", {}, 'stages: .*got {}; expected list of keys and values \\(name, .*. Begin each entry with "- "'),
    ("scratch", [8], 'scratch: .*got \\[8\\]; expected keys and values .*without "- " or brackets'),
    ("filters", False, "filters: .*got False; expected keys and values .*Write `key: value`"),
    (f"{DATA}.query", [3], f"{DATA}.query: .*expected keys and values \\(max_types, absent\\), or null"),
    (f"{DATA}.splits", "dev", f"{DATA}.splits: .*got 'dev'; expected list of .*. Put it in brackets: \\[dev\\]"),
    (f"{DATA}.templates", [1], f'{DATA}.templates.0: .*got 1; expected text. Put it in quotes: "1"'),
    ("evaluate.template", 1, 'evaluate.template: .*got 1; expected text. Put it in quotes: "1"'),
    ("stages.0.mixture.langs", {"fr": 1}, "stages.0.mixture.langs.fr: unfit key; expected en or zh"),
    ("stages.0.mixture.temperature", 2, "stages.0.mixture.temperature: .*number of more than 0 and at most 1"),
    ("stages.0.epochs", "three", "stages.0.epochs: .*; got 'three'"),
    ("stages.0.method", "lorra", "stages.0.method: .*; got 'lorra'"),
    (f"{DATA}.splits", ["validation"], f"{DATA}.splits.0: .*got 'validation'; expected train, dev or test"),
    (f"{DATA}.window_chars", -1, f"{DATA}.window_chars: .*; got -1"),
    (f"{DATA}.subtasks", [["Disease"], []], f"{DATA}.subtasks.1: .*got \\[\\]; expected list of texts, 1 or more"),
    (f"{DATA}.subtasks", ["Disease"], f"{DATA}.subtasks.0: .*Put it in brackets: \\[Disease\\]"),
    ("evaluate.window_chars", {"demo_cdr_ner": -1}, "evaluate.window_chars.demo_cdr_ner: .*; got -1"),
    ("evaluate.max_new_tokens", {"re": 0}, "evaluate.max_new_tokens.re: .*; got 0"),
    (f"{DATA}.max_records", 0, f"{DATA}.max_records: .*; got 0"),
    ("encoding.positions", "alined", "encoding.positions: .*got 'alined'; expected plain or aligned"),
    # names
    (f"{DATA}.corpus", "demo_crd", f"{DATA}.corpus: there is no corpus 'demo_crd'. Did you mean 'demo_cdr'"),
    (f"{DATA}.task", "nerr", f"{DATA}.task: unknown task; got nerr. Did you mean 'ner'"),
    (f"{DATA}.task", "tc", f"{DATA}.task: demo_cdr is no corpus for this task; got tc; expected ner or re"),
    (f"{DATA}.form", "tags", f"{DATA}.form: the task ner has no such form; got tags"),
    (f"{DATA}.templates", ["01", "99"], f"{DATA}.templates: unknown template; got 99"),
    (f"{DATA}.templates", ["01", "14"], f"{DATA}.templates: wordings that are held out.*; got ner.en.14. Leave them"),
    (f"{DATA}.templates", ["ner.zh.01"], f"{DATA}.templates: unknown template; got ner.zh.01"),
    (f"{DATA}.subtasks", [["Diseas"]], f"{DATA}.subtasks: unknown type; got Diseas. Did you mean 'Disease'"),
    (f"{DATA}.merge_types", {"Chem": "Disease"}, f"{DATA}.merge_types: unknown type; got Chem"),
    ("evaluate.suites", ["demo", "taiyi14"], "evaluate.suites.1: unknown suite; got 'taiyi14'. Did you mean 'taiyi13'"),
    ("evaluate.forms", {"nre": "list"}, "evaluate.forms.nre: unknown task; got nre. Did you mean 're'"),
    (
        "evaluate.forms",
        {"ner": "lists"},
        "evaluate.forms.ner: the task ner has no such form; got lists. Did you mean 'list'",
    ),
    ("evaluate.template", "99", "evaluate.template: unknown template; got 99"),
    ("evaluate.max_new_tokens", {"nre": 9}, "evaluate.max_new_tokens.nre: unknown task; got nre"),
    (
        "evaluate.window_chars",
        {"demo_crd_ner": 9},
        "evaluate.window_chars.demo_crd_ner: unknown test set; got 'demo_crd_ner'. Did you mean 'demo_cdr_ner'",
    ),
    ("stages.0.mixture.max_task_records", {"nre": 9}, "stages.0.mixture.max_task_records.nre: unknown task; got nre"),
    ("deduplicate.several_answers", ["mrd", "nre"], "deduplicate.several_answers.1: unknown task; got nre"),
    ("deduplicate.answer_in_texts", ["nre"], "deduplicate.answer_in_texts.0: unknown task; got nre"),
    # settings without effect
    (f"{DATA}.splits", [], f"{DATA}.splits: no split is selected; got none; expected train, dev or test. Take"),
    (
        f"{DATA}.splits",
        ["train", "dev", "train"],
        f"{DATA}.splits.2: a split is named twice; got train; expected each once. Take `splits.2` out",
    ),
    (
        DATA,
        RE | {"merge_types": {"Chemical": "Disease"}},
        f"{DATA}.merge_types: .*; got the task re; expected .* as ner",
    ),
    (
        DATA,
        QA | {"reverse": True},
        f"{DATA}.reverse: only translations .*; got the task qa_sqa; expected .* as mt. Take",
    ),
    (
        DATA,
        QA | {"subtasks": [["Disease"]]},
        f"{DATA}.subtasks: there are no types .*; got the task qa_sqa of demo_qa_",
    ),
    (
        DATA,
        {"corpus": "biosses", "task": "tp_ss", "splits": ["train"], "subtasks": [["similarity"]]},
        f"{DATA}.subtasks: there are no types to choose from; got the task tp_ss of biosses; expected a task about",
    ),
    (
        DATA,
        TC | {"query": {"max_types": 1}},
        f"{DATA}.query: there are no types to draw from; got the task tc; expected",
    ),
    (DATA, QA | {"query": {}}, f"{DATA}.query: there are no types to draw from; got the task qa_sqa"),
    (f"{DATA}.query", {"max_types": 1}, f"{DATA}.query: no types are drawn where .*; got `subtasks` beside it"),
    (DATA, QA | {"empty": 0.5}, f"{DATA}.empty: the answer is never empty; got the task qa_sqa; expected a task that"),
    (
        f"{DATA}.lead_chars",
        9,
        f"{DATA}.lead_chars: only of texts that get labels .*; got the task ner; expected the task tc",
    ),
    (
        "evaluate.lead_chars",
        {"demo_cdr_ner": 9},
        "evaluate.lead_chars.demo_cdr_ner: only of texts .*; got the task ner",
    ),
    (DATA, TC | {"window_chars": 9}, f"{DATA}.window_chars: only documents are cut into windows; got the task tc"),
    (
        f"{DATA}.overlap_chars",
        9,
        f"{DATA}.overlap_chars: windows overlap by less .*; got 9; expected window_chars besi",
    ),
    (
        DATA,
        RE | {"window_chars": 9, "overlap_chars": 9},
        f"{DATA}.overlap_chars: .*; got 9; expected less than .* is 9",
    ),
    (
        f"{DATA}.templates_per_record",
        14,
        f"{DATA}.templates_per_record: there are not so many .*14; expected at most 13",
    ),
    (
        DATA,
        TC | {"templates": ["01"], "templates_per_record": 2},
        f"{DATA}.templates_per_record: .*2; expected at most 1",
    ),
    (
        "evaluate.window_chars",
        {"biored_unseen": 9},
        "evaluate.window_chars.biored_unseen: the recipe does not ask this",
    ),
    (
        "evaluate.window_chars",
        {"demo_qic_tc": 9},
        "evaluate.window_chars.demo_qic_tc: only documents are cut .* task tc",
    ),
    ("evaluate.overlap_chars", {"demo_crd_ner": 9}, "evaluate.overlap_chars.demo_crd_ner: unknown test set"),
    (
        "evaluate.overlap_chars",
        {"demo_cdr_ner": 9},
        "evaluate.overlap_chars.demo_cdr_ner: .*; got 9; expected window_ch",
    ),
    # answers in prompts
    (
        f"{DATA}.prompt",
        {"entities": True},
        f"{DATA}.prompt.entities: .*; got the task ner; expected .* as re or ee. Take",
    ),
    (
        DATA,
        TC | {"prompt": {"entities": True}},
        f"{DATA}.prompt.entities: .*; got the task tc; expected a task about rel",
    ),
    (
        "evaluate.prompt",
        {"entities": True},
        "evaluate.prompt.entities: .*gold.*; got true; expected false. Take it out",
    ),
    # sense
    ("stages.0.replay", ["two"], "stages.0.replay.0: stage 'one' replays what is no earlier stage; got 'two'"),
    ("stages.1.replay", ["two"], "stages.1.replay.0: stage 'two' replays what is no earlier stage; got 'two'"),
    ("stages.1.replay", ["oen"], "stages.1.replay.0: .*; got 'oen'; expected .*. Did you mean 'one'"),
    ("stages.1.name", "one", "stages.1.name: two stages are named 'one'"),
    ("stages.1", {"name": "two"}, "stages.1: stage 'two' has neither data nor replay. Add `data:`"),
    ("stages.0.method", "qlora", "stages.0.method: stage 'one' trains adapters over a base of nothing; got qlora"),
    ("stages.0.method", "lora", "stages.0.method: stage 'one' trains adapters .*. Use method: full"),
    (
        "stages.0.batch_tokens",
        100,
        "stages.0.batch_tokens: rows are not cut; got batch_tokens 100, .* of at least",
    ),
    # settings without an effect
    ("stages.0.lora", {"r": 4}, "stages.0.lora: `lora` has no effect here: it is of the methods lora and qlora. Take"),
    ("stages.0.decay_share", 0.2, "stages.0.decay_share: .*: it is of the schedule wsd. Take it out"),
    ("stages.0.embedding_learning_rate", 0.1, "stages.0.embedding_learning_rate: .*: it is of the optimizer muon"),
    ("stages.0.preference", {}, "stages.0.preference: .*: it is of stages of kind dpo"),
    ("stages.0.reward", {}, "stages.0.reward: .*: it is of stages of kind grpo"),
    ("stages.0.adapter", "merge", "stages.0.adapter: .* has no adapter; got merge, where it begins from the base"),
    ("stages.0.adapter", "new", "stages.0.adapter: the method full trains no adapter; got new"),
    (
        "stages.1",
        {"name": "two", "replay": ["one"], "mixture": {}},
        "stages.1.mixture: .* none of its own. Take it",
    ),
    (
        DATA,
        RE | {"pairs": {"near": True}},
        f"{DATA}.pairs: .*; got the task re; expected the task rc",
    ),
    ("track", ["mlflow", "mlflow"], "track: a tracker is named twice; got mlflow"),
    ("scratch.heads", 5, "scratch.hidden: hidden is no multiple of twice heads; got .*; expected a multiple of 10"),
    ("stages", [], "a recipe needs stages to train, or a base to evaluate"),
]


@pytest.mark.parametrize(("where", "value", "said"), FAULTS, ids=[f"{where}={value}" for where, value, _ in FAULTS])
def test_a_fault_is_said_with_its_file_and_key(tmp_path: Path, where: str, value: object, said: str) -> None:
    with pytest.raises(RecipeError, match=rf"toy\.yaml(:\d+)?: {said}"):
        loaded(tmp_path, changed(where, value))


@pytest.mark.parametrize(
    ("where", "value"),
    [
        # What is said is the default, which takes back what is merged in.
        (DATA, QA | {"merge_types": {}, "subtasks": [], "query": None, "empty": 1.0, "window_chars": 0}),
        (DATA, RE | {"subtasks": [], "query": {"max_types": 1}, "empty": 0.5, "prompt": {"entities": True}}),
        (DATA, RE | {"task": "rc", "query": {}, "empty": 0.5, "window_chars": 9, "overlap_chars": 8}),
        (DATA, RE | {"task": "rc", "pairs": {"by_name": True, "near": True}}),
        (DATA, TC | {"empty": 0.5, "templates": ["01", "02"], "templates_per_record": 2}),
        (f"{DATA}.templates_per_record", 13),
        (DATA, {"corpus": "paramed", "task": "mt", "reverse": True}),
        ("evaluate.window_chars", {"demo_cdr_ner": 0, "demo_cdr_re": 9}),
        ("evaluate.overlap_chars", {"demo_cdr_ner": 0}),
        ("evaluate", {"suites": ["demo"], "window_chars": {"demo_cdr_re": 9}, "overlap_chars": {"demo_cdr_re": 8}}),
        ("evaluate.prompt", {"definitions": True, "corpus": True, "form": True}),
    ],
)
def test_settings_with_an_effect_are_taken(tmp_path: Path, where: str, value: object) -> None:
    loaded(tmp_path, changed(where, value))


def test_a_split_without_files_is_refused(tmp_path: Path) -> None:
    data = changed(f"{DATA}", {"corpus": "cmeie_v2", "task": "re", "splits": ["dev", "test"]})
    with pytest.raises(
        RecipeError, match=rf"toy\.yaml:\d+: {DATA}\.splits\.1: cmeie_v2 has no such split; got test; expected"
    ):
        loaded(tmp_path, data)


def test_a_missing_key_is_named_and_further_faults_too(tmp_path: Path) -> None:
    data = changed("seed", "x")
    del data["name"]
    with pytest.raises(
        RecipeError, match=r"toy\.yaml:1: name: a key is missing \(further faults: seed\); expected text"
    ):
        loaded(tmp_path, data)
    data["stages"][0] |= {"epochs": 0, "max_steps": 0, "accumulation": 0}
    with pytest.raises(
        RecipeError, match=r"\(further faults: seed, stages\.0\.epochs, stages\.0\.max_steps and 1 more\)"
    ):
        loaded(tmp_path, data)


LINES = """\
name: toy

stages:
  - name: one
    data:
      - &some
        corpus: demo_cdr
        task: ner
        form: {form}
      - {{<<: *some, task: {task}}}  # a comment
      - corpus: demo_hoc
        task: tc
        templates: [01]
"""


@pytest.mark.parametrize(
    ("said", "form", "task"),
    [
        ("9: stages.0.data.0.form: the task ner has no such form; got tags", "tags", "ner"),
        # What an entry has from another one stands where it is written.
        ("9: stages.0.data.1.form: the task re has no such form; got tagged", "tagged", "re"),
        ("10: stages.0.data.1.task: unknown task; got nre", "list", "nre"),
    ],
)
def test_a_fault_is_said_with_its_line(tmp_path: Path, said: str, form: str, task: str) -> None:
    with pytest.raises(RecipeError, match=rf"toy\.yaml:{said}"):
        loaded(tmp_path, LINES.format(form=form, task=task).replace("[01]", '["01"]'))


def test_a_value_is_shown_as_it_is_written(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r'toy\.yaml:13: .*templates\.0: .*got 1; .*Put it in quotes: "01"'):
        loaded(tmp_path, LINES.format(form="list", task="ner"))


def test_a_key_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        RecipeError, match=r"toy\.yaml:3: a key is given twice; got 'name' here and on line 1\. Keep one"
    ):
        loaded(tmp_path, "name: toy\nseed: 1\nname: other\n")
    with pytest.raises(RecipeError, match=r"toy\.yaml:7: a key is given twice; got 'data' here and on line 5"):
        loaded(tmp_path, "name: toy\nseed: 1\nstages:\n- name: one\n  data: []\n  epochs: 1\n  data: []\n")


def test_what_is_merged_in_may_be_given_again(tmp_path: Path) -> None:
    text = LINES.format(form="list", task="re").replace("[01]", '["01"]')
    nested = "      - &more {<<: *some, form: json}\n      - {<<: *more, task: re}\n"
    read = loaded(tmp_path, text.replace("      - corpus: demo_hoc", f"{nested}      - corpus: demo_hoc"))
    assert [(s.task, s.form) for s in read.stages[0].data[:4]] == [
        ("ner", "list"),
        ("re", "list"),
        ("ner", "json"),
        ("re", "json"),
    ]


def test_a_base_without_stages_is_evaluated_as_it_is(tmp_path: Path) -> None:
    read = loaded(tmp_path, changed("stages", []) | {"base": "some/model"})
    assert read.stages == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: [", ":1: not YAML; got expected the node content.*column 8.*Close every"),
        ("a: b: c", ":1: not YAML; got mapping values are not allowed here .*in quotes"),
        ("name: toy\n\tseed: 1\n", ":2: not YAML; got .*. Write spaces in place of tabs"),
        ("name: toy\n seed: 1\n  a: 2\n", ":2: not YAML; got "),
        ("name: *some\n", ":1: not YAML; got found undefined alias 'some'.*. Give the value a name with &"),
        ("- a\n- b\n", ': a recipe is a mapping of keys to values; got a list; expected .*. Take the "- " away'),
        ("some words", ": a recipe is a mapping of keys to values; got 'some words'; expected keys and values"),
        ("", ": the recipe is empty; expected keys and values, .*. Begin with recipes/demo.yaml"),
        ("# a comment\n---\n", ": the recipe is empty"),
    ],
)
def test_what_is_no_recipe_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RecipeError, match=rf"toy\.yaml{said}"):
        loaded(tmp_path, text)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "toy.yaml"
    path.write_bytes(b"\xff\xfe\x00name: x")
    with pytest.raises(RecipeError, match=r"toy\.yaml:1: not a text; got the byte 0xff; expected YAML in UTF-8"):
        recipe.load(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"none\.yaml: no such recipe. Recipes that ship are in recipes/"):
        recipe.load(tmp_path / "none.yaml")
    with pytest.raises(RecipeError, match="no such recipe"):
        recipe.load(tmp_path)


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        ("scratch", {"layers": 2}, "scratch: .* the recipe names a base; got base: owner/name. Take `scratch` out"),
        ("stages.0.decision_weight", 2.0, "stages.0.decision_weight: .*; got encoding.decisions: false"),
    ],
)
def test_a_setting_that_another_room_leaves_without_an_effect(
    tmp_path: Path, where: str, value: object, said: str
) -> None:
    recipe = changed(where, value)
    recipe.update({"base": "owner/name"} if where == "scratch" else {"encoding": {"decisions": False}})
    with pytest.raises(RecipeError, match=said):
        loaded(tmp_path, recipe)
