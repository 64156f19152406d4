"""Asks a server right and wrong things from many clients for a while: no answer is lost or another's, and it stays up.

`benchmarks/serve.py --soak SECONDS` does so with a model of one's own, tests/test_serve_process.py with a small one.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

WORDS = ("aspirin", "asthma", "patients", "dose", "seizures", "肝损伤", "😀", "<b>", "home", "rats", "treatment")
WRONG: list[tuple[bytes, int]] = [
    (b'{"text": "aspirin', 400),
    (b"\xff\xfe", 400),
    (b'{"text": ""}', 422),
    (b'{"text": "aspirin", "tpyes": ["x"]}', 422),
    (b'{"text": "aspirin \\ud83d"}', 422),
    (b'{"text": "' + b"x" * 200_000 + b'"}', 413),
]
"""Bodies that are refused, and how."""
Checks = Callable[[str, dict[str, Any], dict[str, Any]], object]


def check(path: str, asked: dict[str, Any], found: dict[str, Any]) -> None:
    """Raise AssertionError where an answer is not one to what was asked: texts and labels of others are others."""
    if path == "/v1/extract":
        assert all(asked["text"][e["start"] : e["end"]] == e["text"] for e in found["entities"]), (asked, found)
    elif path == "/v1/classify":
        assert {label["name"] for label in found["labels"]} <= {*asked["labels"]}, (asked, found)
    elif path == "/v1/answer":
        assert {choice["text"] for choice in found["choices"]} == {*asked["options"]}, (asked, found)


class Soak:
    """Clients of one server.

    Args:
        url: its address.
        key: is sent with each request, where the server wants one.
        types: what is looked for in texts.
        also: is given the path, the request and the answer, and raises where they do not belong together.
    """

    def __init__(self, url: str, *, key: str = "", types: list[str], also: Checks = check) -> None:
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._url, self._types, self._also = url, types, also
        self._chance, self._count = random.Random(0), 0
        self.came = Counter[str]()
        """How many requests came to what: a status, or who asked went away."""

    async def run(self, *, seconds: float = math.inf, requests: float = math.inf, clients: int = 16) -> None:
        """Ask for so long, or so many times.

        Raises:
            AssertionError: an answer is another's, or a request came to what it should not.
            httpx2.TransportError: an answer was lost.
        """
        last_s, last = time.monotonic() + seconds, self._count + requests
        ways = (self._right, self._right, self._right, self._wrong, self._streamed, self._gone)

        async def one(client: httpx2.AsyncClient) -> None:
            while time.monotonic() < last_s and self._count < last:
                self._count += 1
                way: Callable[[httpx2.AsyncClient], Awaitable[None]] = self._chance.choice(ways)
                await way(client)

        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=clients)
        async with httpx2.AsyncClient(
            base_url=self._url, timeout=120, limits=limits, verify=False, headers=self._headers
        ) as client:
            await asyncio.gather(*(one(client) for _ in range(clients)))
            assert (await client.get("/ready")).status_code == 200

    def _text(self) -> str:
        """Return a text that no other is."""
        words = self._chance.choices(WORDS, k=self._chance.randrange(1, 30))
        return f"{' '.join(words)} {self._count}."

    def _asked(self) -> tuple[str, dict[str, Any]]:
        text, number = self._text(), self._count
        return self._chance.choice(
            [
                ("/v1/extract", {"text": text, "types": self._types}),
                ("/v1/classify", {"text": text, "labels": [f"good {number}", f"bad {number}"]}),
                ("/v1/answer", {"question": text, "options": [f"one {number}", f"two {number}"]}),
            ]
        )

    async def _right(self, client: httpx2.AsyncClient) -> None:
        path, asked = self._asked()
        response = await client.post(path, json=asked)
        self._came(response, 200, 422)
        if response.status_code == 200:
            self._also(path, asked, response.json())
        elif response.status_code == 429:
            assert int(response.headers["retry-after"]) >= 1
            await asyncio.sleep(0.1)
        else:
            # A model need not have learned all that it is asked.
            assert response.json()["error"]["code"] == "cannot_answer", response.text

    async def _wrong(self, client: httpx2.AsyncClient) -> None:
        content, status = self._chance.choice(WRONG)
        headers = {"Content-Type": "application/json"}
        if self._headers and self._chance.random() < 0.3:
            headers, status = headers | {"Authorization": "Bearer wrong"}, 401
        try:
            response = await client.post("/v1/extract", content=content, headers=headers)
        except (httpx2.WriteError, httpx2.ReadError, httpx2.RemoteProtocolError):
            # The server hangs up on who goes on to send.
            assert len(content) > 1000
            self.came["hung up"] += 1
            return
        self._came(response, status)

    async def _streamed(self, client: httpx2.AsyncClient) -> None:
        """Listen to the end, or go away in the middle."""
        text, patience = self._text(), self._chance.choice([0.0, 0.2])
        asked = {"messages": [{"role": "user", "content": text}], "max_tokens": 16, "stream": True}
        async with client.stream("POST", "/v1/chat/completions", json=asked) as response:
            self._came(response, 200, 422)
            said, whole = "", False
            async for line in response.aiter_lines():
                if self._chance.random() < patience:
                    self.came["went away"] += 1
                    return
                whole = whole or line == "data: [DONE]"
                if line.startswith("data: {"):
                    said += json.loads(line.removeprefix("data: "))["choices"][0]["delta"].get("content", "")
        if response.status_code == 200:
            assert whole, said
            self._also("/v1/chat/completions", asked, {"content": said})

    async def _gone(self, client: httpx2.AsyncClient) -> None:
        """Ask, and do not wait."""
        path, asked = self._asked()
        try:
            self._came(await client.post(path, json=asked, timeout=self._chance.choice([0.001, 0.02])), 200, 422)
        except httpx2.TimeoutException:
            self.came["went away"] += 1

    def _came(self, response: httpx2.Response, *right: int) -> None:
        # Who finds no place is told so, whatever is asked.
        assert response.status_code in (429, *right), response.status_code
        self.came[str(response.status_code)] += 1
