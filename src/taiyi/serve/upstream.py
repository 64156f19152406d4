"""Dialogues that the server behind this one answers: passed on as they are asked, and answers as they come."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Self

import httpx2
from fastapi import Request
from starlette.responses import Response

from taiyi.endpoint import EndpointSettings
from taiyi.serve import faults
from taiyi.serve.events import event, streamed
from taiyi.serve.faults import Fault

if TYPE_CHECKING:
    from taiyi.serve.service import Service

# What is wrong with the request, and not with this server or its key.
_ASKED = (400, 404, 409, 413, 422, 429)
_KEPT = ("content-type", "retry-after")
_CONNECT_S = 10.0
_KEPT_OPEN = 32


class Upstream:
    """A server that is compatible with OpenAI's; it is opened and closed in an event loop.

    Args:
        url: its address, up to `/v1`.
        settings: which of its models is asked, and with which key.
        timeout_s: how long it may take to the next piece of an answer.
    """

    def __init__(self, url: str, settings: EndpointSettings, timeout_s: float) -> None:
        self.settings, self._url, self._timeout_s = settings, f"{url}/chat/completions", timeout_s

    async def __aenter__(self) -> Self:
        key = os.environ.get(self.settings.key_env, "").strip()
        self._client = httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx2.Timeout(self._timeout_s, connect=min(_CONNECT_S, self._timeout_s)),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=_KEPT_OPEN),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def answer(self, request: Request, service: Service) -> Response:
        """Return the answer to a request, a dialogue as OpenAI's API has it, as it comes.

        Raises:
            Fault: there is none, for a reason that is not the request's.
        """
        asked: dict[str, Any] = await request.json()
        # `sources` is not OpenAI's; some servers refuse what they do not know.
        passed = {name: value for name, value in asked.items() if name != "sources"}
        body = passed | {"model": self.settings.model} | self.settings.extra
        response = await service.in_time(request, self._send(body))
        if response.status_code == 200 and asked.get("stream"):
            return streamed(_passed(response, service))
        try:
            content = await service.in_time(request, response.aread())
        except httpx2.HTTPError as error:
            raise _fault(error) from error
        finally:
            await response.aclose()
        status = response.status_code
        headers = {name: response.headers[name] for name in _KEPT if name in response.headers}
        if status != 200 and (status not in _ASKED or not _is_error(response)):
            raise faults.unreached(f"status {status}")
        return Response(content, status, headers)

    async def _send(self, body: dict[str, Any]) -> httpx2.Response:
        try:
            asked = self._client.build_request("POST", self._url, json=body)
        except (ValueError, RecursionError) as error:
            what = "the request holds what JSON cannot say"
            raise Fault(422, "invalid", what, expected="finite numbers, and texts without halves of pairs") from error
        try:
            return await self._client.send(asked, stream=True)
        except httpx2.HTTPError as error:
            raise _fault(error) from error


async def _passed(response: httpx2.Response, service: Service) -> AsyncGenerator[bytes]:
    """Yield a stream as it comes; close it where nobody takes it any more, so that the server stops too."""
    try:
        async for piece in response.aiter_bytes():
            yield piece
    except httpx2.HTTPError as error:
        yield event(faults.of(_fault(error), service.engine).body())
    finally:
        await response.aclose()


def _fault(error: httpx2.HTTPError) -> Fault:
    return faults.late() if isinstance(error, httpx2.TimeoutException) else faults.unreached(type(error).__name__)


def _is_error(response: httpx2.Response) -> bool:
    """Whether what was read is an error as OpenAI's API has them."""
    try:
        found: Any = response.json()
        return isinstance(found["error"], dict)
    except (ValueError, LookupError, TypeError, RecursionError):
        return False
