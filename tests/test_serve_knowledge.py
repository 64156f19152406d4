"""Sources and terms behind the server: citations with their places, no support found, terms that may not exist."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving import echo
from taiyi.checkpoint import Checkpoint, Learned
from taiyi.generate import Ended
from taiyi.knowledge.sources import indexing
from taiyi.knowledge.sources.answering import Sources
from taiyi.knowledge.terms import build as building
from taiyi.knowledge.terms.checking import Terms
from taiyi.knowledge.terms.corpora import Material
from taiyi.knowledge.terms.name import Name
from taiyi.schema import Message
from taiyi.serve.app import app
from taiyi.serve.settings import ServeSettings

pytest.importorskip("tantivy", reason="the extra `sources` is not installed")

ASTHMA = "Background noise 😀. Aspirin can cause asthma in 9% of adults. Nobody knows why."
DOCUMENTS = [
    {"id": "en", "title": "Aspirin", "text": ASTHMA},
    *({"id": f"other{i}", "title": "", "text": f"Mice {i} were kept in cage number {i} for days."} for i in range(20)),
]
DRUGS = [
    "tetracycline",
    "doxycycline",
    "minocycline",
    "oxytetracycline",
    "demeclocycline",
    "aspirin",
    "rolitetracycline",
]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    folder = tmp_path_factory.mktemp("sources")
    (folder / "docs.jsonl").write_text("\n".join(map(json.dumps, DOCUMENTS)))
    indexing.build([folder / "docs.jsonl"], folder / "index")
    return Sources.open(folder / "index")


@pytest.fixture(scope="module")
def terms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terms]:
    path = tmp_path_factory.mktemp("terms") / "test.terms"
    names = (Name(name=t, lang="en", kind="drug", type="drug", source="x", concept="") for t in DRUGS)
    building.build(path, Material(num_records=1), names)
    opened = Terms.open(path)
    yield opened
    opened.close()


class Writing:
    """Makes an engine write a text, a word at a time."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __call__(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[Any]:
        for word in self.text.split(" "):
            yield f"{word} "
        return Ended("stop", 1, 1)


def ask(sources: Sources | None, terms: Terms | None, text: str, question: str, **more: Any) -> dict[str, Any]:
    taiyi, engine = echo(checkpoint=more.pop("checkpoint", None))
    engine.stream = Writing(text)  # pyright: ignore[reportAttributeAccessIssue]
    made = app(taiyi, ServeSettings(name="echo"), sources=sources, terms=terms)
    with TestClient(made, base_url="http://localhost") as client:
        response = client.post("/v1/answer", json={"question": question, "sources": True} | more)
        assert response.status_code == 200, response.text
        return response.json()


def test_an_answer_has_numbered_citations_with_their_places(sources: Sources) -> None:
    written = 'Aspirin may cause asthma in 9% of adults. [1] "Aspirin can cause asthma in 9% of adults"'
    found = ask(sources, None, written, "Can aspirin cause asthma?")
    sourced = found["sourced"]
    assert sourced["kind"] == "written"
    [[citation]] = [statement["citations"] for statement in sourced["statements"]]
    assert (
        ASTHMA[citation["start"] : citation["end"]] == citation["quote"] == "Aspirin can cause asthma in 9% of adults"
    )
    assert sourced["passages"][citation["number"] - 1]["document"] == citation["document"] == "en"
    assert "[1]" in found["text"]


def test_what_no_source_supports_is_not_said(sources: Sources) -> None:
    found = ask(sources, None, "Zelomab cures gout. [1]", "Does zelomab cure gout?")
    assert (found["sourced"]["kind"], found["text"]) == ("none", "No support found.")
    found = ask(sources, None, "Zelomab cures gout.", "Can aspirin cause asthma?")
    assert found["sourced"]["kind"] == "quoted", "the sources are, where the model says nothing of use"


def test_a_model_that_does_not_talk_is_not_asked(sources: Sources) -> None:
    confined = Checkpoint(
        form="json", base="scratch", learned=(Learned(task="ner", corpus="a", lang="en", form="tagged"),)
    )
    found = ask(sources, None, "never", "Can aspirin cause asthma?", checkpoint=confined)
    assert found["sourced"]["kind"] == "quoted" and "never" not in found["text"]


def test_terms_that_may_not_exist_are_told_beside_the_answer(sources: Sources, terms: Terms) -> None:
    question = "😀 Can asprin cause asthma?"
    found = ask(sources, terms, "x", question)
    [flag] = found["terms"]
    assert (flag["text"], flag["kind"], flag["nearest"]) == ("asprin", "misspelling", ["aspirin"])
    assert question[flag["start"] : flag["end"]] == "asprin"
    assert "did you mean" in found["notice"]
    assert ask(sources, terms, "x", "Can aspirin cause asthma?")["terms"] == []


def test_terms_are_looked_up(terms: Terms) -> None:
    with TestClient(app(echo()[0], ServeSettings(name="echo"), terms=terms), base_url="http://localhost") as client:
        found = client.post("/v1/terms", json={"text": "What is asprin?"}).json()
        assert [flag["text"] for flag in found["terms"]] == ["asprin"]
        assert client.post("/v1/terms", json={"text": "What is aspirin?"}).json() == {"terms": [], "notice": ""}
        assert client.get("/v1/models").json()["data"][0]["terms"] is True


def test_the_command_opens_both(tmp_path: Path, sources: Sources, terms: Terms) -> None:
    from typer.testing import CliRunner

    from taiyi import cli

    for option, what in (("--sources", "there is no index here"), ("--terms", "not a terminology")):
        there = tmp_path / option
        there.mkdir() if option == "--sources" else there.write_text("x")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("taiyi.cli.serve._taiyi", lambda *_: echo()[0])
            result = CliRunner().invoke(cli.app, ["serve", "--port", "0", option, str(there)])
        assert result.exit_code == 1
        assert what in result.stderr, result.stderr
