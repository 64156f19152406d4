"""Sources and terms behind the server: citations with their places, no support found, terms that may not exist."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving import POISON, echo
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
from taiyi.use.backing import Backing

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


def ask(index: Sources | None, terms: Terms | None, text: str, question: str, **more: Any) -> dict[str, Any]:
    taiyi, engine = echo(checkpoint=more.pop("checkpoint", None))
    engine.stream = Writing(text)  # pyright: ignore[reportAttributeAccessIssue]
    made = app(taiyi, ServeSettings(name="echo"), Backing(index, terms))
    with TestClient(made, base_url="http://localhost") as client:
        response = client.post("/v1/answer", json={"question": question, "sources": True} | more)
        assert response.status_code == 200, response.text
        return response.json()


def test_an_answer_has_numbered_citations_with_their_places(sources: Sources) -> None:
    written = 'Aspirin may cause asthma in 9% of adults. [1] "Aspirin can cause asthma in 9% of adults"'
    found = ask(sources, None, written, "Can aspirin cause asthma?")
    [[citation]] = [statement["citations"] for statement in found["statements"]]
    assert (
        ASTHMA[citation["start"] : citation["end"]] == citation["quote"] == "Aspirin can cause asthma in 9% of adults"
    )
    assert (citation["number"], citation["document"], citation["fault"]) == (1, "en", "")
    assert "[1]" in found["text"]


def test_what_no_source_supports_is_not_said(sources: Sources) -> None:
    found = ask(sources, None, "Zelomab cures gout. [1]", "Does zelomab cure gout?")
    assert (found["text"], found["statements"]) == ("No support found.", [])
    found = ask(sources, None, "Zelomab cures gout.", "Can aspirin cause asthma?")
    assert "Aspirin can cause asthma" in found["text"], "the sources are quoted, where the model says nothing of use"
    assert "gout" not in found["text"]


def test_a_model_that_does_not_talk_is_not_asked(sources: Sources) -> None:
    learned = (Learned(task="ner", corpus="a", lang="en", form="tagged"),)
    confined = Checkpoint(form="json", base="scratch", learned=learned)
    found = ask(sources, None, "never", "Can aspirin cause asthma?", checkpoint=confined)
    assert "Aspirin can cause asthma" in found["text"] and "never" not in found["text"]


def test_without_being_asked_for_sources_the_model_answers_of_itself(sources: Sources, terms: Terms) -> None:
    right = echo()[0].answer("Can aspirin cause asthma?")
    for known in (None, terms):
        found = ask(sources, known, "x", "Can aspirin cause asthma?", sources=False)
        assert (found["text"], found["statements"], found["terms"]) == (right, [], [])


@pytest.mark.parametrize("from_sources", [True, False])
def test_of_a_term_that_may_not_exist_nothing_is_said_but_that(
    sources: Sources, terms: Terms, from_sources: bool
) -> None:
    question = "😀 What are octacyclines?"
    found = ask(sources, terms, "x", question, sources=from_sources)
    [flag] = found["terms"]
    assert (flag["text"], flag["kind"], flag["ending"]) == ("octacyclines", "unknown", "cyclin")
    assert question[flag["start"] : flag["end"]] == "octacyclines"
    assert "may not exist" in found["text"] and "you said" not in found["text"]
    found = ask(sources, terms, "x", "Can asprin cause asthma?", sources=from_sources)
    assert found["terms"][0]["nearest"][0]["name"] == "aspirin"
    assert "did you mean" in found["text"] and ("you said" in found["text"]) != from_sources


@pytest.mark.parametrize("stream", [True, False])
def test_chat_says_what_sources_say_and_which_term_may_not_exist(sources: Sources, terms: Terms, stream: bool) -> None:
    taiyi, _ = echo()
    made = app(taiyi, ServeSettings(name="echo"), Backing(sources, terms))
    with TestClient(made, base_url="http://localhost") as client:

        def said(question: str, **more: Any) -> str:
            messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "octacyclines"}]
            asked = {"messages": [*messages, {"role": "user", "content": question}], "stream": stream} | more
            response = client.post("/v1/chat/completions", json=asked)
            assert response.status_code == 200, response.text
            if not stream:
                return response.json()["choices"][0]["message"]["content"]
            chunks = [json.loads(line[6:]) for line in response.text.split("\n\n") if line.startswith("data: {")]
            assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
            return "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)

        assert "Aspirin can cause asthma" in said("Can aspirin cause asthma?", sources=True)
        assert said("Does zelomab cure gout?", sources=True) == "No support found."
        assert said("Can aspirin cause asthma?").startswith("you said")
        for more in ({}, {"sources": True}):
            assert "may not exist" in said("What are octacyclines?", **more)
        # What sources say has no temperature either, and no tokens that are known.
        asked: dict[str, Any] = {
            "messages": [{"role": "user", "content": "Can aspirin cause asthma?"}],
            "sources": True,
        }
        assert client.post("/v1/chat/completions", json=asked).json()["usage"] is None
        assert client.post("/v1/chat/completions", json=asked | {"n": 2}).json()["error"]["param"] == "n"
        asked["messages"].append({"role": "user", "content": [{"type": "image_url", "image_url": {}}]})
        assert client.post("/v1/chat/completions", json=asked).json()["error"]["param"] == "messages.1.content"
    with TestClient(app(taiyi, ServeSettings(name="echo")), base_url="http://localhost") as client:
        asked = {"messages": [{"role": "user", "content": "What are octacyclines?"}], "sources": True}
        assert client.post("/v1/chat/completions", json=asked).json()["error"]["code"] == "no_sources"


def test_a_model_that_fails_beside_sources_fails_the_request(sources: Sources, terms: Terms) -> None:
    with TestClient(
        app(echo()[0], ServeSettings(name="echo", timeout_s=5), Backing(sources, terms)), base_url="http://localhost"
    ) as client:
        for asked in ({"question": f"Can aspirin cause asthma {POISON}?", "sources": True}, {"question": POISON}):
            response = client.post("/v1/answer", json=asked)
            assert (response.status_code, response.json()["error"]["code"]) == (500, "internal"), response.text
        response = client.post("/v1/answer", json={"question": " ", "sources": True})
        assert (response.status_code, response.json()["error"]["message"]) == (422, "the text is empty")


def test_terms_are_looked_up(terms: Terms) -> None:
    with TestClient(
        app(echo()[0], ServeSettings(name="echo"), Backing(terms=terms)), base_url="http://localhost"
    ) as client:
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
