"""`taiyi data show` and `taiyi data browse`: the data of a run as a model sees it, and the page to browse it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from extraction import document
from taiyi import cli, storage
from taiyi.build.decontaminate import Match
from taiyi.look import examples, marks, page, rows
from taiyi.look.common import common
from taiyi.look.marks import Mark
from taiyi.manifest import Manifest
from taiyi.schema import (
    Choice,
    Example,
    Mention,
    Mentions,
    Message,
    Shown,
    Span,
    Tagging,
    Triple,
    Triples,
)
from taiyi.steps.rendering import Epochs
from taiyi.train.tokenizer import train_bpe
from test_build_windows_extraction import built

EVIL = '<script>alert("x")</script> & <b>'
RECIPE: dict[str, Any] = {
    "name": "small",
    "scratch": {"vocab_size": 400, "hidden": 16, "layers": 1, "heads": 1, "feed_forward": 16},
    "stages": [
        {
            "name": "one",
            "data": [
                {"corpus": "demo_cdr", "task": "ner", "window_chars": 200, "max_records": 3},
                {"corpus": "demo_chat", "task": "mrd", "max_records": 3},
                {"corpus": "demo_cmeie", "task": "re", "max_records": 3},
            ],
        }
    ],
    "evaluate": {"suites": ["demo_qic_tc"], "max_records": 2},
}


def call(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(
        cli.app, [str(a) for a in arguments], env={"COLUMNS": "160", "NO_COLOR": "1"} | environment
    )


def example(identifier: str, **changes: Any) -> Example:
    source = changes.pop("source", "Cisplatin caused nephrotoxicity.")
    prompt = f"Find chemicals: {source}"
    fields: dict[str, Any] = {
        "id": identifier,
        "corpus": "hand",
        "task": "ner",
        "lang": "en",
        "split": "train",
        "template": "ner.en.01",
        "form": "tagged",
        "record": identifier,
        "messages": (Message(role="user", content=prompt),),
        "answer": f"<chemical>{source[:9]}</chemical>{source[9:]}",
        "gold": Mentions(items=(Mention(type="Chem", text=source[:9], span=Span(0, 9)),)),
        "types": (Shown(name="Chem", shown="chemical"),),
        "tagging": Tagging(source=source, tags=("chemical",), at=prompt.index(source)),
    }
    return Example(**(fields | changes))


def choice(identifier: str, text: str) -> Example:
    message = Message(role="user", content=text)
    return example(
        identifier,
        task="qa_mc",
        form="key",
        messages=(message,),
        answer="A",
        gold=Choice(key="A"),
        types=(),
        tagging=None,
    )


def step(
    run: Path,
    found: list[Example],
    *,
    rejects: list[dict[str, str]] | None = None,
    matches: list[Match] | None = None,
    key: str = "0",
) -> Path:
    """Write a finished data step with one stage by hand."""
    folder = run / f"data-{key}"
    storage.write_parquet(found, folder / "one.parquet", Example)
    storage.write_parquet([choice("secret", "text of the test set")], folder / "test-sealed.parquet", Example)
    storage.write_jsonl(rejects or [], folder / "rejects.jsonl")
    storage.write_jsonl(matches or [], folder / "decontamination.jsonl")
    epochs = [Epochs("hand", "ner", "en", 4, 6)] if found else []
    storage.write_json({"one": epochs}, folder / "epochs.json")
    made = Manifest(
        step="data",
        inputs={"stages": {"one": []}},
        facts={"tests": {"sealed": 1}},
        files={},
        seconds=0,
        finished=f"2026-01-0{int(key) + 1}T00:00:00Z",
    )
    storage.write_json(made, folder / "manifest.json")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("look")
    (folder / "small.yaml").write_text(yaml.safe_dump(RECIPE))
    built = call("build", folder / "small.yaml", "--runs", folder)
    assert built.exit_code == 0, built.output
    return folder / "small"


@pytest.fixture(scope="module")
def tokenizer(run: Path) -> Path:
    texts = [m.content for _, e in examples.choose(examples.find(run), count=99) for m in e.messages]
    folder = run.parent / "tokenizer"
    train_bpe(texts, vocab_size=400, tags=["<chemical>", "</chemical>"]).save_pretrained(folder)
    return folder


# --- show ------------------------------------------------------------------------------------------------------------


def test_show_without_a_tokenizer_shows_the_text_and_how_the_answer_scores(run: Path) -> None:
    result = call("data", "show", run, "--task", "ner")
    assert result.exit_code == 0, result.output
    for expected in ("demo_cdr/train/", "Without a tokenizer", "{<chemical>}[", "The answer as parsed: mentions"):
        assert expected in result.stdout
    assert "Scored: right (" in result.stdout
    assert "\x1b" not in result.stdout


def test_show_with_a_tokenizer_shows_each_token_and_what_is_learned(run: Path, tokenizer: Path) -> None:
    arguments = ("data", "show", run, "--task", "ner", "--tokenizer", tokenizer)
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    assert re.search(r"^<\|im_start\|>\|", result.stdout, re.MULTILINE)
    assert "(<|im_end|>)" in result.stdout
    [look] = json.loads(call(*arguments, "--json").stdout)
    encoder = rows.encoder(examples.find(run), str(tokenizer))
    assert encoder is not None
    row = encoder.row(msgspec.convert(look["example"], Example))
    assert [i for piece in look["pieces"] for i in piece["ids"]] == row.ids
    assert [i for piece in look["pieces"] for i in piece["positions"]] == row.positions
    assert look["num_learned"] == sum(len(choices) != 1 for choices in row.choices)
    assert {piece["state"] for piece in look["pieces"]} == {"prompt", "forced", "decision"}
    assert f"{len(row.ids)} tokens, {look['num_learned']} of them learned" in result.stdout


def test_every_answer_of_a_dialogue_is_learned(run: Path, tokenizer: Path) -> None:
    encoder = rows.encoder(examples.find(run), str(tokenizer))
    for one in (encoder, None):
        for stage, found in examples.choose(examples.find(run), task="mrd", count=9):
            look = rows.see(stage, found, one)
            learned = "".join(piece.text for piece in look.pieces if piece.state == "learned")
            earlier = [m.content for m in found.messages if m.role == "assistant"]
            assert all(answer in learned for answer in (*earlier, found.answer))
            assert not any(m.content in learned for m in found.messages if m.role == "user")


def test_tokens_of_one_character_stand_together(tokenizer: Path, tmp_path: Path) -> None:
    step(tmp_path, [choice("x", "罕见字 鬱 😀?")])
    [(stage, found)] = examples.choose(examples.find(tmp_path))
    look = rows.see(stage, found, rows.encoder(examples.find(tmp_path), str(tokenizer)))
    assert "罕见字 鬱 😀?" in "".join(piece.text for piece in look.pieces)
    assert any(len(piece.ids) > 1 for piece in look.pieces)
    assert not any("\ufffd" in piece.text for piece in look.pieces)


def test_show_says_what_an_answer_does_not_say(tmp_path: Path) -> None:
    gold = Mentions(items=(Mention(type="Chem", text="Cisplatin"), Mention(type="Chem", text="x y")))
    found = [example("less", gold=gold), example("broken", answer="<chemical>Cisplatin caused")]
    step(tmp_path, found)
    less = call("data", "show", tmp_path, "--id", "less").stdout
    assert "It does not say all of the gold" in less
    assert "Scored: partly right: 1 of 2 found" in less
    broken = call("data", "show", tmp_path, "--id", "broken").stdout
    assert "The answer cannot be parsed: the tagged answer ends before its source" in broken
    assert "Scored: unparsable" in broken


@pytest.mark.parametrize("name", ["re", "rc", "ee", "coref"])
def test_show_says_what_lies_in_no_window(tmp_path: Path, name: str) -> None:
    found = [item for item in built(name, training=False) if isinstance(item, Example)]
    first, *others = found
    step(tmp_path, found)
    shown = call("data", "show", tmp_path, "--id", first.id).stdout
    assert "It does not say all of the gold" in shown
    assert "Of this lies in no window of the document, and counts as missed" in shown
    [look] = json.loads(call("data", "show", tmp_path, "--id", first.id, "--json").stdout)
    # An event comes with those that it refers to, wherever they are.
    lost = {"re": ["It"], "rc": ["It"], "ee": ["raises", "binds"], "coref": ["It"]}[name]
    items = look["in_no_window"]["items"]
    assert all(text in json.dumps(item) for text, item in zip(lost, items, strict=True))
    assert rows.see("test", others[0], None).in_no_window is None
    whole = built(name, training=False, window_chars=0)
    assert all(isinstance(item, Example) and rows.see("test", item, None).in_no_window is None for item in whole)


def test_what_else_an_answer_does_not_say_lies_in_a_window() -> None:
    """Of a pair whose mentions lie in each other it is not known which of them was meant."""
    (first, *_) = (item for item in built("rc", training=False) if isinstance(item, Example))
    message = first.messages[-1]
    inside = message.content.replace("<e1>IL4</e1>", "<e1>IL<e1>4</e1></e1>")
    assert inside != message.content
    nested = msgspec.structs.replace(first, messages=(Message(role="user", content=inside),))
    assert rows.see("test", nested, None).in_no_window is None
    cut = document(("Chemical", "Aa bb"))
    tagged = built("ner", training=False, record=cut, window_chars=3, form="tagged")
    looks = [rows.see("test", item, None) for item in tagged if isinstance(item, Example)]
    assert all(look.in_no_window is None for look in looks)


def test_show_spreads_over_what_there_is_and_prints_json(run: Path) -> None:
    looks = json.loads(call("data", "show", run, "-n", 3, "--json").stdout)
    assert [look["example"]["corpus"] for look in looks] == ["demo_cdr", "demo_cmeie", "demo_chat"] or len(looks) == 3
    identifier = looks[-1]["example"]["id"]
    [again] = json.loads(call("data", "show", run, "--id", identifier, "-n", 5, "--json").stdout)
    assert again == looks[-1]


def test_show_does_not_obey_what_a_text_says_to_a_terminal(tmp_path: Path) -> None:
    step(tmp_path, [choice("x", "\x1b[31m [bold]red[/bold] :smile:\a")])
    shown = call("data", "show", tmp_path).stdout
    assert "\x1b" not in shown
    assert "\a" not in shown
    assert "[bold]red[/bold] :smile:" in shown


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("--stage", "onne"), "no such stage or test set; got onne. Did you mean 'one'?"),
        (("--task", "nerr"), "no example of this task; got nerr. Did you mean 'ner'?"),
        (("--corpus", "demo_cd"), "no example of this corpus; got demo_cd. Did you mean 'demo_cdr'?"),
        (("--corpus", "demo_cdr", "--task", "mrd"), "no such example; got mrd, demo_cdr"),
        (("--id", "nothing"), "no such example; got nothing"),
        (("--tokenizer", "./nowhere"), "nowhere: the tokenizer cannot be loaded"),
    ],
)
def test_show_says_what_is_not_there(run: Path, arguments: tuple[str, ...], fault: str) -> None:
    result = call("data", "show", run, *arguments)
    assert result.exit_code == 1
    assert fault in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["show", "browse"])
def test_a_run_without_data_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data-0").mkdir()  # a step that never finished
    for run in (tmp_path, tmp_path / "none"):
        result = call("data", command, run)
        assert result.exit_code == 1
        assert "no instruction data here; expected a run whose data was built" in result.stderr
    assert not list(tmp_path.glob("*.html"))


def test_the_latest_data_of_a_run_is_looked_at_unless_another_is_named(tmp_path: Path) -> None:
    step(tmp_path, [example("new")], key="1")
    old = step(tmp_path, [example("old")], key="0")
    assert json.loads(call("data", "show", tmp_path, "--json").stdout)[0]["example"]["id"] == "new"
    assert json.loads(call("data", "show", old, "--json").stdout)[0]["example"]["id"] == "old"


# --- browse ----------------------------------------------------------------------------------------------------------


class _Page(HTMLParser):
    """The elements of a page with their attributes, its text, and whether every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.marked = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.text += data
        if "mark" in self.open and "i" not in self.open:
            self.marked += data


def browsed(run: Path) -> _Page:
    out = run / "page.html"
    result = call("data", "browse", run, "--out", out)
    assert result.exit_code == 0, result.output
    assert str(out.resolve()) in result.stdout
    return _Page(out.read_text(encoding="utf-8"))


def test_page_of_a_run_needs_nothing_else_and_has_all_parts(run: Path) -> None:
    shown = browsed(run)
    for expected in ("one: ", "demo_cdr", "demo_cmeie", "demo_qic_tc", "over max_records", "Found in test sets"):
        assert expected in shown.text
    assert not [value for _, attrs in shown.elements for name, value in attrs.items() if name == "src"]
    links = [attrs["href"] for tag, attrs in shown.elements if tag == "a"]
    assert {f"#{attrs['id']}" for _, attrs in shown.elements if "id" in attrs} >= set(links)
    assert "http" not in (run / "page.html").read_text(encoding="utf-8")


def test_page_with_nothing(tmp_path: Path) -> None:
    step(tmp_path, [])
    shown = browsed(tmp_path)
    assert "one: 0 examples of its own" in shown.text
    assert "Nothing was left out." in shown.text
    assert "Nothing of the training data was found in the test sets." in shown.text


def test_page_shows_counts_epochs_and_marks(tmp_path: Path) -> None:
    step(tmp_path, [example("a"), example("b", template="ner.en.02")])
    shown = browsed(tmp_path)
    assert "2 of 2 examples, 2 wordings" in shown.text
    assert "1.50" in shown.text  # 6 draws of 4 records
    assert shown.marked == "Cisplatin" * 2


def test_page_shows_texts_as_they_are(tmp_path: Path) -> None:
    rejects = [{"for": "one", "where": EVIL, "reason": EVIL, "detail": EVIL}]
    match = Match(
        training=EVIL, evaluation=EVIL, by="text", value=EVIL, training_text=f"{EVIL} same", evaluation_text=EVIL
    )
    found = [example(EVIL, corpus=EVIL, template=EVIL, source=f"{EVIL} and more text"), choice("bell", "a\x07b")]
    step(tmp_path, found, rejects=rejects, matches=[match])
    shown = browsed(tmp_path)
    assert [tag for tag, _ in shown.elements].count("script") == 1
    assert "b" not in {tag for tag, _ in shown.elements}
    assert shown.text.count(EVIL) > 8
    assert "a\ufffdb" in shown.text


def test_page_has_no_text_of_test_sets_beyond_the_audit(tmp_path: Path) -> None:
    rejects = [{"for": "sealed", "where": "sealed/1", "reason": "no answer", "detail": "quotes the test set"}]
    step(tmp_path, [example("a")], rejects=rejects)
    shown = browsed(tmp_path)
    assert "sealed/1" in shown.text
    assert "quotes the test set" not in shown.text
    assert "text of the test set" not in shown.text


def test_page_is_bounded_and_says_so(tmp_path: Path) -> None:
    long = "word " * 4_000
    found = [choice(str(i), f"{i} {long}") for i in range(300)]
    rejects = [{"for": "one", "where": str(i), "reason": "long", "detail": long} for i in range(300)]
    matches = [
        Match(
            training=str(i),
            evaluation="e",
            by="overlap",
            value="",
            training_text=long,
            evaluation_text=long,
            similarity=0.5 + i / 1000,
        )
        for i in range(300)
    ]
    step(tmp_path, found, rejects=rejects, matches=[*matches, *matches])
    shown = browsed(tmp_path)
    assert len(shown.text) < 200_000
    assert "16 of 300 examples, 1 wording" in shown.text
    assert f"… {page.TEXT_CHARS:,} of " in shown.text
    assert "and 295 more in rejects.jsonl" in shown.text
    assert "300, 25 shown" in shown.text
    assert "50% alike" in shown.text
    assert "60% alike" not in shown.text


def test_samples_are_of_all_wordings_and_the_same_every_time(tmp_path: Path) -> None:
    found = [example(f"{i}-{j}", template=f"ner.en.{i:02}") for j in range(9) for i in range(15)]
    path = step(tmp_path, found) / "one.parquet"
    [chosen] = examples.sample(path, per_group=16).values()
    assert {e.template for e in chosen} == {f"ner.en.{i:02}" for i in range(15)}
    assert len(chosen) == 16
    assert examples.sample(path, per_group=16) == {("hand", "ner", "en"): chosen}


# --- marks -----------------------------------------------------------------------------------------------------------


def test_what_an_answer_names_is_found_as_whole_words() -> None:
    found = example(
        "x",
        messages=(Message(role="user", content="AR in PAR and AR, 急性胃炎"),),
        gold=Triples(items=(Triple(head="AR", tail="胃炎", type="t"),)),
        tagging=None,
    )
    assert [(m.start, m.end, m.name) for m in marks.mentions(found)] == [
        (0, 2, "head"),
        (14, 16, "head"),
        (20, 22, "tail"),
    ]


def test_marks_nest_and_never_cross() -> None:
    text = "abcdef"
    written = marks.html(text, [Mark(0, 4, "x"), Mark(1, 2, "y"), Mark(3, 6, "z"), Mark(5, 6)], limit=9)
    assert written == ('<mark class="c0">a<mark class="c0">b<i>y</i></mark>cd<i>x</i></mark>e<mark>f</mark>')


@given(
    st.text(max_size=60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6), st.integers(1, 70)
)
def test_html_of_any_text_reads_as_that_text(text: str, places: list[tuple[int, int]], limit: int) -> None:
    written = marks.html(text.replace("\r", ""), [Mark(a, b) for a, b in places], limit=limit)
    shown = _Page(str(written)).text.split(" … ")[0]
    assert len(shown) == min(limit, len(text.replace("\r", ""))) or " … " in text


def test_common_parts_are_marked_whatever_their_case_and_spaces() -> None:
    first = "Aspirin: reversal of respiratory depression by naloxone in rats."
    second = "A  Reversal of Respiratory-Depression by NALOXONE, in dogs"
    here, there = common(first, second)
    assert [first[a:b] for a, b in here] == ["reversal of respiratory depression by naloxone in"]
    assert [second[a:b] for a, b in there] == ["Reversal of Respiratory-Depression by NALOXONE, in"]
    assert common("急性胃炎患者的治疗方法", "慢性胃炎患者的治疗")[0] == [Span(1, 9)]
    assert common("short", "Short!") == ([Span(0, 5)], [Span(0, 5)])
    assert common("", "x") == ([], [])


@given(st.text(max_size=80), st.text(max_size=80))
def test_common_parts_lie_in_the_texts_in_order(first: str, second: str) -> None:
    for text, spans in zip((first, second), common(first, second), strict=True):
        edges = [edge for span in spans for edge in span]
        assert edges == sorted(edges)
        assert all(0 <= span.start < span.end <= len(text) for span in spans)


# --- rows of a file --------------------------------------------------------------------------------------------------


def test_rows_of_a_file_are_read_by_place(tmp_path: Path) -> None:
    count = 8192 * 2 + 3
    storage.write_parquet((Epochs("c", "t", "en", i, 0) for i in range(count)), tmp_path / "x.parquet", Epochs)
    wanted = [count - 1, 0, 8191, 8192, 0]
    found = storage.read_rows(tmp_path / "x.parquet", Epochs, wanted)
    assert [row.num_records for row in found] == [0, 8191, 8192, count - 1]
    assert list(storage.read_rows(tmp_path / "x.parquet", Epochs, [])) == []
