"""One request to an OpenAI-compatible server, sent until it is answered, is refused, or the server counts as down.

httpx2 carries it, and not the package `openai`, whose client sends a request again by itself: here a server that asks
to wait is left alone by all requests, what one example cannot be answered for is told from what ends the run, and
replies are checked (that package makes an object of any of them). What it would be left with is the POST.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import anyio
import httpx2

from taiyi.endpoint import EndpointSettings, base_url
from taiyi.errors import ModelError, suggestion
from taiyi.generate.engine import NO_ROOM
from taiyi.generate.pace import Pace
from taiyi.generate.replies import (
    ADAPTED,
    FILTERED,
    LIMITS,
    Fault,
    Garbage,
    Reply,
    read,
    read_fault,
    shortened,
    wait_of,
)
from taiyi.text import HALF_PAIR

_LONGEST_WAIT_S = 30.0
_LONGEST_ASKED_S = 900.0
_CONNECT_S = 20.0
# A server that never answered is more likely a wrong address than one that will.
_FIRST_ATTEMPTS = 3
# The same prompt takes as long a second time.
_MOST_TIMEOUTS = 2
_MOST_THROTTLED = 100
# Many limits are those of a minute.
_THROTTLED_S = 180.0
_MOST_CUTS = 3
_AGAIN = frozenset({408, 409, 425, 429})
_HELLO = ({"role": "user", "content": "Hi"},)
_SUCH_AS = "an address such as http://localhost:8000/v1"

RESUMES = "the same command goes on from the answers that are kept"


class Refused(Exception):
    """A server will not answer one prompt: for a reason that can be counted, and in its own words."""

    def __init__(self, reason: str, said: str = "") -> None:
        super().__init__(said or reason)
        self.reason = reason


class _Again(Exception):
    """A fault that may pass, of a kind, since some are given up sooner; `wait_s` is what the server asks to wait."""

    def __init__(self, what: str, *, wait_s: float | None = None, kind: str = "") -> None:
        super().__init__(what)
        self.wait_s, self.kind = wait_s, kind


class _Unfit(Exception):
    """A server does not accept a request: for what it asks, or for how, such as a parameter among those sent."""

    def __init__(self, fault: Fault, sent: frozenset[str]) -> None:
        super().__init__(str(fault))
        self.fault, self.sent = fault, sent


class Client:
    """Asks one model of one server; is opened and closed in an event loop.

    Args:
        address: of the server.
        settings: how it is asked.
    """

    def __init__(self, address: str, settings: EndpointSettings) -> None:
        self.url = base_url(address)
        self.settings = settings
        self.num_answered = 0
        self._stopped = False
        self._limit, self._without = LIMITS[0], set[str]()
        self._key = _key(settings.key_env)

    async def __aenter__(self) -> Self:
        settings = self.settings
        self._stopping = anyio.Event()
        self._answered_at = time.monotonic()
        self._pace = Pace(settings.requests_per_minute, settings.tokens_per_minute, sleep=self._rest)
        self._http = httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            timeout=httpx2.Timeout(None, connect=min(_CONNECT_S, settings.timeout_s)),
            # To read certificates takes a while, and without TLS they mean nothing.
            verify=self.url.startswith("https:"),
            limits=httpx2.Limits(max_connections=settings.concurrency, max_keepalive_connections=settings.concurrency),
        )
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def stop(self) -> None:
        """Let requests that are under way end, and send none again."""
        self._stopping.set()

    async def ask(
        self, messages: Sequence[Mapping[str, str]], *, max_tokens: int, tokens: float, more: Mapping[str, Any]
    ) -> Reply:
        """Return the reply to a dialogue.

        Args:
            messages: with role and content.
            max_tokens: the longest answer.
            tokens: about how many tokens the prompt and the answer have.
            more: what else the request says.

        Raises:
            Refused: the server will not answer this one.
            ModelError: it will answer none: it is down, or the address, the key or the model is wrong.
        """
        failures = Counter[str]()
        answered, throttled = self.num_answered, 0
        room, cuts = max_tokens, 0
        while True:
            try:
                reply = await self._once(messages, room, tokens, more)
            except _Unfit as error:
                fault = error.fault
                if fault.too_long:
                    # The prompt may fit, and the answer that is asked for not.
                    if fault.room is None or not 0 < fault.room < room or cuts == _MOST_CUTS:
                        raise Refused(NO_ROOM, self._safe(str(fault))) from error
                    room, cuts = fault.room, cuts + 1
                elif not self._adapted(error):
                    # The fault is the example's where a word is answered now: a key may end in the middle of a run.
                    if messages is not _HELLO and await self._accepts(max_tokens):
                        raise Refused(f"refused by the server: {fault.short}", self._safe(str(fault))) from error
                    raise ModelError(
                        "the server does not accept the requests",
                        where=self.url,
                        got=self._safe(str(fault)),
                        mend=f"then {RESUMES}" if self.num_answered else None,
                    ) from error
            except _Again as error:
                throttled += error.kind == "throttled"
                if error.kind == "throttled" and self.num_answered > answered:
                    # It answers others meanwhile, so it is not down.
                    failures["throttled"], answered = 0, self.num_answered
                failures[error.kind] += 1
                if self._given_up(error, failures) or throttled >= _MOST_THROTTLED:
                    raise await self._gone(error, failures) from error
                await self._wait(error, failures[error.kind])
            else:
                self.num_answered += 1
                self._answered_at = time.monotonic()
                return reply

    async def models(self) -> list[str]:
        """Return the names of the models that the server has; none where it does not say.

        Raises:
            ModelError: nothing answers at the address, or the key is refused.
        """
        try:
            with anyio.fail_after(_CONNECT_S):
                response = await self._http.get(f"{self.url}/models")
        except (httpx2.RequestError, httpx2.InvalidURL, TimeoutError) as error:
            raise self._absent(_said(error)) from error
        if response.status_code == 401:
            raise self._locked(read_fault(401, response.content))
        try:
            rows: Any = response.json()["data"]
            return [str(row["id"]) for row in rows] if response.status_code == 200 else []
        except (ValueError, KeyError, TypeError, RecursionError):
            return []

    # --- one attempt -------------------------------------------------------------------------------------------------

    async def _once(
        self, messages: Sequence[Mapping[str, str]], max_tokens: int, tokens: float, more: Mapping[str, Any]
    ) -> Reply:
        settings = self.settings
        said: dict[str, Any] = {"model": settings.model, "messages": list(messages), self._limit: max_tokens}
        if settings.temperature is not None and "temperature" not in self._without:
            said["temperature"] = settings.temperature
        said |= settings.extra | dict(more)
        await self._pace.turn(tokens)
        self._go_on()
        try:
            with anyio.fail_after(settings.timeout_s):
                response = await self._http.post(f"{self.url}/chat/completions", json=said)
        except TimeoutError as error:
            raise _Again(f"no answer within {settings.timeout_s:g} s", kind="timeout") from error
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise _Again(_said(error), kind="connect") from error
        except httpx2.RequestError as error:
            raise _Again(_said(error)) from error
        except httpx2.InvalidURL as error:
            raise ModelError(f"not an address: {error}", where=self.url) from error
        except UnicodeEncodeError as error:
            raise Refused(HALF_PAIR) from error
        if response.status_code != 200:
            raise await self._failed(read_fault(response.status_code, response.content), response.headers, said)
        try:
            found = read(response.content)
        except Garbage as error:
            raise _Again(f"what it sends is no reply: {self._safe(str(error))}", kind="garbage") from error
        if isinstance(found, Fault):
            raise await self._failed(found, response.headers, said)
        self._pace.correct(tokens, found.prompt_tokens + found.answer_tokens or tokens)
        return found

    async def _failed(self, fault: Fault, headers: Mapping[str, str], said: Mapping[str, Any]) -> Exception:
        """Return what a fault comes to: for all requests, for this one, or for now."""
        shown = self._safe(str(fault))
        fault = fault._replace(wait_s=wait_of(headers, fault.message))
        if fault.no_credit:
            what = "the account is suspended" if "suspended" in shown.casefold() else "the account has no credit left"
            return ModelError(what, where=self.url, got=shown, mend=f"then {RESUMES}")
        if fault.status == 401:
            return self._locked(fault)
        if fault.too_long:
            return _Unfit(fault, frozenset(said))
        if fault.filtered:
            return Refused(FILTERED, shown)
        if fault.status in _AGAIN or fault.status >= 500:
            return _Again(shown, wait_s=fault.wait_s, kind="throttled" if fault.throttled else "")
        if 300 <= fault.status < 400:
            to = headers.get("location")
            return ModelError("the server sends requests elsewhere", where=self.url, got=to, mend="give that address")
        return await self._unknown(fault) if fault.status in (404, 405) else _Unfit(fault, frozenset(said))

    async def _unknown(self, fault: Fault) -> ModelError:
        """Return what 404 comes to: the model, or the address."""
        try:
            known = await self.models()
        except ModelError:
            known = []
        name = self.settings.model
        if known and name not in known:
            return ModelError("the server has no such model", where=self.url, got=name, mend=suggestion(name, known))
        return ModelError(
            "the server has no such model, or is asked at a wrong address",
            where=f"{self.url}/chat/completions",
            got=self._safe(str(fault)),
            expected=f"{_SUCH_AS}, and a model that is there as {name!r}",
        )

    def _adapted(self, error: _Unfit) -> bool:
        """Rename or leave out a parameter that the model does not take; return whether the request can be sent anew."""
        # What the user says is sent as it is; what is left out here is not sent again, so that this comes to an end.
        ours = [name for name in ADAPTED if name in error.sent and name not in self.settings.extra]
        name = error.fault.rejects(ours)
        if name == LIMITS[0]:
            self._limit = LIMITS[1]
        elif name:
            self._without.add(name)
        return bool(name)

    # --- what may pass -----------------------------------------------------------------------------------------------

    def _given_up(self, fault: _Again, failures: Counter[str]) -> bool:
        most = self.settings.attempts
        if not self.num_answered and fault.kind in ("connect", "garbage"):
            most = min(most, _FIRST_ATTEMPTS)
        if fault.kind == "timeout":
            most = min(most, _MOST_TIMEOUTS)
        others = failures.total() - failures["throttled"]
        if fault.kind == "throttled" and time.monotonic() - self._answered_at < _THROTTLED_S:
            return False
        return failures[fault.kind] >= most or others >= self.settings.attempts

    async def _gone(self, fault: _Again, failures: Counter[str]) -> Exception:
        """Return what a fault that does not pass comes to: the example's, where the server answers another prompt."""
        if await self._answers():
            words = {"timeout": "no answer in time", "garbage": "no reply", "throttled": "it is throttled"}
            return Refused(f"the server fails on it: {words.get(fault.kind) or str(fault).split(':')[0]}", str(fault))
        if not self.num_answered and fault.kind == "connect":
            return self._absent(str(fault))
        if not self.num_answered and fault.kind == "garbage":
            where = f"{self.url}/chat/completions"
            return ModelError("no OpenAI-compatible server is there", where=where, got=str(fault), expected=_SUCH_AS)
        return ModelError(
            f"the server does not answer, after {failures.total()} attempts",
            where=self.url,
            got=str(fault),
            mend=f"see to the server; {RESUMES}",
        )

    async def _wait(self, fault: _Again, count: int) -> None:
        """Wait before the next attempt; where the server says for how long, all requests do."""
        if fault.wait_s is not None and fault.wait_s > _LONGEST_ASKED_S:
            what = f"the server asks to wait for {fault.wait_s:.0f} s"
            raise ModelError(what, where=self.url, got=str(fault), mend=f"then {RESUMES}")
        # Requests that failed together are not to come back together (exponential backoff with jitter).
        wait = min(_LONGEST_WAIT_S, 2.0 ** min(count - 1, 9)) * random.uniform(0.5, 1.0)
        if fault.wait_s is not None:
            wait = fault.wait_s + min(0.1, wait)
        if fault.kind == "throttled" or fault.wait_s is not None:
            self._pace.hold(wait)
        else:
            await self._rest(wait)

    async def _rest(self, seconds: float) -> None:
        with anyio.move_on_after(seconds):
            await self._stopping.wait()
        self._go_on()

    def _go_on(self) -> None:
        if self._stopping.is_set():
            raise ModelError("the run was stopped", where=self.url, mend=RESUMES)

    async def _accepts(self, max_tokens: int) -> bool:
        """Whether the server answers a word, which is sent as an example is.

        Raises:
            ModelError: it answers nothing.
        """
        # Of few tokens models that think make a fault.
        most = max(max_tokens, 16)
        try:
            await self.ask(_HELLO, max_tokens=most, tokens=most + 16, more={})
        except Refused:
            return False
        return True

    async def _answers(self) -> bool:
        """Whether the server answers at all: a word, once."""
        try:
            await self._once(_HELLO, 16, 32, {})
        except (_Again, _Unfit, Refused, ModelError):
            return False
        return True

    # --- errors ------------------------------------------------------------------------------------------------------

    def _absent(self, what: str) -> ModelError:
        return ModelError("nothing answers at this address", where=self.url, got=what, expected=f"{_SUCH_AS}, running")

    def _locked(self, fault: Fault) -> ModelError:
        name = self.settings.key_env
        what = (
            f"the server refuses the key in {name}" if self._key else f"the server wants a key, and {name} is not set"
        )
        mend = f"set {name}, or name the variable that holds the key with --key-env"
        return ModelError(what, where=self.url, got=self._safe(str(fault)), mend=mend)

    def _safe(self, text: str) -> str:
        """Return what a server says without the key, which some repeat."""
        return text.replace(self._key, "***") if self._key else text


def _key(name: str) -> str:
    """Return the key that an environment variable holds; empty where it holds none."""
    key = os.environ.get(name, "").strip()
    if not key.isascii() or any(c.isspace() for c in key):
        raise ModelError("what the variable holds is no key", where=name, expected="ASCII characters without spaces")
    return key


def _said(error: Exception) -> str:
    return shortened(str(error)) or type(error).__name__
