"""A model for tests of the server: it answers each question with something that only that question has.

Run as a program it serves itself: `python serving.py PORT DELAY_S`.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import httpx2
from fastapi.testclient import TestClient

from taiyi.checkpoint import Checkpoint
from taiyi.generate import Asked, Ended, Weighed
from taiyi.schema import Example, Message, Prediction
from taiyi.serve.app import app
from taiyi.serve.settings import ServeSettings
from taiyi.use.asking import Model
from taiyi.use.taiyi import Taiyi

POISON = "poison"
"""A question with this word fails, and with it all that are asked beside it."""
SLOWLY = "slowly"
"""A question with this word takes ten times as long."""


class Echo:
    """An engine whose answers follow from the question alone.

    Args:
        delay_s: how long each pass takes, however many questions it has, and each piece of a stream.
    """

    name = "echo"
    limit = 10_000

    def __init__(self, delay_s: float = 0.0) -> None:
        self.delay_s = delay_s
        self.go = threading.Event()
        self.go.set()
        self.sizes: list[int] = []
        self.pieces = 0
        self.under_way = 0
        self.most = 0

    def generate(self, examples: Sequence[Example], **_: Any) -> Iterator[Prediction]:
        self._pass([e.messages[-1].content for e in examples])
        for example in random.sample(list(examples), len(examples)):
            yield Prediction(example=example.id, text=self._answer(example), finish="stop")

    def weigh(self, asked: Sequence[Asked], **_: Any) -> Iterator[Weighed]:
        self._pass([one.example.messages[-1].content for one in asked])
        for example, candidates in random.sample(list(asked), len(asked)):
            scores = [-number(example.messages[-1].content + c) / 100 for c in candidates]
            yield Weighed(example.id, scores, [1] * len(candidates), 0.0)

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> Generator[str, None, Ended]:
        self.under_way += 1
        try:
            words = said(messages[-1].content).split(" ")
            for count, word in enumerate(words[:max_new_tokens]):
                self._pass([messages[-1].content])
                self.pieces += 1
                yield word if not count else f" {word}"
            finish = "stop" if len(words) <= max_new_tokens else "length"
            return Ended(finish, self.num_tokens(messages), min(len(words), max_new_tokens))
        finally:
            self.under_way -= 1

    def num_tokens(self, messages: Sequence[Message]) -> int:
        return sum(len(m.content.split()) for m in messages)

    def _pass(self, texts: Sequence[str]) -> None:
        self.sizes.append(len(texts))
        assert self.go.wait(20)
        time.sleep(self.delay_s * (10 if any(SLOWLY in text for text in texts) else 1))
        if any(POISON in text for text in texts):
            raise ZeroDivisionError(f"what broke says: {texts}")

    def _answer(self, example: Example) -> str:
        content = example.messages[-1].content
        if example.form == "json":
            words = [word for word in example.source_text.split() if number(word) % 2]
            return json.dumps({shown.shown: words for shown in example.types})
        if example.types:
            return example.types[number(content) % len(example.types)].shown
        return said(content)


def said(text: str) -> str:
    """Return what the model says to a text."""
    return f"you said: {text[-60:]}"


def number(text: str) -> int:
    """Return a number that belongs to a text."""
    return int(sha256(text.encode()).hexdigest()[:4], 16) % 1000


def echo(delay_s: float = 0.0, checkpoint: Checkpoint | None = None) -> tuple[Taiyi, Echo]:
    """Return a model that echoes, and its engine."""
    engine = Echo(delay_s)
    return Taiyi(engine, Model("echo", checkpoint or Checkpoint(form="json"))), engine


HERE = "http://localhost"
JSON = {"Content-Type": "application/json"}
TEXT = "Aspirin causes asthma 😀 and more"
ASKED: dict[str, dict[str, Any]] = {
    "/v1/extract": {"text": TEXT, "types": ["thing"]},
    "/v1/classify": {"text": TEXT, "labels": ["good", "bad"]},
    "/v1/pair": {"first": TEXT, "second": "other", "labels": ["same", "other"]},
    "/v1/answer": {"question": TEXT},
    "/v1/translate": {"text": TEXT},
    "/v1/rewrite": {"text": TEXT, "kind": "title"},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": TEXT}]},
}


@contextmanager
def asking(taiyi: Taiyi | None = None, **said: Any) -> Iterator[TestClient]:
    """A client of a server with these settings."""
    made = app(taiyi or echo()[0], ServeSettings(**{"name": "echo"} | said))
    with TestClient(made, base_url=HERE, raise_server_exceptions=False) as client:
        yield client


def error(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """What an error says, which has one shape."""
    assert response.status_code == status, response.text
    found = response.json()["error"]
    assert set(found) == {"message", "type", "param", "code", "where", "got", "expected", "mend"}
    assert found["code"] == code
    assert found["message"] and found["type"].endswith("_error")
    return found


def ask_in_threads(client: TestClient, bodies: list[dict[str, Any]], path: str = "/v1/extract") -> list[Any]:
    """Ask all at once, and return threads with what they got."""
    found: list[Any] = [None] * len(bodies)

    def ask(number: int) -> None:
        found[number] = client.post(path, json=bodies[number])

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(len(bodies))]
    for thread in threads:
        thread.start()
    return [threads, found]


def busy(client: TestClient, engine: Echo, count: int) -> list[Any]:
    """Let so many ask while the model answers nobody."""
    engine.go.clear()
    started = ask_in_threads(client, [{"text": f"text {n}", "types": ["thing"]} for n in range(count)])
    service = client.app.state.service  # pyright: ignore
    for _ in range(2000):
        if service.traffic.places == count:
            return started
        threading.Event().wait(0.005)
    raise AssertionError("they never came")


def main(port: int, delay_s: float) -> None:
    """Serve a model that echoes."""
    from taiyi.serve import running

    settings = ServeSettings(port=port, name="echo", timeout_s=20)
    taiyi, _ = echo(delay_s)
    listening = running.listen(settings)
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    running.run(app(taiyi, settings), settings, listening)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
