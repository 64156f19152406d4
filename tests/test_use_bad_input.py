"""Bad input to `Taiyi` and to the commands that ask it: right answers, or a clear error in one line."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import hard
import toy
from fake_server import FakeServer
from serving import Echo, echo
from taiyi import cli
from taiyi.endpoint import EndpointSettings
from taiyi.errors import TaiyiError
from taiyi.schema import Example, Message, Prediction
from taiyi.use import texts
from taiyi.use.asking import Model
from taiyi.use.taiyi import Taiyi


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Taiyi:
    """A random model in this process, which knows one type."""
    folder = tmp_path_factory.mktemp("toy")
    toy.model(max_positions=600).save_pretrained(folder)
    toy.tokenizer().save_pretrained(folder)
    toy.CHECKPOINT.save(folder)
    return Taiyi.load(folder, device="cpu")


@pytest.fixture(scope="module")
def remote() -> Iterator[Taiyi]:
    """A server of models, which writes the same to all."""
    with FakeServer(lambda _: '{"thing": ["text", "😀"]}').running() as server:
        yield Taiyi.load(server.url, endpoint=EndpointSettings(model="m", attempts=1))


@pytest.fixture(params=["local", "remote", "echo"])
def taiyi(request: pytest.FixtureRequest) -> Taiyi:
    return echo()[0] if request.param == "echo" else request.getfixturevalue(request.param)


TEN_MEGABYTES = 10_000_000


def types(taiyi: Taiyi) -> list[str]:
    return ["Drug"] if taiyi.model.tags else ["thing"]


def given(monkeypatch: pytest.MonkeyPatch, taiyi: Taiyi) -> None:
    """Let commands ask a model."""

    def load(*_: object, **__: object) -> Taiyi:
        return taiyi

    monkeypatch.setattr(Taiyi, "load", load)


# --- Taiyi -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", hard.TEXTS.values(), ids=hard.TEXTS)
def test_whatever_the_text_offsets_are_right_or_it_is_refused(taiyi: Taiyi, text: str) -> None:
    try:
        found = taiyi.extract(text, types(taiyi))
    except TaiyiError as error:
        assert "longer than the model's context" in str(error)
        assert text == hard.TEXTS["long"]
        return
    assert found.text == text
    assert all(text[e.start : e.end] == e.text for e in found.entities)
    assert {e.type for e in found.entities} <= {*types(taiyi)}
    if not taiyi.model.remote:
        assert len(taiyi.pair(text, text[:99], ["same", "other"])) == 2
        assert len(taiyi.choose(text, ["one", "two"], context=text[:99])) == 2


@pytest.mark.parametrize("name", hard.NAMES)
def test_whatever_a_label_is_called_it_is_told_back(name: str, local: Taiyi) -> None:
    for taiyi in (local, echo()[0]):
        assert {label.name for label in taiyi.pair("a b", "c", [name, "other; one"])} == {name, "other; one"}
        [label] = taiyi.classify("a b", [name, "other; one"])
        assert label.name in (name, "other; one")
        assert {label.name for label in taiyi.classify("a b", [name, "c"], several=True)} <= {name, "c"}
    assert {e.type for e in echo()[0].extract("a b c d", [name]).entities} == {name}
    with pytest.raises(TaiyiError, match="unknown type"):
        local.extract("a b", [name])


HALVES: dict[str, Callable[[Taiyi], object]] = {
    "text": lambda t: t.extract(hard.HALF, types(t)),
    "type": lambda t: t.extract("a b", [hard.HALF]),
    "definition": lambda t: t.extract("a b", {types(t)[0]: hard.HALF}),
    "like": lambda t: t.extract("a b", types(t), like=hard.HALF),
    "label": lambda t: t.classify("a b", ["c", hard.HALF]),
    "labels": lambda t: t.classify("a b", ["c", hard.HALF], several=True),
    "pair": lambda t: t.pair("a b", hard.HALF, ["c", "d"]),
    "option": lambda t: t.choose("a b", ["c", hard.HALF]),
    "context": lambda t: t.yes_or_no("a b", hard.HALF),
    "translation": lambda t: t.translate(hard.HALF),
    "message": lambda t: [*t.chat([Message(role="user", content=hard.HALF)])],
}


@pytest.mark.parametrize("way", HALVES)
def test_half_of_a_surrogate_pair_is_refused_wherever_it_stands(local: Taiyi, remote: Taiyi, way: str) -> None:
    for taiyi in (local, remote):
        with pytest.raises(TaiyiError) as raised:
            HALVES[way](taiyi)
        expected = {"like": "did not learn", "type": "surrogate|unknown type"}.get(way, "half of a surrogate pair")
        assert raised.match(expected)


class Finding(Echo):
    """Finds one word wherever it stands; remembers how much it was asked at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.most = 0

    def generate(self, examples: Sequence[Example], **_: Any) -> Iterator[Prediction]:
        self.most = max(self.most, sum(len(e.messages[-1].content) for e in examples))
        for example in examples:
            yield Prediction(example=example.id, text='{"thing": ["asthma"]}', finish="stop")


def test_ten_megabytes_are_answered_part_by_part_or_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local: Taiyi
) -> None:
    sentence = f"{'word ' * 600}😀 asthma.\n"
    text = sentence * (TEN_MEGABYTES // len(sentence))
    path = tmp_path / "long.txt"
    some = text if os.environ.get("TAIYI_WHOLE") else text[: len(sentence) * 600]
    path.write_text(some, encoding="utf-8")
    engine = Finding()
    finding = Taiyi(engine, Model("finding", echo()[0].model.known))
    given(monkeypatch, finding)
    done = call("extract", "--file", str(path), "--types", "thing", "--json")
    assert done.exit_code == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == some.count("asthma")
    assert all(some[row["start"] : row["end"]] == "asthma" for row in rows)
    assert engine.most < 2_000_000, "not all of it is held"
    for ask in (
        lambda: local.classify(text, ["a", "b"]),
        lambda: local.answer(text),
        lambda: local.extract(text, ["Drug"], window=len(text)),
    ):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        with pytest.raises(TaiyiError, match=r"no model reads .* characters at once"):
            ask()
        assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 5


def test_a_text_without_an_end_is_not_looked_through_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    windows = texts.windows

    def counted(text: str, most: int) -> Any:
        read.append(len(text))
        return windows(text, most)

    monkeypatch.setattr(texts, "windows", counted)
    [part] = texts.parts(["word " * 100] * 1000, 300)
    assert len(part.text) == 500_000
    assert sum(read) < 4 * 500_000


# --- commands --------------------------------------------------------------------------------------------------------


COMMANDS = {
    "extract": ("--types", "thing"),
    "classify": ("--labels", "good,bad"),
    "answer": (),
    "translate": (),
    "title": (),
    "summarize": (),
    "medical-report": (),
}


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, arguments, env={"NO_COLOR": "1", "COLUMNS": "200"}, catch_exceptions=False)


def fault(done: Result) -> str:
    assert done.exit_code == 1, done.output
    [line] = [line for line in done.stderr.splitlines() if line.startswith("taiyi: ")]
    return line


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands ask a model that answers whatever it is asked."""
    given(monkeypatch, echo()[0])


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("command", COMMANDS)
def test_commands_answer_whatever_the_text(tmp_path: Path, command: str) -> None:
    path = tmp_path / "text.txt"
    for text in hard.TEXTS.values():
        path.write_bytes(text.encode())
        done = call(command, "--file", str(path), *COMMANDS[command], "--json")
        assert done.exit_code == 0, done.stderr
        # Lines of JSON hold what other lines end with.
        rows = [json.loads(line) for line in done.stdout.split("\n")[:-1]]
        if command == "extract":
            assert all(text[row["start"] : row["end"]] == row["text"] for row in rows)
        else:
            assert len(rows) == 1


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("text", "said"), [("", "the text is empty"), (" \n", "the text is empty"), (hard.HALF, "half of a surrogate pair")]
)
def test_commands_refuse_what_is_no_text(command: str, text: str, said: str) -> None:
    assert said in fault(call(command, text, *COMMANDS[command]))


@pytest.mark.usefixtures("asked")
def test_a_terminal_does_not_obey_what_texts_and_names_say() -> None:
    for name in hard.NAMES:
        for text in ("😀 \x1b[31mtext [/b] a b", "."):
            done = call("extract", text, "--types", name)
            assert done.exit_code == 0, done.output
            assert "\x1b" not in done.stdout
            done = call("classify", text, "--labels", f"{name},other")
            assert done.exit_code == 0, done.output


def test_what_no_model_can_read_ends_commands_in_a_line(monkeypatch: pytest.MonkeyPatch, local: Taiyi) -> None:
    given(monkeypatch, local)
    for arguments in (
        ("classify", "a b", "--labels", f"c,{hard.HALF}"),
        ("answer", "a b", "--option", "c", "--option", hard.HALF),
        ("extract", "a b", "--types", "Drug", "--define", f"Drug={hard.HALF}"),
    ):
        assert "half of a surrogate pair" in fault(call(*arguments))
