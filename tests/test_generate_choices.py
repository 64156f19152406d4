"""Answers that are chosen by their likelihood: what a plain computation, token by token, would choose."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import (
    AutoModelForCausalLM,
    CohereConfig,
    Gemma3TextConfig,
    GraniteConfig,
    PretrainedConfig,
)

from taiyi import tasks
from taiyi.generate import LocalEngine, head, likelihood
from taiyi.generate.decoder import Decoder
from taiyi.generate.engine import NO_ROOM, Asked, Choosing
from taiyi.schema import Choice, Example, Labels, Message, Option, Pair, Prediction, Question, Shown
from test_generate_local import engine as engine_of
from test_generate_local import logits_of, model, sliding_model, windowed_model

QUESTIONS = [
    "Does aspirin cause epilepsy?",
    "Which drug is it? A. aspirin B. codeine",
    "患者服用阿司匹林后会出现肝损伤吗？",
    "No? " * 20,
    "x",
]
CANDIDATES = [
    ("yes", "no", "maybe"),
    ("A", "B", "C", "D"),
    ("是", "否", "不确定"),
    ("a longer answer about aspirin", "epilepsy", "A"),
    ("1", "10", "2"),
]


def example(number: int, question: str) -> Example:
    return Example(
        id=f"q{number}", corpus="c", task="qa_yesno", lang="en", split="test", template="x", form="key",
        record=str(number), messages=(Message(role="user", content=question),), answer="yes", gold=Choice(key="yes"),
    )  # fmt: skip


ASKED = [Asked(example(n, q), c) for n, (q, c) in enumerate(zip(QUESTIONS, CANDIDATES, strict=True))]


def slowly(made: Any, ours: LocalEngine, asked: Asked) -> list[float]:
    """Sum the log-probability of each token, each from a forward pass of its own over all before it."""
    encoder = ours.encoder
    prompt = list(encoder.prompt(asked.example.messages).ids)
    answers = [encoder.text_ids(text) for text in asked.candidates]
    if any(a != b and b[: len(a)] == a for a in answers for b in answers):
        answers = [[*ids, encoder.end] for ids in answers]
    sums: list[float] = []
    for ids in answers:
        total = 0.0
        for n, token in enumerate(ids):
            before = [*prompt, *ids[:n]]
            total += float(logits_of(made, before, list(range(len(before)))).double().log_softmax(-1)[token])
        sums.append(total)
    return sums


def found(ours: LocalEngine, asked: list[Asked], *, per_byte: bool = False, batch_tokens: int = 8192) -> dict[str, str]:
    return {p.example: p.text for p in ours.choose(asked, per_byte=per_byte, batch_tokens=batch_tokens)}


@pytest.mark.parametrize("make", [model, sliding_model, windowed_model], ids=lambda make: make.__name__)
def test_scores_are_those_of_a_plain_computation_token_by_token(make: Any) -> None:
    made = make()
    ours = engine_of("plain", made)
    prompts = [ours.encoder.prompt(one.example.messages) for one in ASKED]
    answers = [likelihood._encoded(one.candidates, ours.encoder) for one in ASKED]
    scores = likelihood.score(ours.model, prompts, answers)
    for one, of, ids in zip(ASKED, scores, answers, strict=True):
        expected = slowly(made, ours, one)
        assert of == pytest.approx(expected, abs=1e-3)
        assert len(ids) == len(one.candidates)
        texts = found(ours, [one]), found(ours, [one], per_byte=True)
        best = max(range(len(expected)), key=expected.__getitem__)
        shares = [total / len(text.encode()) for total, text in zip(expected, one.candidates, strict=True)]
        assert texts[0] == {one.example.id: one.candidates[best]}
        assert texts[1] == {one.example.id: one.candidates[max(range(len(shares)), key=shares.__getitem__)]}
    assert any(len(ids) > 1 for of in answers for ids in of), "the case is empty: all candidates are one token"
    assert any(len(ids) == 1 for of in answers for ids in of)


SIZES = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
SIZES |= {"num_key_value_heads": 1, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
FINISHED: dict[str, PretrainedConfig] = {
    "capped": Gemma3TextConfig(**SIZES, head_dim=16, final_logit_softcapping=2.0),
    "divided": GraniteConfig(**SIZES, logits_scaling=8.0),
    "multiplied": CohereConfig(**SIZES, logit_scale=0.0625),
}


@pytest.mark.parametrize("name", FINISHED)
def test_scores_are_of_logits_as_the_architecture_finishes_them(name: str) -> None:
    config = FINISHED[name]
    config.vocab_size = model().config.vocab_size
    torch.manual_seed(0)
    made: Any = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa").eval()
    # Of random weights all logits are near 0, where a cap changes nothing.
    made.get_output_embeddings().weight.data *= 10
    ours = engine_of("plain", made)
    one = ASKED[0]
    prompt, answers = ours.encoder.prompt(one.example.messages), likelihood._encoded(one.candidates, ours.encoder)
    [scores] = likelihood.score(ours.model, [prompt], [answers])
    assert scores == pytest.approx(slowly(made, ours, one), abs=1e-2)
    hidden = torch.randn(3, 32)
    tokens = torch.tensor([[5, 7, -1]]).expand(3, -1)
    among = head.logits_among(made, hidden, tokens)
    assert torch.allclose(among[:, :2], head.logits(made, hidden)[:, [5, 7]], atol=1e-4)
    assert bool(among[:, 2].isneginf().all())


def test_the_batch_makes_no_difference() -> None:
    ours = engine_of("plain")
    prompts = [ours.encoder.prompt(one.example.messages) for one in ASKED]
    answers = [likelihood._encoded(one.candidates, ours.encoder) for one in ASKED]
    together = likelihood.score(ours.model, prompts, answers)
    for prompt, of, scores in zip(prompts, answers, together, strict=True):
        [alone] = likelihood.score(ours.model, [prompt], [of])
        assert alone == pytest.approx(scores, abs=1e-4)
    assert found(ours, ASKED) == found(ours, ASKED, batch_tokens=1) == found(ours, ASKED[::-1], batch_tokens=300)


def test_candidates_of_one_token_take_one_forward_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = engine_of("plain")
    fed: list[int] = []
    feed = Decoder.feed

    def counted(self: Any, tokens: Any, positions: Any) -> Any:
        fed.append(len(tokens))
        return feed(self, tokens, positions)

    monkeypatch.setattr(Decoder, "feed", counted)
    letters = [Asked(example(n, f"{n} is which? " + "So? " * n), ("A", "B", "C")) for n in range(5)]
    assert all(len(ours.encoder.text_ids(text)) == 1 for text in "ABC")
    found(ours, letters)
    assert fed == [5]
    fed.clear()
    found(ours, ASKED[:1])
    # The prompt once, and then its candidates of several tokens.
    assert fed[0] == 1
    assert len(fed) == 2


def test_a_candidate_that_begins_another_is_not_always_the_better_one() -> None:
    def surely(ids: list[int]) -> Any:
        """Return an engine whose model writes these tokens, whatever it is asked."""
        made = model()
        ours = engine_of("plain", made)
        prompt = len(ours.encoder.prompt(ASKED[4].example.messages).ids)
        table = torch.full((200, len(ours.tokenizer)), -5.0)
        for n, token in enumerate(ids):
            table[prompt - 1 + n, token] = 5.0

        class Head(torch.nn.Module):
            def forward(self, hidden: torch.Tensor) -> torch.Tensor:
                return table[hidden[:, 0].long()]

        made.get_output_embeddings = lambda: Head()  # type: ignore[method-assign]
        monkey = Decoder.feed

        def feed(self: Any, tokens: Any, positions: Any) -> head.States:
            monkey(self, tokens, positions)
            width = max(map(len, positions))
            hidden = [[[float(p)] for p in (*row, *[0] * (width - len(row)))] for row in positions]
            return head.States(made, torch.tensor(hidden))

        return ours, feed

    encoder = engine_of("plain").encoder
    for text in ("1", "10", "2"):
        ours, feed = surely([*encoder.text_ids(text), encoder.end])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Decoder, "feed", feed)
            assert found(ours, ASKED[4:]) == {"q4": text}


def test_what_the_context_does_not_hold_is_refused_and_the_others_are_answered() -> None:
    ours = engine_of("plain")
    long = Asked(example(9, "epilepsy " * 600), ("yes", "no"))
    made = list(ours.choose([*ASKED, long], per_byte=False, batch_tokens=4096))
    assert made[0] == Prediction(example="q9", text="", finish="refused", reason=NO_ROOM)
    assert {p.example: p.text for p in made[1:]} == found(ours, ASKED)
    assert {p.finish for p in made[1:]} == {"stop"}
    assert isinstance(ours, Choosing)


@given(
    scores=st.lists(st.floats(-50, 0), min_size=1, max_size=6),
    per_byte=st.booleans(),
)
def test_the_best_is_the_first_of_the_highest(scores: list[float], per_byte: bool) -> None:
    texts = ["a" * (n + 1) for n in range(len(scores))]
    values = [score / len(text) if per_byte else score for score, text in zip(scores, texts, strict=True)]
    assert likelihood.best(scores, texts, per_byte=per_byte) == values.index(max(values))


def test_the_length_in_bytes_counts_for_chinese_as_it_is() -> None:
    assert likelihood.best([-6.0, -6.0], ["否", "yes!"], per_byte=True) == 1
    assert likelihood.best([-6.0, -7.0], ["是", "不确定"], per_byte=True) == 1
    assert likelihood.best([-6.0, -7.0], ["是", "不确定"], per_byte=False) == 0


# --- which candidates a task has -------------------------------------------------------------------------------------


def rendered(record: Any, task: str, types: tuple[Shown, ...] = ()) -> Example:
    found = tasks.get(task)
    made = found.render(record, tasks.load_templates(found, record.lang)[0], form=found.forms[0], types=types)
    assert isinstance(made, Example)
    return made


def test_each_candidate_of_a_task_is_read_as_an_answer_of_its_own_and_the_gold_is_one() -> None:
    common: dict[str, Any] = {"id": "1", "corpus": "c", "split": "test"}
    options = tuple(Option(key=key, text=f"drug {key}") for key in "ABCDE")
    labels = (Shown(name="a", shown="similar"), Shown(name="b", shown="not similar"))
    made = [
        rendered(Question(kind="choice", lang="en", question="?", answers=("B",), options=options, **common), "qa_mc"),
        *(
            rendered(
                Question(kind="yesno", lang=lang, question="?", answers=("maybe",), contexts=("c",), **common),
                "qa_yesno",
            )
            for lang in ("en", "zh")
        ),
        rendered(Pair(lang="en", first="x", second="y", label="b", **common), "tp_te", labels),
    ]
    for one in made:
        task = tasks.get(one.task)
        assert isinstance(task, tasks.Closed)
        texts = task.candidates(one)
        parsed = [task.parse(text, one) for text in texts]
        assert len({str(answer) for answer in parsed}) == len(texts)
        assert parsed[texts.index(one.answer)] == one.gold
    assert isinstance(made[-1].gold, Labels)
    assert not isinstance(tasks.get("ner"), tasks.Closed)
