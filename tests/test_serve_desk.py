"""The desk of the server: questions are answered together, each gets its own answer, and none fails others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, InvalidStateError, ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving import POISON, Echo, echo, said
from taiyi.errors import TaiyiError
from taiyi.generate import Ended
from taiyi.serve import questions
from taiyi.serve.desk import Desk, Unanswered
from taiyi.serve.questions import Extract, Question, Say, answered
from taiyi.use.results import Extraction, Said

TEXTS = st.text(st.sampled_from("ab c😀肝\n<"), max_size=8) | st.sampled_from(
    ["aspirin causes asthma", "阿司匹林 哮喘", f"a {POISON} b", "", "\ud83d"]
)
TYPES = st.sampled_from([(("thing", ""),), (("thing", "what is one"), ("other", "")), (("<b>", ""),)])


def ways(text: str, other: str) -> list[Say]:
    """All that is said of a text, in every way of asking."""
    return [
        Say(lambda taiyi: taiyi.classifying(["good", "bad"])(text)),
        Say(lambda taiyi: taiyi.classifying(["good", "bad"], several=True)(text)),
        Say(lambda taiyi: taiyi.pairing(["same", "other"])(text, other)),
        Say(lambda taiyi: taiyi.choosing(["one", "two", "three"])(text, other)),
        Say(lambda taiyi: taiyi.judging()(text, other)),
        Say(lambda taiyi: taiyi.translating()(text)),
        Say(lambda taiyi: taiyi.answering()(text, other)),
        Say(lambda taiyi: taiyi.classifying(["just one"])(text)),
    ]


QUESTIONS: st.SearchStrategy[Question] = st.builds(
    Extract,
    TEXTS,
    TYPES,
    st.sampled_from(["entities", "relations"]),
    st.sampled_from(["auto", "en", "zh"]),
    window=st.sampled_from([None, 5]),
) | st.builds(lambda text, other, way: ways(text, other)[way], TEXTS, TEXTS, st.integers(0, 7))


def alone(question: Question) -> Any:
    """The answer to a question that nobody asks anything beside."""
    taiyi, _ = echo()
    ((_, found),) = answered(taiyi, [question])
    return found


def same(one: Any, other: Any) -> bool:
    return str(one) == str(other) and type(one) is type(other) if isinstance(other, Exception) else one == other


@settings(max_examples=40)
@given(st.lists(QUESTIONS, max_size=12))
def test_questions_that_are_asked_together_are_answered_as_each_is_alone(asked: list[Question]) -> None:
    taiyi, _ = echo()
    found = list(answered(taiyi, asked))
    assert sorted(n for n, _ in found) == list(range(len(asked))), "each is answered once"
    for number, answer in found:
        right = alone(asked[number])
        if isinstance(right, ZeroDivisionError):
            assert isinstance(answer, ZeroDivisionError)
        else:
            assert same(answer, right)


@settings(max_examples=15)
@given(st.lists(st.tuples(QUESTIONS, st.booleans()), min_size=1, max_size=16), st.integers(1, 5), st.integers(1, 3))
def test_whoever_asks_at_once_gets_the_answer_to_the_own_question(
    asked: list[tuple[Question, bool]], together: int, threads: int
) -> None:
    taiyi, _ = echo(0.001)
    desk = Desk[Question, Any](lambda some: answered(taiyi, some), together=together, threads=threads)

    def ask(question: Question, cancelled: bool) -> Future[Any]:
        future = desk.ask(question)
        if cancelled:
            future.cancel()
        return future

    with ThreadPoolExecutor(8) as pool:
        futures = list(pool.map(ask, *zip(*asked, strict=True)))
    for (question, _), future in zip(asked, futures, strict=True):
        try:
            found: Any = future.result(20)
        except CancelledError:
            continue
        except Exception as error:
            found = error
        right = alone(question)
        assert isinstance(found, ZeroDivisionError) if isinstance(right, ZeroDivisionError) else same(found, right)
    desk.close()
    assert not desk.waiting


def held(together: int = 32, budget: int = 1 << 30) -> tuple[Desk[Question, Any], Echo, list[int]]:
    """A desk whose model waits before it answers, and the sizes of its batches."""
    taiyi, engine = echo()
    engine.go.clear()
    sizes: list[int] = []
    desk = Desk[Question, Any](
        lambda some: answered(taiyi, some),
        together=together,
        weigh=questions.num_chars,
        budget=budget,
        seen=lambda size, _: sizes.append(size),
    )
    return desk, engine, sizes


def until(true: Callable[[], bool]) -> None:
    for _ in range(2000):
        if true():
            return
        time.sleep(0.005)
    raise AssertionError("it never came true")


def extract(text: str) -> Extract:
    return Extract(text, (("thing", ""),))


def test_what_comes_while_the_model_is_busy_is_answered_together() -> None:
    desk, engine, sizes = held(together=4)
    first = desk.ask(extract("first"))
    until(lambda: desk.waiting == 0)
    later = [desk.ask(extract(f"text {n}")) for n in range(6)]
    assert desk.waiting == 6
    engine.go.set()
    assert first.result(20).text == "first"
    assert [future.result(20).text for future in later] == [f"text {n}" for n in range(6)]
    desk.close()
    assert sizes == [1, 4, 2]


def test_long_texts_wait_so_that_short_ones_do_not() -> None:
    desk, engine, sizes = held(budget=100)
    desk.ask(extract("first"))
    until(lambda: desk.waiting == 0)
    asked = [desk.ask(extract("x " * n)) for n in (20, 20, 500, 1, 1)]
    engine.go.set()
    assert all(isinstance(future.result(20), Extraction) for future in asked)
    desk.close()
    assert sizes == [1, 2, 1, 2]


def test_a_question_that_is_given_up_is_not_asked() -> None:
    desk, engine, _ = held()
    desk.ask(extract("first"))
    until(lambda: desk.waiting == 0)
    given_up, kept = desk.ask(extract("given up")), desk.ask(extract("kept"))
    assert given_up.cancel()
    assert desk.waiting == 1, "its place is free at once"
    engine.go.set()
    assert kept.result(20).text == "kept"
    desk.close()
    assert engine.sizes == [1, 1]


def test_one_that_fails_does_not_fail_others() -> None:
    desk, engine, _ = held()
    desk.ask(extract("first"))
    until(lambda: desk.waiting == 0)
    futures = [desk.ask(extract(text)) for text in ("good", POISON, "better")]
    engine.go.set()
    assert (futures[0].result(20).text, futures[2].result(20).text) == ("good", "better")
    with pytest.raises(ZeroDivisionError):
        futures[1].result(20)
    desk.close()


def test_a_text_without_an_answer_says_why() -> None:
    taiyi, _ = echo()
    found = dict(answered(taiyi, [extract(" "), ways("x", "")[7], extract("right")]))
    assert isinstance(found[0], TaiyiError) and "the text is empty" in str(found[0])
    assert "no corpus with labels has this name" in str(found[1])
    assert isinstance(found[2], Extraction)


def forgets(_: Sequence[str]) -> Iterator[tuple[int, str]]:
    yield 0, "one"


def answers_twice(_: Sequence[str]) -> Iterator[tuple[int, str]]:
    yield 0, "one"
    yield 0, "two"


@pytest.mark.parametrize("answer", [forgets, answers_twice])
def test_who_answers_wrongly_is_found_out(answer: Callable[[Sequence[str]], Iterator[tuple[int, str]]]) -> None:
    begin = threading.Event()
    desk = Desk[str, str](lambda some: answer(some) if begin.wait(20) else iter([]))
    desk.ask("first")
    until(lambda: desk.waiting == 0)
    futures = [desk.ask("x"), desk.ask("y")]
    begin.set()
    assert futures[0].result(20) == "one"
    with pytest.raises((RuntimeError, InvalidStateError)):
        futures[1].result(20)
    assert desk.alive, "the thread goes on"
    desk.close()


# --- answers in pieces -----------------------------------------------------------------------------------------------


def test_talks_go_on_by_turns_and_questions_between_them() -> None:
    desk, engine, _ = held()
    engine.go.set()
    heard: list[tuple[str, Any]] = []
    asked: list[Future[Any]] = []

    def long() -> Iterator[str]:
        yield "1"
        # What comes now is answered before the talk goes on.
        asked.append(desk.ask(extract("between")))
        desk.talk(lambda: iter(["1", "2"]), lambda said: heard.append(("b", said)))
        yield "2"
        yield str(asked[0].done())
        yield "4"

    desk.talk(long, lambda said: heard.append(("a", said)))
    until(lambda: len(heard) == 8)
    desk.close()
    assert [said for name, said in heard if name == "a"] == ["1", "2", "True", "4", Ended("stop", 0, 4)]
    assert [name for name, _ in heard] == list("aaababab"), "neither waits for the other to end"


def test_a_talk_that_nobody_hears_is_not_gone_on_with() -> None:
    desk, engine, _ = held()
    heard: list[Any] = []
    talk = desk.talk(lambda: engine.stream([_message("a b c d e f g")], max_new_tokens=100), heard.append)
    until(lambda: engine.under_way == 1)
    desk.stop(talk)
    engine.go.set()
    until(lambda: engine.under_way == 0)
    assert engine.pieces <= 1
    other: list[Any] = []
    desk.talk(lambda: iter(["x"]), other.append)
    until(lambda: len(other) == 2)
    desk.close()


def test_a_talk_that_nobody_hears_does_not_wait_for_its_turn() -> None:
    desk, engine, _ = held(together=1)
    heard: list[Any] = []
    desk.talk(lambda: engine.stream([_message("a b c")], max_new_tokens=100), heard.append)
    until(lambda: engine.under_way == 1)
    talks = [desk.talk(lambda: iter("xyz"), heard.append) for _ in range(3)]
    assert desk.waiting == 3
    for talk in talks:
        desk.stop(talk)
        desk.stop(talk)
    assert desk.waiting == 0
    engine.go.set()
    until(lambda: bool(heard) and isinstance(heard[-1], Ended))
    assert "x" not in heard
    desk.close()


def test_a_talk_that_breaks_says_so_and_the_thread_goes_on() -> None:
    desk, engine, _ = held()
    engine.go.set()
    heard: list[Any] = []
    desk.talk(lambda: engine.stream([_message(POISON)], max_new_tokens=100), heard.append)
    until(lambda: len(heard) == 1)
    assert isinstance(heard[0], ZeroDivisionError)

    def deaf(said: object) -> None:
        raise RuntimeError("the loop is closed")

    desk.talk(lambda: iter("xyz"), deaf)
    assert isinstance(desk.ask(ways("x", "")[5]).result(20), Said)
    assert desk.alive
    desk.close()


def test_what_waits_when_the_desk_closes_is_told() -> None:
    desk, engine, _ = held()
    first = desk.ask(extract("first"))
    until(lambda: desk.waiting == 0)
    waits, heard = desk.ask(extract("waits")), list[Any]()
    desk.talk(lambda: iter("xyz"), heard.append)
    desk.close(0.0)
    with pytest.raises(Unanswered):
        waits.result(20)
    assert isinstance(heard[0], Unanswered)
    with pytest.raises(Unanswered):
        desk.ask(extract("late"))
    engine.go.set()
    assert first.result(20).text == "first", "what was begun is finished"


def _message(text: str) -> Any:
    from taiyi.schema import Message

    return Message(role="user", content=text)


def test_the_guess_of_when_to_come_again_grows_with_what_waits() -> None:
    desk, engine, _ = held(together=1)
    assert desk.wait_s() == 1
    engine.delay_s = 0.2
    engine.go.set()
    desk.ask(extract("first")).result(20)
    engine.go.clear()
    for n in range(31):
        desk.ask(extract(str(n)))
    assert 5 <= desk.wait_s() <= 60
    engine.delay_s = 0.0
    engine.go.set()
    desk.close()


def test_said_is_what_it_says() -> None:
    taiyi, _ = echo()
    assert taiyi.translate("Asthma.") == said(taiyi.translating()("Asthma.").example.messages[-1].content)  # pyright: ignore
