"""Answers with what is known beside a model: what sources support, and of terms that may not exist only that."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from typer.testing import CliRunner

from taiyi.checkpoint import Checkpoint, Learned
from taiyi.cli import app
from taiyi.errors import ModelError
from taiyi.generate import Engine, LocalEngine
from taiyi.knowledge.sources import indexing
from taiyi.schema import Message
from taiyi.use.asking import Model
from taiyi.use.backing import Backing
from taiyi.use.results import Said
from taiyi.use.taiyi import Taiyi
from test_terms import all_names, build

QUESTION = "Can aspirin cause asthma?"
SENTENCE = "Aspirin can cause asthma in some patients."
NONE = "No support found"


class Talker:
    """Writes what it is told to; counts how often it is asked."""

    def __init__(self, answer: str) -> None:
        self.answer, self.num_asked = answer, 0

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        self.num_asked += 1
        yield self.answer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("backing")
    (made / "docs.jsonl").write_text(json.dumps({"id": "7", "title": "Drugs and airways", "text": SENTENCE}) + "\n")
    indexing.build([made / "docs.jsonl"], made / "index")
    build(made / "names.terms", all_names())
    return made


@pytest.fixture(scope="module")
def both(folder: Path) -> Backing:
    return Backing.open(folder / "index", folder / "names.terms")


class Chatting:
    """An engine that says the same to everything, or cannot talk."""

    name, limit = "chatting", 100

    def __init__(self, *, talks: bool) -> None:
        self.checkpoint, self.num_asked = SimpleNamespace(talks=talks), 0

    def about(self) -> str:
        return "a test"

    def num_tokens(self, messages: Sequence[Message]) -> int:
        return len(messages)

    def check_talks(self) -> None:
        if not self.checkpoint.talks:
            raise ModelError("this model cannot talk")

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        self.num_asked += 1
        yield "of itself"


def alone(question: str) -> Said:
    return Said(text=f"of itself: {question}")


def test_what_sources_support_is_said_with_its_citations(both: Backing) -> None:
    talker = Talker(f'Aspirin can cause asthma. [1] "{SENTENCE[:24]}"')
    said = both.answer(talker, QUESTION, alone)
    (statement,) = said.statements
    assert statement.supported
    assert [(c.document, c.start, c.end) for c in statement.citations] == [("7", 0, 24)]
    assert "[1]" in said.text
    assert not said.flags


def test_without_a_talker_sources_are_quoted(both: Backing) -> None:
    said = both.answer(None, QUESTION, alone)
    assert SENTENCE in said.text
    assert NONE in both.answer(None, "Is the moon made of cheese?", alone).text


def test_of_a_term_that_may_not_exist_nothing_is_said_but_that(both: Backing) -> None:
    talker = Talker("They are antibiotics.")
    for backing in (both, Backing(terms=both.terms)):
        said = backing.answer(talker, "Please introduce the octacyclines", alone)
        assert [(flag.text, flag.kind) for flag in said.flags] == [("octacyclines", "unknown")]
        assert "octacyclines" in said.text
        assert "antibiotics" not in said.text
        assert "of itself" not in said.text
    assert not talker.num_asked


def test_what_may_be_misspelt_is_named_before_the_answer(both: Backing) -> None:
    question = "Can asprin cause asthma?"
    notice, answer = Backing(terms=both.terms).answer(None, question, alone).text.split("\n\n")
    assert "asprin" in notice
    assert answer == f"of itself: {question}"


def test_nothing_beside_a_model_changes_nothing() -> None:
    assert Backing().answer(None, QUESTION, alone) == alone(QUESTION)
    assert Backing().answer(None, " ", alone).fault == "the text is empty"


def test_a_reply_comes_in_pieces_and_says_what_an_answer_does(both: Backing) -> None:
    def pieces() -> Iterator[str]:
        yield from ("of ", "itself")

    assert list(Backing().reply(None, QUESTION, pieces)) == ["of ", "itself"]
    [notice, *rest] = Backing(terms=both.terms).reply(None, "Can asprin cause asthma?", pieces)
    assert "asprin" in notice
    assert rest == ["of ", "itself"]
    for question in ("Please introduce the octacyclines", QUESTION, "Is the moon made of cheese?"):
        assert "".join(both.reply(None, question, pieces)) == both.answer(None, question, alone).text


@pytest.mark.parametrize("chatting", [True, False], ids=["chat", "scratch"])
def test_chat_is_held_to_sources_and_terms(chatting: bool, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Chatting(talks=chatting)
    monkeypatch.setattr(LocalEngine, "load", lambda *_, **__: engine)
    beside = ["--sources", str(folder / "index"), "--terms", str(folder / "names.terms")]

    def said(question: str, *options: str) -> str:
        result = CliRunner().invoke(app, ["chat", "--once", question, *options])
        assert result.exit_code == 0, result.output
        return result.stdout

    assert SENTENCE in said(QUESTION, *beside)
    assert engine.num_asked == chatting, "a model that does not write is not asked"
    if chatting:
        assert "octacyclines" in said("Please introduce the octacyclines", *beside[2:])
        assert engine.num_asked == 1
        assert "of itself" in said(QUESTION)
    else:
        refused = CliRunner().invoke(app, ["chat", "--once", QUESTION, *beside[2:]])
        assert refused.exit_code == 1
        assert "cannot talk" in refused.stderr


def test_a_model_that_does_not_write_lets_the_sources_speak(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model("small", Checkpoint(base="scratch", learned=(Learned(task="ner", corpus="a", lang="en"),)))

    def load(_: str, **__: object) -> Taiyi:
        return Taiyi(cast(Engine, None), model)

    monkeypatch.setattr(Taiyi, "load", load)
    result = CliRunner().invoke(app, ["answer", QUESTION, "--sources", str(folder / "index"), "--json"])
    assert result.exit_code == 0, result.output
    (statement,) = json.loads(result.stdout)["statements"]
    assert statement["text"] == SENTENCE
