"""Parts of the engine behind an address: replies and faults as servers write them, addresses as people do, and pace."""

from __future__ import annotations

import json

import anyio
import pytest

from fake_server import completion
from taiyi.checkpoint import is_address
from taiyi.endpoint import base_url
from taiyi.generate.pace import Pace
from taiyi.generate.replies import Fault, Reply, read, read_fault, wait_of

# --- addresses and replies -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://localhost:8000", "http://localhost:8000/v1"),
        ("https://api.example.org/v1/", "https://api.example.org/v1"),
        ("http://h:1/v1/chat/completions", "http://h:1/v1"),
        ("https://h/openai/v1", "https://h/openai/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
    ],
)
def test_addresses_are_read_as_people_give_them(given: str, expected: str) -> None:
    assert is_address(given)
    assert base_url(given) == expected


def test_replies_are_read_as_servers_write_them() -> None:
    found = read(b'{"choices":[{"message":{"content":[{"type":"text","text":"a"},{"text":"b"}]}}],"usage":{"x":1}}')
    assert isinstance(found, Reply)
    assert (found.text, found.prompt_tokens, found.cut, found.refusal) == ("ab", 0, False, "")
    assert read_fault(400, b'{"object":"error","message":"m","type":"BadRequestError","code":400}') == Fault(
        400, "BadRequestError", "", "m"
    )
    assert read_fault(500, b'{"error":"model runner has stopped"}') == Fault(500, message="model runner has stopped")
    assert read_fault(422, b'{"detail":[{"loc":["body"]}]}').message == "[{'loc': ['body']}]"
    assert read_fault(502, b"<html><h1>Bad Gateway</h1></html>").message == "Bad Gateway"
    assert read(b'{"error":{"message":"m","code":400,"type":"exceed_context_size_error"}}') == Fault(
        400, "exceed_context_size_error", "", "m"
    )


@pytest.mark.parametrize(
    ("content", "finish", "answer"),
    [
        ("<think>was it A?</think>\n\nB", "stop", "B"),
        ("was it A?\nno\n</think>\n\nB", "stop", "B"),
        ("\n</think>\n\nB </think> C", "stop", "B </think> C"),
        ("<think>maybe disease: asthma; n", "length", ""),
        ("A, as in <think>x</think>", "stop", "A, as in <think>x</think>"),
        ("half of", "length", "half of"),
    ],
)
def test_what_was_thought_is_told_from_the_answer(content: str, finish: str, answer: str) -> None:
    found = read(json.dumps(completion(content, finish=finish)).encode())
    assert isinstance(found, Reply)
    assert found.text == answer


def test_an_account_without_credit_is_told_from_one_that_is_throttled() -> None:
    quota = "You exceeded your current quota, please check your plan and billing details."
    assert Fault(429, "insufficient_quota", "", quota, wait_s=1).no_credit
    assert Fault(429, message=quota).no_credit
    assert Fault(403, "Arrearage", "", "Access denied").no_credit
    assert not Fault(429, message=quota, wait_s=20).no_credit
    assert not Fault(429, "rate_limit_exceeded", "", quota).no_credit
    assert not Fault(429, message="Slow down, or see https://h/billing").no_credit
    found = read_fault(429, b'[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}]')
    assert found == Fault(429, "RESOURCE_EXHAUSTED", "", "m")


def test_the_wait_may_stand_in_the_message() -> None:
    assert wait_of({}, "Please try again in 20s. Visit ...") == 20
    assert wait_of({}, "Please try again in 250ms.") == 0.25
    assert wait_of({}, "Please try again in 1h6m0.5s.") == 3960.5
    assert wait_of({}, "Please retry in 31.4 s.") == 31.4
    assert wait_of({"retry-after": "3"}, "Please retry in 31s.") == 3
    assert wait_of({}, "Please retry in a moment.") is None


def test_the_wait_may_be_a_date() -> None:
    assert wait_of({"retry-after": "Fri, 01 Jan 2100 00:00:00 GMT"}) > 1e6  # type: ignore[operator]
    assert wait_of({"retry-after": "Fri, 01 Jan 2010 00:00:00 GMT"}) == 0
    assert wait_of({"retry-after": "2.5"}) == 2.5
    assert wait_of({"retry-after-ms": "20", "retry-after": "1"}) == 0.02
    assert wait_of({"retry-after": "soon"}) is wait_of({}) is None


# --- pace ------------------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def paced(pace: Pace, clock: Clock, count: int, tokens: float) -> list[float]:
    async def turns() -> list[float]:
        found: list[float] = []
        for _ in range(count):
            await pace.turn(tokens)
            found.append(clock.now - 100)
        return found

    return anyio.run(turns)


def test_requests_keep_within_their_limits() -> None:
    clock = Clock()
    assert paced(Pace(120, None, clock=clock, sleep=clock.sleep), clock, 4, 999) == [0, 0.5, 1.0, 1.5]
    clock = Clock()
    assert paced(Pace(None, 6000, clock=clock, sleep=clock.sleep), clock, 4, 100) == [0, 1, 2, 3]
    clock = Clock()
    assert paced(Pace(60, 6000, clock=clock, sleep=clock.sleep), clock, 3, 200) == [0, 2, 4]
    clock = Clock()
    assert paced(Pace(None, None, clock=clock, sleep=clock.sleep), clock, 3, 10**9) == [0, 0, 0]


def test_the_pace_follows_what_was_counted_and_what_a_server_asks_for() -> None:
    clock = Clock()
    pace = Pace(None, 6000, clock=clock, sleep=clock.sleep)
    paced(pace, clock, 1, 1000)
    pace.correct(1000, 100)
    assert paced(pace, clock, 1, 0) == [1]
    pace.hold(30)
    assert paced(pace, clock, 1, 0) == [31]


def test_requests_that_a_hold_overtakes_do_not_leave_together() -> None:
    clock = Clock()
    waits = 0

    async def sleep(seconds: float) -> None:
        nonlocal waits
        waits += 1
        if waits == 1:
            # Another request is told to wait while this one does.
            pace.hold(30)
            await pace.turn(1)
            sent.append(clock.now - 100)
        else:
            clock.now += seconds

    async def last() -> None:
        await pace.turn(1)
        await pace.turn(1)
        sent.append(clock.now - 100)

    sent: list[float] = []
    pace = Pace(60, None, clock=clock, sleep=sleep)
    anyio.run(last)
    assert sent == [30, 31]
