"""Where questions wait for a thread, which answers all that wait together, and gives each its own answer.

A thread that is free takes at once what is there, so nobody waits for company; what comes while it is busy is taken
together when it is done.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Generic, TypeVar

from taiyi.generate import Ended

Q = TypeVar("Q")
A = TypeVar("A")

_LONGEST_WAIT_S = 60
# How much the last batch tells of the next one.
_SHARE = 0.2


class Unanswered(Exception):
    """A question was given up: the desk closed, or nobody waits for its answer."""


class Talk:
    """An answer in pieces.

    Args:
        begin: makes the pieces.
        hear: is given each piece, and at the end how the answer ended, or why there is no more of it. It is called in
            the thread that answers.
    """

    def __init__(self, begin: Callable[[], Iterator[str]], hear: Callable[[str | Ended | Exception], object]) -> None:
        self._begin, self._hear = begin, hear
        self._pieces: Iterator[str] | None = None
        self._count = 0
        self._stopped = False

    def stop(self) -> None:
        """Make no more of it: nobody hears it."""
        self._stopped = True

    def end(self, error: Exception) -> None:
        """Say that there is no more of it."""
        if not self._stopped:
            self._say(error)

    def step(self) -> bool:
        """Make the next piece; return whether there may be more."""
        if self._stopped:
            self._pieces = None
            return False
        try:
            if self._pieces is None:
                self._pieces = self._begin()
            piece = next(self._pieces)
        except StopIteration as stop:
            self._say(stop.value if isinstance(stop.value, Ended) else Ended("stop", 0, self._count))
            return False
        except Exception as error:
            self._say(error)
            return False
        self._count += 1
        self._say(piece)
        return True

    def _say(self, said: str | Ended | Exception) -> None:
        try:
            self._hear(said)
        except Exception:
            # Who asked went away without a word; the thread has others to answer.
            self._stopped = True


class Desk(Generic[Q, A]):
    """Answers questions together.

    Args:
        answer: yields answers, or why there is none, with the number of the question among those it is given; in any
            order, each once.
        threads: how many of them answer.
        together: how many questions one takes at a time at most, and how many talks; these go on by turns, a piece of
            each, with all questions that have come answered in between.
        weigh: how much work a question is, in any unit.
        budget: how much of it is taken together at most; of a single question any.
        seen: is told of each batch how many questions it had, and how many seconds it took.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Q]], Iterator[tuple[int, A | Exception]]],
        *,
        threads: int = 1,
        together: int = 32,
        weigh: Callable[[Q], int] = lambda _: 0,
        budget: int = 1,
        seen: Callable[[int, float], object] = lambda _count, _seconds: None,
    ) -> None:
        self._answer, self._together, self._weigh, self._budget, self._seen = answer, together, weigh, budget, seen
        self._questions: deque[tuple[Q, Future[A]]] = deque()
        self._talks: deque[Talk] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._seconds_each = 0.0
        self._threads = [threading.Thread(target=self._work, name=f"desk-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """How many questions and talks no thread has taken yet."""
        return len(self._questions) + len(self._talks)

    @property
    def alive(self) -> bool:
        """Whether there is somebody to answer."""
        return all(thread.is_alive() for thread in self._threads) and not self._closed

    def wait_s(self) -> int:
        """Guess in how many seconds what waits now will have been answered."""
        return max(1, min(_LONGEST_WAIT_S, math.ceil(self.waiting * self._seconds_each / len(self._threads))))

    def ask(self, question: Q) -> Future[A]:
        """Return what will be the answer; where it is cancelled before a thread takes the question, none is made."""
        future: Future[A] = Future()
        with self._changed:
            self._check_open()
            self._questions.append((question, future))
            self._changed.notify()
        future.add_done_callback(self._drop)
        return future

    def talk(self, begin: Callable[[], Iterator[str]], hear: Callable[[str | Ended | Exception], object]) -> Talk:
        """Begin an answer in pieces (`Talk`)."""
        talk = Talk(begin, hear)
        with self._changed:
            self._check_open()
            self._talks.append(talk)
            self._changed.notify()
        return talk

    def stop(self, talk: Talk) -> None:
        """Make no more of an answer in pieces: nobody hears it."""
        talk.stop()
        with self._changed, suppress(ValueError):
            self._talks.remove(talk)

    def close(self, timeout_s: float = 1.0) -> None:
        """Give up what no thread has taken; wait a while for those that are at work."""
        with self._changed:
            self._closed = True
            given_up, talks = [future for _, future in self._questions], [*self._talks]
            self._questions.clear()
            self._talks.clear()
            self._changed.notify_all()
        for future in given_up:
            if future.set_running_or_notify_cancel():
                future.set_exception(Unanswered("the server stops"))
        for talk in talks:
            talk.end(Unanswered("the server stops"))
        last_s = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, last_s - time.monotonic()))

    def _check_open(self) -> None:
        if self._closed:
            raise Unanswered("the server stops")

    def _drop(self, future: Future[Any]) -> None:
        """Forget a question that was cancelled."""
        if future.cancelled():
            with self._changed:
                self._questions = deque(one for one in self._questions if one[1] is not future)

    # --- in the threads ----------------------------------------------------------------------------------------------

    def _work(self) -> None:
        talks: list[Talk] = []
        while (taken := self._take(talks)) is not None:
            if taken:
                self._answer_all(taken)
            talks[:] = [talk for talk in talks if talk.step()]

    def _take(self, talks: list[Talk]) -> list[tuple[Q, Future[A]]] | None:
        """Return what is to be answered now, and add talks to those that are under way; None at the end."""
        taken: list[tuple[Q, Future[A]]] = []
        with self._changed:
            while not (self._questions or self._talks or talks or self._closed):
                self._changed.wait()
            if self._closed:
                for talk in talks:
                    talk.end(Unanswered("the server stops"))
                return None
            while self._talks and len(talks) < self._together:
                talks.append(self._talks.popleft())
            left = self._budget
            while self._questions and len(taken) < self._together:
                left -= self._weigh(self._questions[0][0])
                if taken and left < 0:
                    break
                taken.append(self._questions.popleft())
        return [one for one in taken if one[1].set_running_or_notify_cancel()]

    def _answer_all(self, taken: Sequence[tuple[Q, Future[A]]]) -> None:
        started = time.perf_counter()
        fault: Exception = RuntimeError("the question was not answered")
        try:
            for number, answer in self._answer([question for question, _ in taken]):
                future = taken[number][1]
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
        except Exception as error:
            fault = error
        for _, future in taken:
            if not future.done():
                future.set_exception(fault)
        seconds = time.perf_counter() - started
        each = seconds / len(taken)
        self._seconds_each = each if not self._seconds_each else (1 - _SHARE) * self._seconds_each + _SHARE * each
        self._seen(len(taken), seconds)
