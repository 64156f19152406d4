"""Answers in pieces over HTTP: server-sent events, as OpenAI's API has them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import msgspec
from fastapi.responses import StreamingResponse

SSE = "text/event-stream"
DONE = b"data: [DONE]\n\n"
# Proxies are not to keep pieces until they have some of them.
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def event(content: dict[str, Any]) -> bytes:
    """Return an event with an object of JSON."""
    return b"data: " + msgspec.json.encode(content) + b"\n\n"


def streamed(events: AsyncGenerator[bytes]) -> StreamingResponse:
    """Return events as a response."""
    return StreamingResponse(events, media_type=SSE, headers=_HEADERS)
