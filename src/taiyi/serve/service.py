"""A model at work: what all addresses share, and how an answer is waited for."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

import anyio.to_thread
from fastapi import Request

from taiyi import catalogue
from taiyi.errors import TaiyiError
from taiyi.generate import Ended
from taiyi.knowledge.sources.answering import Limited
from taiyi.serve import faults, questions
from taiyi.serve.desk import Desk, Unanswered
from taiyi.serve.faults import Fault, Gone
from taiyi.serve.gate import Traffic
from taiyi.serve.metrics import Metrics
from taiyi.serve.questions import Answer, Extract, Question, Say
from taiyi.serve.settings import ServeSettings
from taiyi.serve.shapes import num_chars
from taiyi.use.backing import Backing, unknown, warned
from taiyi.use.results import Extraction, Said
from taiyi.use.taiyi import Taiyi

if TYPE_CHECKING:
    from taiyi.knowledge.sources.answering import Talker
    from taiyi.schema import Message

T = TypeVar("T")

_REMOTE_THREADS = 32
"""How many questions are on their way to another server at a time."""
TOGETHER = 32
"""How many questions the model of this process answers together at most: so many rows its batches have."""
_TOGETHER_CHARS = 1 << 16
"""How many characters of text are answered together at most: who comes next waits for all of them."""


@dataclass
class Service:
    """A model, and what stands between it and those who ask.

    Attributes:
        taiyi: the model.
        settings: how it is served.
        backing: what is known beside the model.
        desk: where questions wait, while it is open.
    """

    taiyi: Taiyi
    settings: ServeSettings
    backing: Backing

    def __post_init__(self) -> None:
        model = self.taiyi.model
        # It takes a moment, for which the first who asks would wait.
        catalogue.all_corpora()
        self.name = self.settings.name or model.name
        self.engine = faults.Engine(self.name, model.remote)
        self.metrics, self.traffic = Metrics(), Traffic()
        self.metrics.waiting(lambda: self.desk.waiting)

    @contextmanager
    def open(self) -> Generator[None]:
        """Answer, until this is left."""
        remote = self.engine.remote
        self.desk: Desk[Question, Answer] = Desk(
            lambda asked: questions.answered(self.taiyi, asked),
            threads=_REMOTE_THREADS if remote else 1,
            together=1 if remote else TOGETHER,
            weigh=questions.num_chars,
            budget=_TOGETHER_CHARS,
            seen=self.metrics.seen,
        )
        try:
            yield
        finally:
            self.desk.close()

    def fit(self, asked: object) -> int:
        """Return how many characters the texts of a request have; raise Fault where they are too many."""
        if (found := num_chars(asked)) > self.settings.max_chars:
            raise Fault(
                413,
                "too_long",
                "the texts are too long",
                got=f"{found:,} characters",
                expected=f"at most {self.settings.max_chars:,}",
                mend="send them in parts",
            )
        return found

    async def extracted(self, request: Request, asked: Extract) -> Extraction:
        """Return what is found in a text."""
        return cast(Extraction, await self._answer(request, asked))

    async def said(self, request: Request, asked: Say) -> Said:
        """Return what is said of a text."""
        return cast(Said, await self._answer(request, asked))

    async def _answer(self, request: Request, question: Question) -> Answer:
        return await self.in_time(request, asyncio.wrap_future(self.desk.ask(question)))

    async def in_time(self, request: Request, work: Awaitable[T]) -> T:
        """Return what comes of some work; give it up where it takes too long, or who asked went away."""
        asked, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
        # Of what nobody waits for any more asyncio would write down why it failed, in words that may be a user's.
        asked.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            timeout_s = self.settings.timeout_s
            await asyncio.wait({asked, gone}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                return asked.result()
            raise Gone if gone.done() else TimeoutError
        finally:
            asked.cancel()
            gone.cancel()

    async def in_thread(self, request: Request, work: Callable[[], T]) -> T:
        """Return what comes of some work that waits or computes without the model."""
        return await self.in_time(request, anyio.to_thread.run_sync(work, abandon_on_cancel=True))

    async def pieces(self, begin: Callable[[], Iterator[str]]) -> AsyncGenerator[str | Ended]:
        """Yield an answer in pieces as they come, and how it ended; none is made when nobody takes them any more."""
        loop = asyncio.get_running_loop()
        heard: asyncio.Queue[str | Ended | Exception] = asyncio.Queue()
        talk = self.desk.talk(begin, lambda said: loop.call_soon_threadsafe(heard.put_nowait, said))
        try:
            while True:
                said = await asyncio.wait_for(heard.get(), self.settings.timeout_s)
                if isinstance(said, Exception):
                    raise said
                yield said
                if isinstance(said, Ended):
                    return
        finally:
            self.desk.stop(talk)

    async def checked(self, request: Request, question: str, alone: Say) -> Said:
        """Return the answer of the model itself to a question, unless a term of it may not exist: then only that."""
        flags, notice = await self.in_thread(request, lambda: self.backing.check(question))
        if unknown(flags):
            return Said(text=notice, flags=flags)
        return warned(await self.said(request, alone), flags, notice)

    async def sourced(self, request: Request, question: str) -> Said:
        """Return the answer to a question from sources.

        Raises:
            Fault: there are none.
            TaiyiError: the question is none.
        """
        if (sources := self.backing.sources) is None:
            raise Fault(422, "no_sources", "this server has no sources", mend="start it with --sources INDEX")
        gone, engine = threading.Event(), self.taiyi.engine
        talker: Talker | None = None
        # A model that does not write lets the sources speak.
        if self.taiyi.model.known.talks:
            talker = engine if self.engine.remote else _AtDesk(engine, self.desk, gone, self.settings.timeout_s)
        try:
            said = await self.in_thread(request, lambda: self.backing.quote(sources, talker, question))
        finally:
            gone.set()
        if said.fault:
            raise TaiyiError(said.fault)
        return said


class _AtDesk:
    """The engine to a thread that is not the desk's.

    Attributes:
        limit, num_tokens: those of the engine, if it has them.
    """

    def __init__(self, engine: Talker, desk: Desk[Question, Answer], gone: threading.Event, timeout_s: float) -> None:
        self._engine, self._desk, self._gone, self._timeout_s = engine, desk, gone, timeout_s
        if isinstance(engine, Limited):
            self.limit, self.num_tokens = engine.limit, engine.num_tokens

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        """Answer, in pieces of text as they come."""
        heard: queue.SimpleQueue[str | Ended | Exception] = queue.SimpleQueue()
        talk = self._desk.talk(lambda: self._engine.stream(messages, max_new_tokens=max_new_tokens), heard.put)
        try:
            while True:
                try:
                    said = heard.get(timeout=self._timeout_s)
                except queue.Empty:
                    raise TimeoutError from None
                if self._gone.is_set():
                    raise Unanswered("nobody waits for it")
                if isinstance(said, Exception):
                    raise said
                if isinstance(said, Ended):
                    return
                yield said
        finally:
            self._desk.stop(talk)


async def _gone(request: Request) -> None:
    """Wait until who asked went away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
