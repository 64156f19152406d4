"""An OpenAI-compatible server in the process of a test, which answers, delays and fails as it is told."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

Body = dict[str, Any]


@dataclass
class Sent:
    """What is sent back: JSON, or bytes as they are, whole or piece by piece; `cut` ends the connection in the middle
    of it."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    delay_s: float = 0.0
    cut: bool = False


@dataclass
class Request:
    """What was asked, and when."""

    path: str
    headers: dict[str, str]
    body: Body
    at: float


class FakeServer:
    """Answers with what `answer` says of each request: a text, or what is to be sent back.

    Attributes:
        requests: what was asked, in order.
        most: how many requests were under way at once at most.
    """

    def __init__(self, answer: Callable[[Request], str | Sent], models: list[str] | None = None) -> None:
        self.answer = answer
        self.models = models if models is not None else ["m"]
        self.requests: list[Request] = []
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()
        outer = self

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """Say nothing: who asked may be gone."""

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body go out together: by themselves they wait for one another.
            wbufsize = -1

            def log_message(self, format: str, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                if self.path.endswith("/models") and outer.models:
                    self._send(Sent({"data": [{"id": name} for name in outer.models]}))
                else:
                    self._send(Sent({"error": {"message": "not found"}}, 404))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                request = Request(self.path, {k.lower(): v for k, v in self.headers.items()}, body, time.monotonic())
                with outer._lock:
                    outer.requests.append(request)
                    outer._now += 1
                    outer.most = max(outer.most, outer._now)
                try:
                    found = outer.answer(request)
                    sent = Sent(completion(found)) if isinstance(found, str) else found
                    time.sleep(sent.delay_s)
                finally:
                    with outer._lock:
                        outer._now -= 1
                self._send(sent)

            def _send(self, sent: Sent) -> None:
                if isinstance(sent.body, Generator):
                    self._stream(sent, cast("Generator[bytes]", sent.body))
                    return
                content = sent.body if isinstance(sent.body, bytes) else json.dumps(sent.body).encode()
                try:
                    self.send_response(sent.status)
                    for name, value in sent.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content[: len(content) // 2] if sent.cut else content)
                    self.wfile.flush()
                    if sent.cut:
                        self.connection.shutdown(socket.SHUT_RDWR)
                        self.close_connection = True
                except OSError:
                    # Who asked may be gone.
                    self.close_connection = True

            def _stream(self, sent: Sent, pieces: Generator[bytes]) -> None:
                self.close_connection = True
                try:
                    self.send_response(sent.status)
                    for name, value in sent.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    for piece in pieces:
                        self.wfile.write(piece)
                        self.wfile.flush()
                except OSError:
                    pass
                finally:
                    pieces.close()

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @contextmanager
    def running(self) -> Iterator[FakeServer]:
        self._thread.start()
        try:
            yield self
        finally:
            self.stop()

    def stop(self) -> None:
        """Stop listening, so that connections are refused."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    @property
    def prompts(self) -> list[str]:
        """The last message of each request, in order."""
        return [request.body["messages"][-1]["content"] for request in self.requests]


def completion(text: str, *, finish: str = "stop", prompt_tokens: int = 0, answer_tokens: int = 0, **more: Any) -> Body:
    """Return a reply as OpenAI's API has them."""
    return {
        "id": "x",
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": answer_tokens,
            "total_tokens": prompt_tokens + answer_tokens,
        },
        **more,
    }


def fault(status: int, message: str = "", *, code: str | None = None, type: str | None = None, **headers: str) -> Sent:
    """Return a fault as OpenAI's API has them; headers are given with `_` for `-`."""
    said = {"error": {"message": message, "code": code, "type": type, "param": None}}
    return Sent(said, status, {name.replace("_", "-"): value for name, value in headers.items()})
