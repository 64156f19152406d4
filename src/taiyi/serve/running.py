"""A server that runs until it is told to stop, and then finishes what is under way."""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from types import FrameType

import uvicorn
from fastapi import FastAPI

from taiyi.errors import TaiyiError
from taiyi.serve.gate import Traffic
from taiyi.serve.settings import ServeSettings

_BACKLOG = 2048
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Server(uvicorn.Server):
    """Goes on to listen while it finishes what is under way, so that who comes then is told so."""

    def __init__(self, config: uvicorn.Config, traffic: Traffic, grace_s: float) -> None:
        super().__init__(config)
        self._traffic, self._grace_s = traffic, grace_s
        self._last_s = float("inf")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self._traffic.draining:
            self._traffic.draining, self._last_s = True, time.monotonic() + self._grace_s
        super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        leave = await super().on_tick(counter)
        return leave and (self.force_exit or not self._traffic.in_flight or time.monotonic() > self._last_s)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        if self.force_exit:
            # uvicorn leaves both to the end of the loop, which tells it in tracebacks.
            for task in self.server_state.tasks:
                task.cancel()
            await self.lifespan.shutdown()


def listen(settings: ServeSettings) -> socket.socket:
    """Return a socket that listens where the settings say.

    Raises:
        TaiyiError: it cannot, such as where another server does already.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise TaiyiError(
            "the server cannot listen here",
            where=f"{settings.host}:{settings.port}",
            got=error.strerror or error,
            mend="choose another place with --host and --port",
        ) from error


def run(made: FastAPI, settings: ServeSettings, listening: socket.socket) -> None:
    """Serve an application until SIGTERM or SIGINT, then finish what is under way; a second SIGINT does not wait."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S")
    logging.getLogger("taiyi.serve").setLevel(logging.INFO)
    # The addresses of who asks are those that a proxy tells only where it is said which proxy is believed.
    trusted = os.environ.get("FORWARDED_ALLOW_IPS")
    config = uvicorn.Config(
        made,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted,
        ws="none",
        timeout_graceful_shutdown=5,
    )
    server = _Server(config, made.state.service.traffic, settings.timeout_s)
    # uvicorn sends itself again what it was told to stop by, when it has.
    before = {number: signal.signal(number, _stay) for number in _SIGNALS}
    try:
        server.run(sockets=[listening])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stay(number: int, frame: FrameType | None) -> None:
    pass
