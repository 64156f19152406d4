"""A server that listens: the official client, many at once, who goes away, the command itself, and how it stops."""

from __future__ import annotations

import asyncio
import importlib.util
import math
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
from types import ModuleType
from typing import Any, NamedTuple

import httpx2
import openai
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

import tiny
import toy
from fake_server import FakeServer
from page_server import served
from serving import SLOWLY, echo, said
from taiyi import cli
from taiyi.serve.app import app
from taiyi.serve.settings import ServeSettings

WHOLE = bool(os.environ.get("TAIYI_WHOLE"))
RESIDENT = re.compile(r"^process_resident_memory_bytes (\S+)$", re.MULTILINE)
TEXT = "Aspirin causes asthma 😀 and more"
# One for all, of as many connections as are asked for: to make one takes longer than what it is asked.
HTTP = httpx2.Client(timeout=60, verify=False, limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20))


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


serve_soak = _load(Path(__file__).parents[1] / "benchmarks" / "serve_soak.py")


class Running(NamedTuple):
    """A server process: its address, and where it writes what it says."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")


@contextmanager
def running(folder: Path, *arguments: object, **environment: str) -> Iterator[Running]:
    """Start a server process, and wait until it is ready."""
    log = folder / "log"
    with log.open("wb") as file:
        called = [sys.executable, *map(str, arguments)]
        process = subprocess.Popen(called, stdout=file, stderr=file, env=tiny.environment() | environment)
    try:
        server = Running("", process, log)
        for _ in range(1200):
            assert process.poll() is None, server.said()
            url = next(iter(re.findall(r"http://127\.0\.0\.1:\d+", server.said())), "")
            try:
                if url and HTTP.get(f"{url}/ready").status_code == 200:
                    break
            except httpx2.ConnectError:
                pass
            time.sleep(0.05)
        else:
            raise AssertionError(f"it never got ready: {server.said()}")
        yield server._replace(url=url)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a server in a thread: to start a process takes longer than all that this one is asked."""
    with served(app(echo(0.02)[0], ServeSettings(name="echo", timeout_s=20))) as url:
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


def test_what_is_under_way_is_finished_before_it_stops(tmp_path: Path) -> None:
    with running(tmp_path, Path(__file__).with_name("serving.py"), 0, 0.1) as server:
        url, found, lines = server.url, list[Any](), list[str]()

        def stream() -> None:
            asked = {"messages": [{"role": "user", "content": "a b c d e f"}], "stream": True}
            with HTTP.stream("POST", f"{url}/v1/chat/completions", json=asked) as response:
                lines.extend(response.iter_lines())

        def ask() -> None:
            found.append(extract(url, f"{TEXT} {SLOWLY}"))

        threads = [threading.Thread(target=work) for work in (stream, ask)]
        for thread in threads:
            thread.start()
        until(lambda: number(url, "taiyi_requests_in_flight") == 3)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: HTTP.get(f"{url}/ready").status_code == 503)
        late = extract(url, TEXT)
        assert (late.status_code, late.json()["error"]["code"]) == (503, "stopping")
        for thread in threads:
            thread.join(30)
        assert found[0].status_code == 200 and found[0].json()["entities"]
        assert "data: [DONE]" in lines
        assert server.process.wait(10) == 0
        assert "Traceback" not in server.said()


def test_a_second_interrupt_does_not_wait(tmp_path: Path) -> None:
    with running(tmp_path, Path(__file__).with_name("serving.py"), 0, 30) as server:
        with ThreadPoolExecutor(1) as threads:
            asked = threads.submit(extract, server.url, f"{TEXT} {SLOWLY}")
            until(lambda: number(server.url, "taiyi_requests_in_flight") == 2)
            server.process.send_signal(signal.SIGINT)
            until(lambda: HTTP.get(f"{server.url}/ready").status_code == 503)
            assert server.process.poll() is None, "the first one waits for what is under way"
            server.process.send_signal(signal.SIGINT)
            server.process.wait(10)
            cut = asked.result(10)
            assert (cut.status_code, cut.json()["error"]["code"]) == (503, "stopping")
        assert "POST /v1/extract 503" in server.said()
        assert "Traceback" not in server.said()


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`taiyi serve`, with a small model, few places and two keys."""
    folder = tmp_path_factory.mktemp("run")
    toy.model(max_positions=800).save_pretrained(folder / "toy")
    toy.tokenizer().save_pretrained(folder / "toy")
    toy.CHECKPOINT.save(folder / "toy")
    options = ("--port", 0, "--queue", 16, "--max-chars", 8_000)
    with running(folder, "-m", "taiyi", "serve", folder / "toy", *options, TAIYI_API_KEY="one\ntwo\n") as server:
        yield server


def test_the_command_serves_a_model_to_who_has_a_key(command: Running) -> None:
    assert extract(command.url, TEXT).status_code == 401
    headers = {"Authorization": "Bearer two"}
    [card] = HTTP.get(f"{command.url}/v1/models", headers=headers).json()["data"]
    assert card["id"] == "toy", "its path is nobody's business"
    text = "aspirin at home"
    response = HTTP.post(f"{command.url}/v1/extract", json={"text": text, "types": ["Drug"]}, headers=headers)
    assert response.status_code == 200
    assert all(text[e["start"] : e["end"]] == e["text"] for e in response.json()["entities"])
    with openai.OpenAI(base_url=f"{command.url}/v1", api_key="one", max_retries=0) as client:
        asked: Any = {"model": "toy", "messages": [{"role": "user", "content": "aspirin?"}], "max_tokens": 9}
        whole = client.chat.completions.create(**asked)
        pieces = [c.choices[0].delta.content or "" for c in client.chat.completions.create(**asked, stream=True)]
        assert "".join(pieces) == whole.choices[0].message.content
        assert whole.usage and 0 < whole.usage.completion_tokens <= 9
        assert whole.choices[0].finish_reason == ("length" if whole.usage.completion_tokens == 9 else "stop")
        with pytest.raises(openai.UnprocessableEntityError, match="longer than the model's context"):
            asked["messages"][0]["content"] = "aspirin " * 900
            client.chat.completions.create(**asked, stream=True)


def test_the_server_lasts(command: Running) -> None:
    """Right and wrong requests, more at a time than it has places for, and clients that go away: no answer is lost or
    another's, memory stays, and of what was said nothing is written down."""

    def resident() -> float:
        headers = {"Authorization": "Bearer one"}
        return float(re.findall(RESIDENT, HTTP.get(f"{command.url}/metrics", headers=headers).text)[0])

    soak = serve_soak.Soak(command.url, key="one", types=["Drug"])
    asyncio.run(soak.run(requests=1000 if WHOLE else 150, clients=20))
    before = resident()
    asyncio.run(soak.run(seconds=20 if WHOLE else 60, requests=math.inf if WHOLE else 250, clients=20))
    assert resident() - before < 8e6
    assert {"200", "400", "401", "413", "422", "429", "went away"} <= soak.came.keys()
    log = command.said()
    assert "POST /v1/extract 200" in log and "POST /v1/chat/completions" in log
    assert not [word for word in serve_soak.WORDS if word in log]
    assert "Traceback" not in log and " 500 " not in log


def test_the_command_stands_in_front_of_another_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr("taiyi.serve.running.run", lambda *said: made.extend(said[:2]))
    monkeypatch.setenv("ITS_KEY", "its-key")
    (tmp_path / "keys").write_text("right\n")
    with FakeServer(lambda request: f"{request.headers['authorization']}, {request.body['model']}").running() as server:
        result = CliRunner().invoke(
            cli.app,
            [
                *("serve", "--engine", server.url, "--key-env", "ITS_KEY", "--name", "its-model", "--port", "0"),
                *("--api-key-file", str(tmp_path / "keys"), "--cors-origin", "https://a.example", "--rate", "5"),
                *("--timeout", "7", "--max-chars", "9", "--queue", "3"),
            ],
        )
        assert result.exit_code == 0, result.output
        application, settings = made
        assert settings.cors_origins == ("https://a.example",)
        assert (settings.rate, settings.timeout_s, settings.max_chars, settings.max_requests) == (5, 7, 9, 3)
        asked = {"messages": [{"role": "user", "content": "x"}]}
        with TestClient(application, base_url="http://localhost", headers={"Authorization": "Bearer right"}) as client:
            response = client.post("/v1/chat/completions", json=asked)
        assert response.json()["choices"][0]["message"]["content"] == "Bearer its-key, its-model"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rate", "0"), "numbers above 0"),
        (("--timeout", "nan"), "numbers above 0"),
        (("--api-key-file", "BYTES"), "what is given is no key"),
        (("--api-key-file", "EMPTY"), "there is no key"),
        (("--api-key-file", "BAD"), "what is given is no key"),
        (("--port", "PORT"), "cannot listen here"),
        (("NOWHERE/at/all/",), "no model here"),
        (("runs/demo", "--engine", "http://127.0.0.1:1"), "a model or --engine, not both"),
    ],
)
def test_what_the_command_cannot_do_is_said_in_a_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    for name, content in (("EMPTY", b"# none\n"), ("BAD", b"two words\n"), ("BYTES", b"\xff\n")):
        (tmp_path / name).write_bytes(content)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        places = {name: tmp_path / name for name in ("EMPTY", "BAD", "BYTES")} | {"PORT": taken.getsockname()[1]}
        shown = [str(places.get(argument, argument)) for argument in arguments]
        result = CliRunner().invoke(cli.app, ["serve", *shown, *([] if "--port" in shown else ["--port", "0"])])
    assert result.exit_code == 1
    assert said in result.stderr and result.stderr.count("\n") == 1
