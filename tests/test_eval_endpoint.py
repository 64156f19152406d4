"""`taiyi eval http://...`: the scores of a model behind an address, what it costs, and what is left when it dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

import tiny
from fake_server import FakeServer, Request, Sent, completion, fault
from taiyi import catalogue, cli, storage
from taiyi.errors import RecipeError
from taiyi.evaluate import report
from taiyi.generate import client
from taiyi.manifest import MANIFEST, manifest
from taiyi.recipe import load
from taiyi.schema import Example
from taiyi.steps import predictions

SETS = ["demo_qic_tc", "demo_medqa_en_qa_mc", "demo_cdr_ner"]


@pytest.fixture(autouse=True)
def _in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_LONGEST_WAIT_S", 0.02)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(a) for a in arguments], env={"COLUMNS": "200", "NO_COLOR": "1"})


def evaluate(server: FakeServer, folder: Path, suite: str, *options: object) -> Result:
    return call("eval", server.url, "--name", "big-model", "--suite", suite, "--runs", folder / "runs", *options)


def failed(result: Result) -> str:
    assert result.exit_code == 1, result.output
    assert result.stderr.strip().splitlines()[-1].startswith("taiyi: "), result.stderr
    return result.stderr.strip().splitlines()[-1]


class Knowing:
    """Knows the answers to a test set: those that its examples have."""

    def __init__(self, folder: Path, suite: str, *options: object) -> None:
        """Build the examples once, from a server that answers nothing."""
        with FakeServer(lambda _: "?").running() as server:
            assert evaluate(server, folder / "first", suite, *options).exit_code == 0
        [data] = (folder / "first" / "runs").glob("*/data-*")
        self.examples = [e for path in data.glob("test-*.parquet") for e in storage.read_parquet(path, Example)]
        self.answers = {e.messages[-1].content: e.answer for e in self.examples}

    def __call__(self, request: Request) -> str | Sent:
        prompt = request.body["messages"][-1]["content"]
        return Sent(completion(self.answers[prompt], prompt_tokens=len(prompt) // 3, answer_tokens=5))


def run_folder(folder: Path) -> Path:
    [found] = (folder / "runs").iterdir()
    return found


def step_of(folder: Path, name: str) -> Path:
    [found] = [path.parent for path in run_folder(folder).glob(f"{name}-*/{MANIFEST}")]
    return found


@pytest.mark.parametrize("suite", SETS)
def test_a_model_that_knows_all_gets_all(tmp_path: Path, suite: str) -> None:
    knowing = Knowing(tmp_path, suite)
    with FakeServer(knowing).running() as server:
        result = evaluate(server, tmp_path, suite, "--price-in", "1", "--price-out", "2", "--json")
        assert result.exit_code == 0, result.output
        assert {r.headers["authorization"] for r in server.requests} == {"Bearer sk-secret"}
    [row] = json.loads(result.stdout)
    assert row["value"] == 1.0
    folder = run_folder(tmp_path)
    assert folder.name == f"eval-big-model-{suite}"
    made = manifest(step_of(tmp_path, "predictions"))
    assert made.inputs["model"] == {
        "address": server.url, "model": "big-model", "temperature": 0.0, "extra": {}, "server": None,
    }  # fmt: skip
    facts = made.facts[suite]
    assert facts["answer_tokens"] == 5 * len(knowing.examples)
    assert facts["prompt_tokens"] == sum(len(e.messages[-1].content) // 3 for e in knowing.examples)
    assert facts["cost"] == pytest.approx((facts["prompt_tokens"] + 2 * facts["answer_tokens"]) / 1e6, abs=1e-6)
    assert f"{len(knowing.examples):,} requests: " in (folder / "log.txt").read_text("utf-8")
    told = report.load(step_of(tmp_path, "report") / "results.json").facts["predictions"]
    assert f"{facts['answer_tokens']:,} of answers, as the server counts them, cost 0.00" in told
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or b"sk-secret" not in path.read_bytes(), path


def test_what_is_extracted_is_asked_for_in_json_and_in_words_unless_another_form_is_given(tmp_path: Path) -> None:
    with FakeServer(lambda _: "{}").running() as server:
        assert evaluate(server, tmp_path, "demo_cdr_ner").exit_code == 0
        assert all("Answer with a JSON object" in prompt for prompt in server.prompts)
        assert {r.body["max_tokens"] for r in server.requests} == {1024}
        server.requests.clear()
        options = ("--form", "ner=list", "--max-new-tokens", "99", "--few-shot", "2")
        assert evaluate(server, tmp_path, "demo_cdr_ner", *options).exit_code == 0
        assert all("Answer with one type a line" in prompt for prompt in server.prompts)
        assert {r.body["max_tokens"] for r in server.requests} == {99}
        assert {len(r.body["messages"]) for r in server.requests} == {5}
        server.requests.clear()
        assert evaluate(server, tmp_path, "demo_cdr_ner", "--form", "ner=tagged", "--server", "vllm").exit_code == 0
        # The source is part of the grammar: "{}" is no copy of it.
        assert all(r.body["structured_outputs"]["grammar"].startswith("%llguidance") for r in server.requests)


def test_a_server_that_keeps_to_a_grammar_is_given_one(tmp_path: Path) -> None:
    with FakeServer(lambda _: "{}").running() as server:
        assert evaluate(server, tmp_path, "demo_cdr_ner", "--server", "vllm").exit_code == 0
        assert all(r.body["structured_outputs"]["grammar"] for r in server.requests)
    facts = manifest(step_of(tmp_path, "predictions")).facts["demo_cdr_ner"]
    assert facts["num_constrained"] == facts["num_examples"]


@pytest.mark.parametrize(
    ("constrained", "held"), [("none", []), ("extraction", ["demo_cdr_ner"]), ("all", ["demo_cdr_ner", "demo_qic_tc"])]
)
def test_it_is_said_which_answers_are_held_to_a_grammar(tmp_path: Path, constrained: str, held: list[str]) -> None:
    for suite in ("demo_cdr_ner", "demo_qic_tc"):
        with FakeServer(lambda _: "{}").running() as server:
            options = ("--server", "llama.cpp", "--constrained", constrained, "--max-records", "2")
            assert evaluate(server, tmp_path / suite, suite, *options).exit_code == 0
            sent = [r.body.get("grammar", "") for r in server.requests]
        assert all(grammar.startswith("%llguidance") if suite in held else not grammar for grammar in sent)
        facts = manifest(step_of(tmp_path / suite, "predictions")).facts[suite]
        assert facts["num_constrained"] == (facts["num_examples"] if suite in held else 0)


def test_nothing_is_sent_where_it_might_cost_too_much_and_a_run_stops_where_it_did(tmp_path: Path) -> None:
    prices = ("--price-in", "1000", "--price-out", "1000")
    expensive = Sent(completion("?", prompt_tokens=10_000, answer_tokens=10_000))
    with FakeServer(lambda _: expensive).running() as server:
        said = failed(evaluate(server, tmp_path, "demo_qic_tc", *prices, "--max-cost", "0.01"))
        assert "may cost more than max_cost, and nothing was sent" in said
        assert not server.requests
        said = failed(evaluate(server, tmp_path, "demo_qic_tc", *prices, "--max-cost", "100", "--concurrency", "1"))
        assert "have cost more than max_cost; got 120.00" in said
        assert len(server.requests) <= 8
        # What was answered counts when the run goes on.
        said = failed(evaluate(server, tmp_path, "demo_qic_tc", *prices, "--max-cost", "100"))
        assert "nothing was sent" in said
        assert "costs are known where both prices are" in failed(
            evaluate(server, tmp_path, "demo_qic_tc", "--max-cost", "1")
        )


def test_what_a_server_refuses_has_its_row_in_the_report(tmp_path: Path) -> None:
    lock, seen = threading.Lock(), set[str]()
    label = next(iter(catalogue.get("demo_qic").labels.values())).zh

    def answer(request: Request) -> str | Sent:
        prompt = request.body["messages"][-1]["content"]
        with lock:
            seen.add(prompt)
            return fault(400, "flagged", code="content_filter") if len(seen) <= 2 else label

    with FakeServer(answer).running() as server:
        result = evaluate(server, tmp_path, "demo_qic_tc", "--concurrency", "1", "--json")
    [row] = json.loads(result.stdout)
    assert row["unparsable_reasons"] == {"the server's content filter": 2}
    assert row["num_unparsable"] == 2
    facts = manifest(step_of(tmp_path, "predictions")).facts["demo_qic_tc"]
    assert facts["refused"] == {"the server's content filter": 2}
    said = (run_folder(tmp_path) / "log.txt").read_text("utf-8")
    assert (
        f"2 of {facts['num_examples']} examples have no answer, and count as wrong: the server's content filter" in said
    )
    assert "which says: HTTP 400: flagged" in said


def test_a_run_goes_on_after_the_server_died_and_asks_nothing_twice(tmp_path: Path) -> None:
    suite = "demo_medqa_en_qa_mc"
    knowing = Knowing(tmp_path, suite)
    count = len(knowing.examples)
    with FakeServer(knowing).running() as server:
        server.answer = lambda r: knowing(r) if len(server.requests) <= count // 2 else fault(500, "out of memory")
        said = failed(evaluate(server, tmp_path, suite, "--concurrency", "2"))
        assert "the server does not answer" in said
        assert "goes on from the answers that are kept" in said
        asked = set(server.prompts)
        server.requests.clear()
        server.answer = knowing
        result = evaluate(server, tmp_path, suite, "--json")
        assert json.loads(result.stdout)[0]["value"] == 1.0
        assert len(server.requests) == count - count // 2
    assert asked | set(server.prompts) >= {e.messages[-1].content for e in knowing.examples}


@pytest.mark.slow
def test_a_process_that_is_killed_goes_on(tmp_path: Path) -> None:
    suite = "demo_medqa_en_qa_mc"
    knowing = Knowing(tmp_path, suite)

    def slow(request: Request) -> str | Sent:
        time.sleep(0.02)
        return knowing(request)

    def kept() -> int:
        return sum(path.read_bytes().count(b"\n") for path in tmp_path.glob(f"runs/*/predictions-*/{suite}.jsonl"))

    with FakeServer(slow).running() as server:
        arguments = ["eval", server.url, "--name", "big-model", "--suite", suite, "--runs", tmp_path / "runs"]
        for most in (2, 5):
            process = subprocess.Popen(
                [sys.executable, "-m", "taiyi", *map(str, arguments), "--concurrency", "2"],
                env=tiny.environment(),
                stderr=subprocess.DEVNULL,
            )
            while process.poll() is None and kept() < most:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        there, before = kept(), len(server.requests)
        assert 5 <= there < len(knowing.examples)
        result = evaluate(server, tmp_path, suite, "--json")
        assert json.loads(result.stdout)[0]["value"] == 1.0
        assert len(server.requests) - before == len(knowing.examples) - there
    given = predictions.read(step_of(tmp_path, "predictions"), suite)
    assert sorted(p.example for p in given) == sorted(e.id for e in knowing.examples)


def test_choices_by_likelihood_over_an_address(tmp_path: Path) -> None:
    def scored(request: Request) -> Sent:
        text = "".join(f"<{m['role']}>{m['content']}" for m in request.body["messages"])
        text += "" if request.body.get("continue_final_message") else "<assistant>"
        rows: list[Any] = [{str(ord(c)): {"logprob": -(ord(c) % 67) / 9}} for c in text]
        return Sent(completion("x", prompt_tokens=len(text), answer_tokens=1, prompt_logprobs=[None, *rows[1:]]))

    with FakeServer(scored).running() as server:
        result = evaluate(server, tmp_path, "demo_medqa_en_qa_mc", "--choices", "likelihood", "--json")
        assert json.loads(result.stdout)[0]["num_unparsable"] == 0
    given = predictions.read(step_of(tmp_path, "predictions"), "demo_medqa_en_qa_mc")
    assert {p.text for p in given} == {"C"}
    with FakeServer(lambda _: "A").running() as server:
        said = failed(evaluate(server, tmp_path, "demo_medqa_en_qa_mc", "--choices", "likelihood"))
        assert "--choices generate" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("runs/x --name m --suite demo", "--name: only a server is asked in this way; got runs/x"),
        ("http://h/v1 --name m --suite demo --extra []", "--extra: not a JSON object"),
        ("http://h/v1 --name m --suite demo --timeout -1", "--timeout: Input should be greater"),
        ("http://u:sk-secret@h/v1 --name m --suite demo", "is to hold nothing else, such as a key"),
        ("http://h/v1 --name m --suite demo_qic_tc --choices likelihood", "no test set has a few"),
        ("http://h/v1 --name m --suite demo --runtime numpy", "only a model in this process has a runtime"),
        ("baseline:majority --suite demo --runtime numpy", "only a model in this process has a runtime"),
    ],
)
def test_what_makes_no_sense_is_said(arguments: str, said: str) -> None:
    line = failed(call("eval", *arguments.split()))
    assert said in line
    assert "sk-secret" not in line


def test_a_recipe_may_name_an_address(tmp_path: Path) -> None:
    def recipe(text: str) -> Any:
        path = tmp_path / "r.yaml"
        path.write_text(f"name: r\n{text}", encoding="utf-8")
        return load(path)

    found = recipe(
        "base: http://localhost:8000/v1\n"
        "evaluate: {suites: [demo], few_shot: 2, choices: likelihood, endpoint: {model: m}}"
    )
    assert found.evaluate.endpoint.model == "m"
    for text, said in (
        ("base: http://localhost:8000/v1\nevaluate: {suites: [demo]}", "which model of the server"),
        ("base: http://a:b@h/v1\nevaluate: {endpoint: {model: m}}", "nothing else, such as a key"),
        ("base: some/model\nevaluate: {endpoint: {model: m}}", "only a server is asked in this way"),
        ("base: http://h/v1\nevaluate: {endpoint: {model: m, max_cost: 1}}", "both prices"),
        ("base: x/y\nevaluate: {suites: [demo_qic_tc], choices: likelihood}", "no test set has a few answers"),
        (
            "base: http://h/v1\nstages: [{name: a, data: [{corpus: demo_cdr, task: ner}]}]\n"
            "evaluate: {endpoint: {model: m}}",
            "cannot be trained here",
        ),
        ("base: http://h/v1\nevaluate: {endpoint: {model: m}, runtime: numpy}", "is not computed here"),
    ):
        with pytest.raises(RecipeError, match=said):
            recipe(text)


def test_chat_with_a_server() -> None:
    pieces = [b'{"choices":[{"delta":{"content":"Hel"}}]}', b'{"choices":[{"delta":{"content":"lo"}}]}', b"[DONE]"]
    streamed = Sent(b"".join(b"data: " + piece + b"\n\n" for piece in pieces))
    with FakeServer(lambda _: streamed, ["the-model"]).running() as server:
        result = call("chat", "--model", server.url, "--once", "Hi")
        assert result.exit_code == 0, result.output
        assert result.stdout.endswith("Hello\n")
        assert server.requests[0].body["model"] == "the-model"
        assert os.environ["OPENAI_API_KEY"] not in result.output
