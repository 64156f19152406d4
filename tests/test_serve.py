"""`taiyi serve` over HTTP: right answers, and errors in one shape whatever is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

import hard
from serving import ASKED, JSON, TEXT, asking, echo, error
from taiyi.checkpoint import Checkpoint, Learned
from taiyi.serve.app import NOTICE
from taiyi.serve.shapes import num_chars


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with asking() as client:
        yield client


# --- answers ---------------------------------------------------------------------------------------------------------


def test_each_address_answers_what_taiyi_says(client: TestClient) -> None:
    taiyi, _ = echo()
    found = client.post("/v1/extract", json=ASKED["/v1/extract"]).json()
    right = taiyi.extract(TEXT, ["thing"])
    assert [(e["start"], e["end"], e["text"], e["type"], e["confidence"]) for e in found["entities"]] == [
        (e.start, e.end, e.text, e.type, None) for e in right.entities
    ]
    assert found["entities"] and all(TEXT[e["start"] : e["end"]] == e["text"] for e in found["entities"])
    assert found["lang"] == "en"
    assert client.post("/v1/translate", json=ASKED["/v1/translate"]).json()["text"] == taiyi.translate(TEXT)
    assert client.post("/v1/rewrite", json=ASKED["/v1/rewrite"]).json()["text"] == taiyi.rewrite(TEXT, "title")
    assert client.post("/v1/answer", json=ASKED["/v1/answer"]).json()["text"] == taiyi.answer(TEXT)
    [label] = client.post("/v1/classify", json=ASKED["/v1/classify"]).json()["labels"]
    [expected] = taiyi.classify(TEXT, ["good", "bad"])
    assert label == {"name": expected.name, "confidence": round(expected.confidence or 0, 4)}
    labels = client.post("/v1/pair", json=ASKED["/v1/pair"]).json()["labels"]
    assert [one["name"] for one in labels] == [one.name for one in taiyi.pair(TEXT, "other", ["same", "other"])]


def test_questions_are_answered_by_options_and_by_yes_or_no(client: TestClient) -> None:
    taiyi, _ = echo()
    asked = {"question": "Which?", "options": ["one", "two", "three"]}
    found = client.post("/v1/answer", json=asked).json()
    right = taiyi.choose("Which?", ["one", "two", "three"])
    assert [(c["key"], c["text"]) for c in found["choices"]] == [(c.key, c.text) for c in right]
    assert found["text"] == right[0].text
    found = client.post("/v1/answer", json={"question": "Is it?", "context": "It is.", "yes_no": True}).json()
    assert {c["text"] for c in found["choices"]} == {"yes", "no", "maybe"}
    assert found["text"] == taiyi.yes_or_no("Is it?", "It is.")[0].name


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"yes_no": True}, "context"),
        ({"yes_no": True, "options": ["a", "b"]}, "yes_no"),
        ({"options": ["a"]}, "options"),
        ({"options": ["a"] * 27}, "options"),
        ({"sources": True, "context": "x"}, "sources"),
    ],
)
def test_what_does_not_go_together_is_refused(client: TestClient, more: dict[str, Any], param: str) -> None:
    found = error(client.post("/v1/answer", json={"question": "Is it?"} | more), 422, "invalid")
    assert found["param"] == param


def test_definitions_stand_in_the_prompt() -> None:
    taiyi, engine = echo()
    prompts: list[str] = []
    inner = engine.generate
    engine.generate = lambda examples, **more: (  # pyright: ignore[reportAttributeAccessIssue]
        prompts.append(examples[0].messages[-1].content),
        inner(examples, **more),
    )[1]
    with asking(taiyi) as client:
        client.post("/v1/extract", json={"text": TEXT, "types": {"thing": "what it is"}}).raise_for_status()
    assert "- thing: what it is\n" in prompts[0]


def test_models_tell_what_they_can_be_asked_for_and_not_be_used_for() -> None:
    learned = (Learned(task="ner", corpus="a", lang="en"), Learned(task="tc", corpus="c", lang="zh", form="text"))
    taiyi, _ = echo(checkpoint=Checkpoint(form="json", base="scratch", learned=learned))
    with asking(taiyi) as client:
        [card] = client.get("/v1/models").json()["data"]
        assert card == client.get("/v1/models/echo").json()
        assert (card["id"], card["tasks"], card["confined"]) == ("echo", {"ner": ["en"], "tc": ["zh"]}, True)
        assert card["limit_of_use"] == NOTICE
        error(client.get("/v1/models/other"), 404, "model_not_found")
        found = error(client.post("/v1/translate", json=ASKED["/v1/translate"]), 422, "cannot_answer")
        assert (found["where"], found["got"], found["expected"]) == (
            "echo",
            "machine translation in en",
            "named entity recognition in en; text classification in zh",
        )
        assert NOTICE in client.get("/openapi.json").json()["info"]["description"]


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_escapes", [True, False])
@pytest.mark.parametrize("text", hard.TEXTS.values(), ids=hard.TEXTS)
def test_whatever_the_text_offsets_are_right(client: TestClient, text: str, as_escapes: bool) -> None:
    # JSON may say an emoji as a pair of surrogates.
    content = json.dumps({"text": text, "types": ["thing"]}, ensure_ascii=as_escapes).encode()
    found = client.post("/v1/extract", content=content, headers=JSON).json()
    assert all(text[e["start"] : e["end"]] == e["text"] for e in found["entities"])
    assert {e["type"] for e in found["entities"]} <= {"thing"}
    taiyi, _ = echo()
    assert [e["start"] for e in found["entities"]] == [e.start for e in taiyi.extract(text, ["thing"]).entities]


@pytest.mark.parametrize("name", hard.NAMES)
def test_whatever_a_type_is_called_it_is_told_back_or_refused(client: TestClient, name: str) -> None:
    response = client.post("/v1/extract", json={"text": TEXT, "types": [name]})
    if response.status_code == 200:
        assert {e["type"] for e in response.json()["entities"]} <= {name}
    else:
        error(response, 422, "cannot_answer")
    [label] = client.post("/v1/classify", json={"text": TEXT, "labels": [name, "other"]}).json()["labels"]
    assert label["name"] in (name, "other")


@pytest.mark.parametrize(
    ("path", "more", "param"),
    [
        ("classify", {"several": 0}, "several"),
        ("extract", {"window": "5"}, "window"),
        ("answer", {"yes_no": "no"}, "yes_no"),
        ("chat/completions", {"stream": 1}, "stream"),
        ("chat/completions", {"max_tokens": "9"}, "max_tokens"),
    ],
)
def test_what_looks_like_the_right_type_is_not_it(
    client: TestClient, path: str, more: dict[str, Any], param: str
) -> None:
    found = error(client.post(f"/v1/{path}", json=ASKED[f"/v1/{path}"] | more), 422, "invalid")
    assert found["param"] == param


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid"),
        (b"{", 400, "not_json"),
        (b"\xff\xfe", 400, "not_json"),
        (b"[" * 100_000, 400, "not_json"),
        (b"1" * 5_000, 400, "not_json"),
        (b"[]", 422, "invalid"),
        (b'"text"', 422, "invalid"),
        (b"{}", 422, "invalid"),
        (b'{"text": "\\ud83d", "\\ud83d": 1}', 422, "invalid"),
        (b'{"text": NaN}', 422, "invalid"),
    ],
    ids=range(10),
)
def test_what_is_no_request_is_refused(client: TestClient, path: str, body: bytes, status: int, code: str) -> None:
    error(client.post(path, content=body, headers={"Content-Type": "application/json"}), status, code)


def test_what_is_not_sent_as_json_is_refused(client: TestClient) -> None:
    # A page of another site could send it so without being asked whether it may.
    body = json.dumps(ASKED["/v1/extract"])
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        found = error(client.post("/v1/extract", content=body, headers={"Content-Type": kind}), 422, "invalid")
        assert found["mend"] == "send JSON, with Content-Type: application/json"


@pytest.mark.parametrize("path", [path for path in ASKED if "chat" not in path])
def test_what_is_empty_is_refused(client: TestClient, path: str) -> None:
    [name] = {"text", "question", "first"} & ASKED[path].keys()
    assert error(client.post(path, json=ASKED[path] | {name: ""}), 422, "invalid")["param"] == name
    assert "is empty" in error(client.post(path, json=ASKED[path] | {name: " \n"}), 422, "cannot_answer")["message"]


HALVES = [
    ("extract", {"text": hard.HALF}, "text"),
    ("extract", {"text": "x", "types": [hard.HALF]}, "types.0"),
    ("extract", {"text": "x", "types": {hard.HALF: ""}}, "types."),
    ("extract", {"text": "x", "types": {"thing": hard.HALF}}, "types.thing"),
    ("extract", {"text": "x", "like": hard.HALF}, "like"),
    ("classify", {"text": "x", "labels": ["a", hard.HALF]}, "labels.1"),
    ("pair", {"first": "x", "second": hard.HALF, "labels": ["a", "b"]}, "second"),
    ("answer", {"question": "x", "options": ["a", hard.HALF]}, "options.1"),
    ("answer", {"question": "x", "context": hard.HALF}, "context"),
    ("chat/completions", {"messages": [{"role": "user", "content": hard.HALF}]}, "messages.0.content"),
    (
        "chat/completions",
        {"messages": [{"role": "user", "content": [{"type": "text", "text": hard.HALF}]}]},
        "messages.0.content.0.text",
    ),
]


@pytest.mark.parametrize(("path", "asked", "param"), HALVES, ids=[f"{path} {param!a}" for path, _, param in HALVES])
def test_half_of_a_surrogate_pair_is_refused_wherever_it_stands(
    client: TestClient, path: str, asked: dict[str, Any], param: str
) -> None:
    # As an escape, and as the bytes that Python writes for it.
    for content in (json.dumps(asked).encode(), json.dumps(asked, ensure_ascii=False).encode("utf-8", "surrogatepass")):
        found = error(client.post(f"/v1/{path}", content=content, headers=JSON), 422, "invalid")
        assert "half of a surrogate pair" in found["message"]
        assert found["param"].startswith(param)


def test_what_is_unknown_is_refused(client: TestClient) -> None:
    found = error(client.post("/v1/extract", json={"text": TEXT, "tpyes": ["x"]}), 422, "invalid")
    assert found["param"] == "tpyes"
    found = error(client.post("/v1/classify", json={"text": TEXT, "labels": ["kuake_qicc"]}), 422, "cannot_answer")
    assert (found["where"], found["got"], found["mend"]) == ("labels", "kuake_qicc", "did you mean 'kuake_qic'?")
    error(client.post("/v1/answer", json={"question": "x", "sources": True}), 422, "no_sources")
    error(client.post("/v1/terms", json={"text": "x"}), 422, "no_terms")
    error(client.get("/v1/extract"), 405, "method")
    error(client.get("/nothing"), 404, "not_found")


def test_a_long_text_is_refused_and_a_long_body_is_not_read() -> None:
    with asking(max_chars=1000) as client:
        asked = {"text": "😀" * 1000, "types": []}
        # As JSON escapes it, a character takes twelve bytes.
        assert client.post("/v1/translate", json={"text": "😀" * 1000}).status_code == 200
        found = error(client.post("/v1/extract", json=asked | {"text": "x" * 1001}), 413, "too_long")
        assert (found["got"], found["expected"]) == ("1,001 characters", "at most 1,000")

        def body() -> Iterator[bytes]:
            yield from (b" " * 10_000 for _ in range(1000))

        error(client.post("/v1/extract", content=b" " * 100_000, headers=JSON), 413, "too_large")
        error(client.post("/v1/extract", content=body(), headers=JSON), 413, "too_large")
        messages = [{"role": "user", "content": "x" * 400}] * 3
        error(client.post("/v1/chat/completions", json={"messages": messages}), 413, "too_long")


@settings(max_examples=30)
@given(
    st.recursive(st.text(max_size=9), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=9)
)
def test_the_characters_of_a_request_are_counted_wherever_they_stand(value: Any) -> None:
    def texts(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        else:
            for one in value:
                yield from texts(one)
                if isinstance(value, dict):
                    yield from texts(value[one])

    assert num_chars(value) == sum(map(len, texts(value)))
