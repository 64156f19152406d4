"""Templates: every wording can be filled, ids are stable, and a malformed file says what is wrong with it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi import tasks, templates
from taiyi.errors import TemplateError
from taiyi.schema import Lang
from taiyi.tasks.choice import MultipleChoice
from taiyi.tasks.families import Family
from taiyi.templates import Template

EVERY = [(name, lang) for name in tasks.names() for lang in get_args(Lang)]


def families_of(name: str) -> tuple[Family, ...]:
    return getattr(tasks.get(name), "families", ())


GOOD = 'version = 2\n\n[[template]]\nid = "01"\ntext = "{a} and {b}"\n\n[[template]]\nid = "02"\ntext = "{b}{a}"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of templates instead of the package's."""
    monkeypatch.setattr(templates, "FOLDER", tmp_path)
    templates.load.cache_clear()
    yield tmp_path
    templates.load.cache_clear()


def load() -> tuple[Template, ...]:
    return templates.load("t", "en", frozenset("ab"))


@pytest.mark.parametrize(("name", "lang"), EVERY)
def test_every_task_has_at_least_three_wordings_in_each_language(name: str, lang: Lang) -> None:
    task = tasks.get(name)
    found = tasks.load_templates(task, lang)
    assert len(found) >= 3
    assert len({t.text for t in found}) == len(found)
    assert [t.id for t in found] == [f"{name}.{lang}.{i:02}" for i in range(1, len(found) + 1)]
    for template in found:
        values = {slot: f"[{slot}]" for slot in task.slots}
        filled = template.fill(**values)
        assert all(filled.count(value) == 1 for value in values.values())
        assert "{" not in filled


def test_every_file_is_of_a_task() -> None:
    files = {path.stem for path in templates.FOLDER.glob("*.toml")}
    families = {f"{family.name}.{lang}" for name, lang in EVERY for family in families_of(name)}
    assert files == {f"{name}.{lang}" for name, lang in EVERY} | families | {"words", "forms"}


@pytest.mark.parametrize(("name", "lang"), [(name, lang) for name, lang in EVERY if families_of(name)])
def test_a_family_of_wordings_has_the_numbers_of_its_task_and_holds_out_the_same(name: str, lang: Lang) -> None:
    task = tasks.get(name)
    for family in families_of(name):
        found = templates.load(family.name, lang, family.slots)
        own = tasks.load_templates(task, lang)
        assert [(t.id.rsplit(".", 1)[1], t.held_out) for t in found] == [
            (t.id.rsplit(".", 1)[1], t.held_out) for t in own
        ]
        assert len({t.text for t in found}) == len(found)
        dressed = own[-1].dressed("{before} ", " {after}")
        filled = family.of(dressed).fill(**{slot: f"[{slot}]" for slot in family.slots})
        assert family.of(dressed).id == own[-1].id
        assert filled.startswith("{before} ")
        assert filled.endswith(" {after}")
        assert all(filled.count(f"[{slot}]") == 1 for slot in family.slots)


def test_a_number_that_a_family_lacks_is_said() -> None:
    own = tasks.load_templates(tasks.get("qa_mc"), "en")[0]
    with pytest.raises(TemplateError, match=r"qa_mc_context\.en\.toml: a family .* lacks .* expected 99"):
        MultipleChoice.with_context.of(replace(own, id="qa_mc.en.99"))


@pytest.mark.parametrize("lang", get_args(Lang))
def test_answers_have_words_in_each_language(lang: Lang) -> None:
    words = templates.words(lang)
    assert len({words.yes, words.no, words.maybe, words.none}) == 4
    assert words.semicolon.strip() in ";；"
    assert words.colon.strip() in ":："


@given(st.text(), st.text())
def test_values_are_put_in_as_they_are(a: str, b: str) -> None:
    template = Template("t.en.01", "t", "en", "x {a} y {b} {{z}}", 1)
    braces = Template("t.en.02", "t", "en", "x {a} y {b}", 1)
    assert braces.fill(a=a, b=b) == f"x {a} y {b}"
    filled, at = braces.fill_at("b", a=a, b=b)
    assert filled == braces.fill(a=a, b=b)
    assert filled[at:] == b
    with pytest.raises(KeyError):
        template.fill(a=a, b=b)


def test_braces_in_values_are_not_slots() -> None:
    template = Template("t.en.01", "t", "en", "{a} {b}", 1)
    assert template.fill(a="{b}", b="{a}") == "{b} {a}"
    assert template.fill_at("b", a="{b}", b="{a} {c}") == ("{b} {a} {c}", 4)


def test_a_file_is_read(folder: Path) -> None:
    (folder / "t.en.toml").write_text(GOOD)
    assert load() == (Template("t.en.01", "t", "en", "{a} and {b}", 2), Template("t.en.02", "t", "en", "{b}{a}", 2))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = ", "malformed template file"),
        ("", "malformed template file; got KeyError\\('version'\\)"),
        ("version = 1", "malformed template file; got KeyError\\('template'\\)"),
        ('version = "one"\ntemplate = []', "malformed template file"),
        ("version = 1\ntemplate = [1]", "malformed template file"),
        (GOOD.replace('text = "{b}{a}"', ""), "malformed template file; got KeyError\\('text'\\)"),
        (GOOD.replace('"02"', '"01"'), "two templates have the same id; got t.en.01"),
        (GOOD.replace("{b}{a}", "{b}"), "t.en.02: a template has other slots than its task fills; got \\['b'\\]"),
        (GOOD.replace("{b}{a}", "{b}{a}{c}"), "t.en.02: a template has other slots"),
        (GOOD.replace("{b}{a}", "{b}{a}{a}"), "t.en.02: a template has other slots"),
    ],
)
def test_a_malformed_file_is_refused(folder: Path, text: str, said: str) -> None:
    (folder / "t.en.toml").write_text(text)
    with pytest.raises(TemplateError, match=f"t.en.toml.*{said}"):
        load()


def test_a_missing_file_is_said(folder: Path) -> None:
    with pytest.raises(TemplateError, match=r"t\.en\.toml: the task has no templates in this language"):
        load()


def test_templates_are_chosen_by_number_or_id() -> None:
    found = tasks.load_templates(tasks.get("ner"), "en")
    assert templates.choose(found, ()) == found
    assert templates.choose(found, ("02", "ner.en.01")) == found[:2]
    assert templates.choose(found, ("ner.zh.02", "ner.en.01")) == found[:1]


@pytest.mark.parametrize(
    "wanted", [("77",), ("01", "77"), ("ner.en.77",), ("ner.zh.01",), ("tc.en.01",), ("01", "tc.en.01")]
)
def test_an_unknown_template_is_refused(wanted: tuple[str, ...]) -> None:
    with pytest.raises(TemplateError, match="unknown template; got "):
        templates.choose(tasks.load_templates(tasks.get("ner"), "en"), wanted)


def test_the_hash_is_of_every_wording(folder: Path) -> None:
    hashes: set[str] = set()
    for name, text in (("a.en", GOOD), ("a.en", GOOD + "\n"), ("b.en", GOOD)):
        (folder / f"{name}.toml").write_text(text)
        hashes.add(templates.digest())
    assert len(hashes) == 3
    assert all(tomllib.loads(path.read_text()) for path in folder.glob("*.toml"))


@pytest.mark.parametrize("name", tasks.names())
def test_every_form_of_every_task_has_a_sentence_that_asks_for_it(name: str) -> None:
    for lang in ("en", "zh"):
        for form in tasks.get(name).forms:
            assert templates.form_statement(name, lang, form)
