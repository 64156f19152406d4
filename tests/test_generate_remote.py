"""The engine behind an address: what a server can do to a run, and what is left of it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import toy
from fake_server import FakeServer, Request, Sent, completion, fault
from taiyi.encoding import Encoder
from taiyi.endpoint import EndpointSettings, identity
from taiyi.errors import ModelError
from taiyi.generate import RemoteEngine, client, load_engine
from taiyi.generate.engine import NO_ROOM, Asked
from taiyi.generate.replies import DECLINED, FILTERED, PARTLY_READ
from taiyi.schema import Example, FreeText, Mentions, Message, Prediction, Tagging


@pytest.fixture(autouse=True)
def _in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_LONGEST_WAIT_S", 0.02)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def example(number: int, content: str = "") -> Example:
    return Example(
        id=f"e{number}", corpus="c", task="qa_sqa", lang="en", split="test", template="x", form="text",
        record=str(number), messages=(Message(role="user", content=content or f"question {number}"),), answer="x",
        gold=FreeText(text="x"),
    )  # fmt: skip


EXAMPLES = [example(number) for number in range(12)]


def engine(server: FakeServer | str, **settings: Any) -> RemoteEngine:
    url = server if isinstance(server, str) else server.url
    return RemoteEngine(url, EndpointSettings(**{"model": "m", "concurrency": 4} | settings))


def answers(engine: RemoteEngine, examples: list[Example] = EXAMPLES, most: int = 16) -> list[Prediction]:
    return list(engine.generate(examples, max_new_tokens=most, batch_tokens=0))


def echo(request: Request) -> str:
    return f"to {request.body['messages'][-1]['content']}"


def serve(answer: Any, models: list[str] | None = None) -> Any:
    return FakeServer(answer, models).running()


# --- answers ---------------------------------------------------------------------------------------------------------


def test_every_example_is_answered_once_with_its_own_answer() -> None:
    def slow(request: Request) -> Sent:
        # The later a question, the sooner its answer.
        number = int(request.body["messages"][-1]["content"].split()[1])
        return Sent(completion(echo(request), prompt_tokens=7 + number, answer_tokens=2), delay_s=0.05 - number / 300)

    with serve(slow) as server:
        found = answers(engine(server))
        assert {p.example: p.text for p in found} == {e.id: f"to {e.messages[0].content}" for e in EXAMPLES}
        assert len(found) == len(EXAMPLES)
        assert {p.example: p.num_prompt_tokens for p in found} == {f"e{n}": 7 + n for n in range(12)}
        assert {(p.finish, p.reason, p.num_tokens) for p in found} == {("stop", "", 2)}
        assert server.most == 4
        assert [p.example for p in found] != sorted(p.example for p in found), "answers did not come as they were made"


def test_shares_of_time_add_up_to_the_time_that_passed() -> None:
    with serve(lambda _: Sent(completion("x"), delay_s=0.3)) as server:
        begun = time.perf_counter()
        found = answers(engine(server, concurrency=12))
        assert 0.3 < sum(p.seconds for p in found) <= time.perf_counter() - begun


def test_a_request_says_what_is_asked_and_how() -> None:
    asked = [
        Message(role="system", content="s"),
        Message(role="user", content="q"),
        Message(role="assistant", content="a"),
        Message(role="user", content="p"),
    ]
    one = example(0).__class__(
        **{f: getattr(example(0), f) for f in example(0).__struct_fields__} | {"messages": tuple(asked)}
    )
    with serve(lambda _: "x") as server:
        answers(engine(server, extra={"top_p": 0.5}, temperature=0.25), [one], most=33)
        [request] = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.body == {
        "model": "m",
        "messages": [{"role": m.role, "content": m.content} for m in asked],
        "max_tokens": 33,
        "temperature": 0.25,
        "top_p": 0.5,
    }
    assert "authorization" not in request.headers


def test_threads_that_ask_at_once_do_not_disturb_one_another() -> None:
    def slow(request: Request) -> Sent:
        return Sent(completion(echo(request)), delay_s=0.02)

    with serve(slow) as server, ThreadPoolExecutor(6) as pool:
        ours = engine(server)
        asked = [[example(n, f"question {n} of {thread}") for n in range(4)] for thread in range(6)]
        for examples, found in zip(asked, pool.map(lambda some: answers(ours, some), asked), strict=True):
            said = {one.example: one.text for one in found}
            assert said == {one.id: f"to {one.messages[-1].content}" for one in examples}


def test_the_bound_of_a_tagged_answer_comes_on_top_of_the_copy() -> None:
    source = "Aspirin " * 100
    one = Example(
        id="t", corpus="c", task="ner", lang="en", split="test", template="x", form="tagged", record="t",
        messages=(Message(role="user", content=source),), answer=source, gold=Mentions(),
        tagging=Tagging(source=source, tags=("Drug",), at=0),
    )  # fmt: skip
    with serve(lambda _: "x") as server:
        answers(engine(server), [one], most=10)
        assert server.requests[0].body["max_tokens"] > 200


def test_what_a_model_thought_is_no_part_of_its_answer() -> None:
    with serve(lambda _: "<think>\nwas it A?\nno\n</think>\n\nB") as server:
        assert answers(engine(server), EXAMPLES[:1])[0].text == "B"


def test_an_answer_that_was_cut_is_told() -> None:
    with serve(lambda _: Sent(completion("half of", finish="length", answer_tokens=16))) as server:
        [found] = answers(engine(server), EXAMPLES[:1])
    assert (found.text, found.finish, found.num_tokens) == ("half of", "length", 16)


def test_a_dialogue_comes_in_pieces() -> None:
    def streamed(request: Request) -> Sent:
        assert request.body["stream"] is True
        pieces = [b'{"choices":[{"delta":{"role":"assistant"}}]}', '{"choices":[{"delta":{"content":"阿"}}]}'.encode()]
        pieces += ['{"choices":[{"delta":{"content":"司匹林"}}]}'.encode(), b'{"choices":[]}', b"[DONE]"]
        return Sent(
            b"".join(b"data: " + piece + b"\n\n" for piece in pieces), headers={"Content-Type": "text/event-stream"}
        )

    with serve(streamed) as server:
        talk = engine(server).stream([Message(role="user", content="?")], max_new_tokens=9)
        assert [piece for piece in talk if piece] == ["阿", "司匹林"]
    with serve(lambda _: fault(503, "loading")) as server, pytest.raises(ModelError, match=r"does not answer.*loading"):
        list(engine(server).stream([Message(role="user", content="?")], max_new_tokens=9))


# --- faults that pass ------------------------------------------------------------------------------------------------


class Once:
    """Fails the first times that a prompt is asked, then answers it."""

    def __init__(self, *faults: Sent) -> None:
        self.faults, self.times, self.lock = faults, dict[str, int](), threading.Lock()

    def __call__(self, request: Request) -> str | Sent:
        prompt = request.body["messages"][-1]["content"]
        with self.lock:
            times = self.times[prompt] = self.times.get(prompt, 0) + 1
        return self.faults[times - 1] if times <= len(self.faults) else echo(request)


OPENAI = (
    "Rate limit reached for m on requests per min (RPM): Limit 3. Please try again in 20ms. You can increase your "
    "limit by adding a payment method to your account at https://platform.openai.com/account/billing."
)
GOOGLE = "You exceeded your current quota, please check your plan and billing details. Please retry in 0.02s."
BROKEN_OFF: list[Any] = [
    {"message": {"content": "Dis"}, "finish_reason": "error", "error": {"code": 502, "message": "x"}}
]
PASSING = {
    "server error": fault(500, "oops"),
    "not yet": fault(503, "Loading model"),
    "throttled": fault(429, "slow down", Retry_After="0"),
    "no JSON": Sent(b"<html>502 Bad Gateway</html>"),
    "no choices": Sent({"choices": []}),
    "half a reply": Sent(completion("x" * 1000), cut=True),
    "a fault under 200": Sent({"error": {"message": "upstream", "code": 502}}),
    "broken off by OpenRouter": Sent({"choices": BROKEN_OFF}),
    "broken off by vLLM": Sent(completion("Dis", finish="abort")),
    "broken off by DeepSeek": Sent(completion("Dis", finish="insufficient_system_resource")),
    "no gzip": Sent(completion("x"), headers={"Content-Encoding": "gzip"}),
    "a deep fault": Sent(b"[" * 200_000, 500),
    "a deep reply": Sent(b'{"choices":' + b"[" * 200_000),
    "throttled by OpenAI": fault(429, OPENAI, code="rate_limit_exceeded"),
    "throttled by Google": Sent([{"error": {"code": 429, "message": GOOGLE, "status": "RESOURCE_EXHAUSTED"}}], 429),
}


@pytest.mark.parametrize("passing", PASSING.values(), ids=PASSING)
def test_what_may_pass_is_tried_again(passing: Sent) -> None:
    with serve(Once(passing, passing)) as server:
        found = answers(engine(server))
        assert {p.example: p.text for p in found} == {e.id: f"to {e.messages[0].content}" for e in EXAMPLES}
        assert len(server.requests) == 3 * len(EXAMPLES)


def test_a_server_that_asks_to_wait_is_left_alone_by_all_requests() -> None:
    throttle = threading.Event()

    def answer(request: Request) -> str | Sent:
        if not throttle.is_set() and request.body["messages"][-1]["content"] == "question 3":
            throttle.set()
            return fault(429, "slow down", Retry_After="1")
        return Sent(completion(echo(request)), delay_s=0.01)

    with serve(answer) as server:
        found = answers(engine(server, concurrency=2))
        assert len(found) == len(EXAMPLES)
        at = [request.at for request in server.requests]
    gaps = [b - a for a, b in pairwise(at)]
    # One that was under way meanwhile may end within it, and the next one waits.
    assert max(gaps) > 0.9
    assert sum(gap > 0.5 for gap in gaps) == 1


def test_a_server_that_throttles_many_requests_is_not_down_while_it_answers_others() -> None:
    lock, count = threading.Lock(), 0

    def answer(request: Request) -> str | Sent:
        nonlocal count
        with lock:
            count += 1
            return echo(request) if count % 4 == 0 else fault(429, "slow down", retry_after_ms="5")

    with serve(answer) as server:
        assert len(answers(engine(server, attempts=4, concurrency=4))) == len(EXAMPLES)


def test_a_server_that_throttles_is_given_up_for_the_time_that_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = fault(429, "slow down")
    with serve(Once(*[slow] * 10)) as server:
        assert {p.finish for p in answers(engine(server, attempts=3))} == {"stop"}
    monkeypatch.setattr(client, "_THROTTLED_S", 0.2)
    with serve(lambda _: slow) as server, pytest.raises(ModelError, match="does not answer, after"):
        answers(engine(server, attempts=3))


def test_a_wait_that_is_too_long_ends_the_run() -> None:
    said = r"asks to wait for 86400 s.*goes on from the answers"
    limit = fault(429, "daily limit", Retry_After="86400")
    with serve(lambda _: limit) as server, pytest.raises(ModelError, match=said):
        answers(engine(server))


# --- examples that are refused ---------------------------------------------------------------------------------------

LLAMA = fault(
    400, "request (4390 tokens) exceeds the available context size (4096 tokens)", type="exceed_context_size_error"
)
LARGE = fault(429, "Request too large for m on tokens per min", code="rate_limit_exceeded")
DECLINING = Sent({"choices": [{"message": {"content": None, "refusal": "no"}}]})
VLLM = (
    "This model's maximum context length is 100 tokens. However, you requested 116 tokens (110 in the messages, 6 in "
)
REFUSING = {
    "OpenAI, too long": (fault(400, "...", code="context_length_exceeded"), NO_ROOM),
    "vLLM, too long": (fault(400, VLLM + "the completion). Please reduce the length."), NO_ROOM),
    "llama.cpp, too long": (LLAMA, NO_ROOM),
    "llama.cpp, too long as 500": (fault(500, "Context size has been exceeded.", type="server_error"), NO_ROOM),
    "more than a minute's tokens": (LARGE, NO_ROOM),
    "Azure, filter": (fault(400, "The response was filtered", code="content_filter"), FILTERED),
    "OpenRouter, filter": (fault(403, "Your input was flagged"), FILTERED),
    "filter, in the reply": (Sent(completion("I", finish="content_filter")), FILTERED),
    "GLM, filter": (Sent(completion("", finish="sensitive")), FILTERED),
    "DashScope, filter": (fault(400, "Input data may contain ...", code="DataInspectionFailed"), FILTERED),
    "the model declines": (DECLINING, DECLINED),
    "something else": (fault(422, "bad byte", code="invalid_prompt"), "refused by the server: invalid_prompt"),
    "a bug of the server": (fault(500, "index 7 is out of range"), "the server fails on it: HTTP 500"),
    "a bug, of no filter": (fault(500, "moderation: case-sensitive look-up"), "the server fails on it: HTTP 500"),
    "garbage": (Sent(b"\x00"), "the server fails on it: no reply"),
}  # fmt: skip


@pytest.mark.parametrize(("refusing", "reason"), REFUSING.values(), ids=REFUSING)
@pytest.mark.parametrize("refused", ["question 0", "question 5"])
def test_an_example_that_is_refused_for_good_is_counted_and_the_others_are_answered(
    refusing: Sent, reason: str, refused: str
) -> None:
    def answer(request: Request) -> str | Sent:
        return refusing if request.body["messages"][-1]["content"] == refused else echo(request)

    with serve(answer) as server:
        ours = engine(server, concurrency=1, attempts=2)
        found = {p.example: p for p in answers(ours)}
    assert found.keys() == {e.id for e in EXAMPLES}
    of = found[f"e{refused[-1]}"]
    assert (of.finish, of.reason) == ("refused", reason)
    assert all(p.finish == "stop" for p in found.values() if p is not of)
    assert list(ours.refusals) == [reason]


def test_an_example_alone_is_told_from_a_server_that_is_down() -> None:
    def answer(request: Request) -> str | Sent:
        return "hi" if request.body["messages"][-1]["content"] == "Hi" else fault(500, "bug")

    with serve(answer) as server:
        [found] = answers(engine(server, attempts=2), EXAMPLES[:1])
    assert (found.finish, found.reason) == ("refused", "the server fails on it: HTTP 500")


def test_an_answer_that_takes_too_long_is_one_of_its_own() -> None:
    def answer(request: Request) -> str | Sent:
        late = request.body["messages"][-1]["content"] == "question 2"
        return Sent(completion(echo(request)), delay_s=1.0 if late else 0.0)

    with serve(answer) as server:
        found = {p.example: p for p in answers(engine(server, timeout_s=0.3))}
        assert server.prompts.count("question 2") == 2
    assert found["e2"].reason == "the server fails on it: no answer in time"
    assert sum(p.finish == "stop" for p in found.values()) == len(EXAMPLES) - 1


def test_an_answer_is_asked_to_be_as_long_as_the_context_has_room_for() -> None:
    def answer(request: Request) -> str | Sent:
        return fault(400, VLLM.replace("110", "90")) if request.body["max_tokens"] > 10 else echo(request)

    with serve(answer) as server:
        assert {p.finish for p in answers(engine(server))} == {"stop"}
        assert {r.body["max_tokens"] for r in server.requests} == {16, 10}


def test_a_prompt_that_is_cut_in_silence_is_refused() -> None:
    long = example(1, "word " * 2000)
    chinese = example(2, "患者服用阿司匹林后出现肝损伤。" * 200)

    def answer(request: Request) -> Sent:
        cut = len(request.body["messages"][-1]["content"]) > 100
        return Sent(completion("x", prompt_tokens=500 if cut else 9))

    with serve(answer) as server:
        found = {p.example: p for p in answers(engine(server), [EXAMPLES[0], long, chinese])}
        assert found["e0"].finish == "stop"
        assert (found["e1"].reason, found["e2"].reason) == (PARTLY_READ, PARTLY_READ)
        # A server that counts nothing says nothing.
        server.answer = lambda _: Sent(completion("x") | {"usage": None})
        assert {p.finish for p in answers(engine(server), [long])} == {"stop"}


def test_with_its_tokenizer_prompts_are_counted_and_a_small_cut_is_found(tmp_path: Path) -> None:
    toy.tokenizer().save_pretrained(tmp_path / "tokenizer")
    counted = Encoder(toy.tokenizer()).prompt(EXAMPLES[0].messages).ids
    texts = len(toy.tokenizer().encode(EXAMPLES[0].messages[0].content))
    with serve(lambda _: Sent(completion("x", prompt_tokens=texts))) as server:
        ours = engine(server, tokenizer=str(tmp_path / "tokenizer"))
        told = ours.estimate([Asked(EXAMPLES[0], ())], max_new_tokens=9)
        assert (told.prompt_tokens, told.exact) == (len(counted), True)
        chosen = ours.estimate([Asked(EXAMPLES[0], (EXAMPLES[0].messages[0].content,))], max_new_tokens=9)
        assert chosen.prompt_tokens == 2 * len(counted) + texts
        assert {p.finish for p in answers(ours, EXAMPLES[:1])} == {"stop"}
        server.answer = lambda _: Sent(completion("x", prompt_tokens=texts - 1))
        assert {p.reason for p in answers(ours, EXAMPLES[:1])} == {PARTLY_READ}
    with pytest.raises(ModelError, match="the tokenizer cannot be loaded; got"):
        engine(server, tokenizer=str(tmp_path / "nothing"))


# --- faults that end a run -------------------------------------------------------------------------------------------

ENDING = {
    "the key": (fault(401, "Incorrect API key provided: sk-secret"), "refuses the key in MY_KEY"),
    "the account": (fault(429, "You exceeded your current quota", code="insufficient_quota"), "no credit left"),
    "the account, as 403": (fault(403, "Sorry, your account Balance is insufficient", code="30001"), "no credit left"),
    "the model": (fault(404, "model not found", code="model_not_found"), "no such model; got m. Did you mean 'm1'"),
    "a parameter": (fault(400, "top_q is not a parameter"), "does not accept the requests"),
    "another server": (Sent(b"<html>Welcome to nginx</html>"), "no OpenAI-compatible server.*nginx"),
    "elsewhere": (Sent({}, 301, {"Location": "https://h/v1"}), "requests elsewhere; got https://h/v1"),
    "down": (fault(503, "overloaded"), "does not answer, after 6 attempts.*overloaded"),
}


@pytest.mark.parametrize(("ending", "said"), ENDING.values(), ids=ENDING)
def test_what_no_example_can_be_answered_for_ends_the_run(
    monkeypatch: pytest.MonkeyPatch, ending: Sent, said: str
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret")
    with serve(lambda _: ending, ["m1", "other"]) as server, pytest.raises(ModelError, match=said) as error:
        answers(engine(server, key_env="MY_KEY"))
    assert "sk-secret" not in str(error.value)
    assert server.url in str(error.value)


SUSPENDED = {
    "with a name": (fault(403, "Your account is Suspended."), "is suspended"),
    "DashScope": (fault(400, "Make sure your account is in good standing.", code="Arrearage"), "does not accept"),
    "with no reason": (fault(403, "Forbidden"), "does not accept"),
}


@pytest.mark.parametrize(("ending", "said"), SUSPENDED.values(), ids=SUSPENDED)
def test_an_account_that_ends_in_the_middle_of_a_run_ends_the_run(ending: Sent, said: str) -> None:
    with serve(lambda r: echo(r) if len(server.requests) <= 3 else ending) as server:
        done: list[str] = []
        with pytest.raises(ModelError, match=f"{said}.*goes on from the answers"):
            for found in engine(server, concurrency=1).generate(EXAMPLES, max_new_tokens=9, batch_tokens=0):
                done.append(found.finish)
    assert done == ["stop"] * 3


def test_an_address_at_which_nothing_is_is_said_soon() -> None:
    with serve(echo) as server:
        pass
    begun = time.perf_counter()
    with pytest.raises(ModelError, match="nothing answers at this address"):
        answers(engine(server))
    assert time.perf_counter() - begun < 5


def test_a_path_at_which_nothing_is_is_said() -> None:
    said = r"wrong address.*expected an address such as http://localhost:8000/v1"
    with serve(lambda _: fault(404, "Not Found"), []) as server, pytest.raises(ModelError, match=said):
        answers(engine(server))


def test_a_key_that_is_missing_is_said() -> None:
    said = "wants a key, and OPENAI_API_KEY is not set"
    with serve(lambda _: fault(401, "no key")) as server, pytest.raises(ModelError, match=said):
        answers(engine(server))


def test_the_key_is_sent_and_shown_nowhere(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    monkeypatch.setenv("OPENAI_API_KEY", " sk-secret\n")
    with serve(echo) as server:
        ours = engine(server)
        answers(ours)
        assert {r.headers["authorization"] for r in server.requests} == {"Bearer sk-secret"}
    assert "sk-secret" not in caplog.text + str(ours.settings) + ours.about() + str(identity(server.url, ours.settings))
    monkeypatch.setenv("OPENAI_API_KEY", "two words")
    with pytest.raises(ModelError, match="no key"):
        engine(server)


def test_when_a_server_dies_what_it_answered_is_kept_and_the_rest_can_be_asked_later() -> None:
    with serve(echo) as server:
        done: list[Prediction] = []
        with pytest.raises(ModelError, match="does not answer"):
            for found in engine(server, concurrency=3).generate(EXAMPLES, max_new_tokens=9, batch_tokens=0):
                done.append(found)
                if len(done) == 5:
                    server.answer = lambda _: fault(500, "dead")
        assert 5 <= len(done) < len(EXAMPLES)
        server.answer = echo
        rest = [e for e in EXAMPLES if e.id not in {p.example for p in done}]
        done += answers(engine(server), rest)
    assert {p.example: p.text for p in done} == {e.id: f"to {e.messages[0].content}" for e in EXAMPLES}
    assert len(done) == len(EXAMPLES)


def test_answers_under_way_are_yielded_before_a_fault_ends_the_run() -> None:
    def answer(request: Request) -> str | Sent:
        if request.body["messages"][-1]["content"] == "question 0":
            return fault(401, "revoked")
        return Sent(completion(echo(request)), delay_s=0.3)

    with serve(answer) as server:
        made = engine(server, concurrency=4).generate(EXAMPLES, max_new_tokens=9, batch_tokens=0)
        done: list[str] = []
        with pytest.raises(ModelError, match="wants a key"):
            for found in made:
                done.append(found.example)
        assert sorted(done) == ["e1", "e2", "e3"]
        assert len(server.requests) == 4


def test_requests_that_wait_are_given_up_when_the_run_ends() -> None:
    def answer(request: Request) -> str | Sent:
        if request.body["messages"][-1]["content"] == "question 0":
            return Sent({"error": {"message": "revoked"}}, 401, delay_s=0.3)
        return fault(503, "loading", Retry_After="30")

    with serve(answer) as server:
        begun = time.perf_counter()
        with pytest.raises(ModelError, match="wants a key"):
            answers(engine(server))
        assert time.perf_counter() - begun < 10


def test_an_engine_that_is_left_leaves_no_request_behind() -> None:
    # Clients of other tests may have theirs.
    before = {*threading.enumerate()}
    with serve(
        lambda r: Sent(completion(echo(r)), delay_s=0.0 if r.body["messages"][-1]["content"].endswith("0") else 30)
    ) as server:
        made = engine(server, concurrency=4).generate(EXAMPLES[:8], max_new_tokens=9, batch_tokens=0)
        assert next(made).example == "e0"
        begun = time.perf_counter()
        made.close()  # type: ignore[attr-defined]
        assert time.perf_counter() - begun < 2
        assert not [t for t in {*threading.enumerate()} - before if "portal" in t.name.casefold()]


# --- parameters that a model does not take ---------------------------------------------------------------------------


def test_parameters_that_a_model_does_not_take_are_named_otherwise_or_left_out() -> None:
    def answer(request: Request) -> str | Sent:
        if "max_tokens" in request.body:
            said = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            return Sent({"error": {"message": said, "param": "max_tokens", "code": "unsupported_parameter"}}, 400)
        if "temperature" in request.body:
            said = "Unsupported value: 'temperature' does not support 0. Only the default (1) value is supported."
            return Sent({"error": {"message": said, "param": "temperature", "code": "unsupported_value"}}, 400)
        return echo(request)

    with serve(answer) as server:
        assert {p.finish for p in answers(engine(server))} == {"stop"}
        assert server.requests[-1].body.keys() == {"model", "messages", "max_completion_tokens"}


def test_a_parameter_that_the_user_gives_is_sent_as_it_is() -> None:
    said = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    with serve(lambda _: fault(400, said)) as server, pytest.raises(ModelError, match="does not accept the requests"):
        answers(engine(server, extra={"max_tokens": 500}), EXAMPLES[:1])
    assert len(server.requests) == 2


def test_the_room_for_an_answer_is_not_looked_for_without_end() -> None:
    def less(request: Request) -> Sent:
        return fault(400, VLLM.replace("110", str(101 - request.body["max_tokens"])))

    with serve(less) as server:
        assert [p.reason for p in answers(engine(server), EXAMPLES[:1])] == [NO_ROOM]
        assert len(server.requests) == 4


def test_a_dialogue_names_parameters_as_the_model_does() -> None:
    def answer(request: Request) -> Sent:
        if "max_tokens" in request.body:
            return fault(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        if "temperature" in request.body:
            return fault(400, "Unsupported value: 'temperature' does not support 0.")
        return Sent(b'data: {"choices":[{"delta":{"content":"hi"}}]}\n\ndata: [DONE]\n\n')

    with serve(answer) as server:
        talk = engine(server).stream([Message(role="user", content="?")], max_new_tokens=9)
        assert list(talk) == ["hi"]
        assert server.requests[-1].body["max_completion_tokens"] == 9
        with pytest.raises(ModelError, match="Unsupported parameter"):
            list(engine(server, extra={"max_tokens": 5}).stream([Message(role="user", content="?")], max_new_tokens=9))


# --- costs -----------------------------------------------------------------------------------------------------------


def test_costs_are_told_before_anything_is_sent() -> None:
    ours = engine("http://127.0.0.1:9", price_in=2.0, price_out=10.0)
    english = example(1, "Which drug lowers fever? " * 40)
    chinese = example(2, "哪种药物可以退烧？" * 40)
    asked = [Asked(english, ()), Asked(chinese, ())]
    one, other, both = (ours.estimate(a, max_new_tokens=50) for a in (asked[:1], asked[1:], asked))
    assert both == one + other
    assert (both.requests, both.answer_tokens, both.exact) == (2, 100, False)
    # A thousand English characters are some 250 tokens; as many Chinese ones several times that.
    assert 230 < one.prompt_tokens < 330
    assert 200 < other.prompt_tokens < 400
    assert ours.cost(1_000_000, 100_000) == 3.0
    assert engine("http://127.0.0.1:9", price_in=2.0).cost(1, 1) is None
    chosen = ours.estimate([Asked(english, ("A", "B", "退烧药"))], max_new_tokens=50)
    assert (chosen.requests, chosen.answer_tokens, chosen.prompt_tokens) == (4, 4, 4 * one.prompt_tokens + 1 + 1 + 3)


# --- likelihood ------------------------------------------------------------------------------------------------------


def scored(request: Request) -> Sent:
    """Tell how probable each character of a prompt is: the candidate whose letters come last in the alphabet wins."""
    text = "".join(f"<{m['role']}>{m['content']}" for m in request.body["messages"])
    text += "" if request.body.get("continue_final_message") else "<assistant>"
    rows: list[Any] = [{str(ord(c)): {"logprob": (ord(c) - 128) / 10}, "0": {"logprob": -0.1}} for c in text]
    return Sent(completion("x", prompt_tokens=len(text), answer_tokens=1, prompt_logprobs=[None, *rows[1:]]))


def test_candidates_are_chosen_by_what_a_server_says_of_their_tokens() -> None:
    asked = [Asked(EXAMPLES[0], ("no", "yes", "maybe")), Asked(EXAMPLES[1], ("B", "D", "A"))]
    with serve(scored) as server:
        by_sum, by_byte = (
            {p.example: p.text for p in engine(server).choose(asked, per_byte=per_byte, batch_tokens=0)}
            for per_byte in (False, True)
        )
        assert all(r.body["max_tokens"] == 1 for r in server.requests)
    assert by_sum == {"e0": "no", "e1": "D"}
    assert by_byte == {"e0": "yes", "e1": "D"}


def test_a_server_without_these_is_to_be_asked_to_write() -> None:
    asked = [Asked(EXAMPLES[0], ("yes", "no"))]
    for answer in (
        echo,
        lambda r: fault(400, "Unrecognized request argument") if "prompt_logprobs" in r.body else echo(r),
    ):
        with serve(answer) as server, pytest.raises(ModelError, match="--choices generate"):
            list(engine(server).choose(asked, per_byte=False, batch_tokens=0))
    with pytest.raises(ModelError, match="begins another"):
        engine("http://127.0.0.1:9").choose([Asked(EXAMPLES[0], ("1", "10"))], per_byte=False, batch_tokens=0)


# --- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", ["http://me:sk-secret@h/v1", "https://h/v1?key=sk-secret", "https://h/v1#sk-secret", "http://"]
)
def test_an_address_holds_nothing_but_an_address(given: str) -> None:
    with pytest.raises(ModelError) as error:
        RemoteEngine(given)
    assert "sk-secret" not in str(error.value)


def test_the_identity_is_what_answers_follow_from() -> None:
    settings = EndpointSettings(model="m", extra={"top_k": 1}, concurrency=3, price_in=2.0, key_env="X")
    assert identity("http://h:8000/", settings) == {
        "address": "http://h:8000/v1", "model": "m", "temperature": 0.0, "extra": {"top_k": 1}, "server": None,
    }  # fmt: skip


def test_the_only_model_of_a_server_need_not_be_named(tmp_path: Path) -> None:
    with serve(echo, ["the-one"]) as server:
        assert load_engine(server.url).name == "the-one"  # type: ignore[attr-defined]
    with serve(echo, ["a", "b"]) as server, pytest.raises(ModelError, match=r"got a, b\. Name one with --name"):
        load_engine(server.url)


def test_a_limit_of_requests_a_minute_is_kept() -> None:
    with serve(echo) as server:
        answers(engine(server, requests_per_minute=1200, concurrency=8), EXAMPLES[:8])
        at = [request.at for request in server.requests]
    assert at[-1] - at[0] > 0.3
