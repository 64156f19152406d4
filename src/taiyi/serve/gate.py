"""Who comes in, and what is seen of it: keys, rates, places and time to be read, before a body is; log and numbers.

These are plain ASGI: they stand in front of the framework, and do not hold up what is streamed.
"""

from __future__ import annotations

import asyncio
import hmac
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from taiyi.serve import faults
from taiyi.serve.faults import LOG, Fault
from taiyi.serve.metrics import Metrics
from taiyi.serve.settings import LOOPBACK, ServeSettings

METRICS = "/metrics"
_ASKED_BELOW = "/v1/"
_MOST_KNOWN = 10_000
_BODY_S = 30.0
_MOST_DIGITS = 15
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass
class Traffic:
    """What is under way.

    Attributes:
        in_flight: how many requests.
        places: how many of them ask the model.
        draining: whether those are finished and no others let in.
    """

    in_flight: int = 0
    places: int = 0
    draining: bool = False


class Rates:
    """How many requests each who asks may send: what a minute allows at once, and then as it passes.

    Args:
        per_minute: how many.
        now: tells the time in seconds.
    """

    def __init__(self, per_minute: float, now: Callable[[], float] = time.monotonic) -> None:
        self._each_s, self._most, self._now = 60 / per_minute, max(1.0, per_minute), now
        # The longest unseen first; who is forgotten had waited longest, and begins anew.
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, who: str) -> float:
        """Count a request; return 0, or where there were too many in how many seconds there may be one again."""
        now = self._now()
        left, at = self._left.pop(who, (self._most, now))
        left = min(self._most, left + (now - at) / self._each_s)
        self._left[who] = (left - (left >= 1), now)
        if len(self._left) > _MOST_KNOWN:
            self._left.popitem(last=False)
        return 0.0 if left >= 1 else (1 - left) * self._each_s


class Watch:
    """Counts and logs each request, by address, method, status and time; answers for what breaks below it.

    Args:
        app: what is watched.
        traffic: is kept here.
        metrics: likewise.
        known: tells which addresses there are; others may hold texts, as may methods, and are not written down.
    """

    def __init__(
        self, app: ASGIApp, *, traffic: Traffic, metrics: Metrics, known: Callable[[], Collection[str]]
    ) -> None:
        self.app, self.traffic, self.metrics, self.known = app, traffic, metrics, known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, started = 0, time.perf_counter()

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self.traffic.in_flight += 1
        self.metrics.in_flight.inc()
        try:
            await self.app(scope, receive, seen)
        except Exception as error:
            faults.log(error)
            if not status:
                await faults.broken().response()(scope, receive, seen)
        except asyncio.CancelledError:
            if not self.traffic.draining:
                raise
            # Who stops the server waits no longer for what is under way.
            if not status:
                await faults.stopping().response()(scope, receive, seen)
        finally:
            self.traffic.in_flight -= 1
            self.metrics.in_flight.dec()
            seconds = time.perf_counter() - started
            path = self._path(scope)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            # Cut off before it began.
            shown = status or faults.GONE
            self.metrics.requests.labels(path, method, str(shown)).inc()
            self.metrics.seconds.labels(path).observe(seconds)
            LOG.info("%s %s %d %.1f ms", method, path, shown, 1000 * seconds)

    def _path(self, scope: Scope) -> str:
        known = self.known()
        route: str = getattr(scope.get("route"), "path", "")
        return next((path for path in (scope["path"], route) if path in known), "other")


class Gate:
    """Lets in who may ask, as far as there are places.

    Args:
        app: what is asked.
        settings: who may, and how much.
        traffic: what is under way.
        retry_s: guesses in how many seconds there may be a place.
    """

    def __init__(self, app: ASGIApp, *, settings: ServeSettings, traffic: Traffic, retry_s: Callable[[], int]) -> None:
        self.app, self.settings, self.traffic, self.retry_s = app, settings, traffic, retry_s
        self._keys = [_digest(key.get_secret_value()) for key in settings.keys]
        self._rates = Rates(settings.rate) if settings.rate else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            asks = self._check(scope)
        except Fault as fault:
            await fault.response()(scope, receive, send)
            return
        if not asks:
            await self.app(scope, receive, send)
            return
        self.traffic.places += 1
        try:
            await self.app(scope, self._read(receive), send)
        finally:
            self.traffic.places -= 1

    def _check(self, scope: Scope) -> bool:
        """Return whether a request asks the model and takes a place; raise Fault where it may not come in."""
        headers, path = Headers(scope=scope), scope["path"]
        if self.settings.local and not _is_here(headers.get("host", "")):
            raise Fault(
                403, "host", "this server is asked by a name of this machine", expected="localhost or 127.0.0.1",
                mend="where a proxy stands in front, let it send Host: localhost, or give the server keys",
            )  # fmt: skip
        if not path.startswith(_ASKED_BELOW) and path != METRICS:
            return False
        who = self._who(scope, headers)
        if scope["method"] != "POST" or path == METRICS:
            return False
        if self.traffic.draining:
            raise faults.stopping()
        if self._rates and (wait_s := self._rates.wait_s(who)):
            raise Fault(
                429, "rate", "too many requests", expected=f"at most {self.settings.rate:g} a minute",
                headers={"Retry-After": str(math.ceil(wait_s))},
            )  # fmt: skip
        length = headers.get("content-length", "")
        if length.isdecimal() and (len(length) > _MOST_DIGITS or int(length) > self.settings.max_bytes):
            raise faults.of_status(413)
        if self.traffic.places >= self.settings.max_requests:
            raise Fault(
                429, "overloaded", "the server is busy", headers={"Retry-After": str(self.retry_s())},
                mend="ask again later",
            )  # fmt: skip
        return True

    def _who(self, scope: Scope, headers: Headers) -> str:
        """Return whose request it is, by key or by address; raise Fault where the key is not one."""
        if not self._keys:
            return scope["client"][0] if scope.get("client") else ""
        kind, _, key = headers.get("authorization", "").partition(" ")
        given = _digest(key.strip())
        # Each takes as long as any other, and so do their digests, whatever was given.
        right = [hmac.compare_digest(given, known) for known in self._keys]
        if kind.lower() != "bearer" or not any(right):
            raise Fault(
                401, "key", "a key is wanted" if not key else "the key is wrong", expected="Authorization: Bearer KEY",
                headers={"WWW-Authenticate": "Bearer"},
            )  # fmt: skip
        return given.hex()

    def _read(self, receive: Receive) -> Receive:
        """Return what reads a body, as long as it is not too long and comes in time: it keeps a place from others."""
        deadline, size, whole = time.monotonic() + _BODY_S, 0, False

        async def read() -> Message:
            nonlocal size, whole
            if whole:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), max(0.0, deadline - time.monotonic()))
            except TimeoutError as error:
                raise HTTPException(408) from error
            size += len(message.get("body", b""))
            if size > self.settings.max_bytes:
                raise HTTPException(413)
            whole = message["type"] != "http.request" or not message.get("more_body")
            return message

        return read


def _digest(key: str) -> bytes:
    return sha256(key.encode("utf-8", "surrogateescape")).digest()


def _is_here(host: str) -> bool:
    """Whether a name leads to this machine whatever a server of names says."""
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK
    except ValueError:
        return False
