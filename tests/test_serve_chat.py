"""Chat behind `taiyi serve`, as OpenAI's API has it: by the model of this process, and by the server behind it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from fake_server import FakeServer, Request, Sent, completion, fault
from page_server import served
from serving import ASKED, JSON, POISON, ask_in_threads, asking, echo, error, said
from taiyi.endpoint import EndpointSettings
from taiyi.serve.app import app
from taiyi.serve.settings import ServeSettings
from taiyi.use.taiyi import Taiyi


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with asking() as client:
        yield client


HI: list[dict[str, Any]] = [{"role": "user", "content": "say a b c"}]


def events(text: str) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


def test_chat_is_whole_or_in_chunks(client: TestClient) -> None:
    whole = client.post("/v1/chat/completions", json={"model": "echo", "messages": HI}).json()
    [choice] = whole["choices"]
    assert choice["message"] == {"role": "assistant", "content": said("say a b c")}
    assert choice["finish_reason"] == "stop"
    assert whole["usage"] == {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10}
    asked = {"messages": HI, "stream": True, "stream_options": {"include_usage": True}}
    response = client.post("/v1/chat/completions", json=asked)
    assert response.headers["content-type"].startswith("text/event-stream")
    first, *chunks, last, usage = events(response.text)
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert "".join(c["choices"][0]["delta"]["content"] for c in chunks) == choice["message"]["content"]
    assert last["choices"] == [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    assert (usage["choices"], usage["usage"]) == ([], whole["usage"])
    assert len({c["id"] for c in (first, *chunks, last, usage)}) == 1
    assert {c["object"] for c in (first, *chunks, last, usage)} == {"chat.completion.chunk"}


def test_chat_takes_what_clients_send(client: TestClient) -> None:
    def answer(**more: Any) -> dict[str, Any]:
        return client.post("/v1/chat/completions", json={"messages": HI} | more).json()["choices"][0]

    assert answer(max_tokens=2)["finish_reason"] == "length"
    assert answer(max_completion_tokens=2, max_tokens=9)["message"]["content"] == "you said:"
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    system = {"role": "developer", "content": "be kind"}
    assert answer(messages=[system, {"role": "user", "content": parts}])["message"]["content"] == said("a\nb")
    answer(temperature=0.7, top_p=0.9, seed=1, user="me", n=1, stop=None, tools=[], store=False, unheard_of={"x": 1})


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 2}, "n"),
        ({"stop": ["x"]}, "stop"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"logprobs": True}, "logprobs"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, "messages.0.content"),
    ],
)
def test_chat_refuses_what_would_be_another_answer(client: TestClient, more: dict[str, Any], param: str) -> None:
    found = error(client.post("/v1/chat/completions", json={"messages": HI} | more), 422, "unsupported")
    assert found["param"] == param


def test_a_chat_that_breaks_says_so_before_it_begins_or_in_its_last_event() -> None:
    taiyi, engine = echo()
    with asking(taiyi) as client:
        asked: dict[str, Any] = {"messages": [{"role": "user", "content": POISON}]}
        error(client.post("/v1/chat/completions", json=asked | {"stream": True}), 500, "internal")
        error(client.post("/v1/chat/completions", json={"model": "other", "messages": HI}), 404, "model_not_found")

        def breaks(*_: Any, **__: Any) -> Iterator[str]:
            yield "so far"
            raise ZeroDivisionError("secret")

        engine.stream = breaks  # pyright: ignore[reportAttributeAccessIssue]
        text = client.post("/v1/chat/completions", json={"messages": HI, "stream": True}).text
        assert "so far" in text and "[DONE]" not in text and "secret" not in text
        assert json.loads(text.rstrip().split("data: ")[-1])["error"]["code"] == "internal"


# --- in front of another server --------------------------------------------------------------------------------------


@contextmanager
def in_front(answer: Any, **said: Any) -> Iterator[tuple[TestClient, FakeServer]]:
    with FakeServer(answer).running() as server:
        taiyi = Taiyi.load(server.url, endpoint=EndpointSettings(model="m", timeout_s=5, attempts=1))
        with asking(taiyi, **{"name": "m"} | said) as client:
            yield client, server


def test_a_server_behind_this_one_is_asked_many_at_a_time() -> None:
    def answer(request: Request) -> Sent:
        content = request.body["messages"][-1]["content"]
        words = [word for word in content.split() if word.startswith("w")]
        return Sent(completion(json.dumps({"thing": words})), delay_s=0.2)

    with in_front(answer) as (client, server):
        bodies = [{"text": f"a w{n} b", "types": ["thing"]} for n in range(24)]
        threads, found = ask_in_threads(client, bodies)
        for thread in threads:
            thread.join(20)
        assert [[e["text"] for e in r.json()["entities"]] for r in found] == [[f"w{n}"] for n in range(24)]
        assert server.most > 2


def test_chat_is_passed_on_with_all_that_it_says() -> None:
    def answer(request: Request) -> Sent:
        if request.body.get("stream"):
            return Sent(
                b'data: {"choices": [{"delta": {"content": "hi"}}]}\n\ndata: [DONE]\n\n',
                headers=STREAMED,
            )
        return Sent(completion("hi", prompt_tokens=3, answer_tokens=1))

    with in_front(answer) as (client, server):
        more = {"temperature": 0.7, "tools": [{"type": "function"}], "n": 2, "guided_json": {"x": 1}}
        found = client.post("/v1/chat/completions", json={"messages": HI} | more).json()
        assert found["choices"][0]["message"]["content"] == "hi"
        assert found["usage"]["prompt_tokens"] == 3
        assert server.requests[-1].body == {"messages": HI, "model": "m"} | more
        response = client.post("/v1/chat/completions", json={"messages": HI, "stream": True, "model": "m"})
        assert response.headers["content-type"].startswith("text/event-stream")
        assert events(response.text)[0]["choices"][0]["delta"]["content"] == "hi"


STREAMED = {"Content-Type": "text/event-stream"}


def test_what_json_cannot_say_is_refused_and_what_is_ours_is_not_passed_on() -> None:
    with in_front(lambda _: "hi") as (client, server):
        for more in ('"user": "\\ud83d"', '"temperature": NaN', '"metadata": {"x": [-Infinity]}'):
            content = json.dumps({"messages": HI})[:-1] + f", {more}}}"
            response = client.post("/v1/chat/completions", content=content, headers=JSON)
            error(response, 422, "invalid")
        assert not server.requests
        assert client.post("/v1/chat/completions", json={"messages": HI, "sources": False}).status_code == 200
        assert "sources" not in server.requests[-1].body


def test_a_stream_that_breaks_behind_ends_with_an_error() -> None:
    chunk = b'data: {"choices": [{"delta": {"content": "hi"}}]}\n\n'
    with in_front(lambda _: Sent(chunk * 9, cut=True, headers=STREAMED)) as (client, _):
        text = client.post("/v1/chat/completions", json={"messages": HI, "stream": True}).text
        assert text.startswith(chunk.decode())
        assert "[DONE]" not in text
        assert json.loads(text.rstrip().split("data: ")[-1])["error"]["code"] == "engine"


def test_the_server_behind_is_told_who_goes_away() -> None:
    ended = threading.Event()

    def pieces() -> Generator[bytes]:
        try:
            while True:
                yield b'data: {"choices": [{"delta": {"content": "hi"}}]}\n\n'
                time.sleep(0.005)
        finally:
            ended.set()

    with FakeServer(lambda _: Sent(pieces(), headers=STREAMED)).running() as server:
        taiyi = Taiyi.load(server.url, endpoint=EndpointSettings(model="m", timeout_s=5, attempts=1))
        made = app(taiyi, ServeSettings(name="m"))
        with served(made) as url, httpx2.Client(verify=False) as client:
            asked = {"messages": HI, "stream": True}
            with client.stream("POST", f"{url}/v1/chat/completions", json=asked) as response:
                assert "hi" in next(response.iter_lines())
            assert ended.wait(20)


def test_an_answer_of_few_is_read_from_what_the_server_behind_writes() -> None:
    written = "B"
    with in_front(lambda _: written) as (client, _):
        asked: dict[str, Any] = {"question": "Which?", "options": ["one", "two"]}
        assert client.post("/v1/answer", json=asked).json()["choices"] == [
            {"key": "B", "text": "two", "confidence": None}
        ]
        written = "The answer is: A"
        assert client.post("/v1/answer", json=asked).json()["text"] == "one"
        written = "Yes, it is."
        judged = client.post("/v1/answer", json={"question": "Is it?", "context": "It is.", "yes_no": True}).json()
        assert [choice["key"] for choice in judged["choices"]] == ["yes"]
        written = "good"
        [label] = client.post("/v1/classify", json={"text": "x", "labels": ["good", "bad"]}).json()["labels"]
        assert label == {"name": "good", "confidence": None}
        written = "Who knows?"
        error(client.post("/v1/answer", json=asked), 422, "cannot_answer")


def test_faults_of_the_server_behind_are_told_as_whose_they_are() -> None:
    sent: list[Sent] = []
    with in_front(lambda _: sent[-1]) as (client, server):

        def chat() -> httpx2.Response:
            return client.post("/v1/chat/completions", json={"messages": HI})

        sent.append(fault(400, "maximum context length is 10 tokens"))
        assert (chat().status_code, chat().json()["error"]["message"]) == (400, "maximum context length is 10 tokens")
        sent.append(fault(429, "slow down", Retry_After="7"))
        assert (chat().status_code, chat().headers["retry-after"]) == (429, "7")
        for broken in (fault(401, "wrong key sk-secret"), fault(500, "sk-secret"), Sent(b"<html>", 404)):
            sent.append(broken)
            response = chat()
            error(response, 502, "engine")
            assert "sk-secret" not in response.text
        sent.append(fault(500, "sk-secret"))
        error(client.post("/v1/translate", json=ASKED["/v1/translate"]), 502, "engine")
        server.stop()
        error(chat(), 502, "engine")
        response = client.post("/v1/translate", json=ASKED["/v1/translate"])
        error(response, 502, "engine")
        assert server.url not in response.text, "who asks is not told where it is"
