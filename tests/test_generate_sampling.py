"""Sampling: answers follow from their seed alone, and are drawn as often as the model has them probable."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any, cast

import numpy as np
import pytest
import torch

from taiyi import tagged
from taiyi.generate import LocalEngine, Sampled, grounded
from taiyi.generate.head import Logits
from taiyi.generate.sampling import Chance, Sampler, drawn
from taiyi.grounding import State
from taiyi.schema import Example
from test_generate_local import EXAMPLES, engine, free_example, logits_of, model, sliding_model, tagged_example

MOST = 12
"""A bound that some of the tagged answers reach."""


def sample(ours: LocalEngine, examples: list[Example], **options: Any) -> dict[tuple[str, int], Sampled]:
    settings: dict[str, Any] = {"answers": 3, "temperature": 1.3, "seed": 7, "max_new_tokens": 30, "batch_tokens": 8192}
    found = list(ours.sample(examples, **(settings | options)))
    assert len({(s.example, s.number) for s in found}) == len(found) == len(examples) * (settings | options)["answers"]
    return {(s.example, s.number): s for s in found}


def slowly(
    made: Any, ours: LocalEngine, example: Example, chance: Chance, temperature: float, limit: int
) -> tuple[int, ...]:
    """Draw token by token, without a cache; a tagged answer may have `limit` tokens of tags."""
    prompt = ours.encoder.prompt(example.messages, example.tagging)
    ids, positions, state = list(prompt.ids), list(prompt.positions), State()
    most = limit if prompt.grounding is None else len(prompt.grounding.source) + limit + 1
    while (written := len(ids) - len(prompt.ids)) < most:
        logits = logits_of(made, ids, positions).double() / temperature
        choices = list(range(len(logits))) if prompt.grounding is None else list(prompt.grounding.allowed(state))
        sums = logits[choices].softmax(0).cumsum(0)
        token = choices[int((sums <= chance.at(written) * sums[-1]).sum())] if len(choices) > 1 else choices[0]
        if token == ours.encoder.end:
            break
        positions.append(ours.encoder.position(prompt, state.at, written))
        ids.append(token)
        state = state if prompt.grounding is None else prompt.grounding.advance(state, token)
    return tuple(ids[len(prompt.ids) :])


@pytest.mark.parametrize(("make", "positions"), [(model, "plain"), (sliding_model, "aligned")])
def test_answers_are_those_of_drawing_token_by_token(make: Any, positions: Any) -> None:
    made = make()
    ours = engine(positions, made)
    for (name, number), found in sample(ours, EXAMPLES[1:6], answers=2).items():
        example = next(e for e in EXAMPLES if e.id == name)
        assert found.tokens == slowly(made, ours, example, Chance(7, name, number), 1.3, 30)


def test_an_answer_depends_neither_on_batches_nor_on_order_nor_on_what_else_is_asked() -> None:
    ours = engine()
    one = sample(ours, EXAMPLES)
    mixed = random.Random(1).sample(EXAMPLES, len(EXAMPLES))
    assert sample(ours, mixed, batch_tokens=1) == one
    assert sample(ours, EXAMPLES[3:5]) == {key: s for key, s in one.items() if key[0] in ("t3", "f0")}
    more = sample(ours, EXAMPLES, answers=5)
    assert {key: s for key, s in more.items() if key[1] < 3} == one


def test_answers_differ_by_seed_and_number() -> None:
    ours = engine()
    one, other = sample(ours, EXAMPLES[4:]), sample(ours, EXAMPLES[4:], seed=8)
    assert len({s.tokens for s in (*one.values(), *other.values())}) == 2 * len(one)


@pytest.mark.parametrize("draft", [0, 1, 5, 100])
def test_drafts_change_no_answer(draft: int) -> None:
    ours = engine()
    prompts = [ours.encoder.prompt(e.messages, e.tagging) for e in EXAMPLES[:4] for _ in range(8)]
    sampler = Sampler(1.0, [Chance(3, "x", number) for number in range(len(prompts))])
    one, other = (
        sorted(
            a[:3] for a in grounded.decode(ours.model, ours.encoder, prompts, max_tags=10_000, draft=n, sampler=sampler)
        )
        for n in (draft, None)
    )
    assert one == other
    assert len({tuple(ids) for _, ids, _ in one}) > 8


@pytest.mark.parametrize("draft", [0, 3, 40])
def test_drafts_do_not_change_where_a_bound_cuts(draft: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = engine()
    expected = sample(ours, EXAMPLES[1:3], max_new_tokens=MOST, answers=6)
    assert {s.finish for s in expected.values()} == {"stop", "length"}
    monkeypatch.setitem(cast(dict[str, Any], grounded.decode.__kwdefaults__), "draft", draft)
    assert sample(ours, EXAMPLES[1:3], max_new_tokens=MOST, answers=6) == expected


def test_a_tagged_answer_that_is_cut_has_a_whole_text_and_the_tokens_that_were_chosen() -> None:
    ours = engine()
    for found in sample(ours, EXAMPLES[1:3], max_new_tokens=MOST, answers=6).values():
        example = next(e for e in EXAMPLES if e.id == found.example)
        assert example.tagging is not None
        grounding = ours.encoder.prompt(example.messages, example.tagging).grounding
        assert grounding is not None
        tagged.read(found.text, example.tagging)
        assert all(
            token in choices for token, (_, choices) in zip(found.tokens, grounding.walk(found.tokens), strict=True)
        )
        if found.finish == "stop":
            assert ours.encoder.answer_text(found.tokens, example.tagging) == found.text
        else:
            assert len(found.tokens) == len(grounding.source) + MOST + 1


def test_cold_samples_are_the_greedy_answer() -> None:
    ours = engine()
    greedy = {p.example: p.text for p in ours.generate(EXAMPLES, max_new_tokens=99, batch_tokens=8192)}
    for found in sample(ours, EXAMPLES, temperature=1e-4, max_new_tokens=99).values():
        assert found.text == greedy[found.example]


def chi_square(observed: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> tuple[float, int]:
    """Return Pearson's statistic and its degrees of freedom, the rare ones put together (expected at least 5)."""
    common = expected >= 5
    seen = np.append(observed[common], observed[~common].sum())
    wanted = np.append(expected[common], expected[~common].sum())
    seen, wanted = seen[wanted > 0], wanted[wanted > 0]
    return float(((seen - wanted) ** 2 / wanted).sum()), len(seen) - 1


def unlikely(statistic: float, freedom: int) -> bool:
    """Whether the statistic is above its mean by more than four standard deviations, which are sqrt(2 k)."""
    return statistic > freedom + 4 * (2 * freedom) ** 0.5


def test_first_tokens_of_free_answers_have_the_probabilities_of_the_model() -> None:
    ours, count, temperature = engine(), 4000, 2.0
    example = free_example(0, "aspirin?")
    prompt = ours.encoder.prompt(example.messages)
    chances = (logits_of(model(), prompt.ids, prompt.positions).double() / temperature).softmax(0).numpy()
    found = sample(ours, [example], answers=count, temperature=temperature, max_new_tokens=1, batch_tokens=10**6)
    drawn = Counter(s.tokens[0] if s.tokens else ours.encoder.end for s in found.values())
    observed = np.array([drawn[token] for token in range(len(chances))])
    statistic, freedom = chi_square(observed, chances * count)
    assert freedom > 10
    assert not unlikely(statistic, freedom)
    # The test can tell: another temperature is far off.
    other = (logits_of(model(), prompt.ids, prompt.positions).double()).softmax(0).numpy()
    assert unlikely(*chi_square(observed, other * count))


def test_tagged_answers_have_the_probabilities_of_the_model() -> None:
    """Of a short source, the probability of each whole answer is the product of those of its choices."""
    ours, count, temperature = engine(), 3000, 1.5
    example = tagged_example(0, "Hi")
    prompt = ours.encoder.prompt(example.messages, example.tagging)
    found = sample(ours, [example], answers=count, temperature=temperature, max_new_tokens=50, batch_tokens=10**6)
    drawn = Counter(s.tokens for s in found.values())
    expected: dict[tuple[int, ...], float] = {}
    for tokens in drawn:
        assert prompt.grounding is not None
        ids, positions, chance, state = list(prompt.ids), list(prompt.positions), 1.0, State()
        for written, token in enumerate((*tokens, ours.encoder.end)):
            choices = list(prompt.grounding.allowed(state))
            if len(choices) > 1:
                logits = logits_of(model(), ids, positions)[choices].double() / temperature
                chance *= float(logits.softmax(0)[choices.index(token)])
            positions.append(ours.encoder.position(prompt, state.at, written))
            ids.append(token)
            state = prompt.grounding.advance(state, token)
        expected[tokens] = chance
    assert len(drawn) > 3
    assert sum(expected.values()) == pytest.approx(1, abs=0.05)
    rest = max(0.0, 1 - sum(expected.values()))
    observed = np.array([*drawn.values(), 0])
    statistic, freedom = chi_square(observed, np.array([*(expected[t] for t in drawn), rest]) * count)
    assert freedom > 1 and not unlikely(statistic, freedom)


def test_a_token_without_probability_is_never_drawn() -> None:
    logits = torch.full((1000, 5), -torch.inf)
    logits[:, 2] = 0.0
    logits[:, 3] = -1.0
    sampler = Sampler(1.0, [Chance(0, "x", number) for number in range(1000)])
    numbers = sampler.numbers([(row, 0) for row in range(1000)])
    found = Logits(logits).drawn(numbers, 1.0)
    assert set(found) == {2, 3}
    assert drawn(logits.numpy(), numbers, 1.0) == found


def test_an_example_that_the_context_does_not_hold_is_told_and_the_others_are_answered() -> None:
    ours = engine()
    long = free_example(7, "epilepsy " * 600)
    found = sample(ours, [*EXAMPLES, long])
    assert found["f7", 2] == Sampled("f7", 2, (), "", "length")
    assert {key: s for key, s in found.items() if key[0] != "f7"} == sample(ours, EXAMPLES)


def test_an_engine_over_a_live_model_leaves_it_as_it_was() -> None:
    """Adapters count, and training goes on as if nothing had been asked."""
    from peft import LoraConfig, get_peft_model

    from taiyi.train.loss import causal_model
    from taiyi.train.world import answering

    adapted: Any = get_peft_model(model(), LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False))  # pyright: ignore
    adapted.train()
    before = {name: value.clone() for name, value in adapted.state_dict().items()}
    modes = [module.training for module in adapted.modules()]
    with answering(adapted, adapted, gradient_checkpointing=False):
        found = sample(engine(made=causal_model(adapted)), EXAMPLES)
    assert [module.training for module in adapted.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in adapted.state_dict().items())
    ids = torch.tensor([[5, 6, 7]])
    adapted(input_ids=ids, labels=ids).loss.backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in adapted.parameters() if p.requires_grad)
    assert found != sample(engine(), EXAMPLES)
    assert found == sample(engine(made=adapted.merge_and_unload()), EXAMPLES)
