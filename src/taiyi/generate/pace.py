"""How fast a server is asked: evenly, within the limits that the user gives, and not while it asks to wait."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import anyio


class Pace:
    """Gives each request its time (leaky bucket: Turner 1986), of requests and of tokens a minute.

    Args:
        requests_per_minute: how many requests may begin a minute; None for any number.
        tokens_per_minute: how many tokens they may take.
        clock: the time in seconds.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        requests_per_minute: float | None,
        tokens_per_minute: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._per_request = 60 / requests_per_minute if requests_per_minute else 0.0
        self._per_token = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self._clock, self._sleep = clock, sleep
        # When the next request may begin by each limit.
        self._next_request = self._next_tokens = self._held = clock()

    async def turn(self, tokens: float) -> None:
        """Wait until a request of so many tokens may be sent."""
        while True:
            begin = max(self._clock(), self._held, self._next_request, self._next_tokens)
            self._next_request = begin + self._per_request
            self._next_tokens = begin + tokens * self._per_token
            while (wait := begin - self._clock()) > 0:
                await self._sleep(wait)
            # Those that a hold overtook are not to leave together at its end.
            if self._held <= begin:
                return

    def correct(self, estimated: float, counted: float) -> None:
        """Say how many tokens a request took in fact."""
        self._next_tokens += (counted - estimated) * self._per_token

    def hold(self, seconds: float) -> None:
        """Send nothing for so many seconds."""
        self._held = max(self._held, self._clock() + seconds)
