"""The file of a recipe: its values are what they look like, and what is no YAML is said with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from taiyi import recipe
from taiyi.errors import RecipeError

GOOD = {
    "name": "toy",
    "stages": [{"name": "one", "learning_rate": 0.001, "data": [{"corpus": "demo_cdr", "task": "ner"}]}],
}
TEXT = yaml.safe_dump(GOOD, sort_keys=False)
NUM_LINES = TEXT.count("\n")


def loaded(folder: Path, text: str | bytes) -> recipe.Recipe:
    path = folder / "toy.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return recipe.load(path)


@pytest.mark.parametrize(
    "text", ["2024-13-45", "2024-01-02", "no", "yes", "on", "y", "12:30:00", "0b1", "1.2.3", "=", "true-ish", ".inf"]
)
def test_what_other_readers_take_for_something_else_is_a_text(tmp_path: Path, text: str) -> None:
    read = loaded(tmp_path, TEXT.replace("task: ner", f"task: ner\n    merge_types: {{Chemical: {text}}}"))
    assert read.stages[0].data[0].merge_types == {"Chemical": text}
    assert loaded(tmp_path, f"{TEXT}description: {text}\n").description == text


@pytest.mark.parametrize(
    ("text", "value"),
    [("010", 10), ("08", 8), ("0x10", 16), ("0o10", 8), ("200_000", 200_000), ("1e3", 1000), ("+7", 7), ("1.0", 1)],
)
def test_a_number_is_what_it_looks_like(tmp_path: Path, text: str, value: int) -> None:
    assert loaded(tmp_path, f"{TEXT}seed: {text}\n").seed == value


@pytest.mark.parametrize(
    ("text", "got"),
    [("12:30:00", "'12:30:00'"), ("2024-01-02", "'2024-01-02'"), ("no", "'no'"), ("1e-3", "0.001"), ("inf", "'inf'")],
)
def test_what_is_no_number_is_said(tmp_path: Path, text: str, got: str) -> None:
    said = rf"toy\.yaml:{NUM_LINES + 1}: seed: unfit value; got {got}; expected whole number"
    with pytest.raises(RecipeError, match=said):
        loaded(tmp_path, f"{TEXT}seed: {text}\n")


@pytest.mark.parametrize("text", [".inf", "inf", "nan", "1e999"])
def test_a_setting_of_training_is_finite(tmp_path: Path, text: str) -> None:
    with pytest.raises(RecipeError, match=r"stages\.0\.learning_rate: unfit value; .*expected number of more than 0"):
        loaded(tmp_path, TEXT.replace("0.001", text))
    assert loaded(tmp_path, TEXT.replace("0.001", "2e-4")).stages[0].learning_rate == 0.0002


@pytest.mark.parametrize(("text", "value"), [("no", False), ("off", False), ("false", False), ("yes", True)])
def test_yes_and_no_are_choices_where_a_choice_is_asked_for(tmp_path: Path, text: str, value: bool) -> None:
    assert loaded(tmp_path, f"{TEXT}scratch: {{tie: {text}}}\n").scratch.tie is value


@pytest.mark.parametrize("number", ["01", "08", "10"])
def test_every_number_of_a_template_needs_quotes(tmp_path: Path, number: str) -> None:
    text = TEXT.replace("task: ner", f"task: ner\n    templates: [{number}]")
    with pytest.raises(RecipeError, match=rf'templates\.0: .*Put it in quotes: "{number}"'):
        loaded(tmp_path, text)


def test_a_file_may_have_a_mark_of_the_byte_order_and_line_ends_of_windows(tmp_path: Path) -> None:
    written = b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode()
    assert loaded(tmp_path, written) == loaded(tmp_path, TEXT)
    with pytest.raises(RecipeError, match=rf"toy\.yaml:{NUM_LINES + 1}: sead: unknown key"):
        loaded(tmp_path, written + b"sead: 1\r\n")


@pytest.mark.parametrize(
    ("written", "line", "byte"),
    [
        (TEXT.encode("utf-16"), 1, "0xff"),
        (f"{TEXT}description: caf\u00e9\n".encode("latin-1"), NUM_LINES + 1, "0xe9"),
        (f"name: toy\ndescription: 病\n{TEXT}".encode("gbk"), 2, "0xb2"),
    ],
)
def test_what_is_not_in_utf_8_is_said_with_its_line(tmp_path: Path, written: bytes, line: int, byte: str) -> None:
    said = rf"toy\.yaml:{line}: not a text; got the byte {byte}; expected YAML in UTF-8. Save it in UTF-8"
    with pytest.raises(RecipeError, match=said):
        loaded(tmp_path, written)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: toy\nseed:\t1\n", ":2: not YAML; got .*. Write spaces in place of tabs"),
        ("name: toy\nseed: \x07\n", ":2: not a text; got the character 0x0007; expected YAML in UTF-8. Take it out"),
        (
            "name: &a x\nbase: &a y\n",
            ":2: not YAML; got found duplicate anchor 'a'; first .* on line 1.*a name of its own",
        ),
        ("name: a\n---\nname: b\n", ":2: not YAML; got .* found another document .*. A recipe is one document"),
        ('name: toy\nbase: "x\nseed: 1\n', ":2: not YAML; got found unexpected end of stream .*. Close the quotes"),
        ("name: @x\n", ":1: not YAML; got found character '@' .*. Put the text in quotes"),
        ("name: {{x}}\n", ":1: not YAML; got found unhashable key .*. Put a text that begins with { or \\[ in quotes"),
        ("name: toy\nseed: !!int x\n", ":2: not YAML; got 'x', which cannot be read as int"),
        ("name: toy\nseed: !!bool x\n", ":2: not YAML; got 'x', which cannot be read as bool"),
        ("name: !!timestamp 2024-13-45\n", ":1: not YAML; got could not determine .*. Take the word with ! away"),
        (f"name: toy\nseed: {'1' * 5000}\n", ":2: not YAML; got '1+', which cannot be read as int"),
        (f"name: {'[' * 3000}\n", ": too many \\[ or { in one another. Close"),
    ],
)
def test_what_is_no_yaml_is_said_with_its_line_and_mend(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RecipeError, match=rf"toy\.yaml{said}"):
        loaded(tmp_path, text)
