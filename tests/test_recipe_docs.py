"""docs/recipes.md has every setting, and its tables are today's. Its code is tried as that of every page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, Field
from typer.testing import CliRunner

import pages
from taiyi import catalogue, cli, recipe, reference, tasks
from taiyi.build.decontaminate import Match
from taiyi.build.filters import FILTERS
from taiyi.build.settings import FilterSettings
from taiyi.errors import RecipeError, TaiyiError

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "recipes.md"
TEXT = PAGE.read_text(encoding="utf-8")
RECIPES = [block.text for block in pages.blocks("docs/recipes.md") if block.info.lang == "yaml"]
SCHEMA = reference.schema(recipe.Recipe)
RENEW = "renew it with: taiyi recipes docs docs/recipes.md"


def call(*arguments: object) -> Any:
    return CliRunner().invoke(cli.app, [str(a) for a in arguments], env={"COLUMNS": "200", "NO_COLOR": "1"})


def test_the_page_has_a_recipe_for_every_part() -> None:
    said = "\n".join(RECIPES)
    of_data = ("Selection", "QuerySettings", "PromptSettings", "MixtureSettings", "EvaluateSettings")
    # Where a part has few settings, all of them are shown.
    for name in of_data:
        for key in SCHEMA["$defs"][name]["properties"]:
            assert re.search(rf"\b{key}:", said) or key == "batch_tokens", f"no recipe of the page says {key}"


def test_the_prompt_on_the_page_is_what_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (text,) = (text for text in RECIPES if "definitions: true, entities: true" in text)
    Path("page.yaml").write_text(pages.whole(text), encoding="utf-8")
    assert call("build", "page.yaml").exit_code == 0
    (seen,) = json.loads(call("data", "show", "runs/page", "--json").stdout)
    (shown,) = re.findall(r"^```text\n(Annotation guidelines.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    before, _, after = shown.partition(" ...\n")
    prompt = seen["example"]["messages"][-1]["content"]
    assert prompt.startswith(before)
    assert prompt.endswith(after.rstrip("\n"))


def test_the_tables_of_settings_are_todays() -> None:
    assert reference.renewed(PAGE, SCHEMA) == TEXT, RENEW


def test_the_tables_of_tasks_filters_and_signs_are_todays() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", TEXT.partition("<!-- tasks:end -->")[0], re.MULTILINE)
    assert rows == [(name, ", ".join(f"`{form}`" for form in tasks.get(name).forms)) for name in tasks.names()]
    windows = TEXT.partition("## Windows")[2].partition("##")[0].partition(")")[0]
    assert re.findall(r"`(\w+)`", windows) == [name for name in tasks.names() if tasks.get(name).windowed]
    for reason in FILTERS:
        assert f"| {reason} |" in TEXT
    filters = TEXT.partition("## Filters of quality")[2].partition("## Duplicates")[0]
    assert all(f"`{name}`" in filters for name in FilterSettings.model_fields)
    (audit,) = re.findall(r"^```json\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert list(json.loads(audit)) == list(Match.__struct_fields__)


def test_every_setting_says_what_it_means() -> None:
    for part in reference.parts(SCHEMA):
        assert part.meaning
        for name, setting in part.settings.items():
            assert setting.get("description") or "$ref" in setting, f"{part.path}.{name} has no docstring"


def _faults(value: Any, loc: tuple[str | int, ...], schema: dict[str, Any]) -> Iterator[str]:
    """What an editor would underline: keys and names that the schema does not have."""
    found = reference.at(schema, loc)
    if not found or ("enum" in found and value not in found["enum"]):
        yield f"{loc}: {value}"
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from _faults(item, (*loc, key), schema)


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda path: path.name)
def test_the_schema_has_what_recipes_say(path: Path) -> None:
    schema = recipe.json_schema()
    said = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert list(_faults(said, (), schema)) == []
    said["stages"][0]["data"][0] |= {"corpus": "bc6cdr", "tsk": "ner"}
    assert list(_faults(said, (), schema)) == [
        "('stages', 0, 'data', 0, 'corpus'): bc6cdr",
        "('stages', 0, 'data', 0, 'tsk'): ner",
    ]


def test_the_schema_completes_names_and_says_meanings() -> None:
    schema = recipe.json_schema()
    assert {corpus.name for corpus in catalogue.all_corpora()} == set(
        reference.at(schema, ("stages", 0, "data", 0, "corpus"))["enum"]
    )
    assert reference.at(schema, ("seed",))["description"].startswith("What every choice")
    # A setting of a stage stands in the class that the stage inherits from.
    assert reference.at(schema, ("stages", 0, "warmup_ratio"))["description"]
    assert reference.at(schema, ("evaluate", "max_new_tokens"))["default"] == recipe.MAX_NEW_TOKENS
    assert reference.at(schema, ("stages", 0, "data", 0, "query", "absent"))["default"] == 0.5


def test_a_recipe_is_checked(tmp_path: Path) -> None:
    done = call("recipes", "check", ROOT / "recipes" / "demo.yaml")
    assert done.exit_code == 0
    assert "is a valid recipe\nstage1: demo_cdr ner, demo_cmeee ner, " in done.stdout
    assert "demo_chat mrd, all of stage1\nevaluated on: demo\n" in done.stdout
    (tmp_path / "a.yaml").write_text("name: a\n")
    assert call("recipes", "check", tmp_path / "a.yaml").exit_code == 1


def test_a_page_without_a_place_for_the_tables_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for text in ("", f"{reference.BEGIN}\n", f"{reference.END}\n{reference.BEGIN}\n"):
        page.write_text(text, encoding="utf-8")
        with pytest.raises(TaiyiError, match=r"page\.md: the page has no place for the reference; expected a line"):
            reference.renewed(page, SCHEMA)
        assert page.read_text(encoding="utf-8") == text
    with pytest.raises(TaiyiError, match="there is no such page"):
        reference.renewed(tmp_path / "none.md", SCHEMA)
    page.write_text(f"before\n{reference.BEGIN}\nold\n{reference.END}\nafter\n", encoding="utf-8")
    done = call("recipes", "docs", page)
    assert done.exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{reference.BEGIN}\n\n### The recipe itself\n")
    assert text.endswith(f"{reference.END}\nafter\n")
    assert "old\n" not in text


class _Inner(BaseModel):
    """What is inside."""

    a: int = Field(ge=1, le=9)


class _Outer(BaseModel):
    """What is outside: a|b."""

    some: list[_Inner] = []
    one: _Inner | None = None
    lists: list[list[float]] = []
    by_name: dict[str, bool] = Field(default_factory=lambda: {"x": True})
    text: str = Field("a|b", pattern="^(a|b)")


def test_kinds_of_values_are_said_in_words() -> None:
    root = reference.schema(_Outer)
    said = {name: reference.kind(root, setting) for name, setting in root["properties"].items()}
    assert said == {
        "some": "list of keys and values (a)",
        "one": "keys and values (a), or null",
        "lists": "list of lists of numbers",
        "by_name": "keys and values: names with true or false",
        "text": "text like ^(a|b)",
    }
    assert reference.kind(root, reference.at(root, ("one", "a"))) == "whole number of at least 1 and at most 9"
    assert reference.at(root, ("nothing",)) == reference.at(root, ("some", 0, "b", 1)) == {}
    assert reference.keys(root, ("some", 3)) == ["a"]
    assert reference.places(root, "a") == ["some[]", "one"]


def test_a_table_says_defaults_and_keeps_its_columns() -> None:
    table = reference.markdown(reference.schema(_Outer))
    assert "| `by_name` | keys and values: names with true or false | `{x: true}` |  |" in table
    assert "| `a` | whole number of at least 1 and at most 9 | required |  |" in table
    assert r"| `text` | text like `^(a\|b)` | `" + r'"a\|b"` |  |' in table


def test_an_unknown_key_names_where_it_belongs(tmp_path: Path) -> None:
    path = tmp_path / "page.yaml"
    path.write_text(pages.whole("absent: skip\nseed: 1\nform: list\n"), encoding="utf-8")
    with pytest.raises(RecipeError, match=r"form: unknown key\. .*it is a key of .*stages\[\]\.data\[\] and of stages"):
        recipe.load(path)
