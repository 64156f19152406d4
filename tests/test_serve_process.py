"""A server as a process of its own: the official client, many at once, who goes away, and how it stops."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from typer.testing import CliRunner

import tiny
import toy
from serving import echo, said
from taiyi import cli

TEXT = "Aspirin causes asthma 😀 and more"
# One for all, of as many connections as are asked for: to make one takes longer than what it is asked.
HTTP = httpx2.Client(timeout=60, verify=False, limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20))


@contextmanager
def running(*arguments: object, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server process: its address, and what it says."""
    process = subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=tiny.environment() | environment,
    )
    assert process.stdout is not None
    try:
        url = ""
        while not url:
            line = process.stdout.readline()
            assert line, "it ended before it listened"
            url = next(iter(re.findall(r"http://127\.0\.0\.1:\d+", line)), "")
        for _ in range(200):
            try:
                if HTTP.get(f"{url}/ready").status_code == 200:
                    break
            except httpx2.ConnectError:
                pass
            time.sleep(0.05)
        yield url, process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def echoing(delay_s: float) -> Any:
    return running(Path(__file__).with_name("serving.py"), 0, delay_s)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with echoing(0.02) as (url, _):
        yield url


@pytest.fixture(scope="module")
def client(url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0)


def extract(url: str, text: str, **more: Any) -> httpx2.Response:
    return HTTP.post(f"{url}/v1/extract", json={"text": text, "types": ["thing"]}, **more)


def number(url: str, name: str) -> float:
    return float(re.findall(rf"^{name} (\S+)$", HTTP.get(f"{url}/metrics").text, re.MULTILINE)[0])


def test_the_official_client_is_answered(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["echo"]
    assert client.models.retrieve("echo").owned_by == "taiyi"
    asked: Any = {"model": "echo", "messages": [{"role": "user", "content": "say 你好 😀"}]}
    whole = client.chat.completions.create(**asked, temperature=0.5)
    assert whole.choices[0].message.content == said("say 你好 😀")
    assert whole.choices[0].finish_reason == "stop" and whole.usage and whole.usage.completion_tokens == 5
    chunks = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == said("say 你好 😀")
    assert [c.usage.completion_tokens for c in chunks if c.usage] == [5]


def test_the_official_client_knows_the_errors(client: openai.OpenAI) -> None:
    asked: Any = {"messages": [{"role": "user", "content": "hi"}]}
    with pytest.raises(openai.NotFoundError, match="there is no such model"):
        client.chat.completions.create(model="other", **asked)
    with pytest.raises(openai.UnprocessableEntityError) as found:
        client.chat.completions.create(model="echo", n=2, **asked)
    assert found.value.param == "n" and found.value.code == "unsupported"


def test_two_hundred_clients_at_once_each_get_their_own_answer(url: str) -> None:
    taiyi, _ = echo()

    def ask(n: int) -> tuple[int, Any]:
        if n % 4 == 0:
            asked = {"messages": [{"role": "user", "content": f"client {n}"}]}
            return n, HTTP.post(f"{url}/v1/chat/completions", json=asked)
        return n, extract(url, f"client {n} of many 😀 words {n * 7} here")

    with ThreadPoolExecutor(200) as pool:
        found = list(pool.map(ask, range(200)))
    for n, response in found:
        assert response.status_code == 200, response.text
        if n % 4 == 0:
            assert response.json()["choices"][0]["message"]["content"] == said(f"client {n}")
            continue
        right = taiyi.extract(f"client {n} of many 😀 words {n * 7} here", ["thing"]).entities
        assert [(e["start"], e["text"]) for e in response.json()["entities"]] == [(e.start, e.text) for e in right]
    batches, answered = number(url, "taiyi_batch_questions_count"), number(url, "taiyi_batch_questions_sum")
    assert answered / batches > 2, "they were asked together"


def until(true: Any) -> None:
    for _ in range(400):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("it never came true")


def test_who_goes_away_in_the_middle_is_no_longer_answered(url: str) -> None:
    words = " ".join(["word"] * 12)
    before = number(url, 'taiyi_chat_tokens_total{kind="answer"}')
    asked = {"messages": [{"role": "user", "content": words}], "stream": True}
    with HTTP.stream("POST", f"{url}/v1/chat/completions", json=asked) as response:
        assert next(line for line in response.iter_lines() if "you" in line)
    # Its own request is one.
    until(lambda: number(url, "taiyi_requests_in_flight") == 1)
    with pytest.raises(httpx2.ReadTimeout):
        HTTP.post(f"{url}/v1/chat/completions", json=asked | {"stream": False}, timeout=0.05)
    until(lambda: number(url, "taiyi_requests_in_flight") == 1)
    assert number(url, 'taiyi_chat_tokens_total{kind="answer"}') == before, "none was made to the end"
    assert extract(url, TEXT).status_code == 200


def test_ten_megabytes_are_refused_and_the_server_goes_on(url: str) -> None:
    for content in (b'{"text": "' + b"x" * 10_000_000 + b'"}', (b"x" * 100_000 for _ in range(100))):
        try:
            response = HTTP.post(f"{url}/v1/extract", content=content, headers={"Content-Type": "application/json"})
            assert response.status_code == 413
            assert response.json()["error"]["code"] == "too_large"
        except (httpx2.WriteError, httpx2.RemoteProtocolError):
            # The server hangs up on who goes on to send.
            pass
    assert extract(url, TEXT).status_code == 200


def test_what_is_not_even_http_does_not_stop_it(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    for sent in (
        b"\0\0\0\0\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
        b"POST /v1/extract HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"P",
    ):
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(sent)
            if len(sent) > 1:
                connection.recv(100)
    assert extract(url, TEXT).status_code == 200


def test_what_is_under_way_is_finished_before_it_stops() -> None:
    with echoing(0.3) as (url, process):
        found: list[Any] = [None, None]
        lines: list[str] = []

        def stream() -> None:
            asked = {"messages": [{"role": "user", "content": "a b c d e f"}], "stream": True}
            with HTTP.stream("POST", f"{url}/v1/chat/completions", json=asked) as response:
                for line in response.iter_lines():
                    lines.append(line)

        def ask() -> None:
            found[0] = extract(url, TEXT)

        threads = [threading.Thread(target=work) for work in (stream, ask)]
        threads[0].start()
        until(lambda: lines)
        threads[1].start()
        until(lambda: number(url, "taiyi_requests_in_flight") == 3)
        process.send_signal(signal.SIGTERM)
        until(lambda: HTTP.get(f"{url}/ready").status_code == 503)
        late = extract(url, TEXT)
        assert (late.status_code, late.json()["error"]["code"]) == (503, "stopping")
        for thread in threads:
            thread.join(30)
        assert found[0].status_code == 200 and found[0].json()["entities"]
        assert "data: [DONE]" in lines
        assert process.wait(10) == 0
        assert process.stdout is not None and "Traceback" not in process.stdout.read()


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "toy"
    toy.model().save_pretrained(folder)
    toy.tokenizer().save_pretrained(folder)
    toy.CHECKPOINT.save(folder)
    return folder


def test_the_command_serves_a_model_to_who_has_a_key(model: Path) -> None:
    with running("-m", "taiyi", "serve", model, "--port", 0, TAIYI_API_KEY="one\ntwo\n") as (url, process):
        assert extract(url, TEXT).status_code == 401
        headers = {"Authorization": "Bearer two"}
        [card] = HTTP.get(f"{url}/v1/models", headers=headers).json()["data"]
        assert card["id"] == "toy", "its path is nobody's business"
        text = "aspirin at home"
        response = HTTP.post(f"{url}/v1/extract", json={"text": text, "types": ["Drug"]}, headers=headers)
        assert response.status_code == 200
        assert all(text[e["start"] : e["end"]] == e["text"] for e in response.json()["entities"])
        with openai.OpenAI(base_url=f"{url}/v1", api_key="one") as client:
            asked: Any = {"model": "toy", "messages": [{"role": "user", "content": "aspirin?"}], "max_tokens": 9}
            whole = client.chat.completions.create(**asked)
            pieces = [c.choices[0].delta.content or "" for c in client.chat.completions.create(**asked, stream=True)]
            assert "".join(pieces) == whole.choices[0].message.content
            assert whole.usage and 0 < whole.usage.completion_tokens <= 9
            assert whole.choices[0].finish_reason == ("length" if whole.usage.completion_tokens == 9 else "stop")
            with pytest.raises(openai.UnprocessableEntityError, match="longer than the model's context"):
                asked["messages"][0]["content"] = "aspirin " * 200
                client.chat.completions.create(**asked, stream=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rate", "0"), "more than 0"),
        (("--api-key-file", "EMPTY"), "there is no key"),
        (("--api-key-file", "BAD"), "what is given is no key"),
        (("--port", "PORT"), "cannot listen here"),
        (("NOWHERE/at/all/",), "no model here"),
        (("runs/demo", "--engine", "http://127.0.0.1:1"), "a model or --engine, not both"),
    ],
)
def test_what_the_command_cannot_do_is_said_in_a_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "empty").write_text("# none\n")
    (tmp_path / "bad").write_text("two words\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        places = {"EMPTY": tmp_path / "empty", "BAD": tmp_path / "bad", "PORT": taken.getsockname()[1]}
        shown = [str(places.get(argument, argument)) for argument in arguments]
        result = CliRunner().invoke(cli.app, ["serve", *shown, *([] if "--port" in shown else ["--port", "0"])])
    assert result.exit_code == 1
    assert said in result.stderr and result.stderr.count("\n") == 1


def test_the_memory_of_the_server_does_not_grow(url: str) -> None:
    def ask(n: int) -> None:
        text = f"{n} words " * 3000
        HTTP.post(f"{url}/v1/translate", json={"text": text})
        asked = {"messages": [{"role": "user", "content": text}], "max_tokens": 2, "stream": n % 2 == 0}
        HTTP.post(f"{url}/v1/chat/completions", json=asked)
        HTTP.post(f"{url}/v1/extract", content=b"{" + os.urandom(30_000))

    def resident() -> float:
        return number(url, "process_resident_memory_bytes")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(50)))
        before = resident()
        list(pool.map(ask, range(50, 250)))
    # They sent 18 MB.
    assert resident() - before < 6e6
