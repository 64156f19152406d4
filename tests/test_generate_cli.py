"""`taiyi extract`, `classify` and `chat` with a tiny random model, and what they are made of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import Qwen3Config, Qwen3ForCausalLM
from typer.testing import CliRunner, Result

import tiny
from taiyi import catalogue, checkpoint, cli, tagged, tasks
from taiyi.build.windows import windows
from taiyi.checkpoint import Checkpoint, Learned
from taiyi.cli import inputs
from taiyi.errors import ModelError
from taiyi.generate import Asked, LocalEngine, Weighed
from taiyi.generate.dialogue import fit
from taiyi.schema import Example, Lang, Message, Prediction, Span
from taiyi.train.tokenizer import train_bpe
from taiyi.use import extraction, texts

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
    done = taiyi("extract", TEXT, "-m", str(folder), "--types", "Zebra,Yak", "--json", "--window", "30")
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows
    for row in rows:
        assert row.keys() == {"start", "end", "text", "type", "confidence"}
        assert row["text"] == TEXT[row["start"] : row["end"]]
        assert row["type"] in ("Zebra", "Yak")
    assert len({row["start"] > 30 for row in rows}) == 2, "every window is answered"


def test_extract_reads_files_and_standard_input_alike(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes(TEXT.encode())
    options = ("--model", str(folder), "--types", "Zebra", "--json")
    direct = taiyi("extract", TEXT, *options).stdout
    assert taiyi("extract", "--file", str(path), *options).stdout == direct
    assert taiyi("extract", *options, given=TEXT).stdout == direct


def test_a_long_file_is_answered_as_it_is_read_with_offsets_into_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--model", str(folder), "--types", "Zebra,Yak", "--json", "--window", "40")
    path = tmp_path / "note.txt"
    path.write_bytes(f"\n \n{TEXT}\n".encode() * 12)
    at_once = taiyi("extract", "--file", str(path), *options).stdout
    parts: list[int] = []
    generate = LocalEngine.generate

    def counted(engine: LocalEngine, examples: Sequence[Example], **more: int) -> Iterator[Prediction]:
        parts.append(len(examples))
        return generate(engine, examples, **more)

    monkeypatch.setattr(LocalEngine, "generate", counted)
    monkeypatch.setattr(inputs, "_BLOCK", 150)
    monkeypatch.setattr(extraction, "_TOGETHER", 4)
    bit_by_bit = taiyi("extract", "--file", str(path), *options)
    assert bit_by_bit.exit_code == 0, bit_by_bit.output
    assert len(parts) > 4
    assert bit_by_bit.stdout == at_once
    whole = path.read_bytes().decode()
    rows = [json.loads(line) for line in at_once.splitlines()]
    assert rows and all(row["text"] == whole[row["start"] : row["end"]] for row in rows)
    shown = taiyi("extract", "--file", str(path), *options[:-3], "--window", "40")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.count("Aspirin can cause asthma.") == 12


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

    monkeypatch.setattr(texts, "windows", cut)
    monkeypatch.setattr(Checkpoint, "load", lambda path: made)
    done = taiyi("extract", TEXT, "-m", str(folder), "--types", "Zebra", *options)
    assert done.exit_code == 0, done.output
    assert set(asked) == {size}


def test_extract_asks_in_the_form_that_the_model_learned(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forms: list[str] = []

    def answer(engine: object, examples: Sequence[Example], **_: int) -> Iterator[Prediction]:
        forms.extend(example.form for example in examples)
        for example in examples:
            text = "Zebra: Aspirin; Warf" if example.task == "ner" else "(Aspirin, asthma, binds); (Warf"
            yield Prediction(example=example.id, text=text, finish="length", num_tokens=5)

    monkeypatch.setattr(LocalEngine, "generate", answer)
    monkeypatch.setattr(Checkpoint, "load", lambda path: Checkpoint(max_tokens=120, form="list"))
    done = taiyi("extract", TEXT, "-m", str(folder), "--types", "Zebra", "--json")
    assert done.exit_code == 0, done.output
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"start": 0, "end": 7, "text": "Aspirin", "type": "Zebra"}
    ]
    assert "cut at its limit" in done.stderr
    assert "1 mentions were named that the text does not have" not in done.stderr
    monkeypatch.setattr(Checkpoint, "load", lambda path: Checkpoint(max_tokens=120, form="tagged"))
    done = taiyi("extract", TEXT, "-m", str(folder), "--task", "re", "--types", "Zebra", "--json")
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
            text = "Zebra: Warfarin" if n else "Zebra: Aspir"
            yield Prediction(example=example.id, text=text, finish="stop" if n else "length", num_tokens=5)

    monkeypatch.setattr(LocalEngine, "generate", answer)
    monkeypatch.setattr(Checkpoint, "load", lambda path: Checkpoint(max_tokens=120, form="list"))
    done = taiyi("extract", TEXT, "-m", str(folder), "--types", "Zebra", "--window", "1", "--json")
    assert done.exit_code == 0, done.output
    assert "cut at its limit" in done.stderr
    assert "Warfarin" in done.stdout


def test_extract_shows_the_model_what_types_mean(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts: list[str] = []

    def answer(engine: object, examples: Sequence[Example], **_: int) -> Iterator[Prediction]:
        for example in examples:
            prompts.append(example.messages[-1].content)
            yield Prediction(example=example.id, text=example.source_text, finish="stop")

    monkeypatch.setattr(LocalEngine, "generate", answer)
    arguments = ["extract", TEXT, "-m", str(folder), "--types", "Zebra,Yak", "--json", "--window", "900"]
    done = taiyi(*arguments, "--define", "Yak=An ox of the mountains.")
    assert done.exit_code == 0, done.output
    (prompt,) = prompts
    assert "Yak: An ox of the mountains." in prompt
    assert "Zebra:" not in prompt.split("Yak: An ox")[0]
    done = taiyi(*arguments, "--define", "Yack=An ox.")
    assert (done.exit_code, "Did you mean 'Yak'?" in done.stderr) == (1, True)


def test_extract_says_where_the_context_is_too_small(folder: Path) -> None:
    done = taiyi("extract", "asthma " * 600, "-m", str(folder), "--types", "Zebra")
    assert done.exit_code == 1
    assert "longer than the model's context" in done.stderr
    assert "--window" in done.stderr


def test_extract_shows_the_text(folder: Path) -> None:
    done = taiyi("extract", TEXT, "-m", str(folder), "--types", "Zebra,Yak")
    assert done.exit_code == 0
    assert "Aspirin can cause asthma." in done.stdout
    assert "\ufffd" not in done.stdout, "line ends of Windows are no control characters"
    assert "start" in done.stdout or "nothing found" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("x", "--types", "Zebr"), "unknown type; got Zebr. Did you mean 'Zebra'?"),
        (("x", "--task", "nerr"), "unknown task"),
        (("x", "--to", "bioc"), "it is not said where this is written; got bioc. Give --out PATH"),
        (("x", "--task", "tc", "--types", "Zebra"), "not a task of extraction"),
        (("  ", "--types", "Zebra"), "the text is empty"),
    ],
)
def test_extract_says_what_is_wrong(folder: Path, arguments: tuple[str, ...], fault: str) -> None:
    done = taiyi("extract", *arguments, "--model", str(folder))
    assert done.exit_code == 1
    assert fault in done.stderr


def test_extract_refuses_bytes_that_are_no_text(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes("肝损伤。".encode() + "肝".encode("gb18030"))
    monkeypatch.setattr(inputs, "_BLOCK", 5)
    done = taiyi("extract", "--file", str(path), "-m", str(folder), "--types", "Zebra")
    assert done.exit_code == 1
    assert "not UTF-8 text; got byte 12" in done.stderr
    arguments = ["extract", "-m", str(folder), "--types", "Zebra"]
    given = CliRunner().invoke(cli.app, arguments, input=path.read_bytes())
    assert "standard input: not UTF-8 text; got byte 12" in given.stderr


def test_chat_once(folder: Path) -> None:
    done = taiyi("chat", "--model", str(folder), "--once", "asthma?", "--max-new-tokens", "5")
    assert done.exit_code == 0
    assert "not medical advice" in done.stderr
    assert "不是医疗建议" in done.stderr
    assert "qwen3" in done.stderr
    assert "advice" not in done.stdout
    assert "120" not in done.stderr


def test_chat_states_its_limit_once_and_tells_of_emergencies_before_it_answers(folder: Path) -> None:
    lines = "Aspirin can cause asthma.\nI can't breathe!\n我不想活了\nAspirin."
    done = taiyi("chat", "--model", str(folder), "--max-new-tokens", "5", given=lines)
    assert done.exit_code == 0, done.output
    assert done.stderr.count("not medical advice") == done.stderr.count("不是医疗建议") == 1
    assert done.stderr.count("emergency number") == 1
    assert done.stderr.count("12356") == 1 and "自杀" in done.stderr, "in the language of the message"
    assert "12356" not in done.stdout, "a script gets the answers alone"


def test_chat_answers_lines_and_forgets_the_oldest_aloud(folder: Path) -> None:
    lines = "\n".join(
        ["/system Be brief.", *["Aspirin can cause asthma."] * 8, "/what", "/reset", "End.", "/exit", "asthma"]
    )
    done = taiyi("chat", "--model", str(folder), "--max-new-tokens", "10", given=lines)
    assert done.exit_code == 0, done.output
    assert "no longer fit" in done.stderr
    assert "There is no command /what" in done.stderr


def test_chat_with_a_message_that_is_too_long(folder: Path) -> None:
    done = taiyi("chat", "--model", str(folder), "--once", "asthma " * 200)
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


@given(st.lists(st.text('ab. A\n。”肝"e.g', max_size=9), max_size=12), st.integers(1, 30))
def test_windows_of_a_text_that_comes_in_blocks_are_those_of_the_whole(blocks: list[str], size: int) -> None:
    text = "".join(blocks)
    found = list(texts.parts(blocks, size))
    assert [Span(s + part.at, e + part.at) for part in found for s, e in part.windows] == windows(text, size)
    assert all(text[part.at :].startswith(part.text) for part in found)
    if found:
        # A terminal is shown all of the text.
        assert "".join(part.text for part in found) == text[found[0].at :]


# --- labels ----------------------------------------------------------------------------------------------------------


def test_classify_chooses_one_of_the_labels_that_are_named(folder: Path) -> None:
    for text in ("Warfarin, too.", "患者服用阿司匹林。"):
        done = taiyi("classify", text, "--labels", "harm, use，end", "--model", str(folder), "--json")
        assert done.exit_code == 0, done.output
        [found] = json.loads(done.stdout)["labels"]
        label = found["name"]
        assert label in ("harm", "use", "end")
        assert found["confidence"] >= 0.33
        shown = taiyi("classify", text, "--labels", "harm, use，end", "--model", str(folder))
        assert shown.stdout == f"{label}  {found['confidence']:.2f}\n"


@pytest.mark.parametrize(
    ("corpus", "text", "lang", "several"),
    [("kuake_qic", "发烧怎么办", "zh", False), ("hallmarks_of_cancer", "Cells divide.", "en", True)],
)
def test_classify_takes_labels_of_a_corpus(
    folder: Path, monkeypatch: pytest.MonkeyPatch, corpus: str, text: str, lang: Lang, several: bool
) -> None:
    labels = {t.shown(lang) for t in catalogue.get(corpus).labels.values()}
    written: list[str] = []
    generate = LocalEngine.generate

    def counted(engine: LocalEngine, examples: Sequence[Example], **more: int) -> Iterator[Prediction]:
        for prediction in generate(engine, examples, **more):
            assert prediction.constrained
            written.append(prediction.text)
            yield prediction

    monkeypatch.setattr(LocalEngine, "generate", counted)
    done = taiyi("classify", text, "--labels", corpus, "--model", str(folder), "--json")
    assert done.exit_code == 0, done.output
    assert {label["name"] for label in json.loads(done.stdout)["labels"]} <= labels
    assert bool(written) == several
    turned = taiyi("classify", text, "--labels", corpus, "--model", str(folder), "--one" if several else "--several")
    assert turned.exit_code == 0, turned.output
    assert len(written) == 1


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("x",), "it is not said which labels there are"),
        (("x", "--labels", "kuake_qi"), "no corpus with labels has this name; got kuake_qi"),
        (("x", "--labels", "bc5cdr"), "no corpus with labels has this name"),
        ((" ", "--labels", "a,b"), "the text is empty"),
        (("x " * 500, "--labels", "a,b"), "longer than the model's context"),
    ],
)
def test_classify_says_what_is_wrong(folder: Path, arguments: tuple[str, ...], fault: str) -> None:
    done = taiyi("classify", *arguments, "--model", str(folder))
    assert done.exit_code == 1
    assert fault in done.stderr


# --- the model of the package ----------------------------------------------------------------------------------------


def test_the_model_of_the_package_answers_where_none_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = taiyi("extract", TEXT, "--types", "Zebra", "--json", "--model", str(folder)).stdout
    monkeypatch.setattr(checkpoint, "EMBEDDED_DIR", folder)
    assert taiyi("extract", TEXT, "--types", "Zebra", "--json").stdout == named
    assert taiyi("extract", TEXT, "--types", "Zebra", "--json", "-m", "mini").stdout == named
    assert taiyi("classify", TEXT, "--labels", "a,b", "--json").exit_code == 0
    assert "mini: qwen3" in taiyi("chat", "--once", "asthma?", "--max-new-tokens", "5").stderr
    monkeypatch.chdir(folder.parent)
    (folder.parent / "mini").mkdir(exist_ok=True)
    assert taiyi("extract", TEXT, "--types", "Zebra", "--json").stdout == named, "a folder of that name is ./mini"


def test_a_package_without_a_model_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(checkpoint, "EMBEDDED_DIR", tmp_path / "mini")
    for command in (("extract", "x"), ("classify", "x", "--labels", "a,b"), ("chat", "--once", "x")):
        done = taiyi(*command)
        assert done.exit_code == 1
        assert "this copy of Taiyi has no model inside" in done.stderr


LEARNED = (
    Learned(task="ner", corpus="farms", lang="en", types=("Yak",), title="Beasts of Farms"),
    Learned(task="ner", corpus="zoos", lang="en", types=("Zebra",), template="ner.en.03"),
    Learned(task="ner", corpus="zoos", lang="zh", types=("Yak",)),
    Learned(task="tc", corpus="toy", lang="en", types=("bad", "good"), title="Moods"),
)


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Models of the test did only learn what stands in `LEARNED`; what these are asked is listed."""
    made = Checkpoint(base="scratch", max_tokens=120, learned=LEARNED)
    asked: list[str] = []

    def load(_: Path) -> Checkpoint:
        return made

    def generate(self: LocalEngine, examples: Sequence[Example], **_: Any) -> Iterator[Prediction]:
        for example in examples:
            asked.append(example.messages[-1].content)
            yield Prediction(example=example.id, text=example.source_text, finish="stop")

    def weigh(self: LocalEngine, given: Sequence[Asked], **_: Any) -> Iterator[Weighed]:
        for example, candidates in given:
            asked.append(example.messages[-1].content)
            yield Weighed(example.id, [0.0] * len(candidates), [1] * len(candidates), 0.0)

    monkeypatch.setattr(Checkpoint, "load", load)
    monkeypatch.setattr(LocalEngine, "generate", generate)
    monkeypatch.setattr(LocalEngine, "weigh", weigh)
    return asked


def test_by_default_it_is_asked_for_what_prompts_without_a_corpus_taught(folder: Path, learned: list[str]) -> None:
    assert "types: Zebra (" in taiyi("extract", TEXT, "--model", str(folder)).stderr
    assert "types: Yak (" in taiyi("extract", "肝损伤。", "--model", str(folder)).stderr
    assert not any("Farms" in prompt for prompt in learned)


@pytest.mark.parametrize(
    ("options", "title"),
    [
        (("--types", "Zebra"), False),
        (("--types", "Yak"), True),
        (("--like", "farms"), True),
        (("--types", "Zebra", "--like", "farms"), True),
        (("--types", "Yak", "--like", "zoos"), False),
        (("--types", "Yak,Zebra"), False),
    ],
)
def test_guidelines_are_named_as_the_model_learned_them(
    folder: Path, learned: list[str], options: tuple[str, ...], title: bool
) -> None:
    done = taiyi("extract", TEXT, "--model", str(folder), *options)
    assert done.exit_code == 0, done.stderr
    assert learned
    assert {("Beasts of Farms" in prompt) for prompt in learned} == {title}


def test_words_are_those_that_the_model_learned(folder: Path, learned: list[str]) -> None:
    first, third = (tasks.load_templates(tasks.get("ner"), "en")[n].text.partition("{")[0] for n in (0, 2))
    for named, begins in (("Zebra", third), ("Yak", first)):
        learned.clear()
        assert taiyi("extract", TEXT, "--model", str(folder), "--types", named).exit_code == 0
        assert learned
        assert all(begins in prompt for prompt in learned)


def test_labels_are_asked_for_as_the_model_learned_them(folder: Path, learned: list[str]) -> None:
    assert taiyi("classify", TEXT, "--labels", "good,bad", "-m", str(folder)).exit_code == 0
    assert ["Moods" in prompt for prompt in learned] == [True]
    done = taiyi("classify", TEXT, "--labels", "fine,bad", "-m", str(folder))
    assert (done.exit_code, "the model did not learn these labels" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            ("extract", TEXT, "--like", "zoo"),
            "like: the model did not learn ner of this corpus .*got zoo; expected farms, zoos. Did you mean 'zoos'",
        ),
        (
            ("extract", TEXT, "--task", "re"),
            "did not learn this; got relation extraction in en; expected named entity recognition in en and zh;",
        ),
        (
            ("classify", "肝损伤。", "--labels", "a,b"),
            "the model did not learn this; got text classification in zh; expected",
        ),
        (("chat", "--once", "hello"), "this model cannot talk"),
    ],
)
def test_what_a_model_did_not_learn_is_refused(
    folder: Path, learned: list[str], command: tuple[str, ...], said: str
) -> None:
    done = taiyi(*command, "--model", str(folder))
    assert done.exit_code == 1
    assert re.search(said, " ".join(done.stderr.split())), done.stderr
    assert "not medical advice" not in done.stderr, "it is refused before anything is said"
    assert not learned


def test_a_model_of_our_own_answers_without_torch(folder: Path) -> None:
    code = """
import runpy, sys
sys.argv = ["taiyi", "extract", "Aspirin can cause asthma.", "--types", "Zebra", "--json", "--model", sys.argv[1]]
try:
    runpy.run_module("taiyi", run_name="__main__", alter_sys=True)
finally:
    slow = {"torch", "transformers", "jinja2", "llguidance", "rich.console", "taiyi.corpora"} & set(sys.modules)
    assert not slow, slow
"""
    done = tiny.python("-c", code, folder)
    assert done.returncode == 0, done.stderr
