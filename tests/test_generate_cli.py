"""`taiyi chat` and `taiyi extract` with a tiny random model, and what they are made of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import Qwen3Config, Qwen3ForCausalLM
from typer.testing import CliRunner, Result

from taiyi import cli, tagged
from taiyi.build.windows import windows
from taiyi.checkpoint import Checkpoint
from taiyi.cli import extract
from taiyi.errors import ModelError
from taiyi.generate import LocalEngine
from taiyi.generate.dialogue import fit
from taiyi.schema import Example, Message, Prediction, Span
from taiyi.train.tokenizer import train_bpe

TEXT = "Aspirin can cause asthma. No harm was seen in e.g. mice! 😀 Warfarin, too.\r\nEnd of it."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tags = [written for tag in ("Zebra", "Yak") for written in (tagged.open_tag(tag), tagged.close_tag(tag))]
    tokenizer = train_bpe([TEXT], vocab_size=330, tags=tags)
    torch.manual_seed(1)
    config = Qwen3Config(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, max_position_embeddings=400, initializer_range=0.3,
        tie_word_embeddings=True,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("model")
    Qwen3ForCausalLM(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    Checkpoint(recipe="tiny", stage="stage1", positions="aligned", max_tokens=120).save(path)
    return path


def taiyi(*arguments: str, given: str = "") -> Result:
    return CliRunner().invoke(cli.app, arguments, input=given, env={"NO_COLOR": "1", "COLUMNS": "200"})


def test_extract_gives_offsets_into_the_text(folder: Path) -> None:
    done = taiyi("extract", str(folder), TEXT, "--types", "Zebra,Yak", "--json", "--window", "30")
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows
    for row in rows:
        assert row.keys() == {"start", "end", "text", "type"}
        assert row["text"] == TEXT[row["start"] : row["end"]]
        assert row["type"] in ("Zebra", "Yak")
    assert len({row["start"] > 30 for row in rows}) == 2, "every window is answered"


def test_extract_reads_files_and_standard_input_alike(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes(TEXT.encode())
    options = ("--types", "Zebra", "--json")
    direct = taiyi("extract", str(folder), TEXT, *options).stdout
    assert taiyi("extract", str(folder), "--file", str(path), *options).stdout == direct
    assert taiyi("extract", str(folder), *options, given=TEXT.replace("\r\n", "\n")).exit_code == 0


@pytest.mark.parametrize(
    ("made", "options", "size"),
    [
        (Checkpoint(max_tokens=120), (), 300),
        (Checkpoint(max_tokens=120, window_chars=25), (), 25),
        (Checkpoint(max_tokens=120, window_chars=25), ("--window", "60"), 60),
    ],
)
def test_extract_cuts_windows_as_the_model_learned_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch, made: Checkpoint, options: tuple[str, ...], size: int
) -> None:
    asked: list[int] = []

    def cut(text: str, most: int) -> list[Span]:
        asked.append(most)
        return windows(text, most)

    monkeypatch.setattr(extract, "windows", cut)
    monkeypatch.setattr(Checkpoint, "load", lambda path: made)
    done = taiyi("extract", str(folder), TEXT, "--types", "Zebra", *options)
    assert done.exit_code == 0, done.output
    assert asked == [size]


def test_extract_asks_in_the_form_that_the_model_learned(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forms: list[str] = []

    def answer(engine: object, examples: Sequence[Example], **_: int) -> Iterator[Prediction]:
        forms.extend(example.form for example in examples)
        for example in examples:
            text = "Zebra: Aspirin; Warf" if example.task == "ner" else "(Aspirin, asthma, binds); (Warf"
            yield Prediction(example=example.id, text=text, finish="length", num_tokens=5)

    monkeypatch.setattr(LocalEngine, "generate", answer)
    monkeypatch.setattr(Checkpoint, "load", lambda path: Checkpoint(max_tokens=120, form="list"))
    done = taiyi("extract", str(folder), TEXT, "--types", "Zebra", "--json")
    assert done.exit_code == 0, done.output
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"start": None, "end": None, "text": "Aspirin", "type": "Zebra"}
    ]
    assert "cut at its limit" in done.stderr
    monkeypatch.setattr(Checkpoint, "load", lambda path: Checkpoint(max_tokens=120, form="tagged"))
    done = taiyi("extract", str(folder), TEXT, "--task", "re", "--types", "Zebra", "--json")
    assert done.exit_code == 0, done.output
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"head": "Aspirin", "tail": "asthma", "type": "binds"}
    ]
    assert forms == ["list", "list"], "relations have no tagged form"


def test_a_window_that_was_cut_before_its_first_item_loses_no_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(engine: object, examples: Sequence[Example], **_: int) -> Iterator[Prediction]:
        for n, example in enumerate(examples):
            text = "Zebra: Aspirin" if n else "Zebra: Aspir"
            yield Prediction(example=example.id, text=text, finish="stop" if n else "length", num_tokens=5)

    monkeypatch.setattr(LocalEngine, "generate", answer)
    monkeypatch.setattr(Checkpoint, "load", lambda path: Checkpoint(max_tokens=120, form="list"))
    done = taiyi("extract", str(folder), TEXT, "--types", "Zebra", "--window", "1", "--json")
    assert done.exit_code == 0, done.output
    assert "cut at its limit" in done.stderr
    assert "Aspirin" in done.stdout


def test_extract_says_where_the_context_is_too_small(folder: Path) -> None:
    done = taiyi("extract", str(folder), "asthma " * 600, "--types", "Zebra")
    assert done.exit_code == 1
    assert "longer than the model's context" in done.stderr
    assert "--window" in done.stderr


def test_extract_shows_the_text(folder: Path) -> None:
    done = taiyi("extract", str(folder), TEXT, "--types", "Zebra,Yak")
    assert done.exit_code == 0
    assert "Aspirin can cause asthma." in done.stdout
    assert "start" in done.stdout or "nothing found" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("x", "--types", "Zebr"), "unknown type; got Zebr. Did you mean 'Zebra'?"),
        (("x", "--task", "nerr"), "unknown task"),
        (("x", "--task", "tc", "--types", "Zebra"), "not a task of extraction"),
        (("  ", "--types", "Zebra"), "the text is empty"),
    ],
)
def test_extract_says_what_is_wrong(folder: Path, arguments: tuple[str, ...], fault: str) -> None:
    done = taiyi("extract", str(folder), *arguments)
    assert done.exit_code == 1
    assert fault in done.stderr


def test_extract_refuses_bytes_that_are_no_text(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes("肝".encode("gb18030"))
    done = taiyi("extract", str(folder), "--file", str(path), "--types", "Zebra")
    assert done.exit_code == 1
    assert "not UTF-8 text" in done.stderr


def test_chat_once(folder: Path) -> None:
    done = taiyi("chat", str(folder), "--once", "asthma?", "--max-new-tokens", "5")
    assert done.exit_code == 0
    assert "not medical advice" in done.stderr
    assert "不是医疗建议" in done.stderr
    assert "qwen3" in done.stderr
    assert "advice" not in done.stdout


def test_chat_answers_lines_and_forgets_the_oldest_aloud(folder: Path) -> None:
    lines = "\n".join(
        ["/system Be brief.", *["Aspirin can cause asthma."] * 8, "/what", "/reset", "End.", "/exit", "asthma"]
    )
    done = taiyi("chat", str(folder), "--max-new-tokens", "10", given=lines)
    assert done.exit_code == 0, done.output
    assert "no longer fit" in done.stderr
    assert "There is no command /what" in done.stderr


def test_chat_with_a_message_that_is_too_long(folder: Path) -> None:
    done = taiyi("chat", str(folder), "--once", "asthma " * 200)
    assert done.exit_code == 1
    assert "longer than the model can hold" in done.stderr


def count(messages: Sequence[Message]) -> int:
    return sum(len(m.content) for m in messages)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.integers(9, 40), st.booleans())
def test_fit_keeps_the_newest(sizes: list[int], limit: int, with_system: bool) -> None:
    sizes = sizes if len(sizes) % 2 else sizes[:-1] or [1]
    turns = [Message(role=("user", "assistant")[i % 2], content="x" * n) for i, n in enumerate(sizes)]  # pyright: ignore
    system = [Message(role="system", content="s")] if with_system else []
    if count([*system, turns[-1]]) > limit:
        with pytest.raises(ModelError):
            fit([*system, *turns], count, limit=limit)
        return
    kept, dropped = fit([*system, *turns], count, limit=limit)
    assert kept == [*system, *turns[dropped:]]
    assert kept[len(system)].role == "user"
    assert count(kept) <= limit
    assert dropped == 0 or count([*system, *turns[dropped - 2 :]]) > limit


@given(st.text("ab. A\n。肝", max_size=60), st.integers(1, 30))
def test_windows_hold_all_text_once(text: str, size: int) -> None:
    found = windows(text, size)
    assert all(a.end <= b.start for a, b in pairwise(found))
    kept = "".join(text[start:end] for start, end in found)
    assert "".join(kept.split()) == "".join(text.split())
