"""Learning from rewards and from pairs: answers are what was sampled, and what scores well becomes more probable."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from torch.nn.functional import logsigmoid

import world_driver as driver
from taiyi.encoding import Encoder, Row
from taiyi.errors import TrainError
from taiyi.generate import LocalEngine
from taiyi.generate.torch_model import TorchModel
from taiyi.schema import Example
from taiyi.steps.pairs import prepare_pairs
from taiyi.steps.rewards import Answerer
from taiyi.storage import write_parquet
from taiyi.train import rows as store
from taiyi.train.batch import batch
from taiyi.train.loop import Hooks, Step, train
from taiyi.train.loss import log_probs
from taiyi.train.objectives import Answered, Pairs, Rewards
from taiyi.train.order import Planned
from taiyi.train.settings import PreferenceSettings, RewardSettings, StageSettings
from taiyi.train.world import world
from test_generate_local import logits_of
from toy import CHECKPOINT, model, tagged_examples, tokenizer, yes_no_examples

SETTINGS = StageSettings(
    kind="grpo",
    max_tokens=64,
    batch_tokens=1024,
    learning_rate=1e-2,
    warmup_ratio=0,
    epochs=100,
    max_steps=30,
    reward=RewardSettings(prompts=6, answers=8, max_new_tokens=20),
)


def answerer(examples: Sequence[Example], max_tokens: int = 64, **changes: Any) -> Answerer:
    checkpoint = msgspec.structs.replace(CHECKPOINT, max_tokens=max_tokens)
    settings = RewardSettings.model_validate({"answers": 6, "max_new_tokens": 8} | changes)
    return Answerer(examples, tokenizer(), checkpoint, settings, seed=3, batch_tokens=4096)


class Interrupted(Exception):
    pass


def reinforce(out: Path, settings: StageSettings, stop: int | None = None) -> list[Step]:
    """Train the toy model on what its answers are worth."""
    examples = tagged_examples()
    made: list[Step] = []

    def progress(step: Step) -> None:
        made.append(step)
        if step.step == stop:
            raise Interrupted

    answers = Answerer(examples, tokenizer(), CHECKPOINT, settings.reward, seed=settings.seed, batch_tokens=4096)
    asked = [e.id for e in examples], [e.task for e in examples]
    hooks = Hooks(answer=answers, asked=asked, progress=progress)
    train(store.hold([]), out, settings, model(), tokenizer(), CHECKPOINT, hooks=hooks)
    return made


@pytest.mark.slow
def test_what_scores_well_becomes_more_probable(tmp_path: Path) -> None:
    rewards = [step.measures["reward/ner"] for step in reinforce(tmp_path / "out", SETTINGS)]
    assert len(rewards) == 30
    assert sum(rewards[-5:]) / 5 > 0.3 + sum(rewards[:5]) / 5


def test_an_interrupted_stage_of_rewards_goes_on_bit_for_bit(tmp_path: Path) -> None:
    changes = {"max_steps": 6, "save_every_steps": 2, "reward": SETTINGS.reward.model_copy(update={"prompts": 2})}
    settings = SETTINGS.model_copy(update=changes)
    unbroken = reinforce(tmp_path / "unbroken", settings)
    with pytest.raises(Interrupted):
        reinforce(tmp_path / "broken", settings, stop=5)
    resumed = reinforce(tmp_path / "broken", settings)
    assert [(s.step, s.loss, s.measures) for s in resumed] == [(s.step, s.loss, s.measures) for s in unbroken[4:]]


@pytest.mark.parametrize("example", [*tagged_examples(3), *yes_no_examples(2)], ids=lambda example: example.record)
def test_the_row_of_a_gold_answer_is_that_of_training(example: Example) -> None:
    encoder = Encoder(tokenizer(), positions="aligned", decisions=True)
    row = encoder.row(example)
    prompt = encoder.prompt(example.messages, example.tagging)
    assert encoder.answered(example, prompt, row.ids[len(prompt.ids) : -1], end=encoder.end) == row


def test_a_row_that_was_cut_is_the_beginning_of_the_whole_one() -> None:
    example, encoder = tagged_examples(1)[0], Encoder(tokenizer(), positions="aligned")
    row = encoder.row(example)
    prompt = encoder.prompt(example.messages, example.tagging)
    answer = row.ids[len(prompt.ids) :]
    cut = encoder.answered(example, prompt, answer[:3], end=None)
    assert (cut.ids, cut.positions) == (row.ids[: len(cut.ids)], row.positions[: len(cut.ids)])
    assert len(cut.targets) == len(cut.choices) == 3
    # What was drawn among choices is learned among them, even where training on gold answers is not.
    plain = Encoder(tokenizer(), positions="aligned", decisions=False)
    assert plain.answered(example, prompt, answer[:3], end=None) == cut
    assert any(len(choices) > 1 for choices in cut.choices)


@pytest.mark.parametrize("make", [tagged_examples, yes_no_examples])
def test_rows_have_the_probabilities_that_they_were_drawn_with(make: Any) -> None:
    """What the loss takes for the probability of an answer is what the sampler drew it with, at its temperature."""
    temperature, examples, lm = 1.4, make(3), model()
    groups = answerer(examples, temperature=temperature)(lm)(0, [0, 1, 2])
    for row in (answered.row for group in groups for answered in group):
        expected = 0.0
        for target, choices in zip(row.targets, row.choices, strict=True):
            logits = logits_of(lm, row.ids[:target], row.positions[:target]).double() / temperature
            legal = list(choices) or list(range(len(logits)))
            expected += float(logits[legal].log_softmax(0)[legal.index(row.ids[target])])
        lm.set_attn_implementation("taiyi_packed")
        held = batch(store.hold([row]), [0])
        found = log_probs(lm, held, temperature=temperature).by_row(held)
        assert found.item() == pytest.approx(expected, abs=1e-3)
        lm.set_attn_implementation("sdpa")


def test_answers_follow_from_the_seed_and_the_step() -> None:
    examples, lm = [*tagged_examples(4), *yes_no_examples(4)], model()
    whole = answerer(examples)(lm)(5, range(8))
    assert [[answered.row.example for answered in group] for group in whole] == [[e.id] * 6 for e in examples]
    # Dealt out to processes, and in another order, they are the same.
    assert [*answerer(examples)(lm)(5, [7, 1, 3, 5])] == [whole[n] for n in (7, 1, 3, 5)]
    other = answerer(examples)(lm)(6, range(8))
    assert [a.row for group in other for a in group] != [a.row for group in whole for a in group]


def test_an_answer_that_cannot_be_read_has_the_reward_of_the_settings() -> None:
    made = answerer(yes_no_examples(8), unparsable=-0.5)
    found = [answered for group in made(model())(0, range(8)) for answered in group]
    rewards = {answered.reward for answered in found}
    assert -0.5 in rewards and rewards <= {-0.5, 0.0, 1.0}
    assert all(answered.unparsable == (answered.reward == -0.5) for answered in found)


def test_rows_are_no_longer_than_those_of_the_stage() -> None:
    examples = [*yes_no_examples(4), *tagged_examples(4)]
    lengths = [len(Encoder(tokenizer()).row(e).ids) for e in examples]
    most = max(lengths)
    made = answerer(examples, max_tokens=most, max_new_tokens=50)
    found = [answered for group in made(model())(0, range(8)) for answered in group]
    rows = [answered.row for answered in found if answered.row is not None]
    assert all(len(row.ids) <= most for row in rows)
    # What was too long is told, not learned.
    assert 0 < len(rows) < len(found) == 8 * 6
    assert any(answered.cut for answered in found)


def test_an_answer_is_learned_with_the_token_that_ended_it() -> None:
    encoder = Encoder(tokenizer())
    example = yes_no_examples(1)[0]
    prompt = encoder.prompt(example.messages)
    other = next(token for token in range(5) if token != encoder.end)
    assert encoder.answered(example, prompt, [7, 8], end=other).ids[-3:] == [7, 8, other]


def test_equal_rewards_teach_nothing() -> None:
    made = answerer(yes_no_examples(2))(model())(0, range(2))
    alike = [[Answered(a.task, a.row, 0.1) for a in group] for group in made]
    settings = StageSettings(kind="grpo", max_tokens=64, batch_tokens=256)
    work = Rewards(["a", "b"], ["qa_yesno"] * 2, settings, world(), lambda step, asked: alike).work(0)
    assert not work.parts and work.weight > 0


# The rewards of groups of three answers, those that are left out in brackets, and the advantages of the others.
GROUPS: list[tuple[list[float], list[int], list[float], float]] = [
    ([0.0, 1.0, 1.0], [], [-2 / 3, 1 / 3, 1 / 3], (1 / 3) ** 0.5),
    ([0.5, 0.5, 0.5], [], [], 1.0),
    ([0.25, 1.0, 0.75], [1], [-0.25, 0.25], 0.125**0.5),
    ([0.0, 0.5, 1.0], [0, 2], [], 1.0),
    ([-0.5, 0.25, 1.0], [], [-0.75, 0.0, 0.75], 0.75),
]


@pytest.mark.parametrize("temperature", [1.0, 1.4])
@pytest.mark.parametrize("scale", [True, False])
def test_the_loss_of_rewards_is_that_of_the_formula(scale: bool, temperature: float) -> None:
    """The gradient is that of -sum(A_i log p_i) / N, where N counts the tokens of all answers that could be learned."""
    made = iter(driver.made(15, 20))
    groups = [
        [Answered("t", None if n in out else row, reward) for n, (reward, row) in enumerate(zip(rewards, made))]  # noqa: B905
        for rewards, out, _, _ in GROUPS
    ]
    reward = {"prompts": 5, "answers": 3, "scale": scale, "temperature": temperature}
    settings = StageSettings.model_validate({"kind": "grpo", "max_tokens": 24, "batch_tokens": 24, "reward": reward})
    objective = Rewards(
        [*"abcde"], ["t"] * 5, settings, world(), lambda step, asked: [groups[index] for index in asked]
    )
    work = objective.work(0)

    rows: list[Row] = []
    advantages: list[float] = []
    for index in objective.asked(0):
        _, _, found, deviation = GROUPS[index]
        advantages += [advantage / (deviation + 1e-4) if scale else advantage for advantage in found]
        rows += [answered.row for answered in groups[index] if answered.row is not None and found]
    num_tokens = sum(
        sum(len(choices) != 1 for choices in answered.row.choices)
        for group in groups
        for answered in group
        if answered.row is not None
    )
    assert work.weight == num_tokens
    lm = driver.model(settings)
    expected = -(torch.tensor(advantages) * by_hand(lm, rows, range(len(rows)), temperature)).sum() / num_tokens
    wanted = gradients(lm, expected)
    lm.set_attn_implementation("taiyi_packed")
    assert len(work.parts) > 2 and all(part.real for part in work.parts)
    losses = [objective.loss(lm, part.batch, work.weight).value for part in work.parts]
    for loss, part in zip(losses, work.parts, strict=True):
        # Every answer is used once, so that its probability is that of the model that gave it.
        assert loss.item() == pytest.approx(-sum(advantages[row] for row in part.batch.rows) / num_tokens, abs=1e-6)
    assert sorted(row for part in work.parts for row in part.batch.rows) == list(range(len(rows)))
    found = gradients(lm, torch.stack(losses).sum())
    assert max(float(gradient.abs().max()) for gradient in wanted.values()) > 1e-2
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-4)
    # All answers are told of, those that are left out too.
    measured: list[list[float]] = work.measured.tolist()
    told = dict(zip(objective.measures, measured, strict=True))
    assert told["reward/t"] == [sum(sum(rewards) for rewards, *_ in GROUPS), 15]
    assert told["left out"] == [3, 15]


def gradients(lm: Any, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    lm.zero_grad()
    loss.backward()
    return {name: p.grad.clone() for name, p in lm.named_parameters()}


def rewarded(out: Path, flat: Container[int], stop: int | None = None, **changes: Any) -> list[Step]:
    """Train for four steps on rewards that are all alike in some of them, from 1."""
    examples = yes_no_examples(4)
    groups = answerer(examples)(model())(0, range(4))
    made: list[Step] = []

    def answer(step: int, asked: Sequence[int]) -> list[list[Answered]]:
        return [
            [Answered(a.task, a.row, 0.25 if step + 1 in flat else n % 2) for n, a in enumerate(groups[index])]
            for index in asked
        ]

    def progress(step: Step) -> None:
        made.append(step)
        if step.step == stop:
            raise Interrupted

    reward = SETTINGS.reward.model_copy(update={"prompts": 2})
    settings = SETTINGS.model_copy(update={"max_steps": 4, "save_every_steps": 1, "reward": reward} | changes)
    asked = [e.id for e in examples], [e.task for e in examples]
    hooks = Hooks(answer=lambda learner: answer, asked=asked, progress=progress)
    train(store.hold([]), out, settings, model(), tokenizer(), CHECKPOINT, hooks=hooks)
    return made


optimizers = pytest.mark.parametrize("optimizer", ["adamw", "muon"])


@optimizers
@pytest.mark.filterwarnings("error")
def test_a_stage_that_never_had_an_advantage_is_no_success(optimizer: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    # What goes on after an interruption says the same.
    for _ in range(2):
        with pytest.raises(TrainError, match=r"out: nothing was learned.*4 steps.*reward\.answers.*temperature"):
            rewarded(out, range(9), optimizer=optimizer, weight_decay=0.1)
        assert not (out / "model").exists() and not (out / "result.json").exists()
        assert len((out / "loss.jsonl").read_text().splitlines()) == 4


@optimizers
@pytest.mark.parametrize("flat", [{1, 2}, {3, 4}], ids=["first", "last"])
@pytest.mark.filterwarnings("error")
def test_steps_without_an_advantage_do_not_stop_a_stage(flat: set[int], optimizer: str, tmp_path: Path) -> None:
    whole = rewarded(tmp_path / "whole", flat, optimizer=optimizer)
    assert [step.step for step in whole if not step.grad_norm] == sorted(flat)
    # Where all that was learned lies before the checkpoint, it counts.
    with pytest.raises(Interrupted):
        rewarded(tmp_path / "broken", flat, stop=3, optimizer=optimizer)
    resumed = rewarded(tmp_path / "broken", flat, optimizer=optimizer)
    assert [(s.loss, s.lr) for s in resumed] == [(s.loss, s.lr) for s in whole[2:]]
    assert (tmp_path / "broken" / "model").exists()


# --- pairs -----------------------------------------------------------------------------------------------------------

PREFERENCE = StageSettings(
    kind="dpo",
    max_tokens=64,
    batch_tokens=256,
    learning_rate=3e-3,
    warmup_ratio=0,
    epochs=6,
    preference=PreferenceSettings(answers=4, max_new_tokens=20),
)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> store.Rows:
    """Pairs of what the toy model answers."""
    folder = tmp_path_factory.mktemp("pairs")
    write_parquet([*tagged_examples(), *yes_no_examples(8)], folder / "examples.parquet", Example)
    engine = LocalEngine(TorchModel(model()), tokenizer(), CHECKPOINT)
    facts = prepare_pairs([folder / "examples.parquet"], engine, PREFERENCE, folder / "pairs", seed=1)
    rows = store.read(folder / "pairs" / "rows")
    assert facts["num_rows"] == len(rows) == 2 * facts["num_pairs"] > 20
    return rows


def test_right_answers_gain_on_wrong_ones(pairs: store.Rows, tmp_path: Path) -> None:
    steps: list[Step] = []
    hooks = Hooks(progress=steps.append)
    train(pairs, tmp_path / "out", PREFERENCE, model(), tokenizer(), CHECKPOINT, hooks=hooks)
    # At first nothing has gained anything: the model is the reference.
    assert steps[0].measures["right"] < 0.9 and abs(steps[0].measures["margin"]) < 1e-3
    assert steps[0].loss == pytest.approx(0.6931, abs=1e-3)
    assert steps[-1].measures["right"] > 0.95 and steps[-1].measures["margin"] > 0.1


def by_hand(lm: Any, rows: store.Rows | list[Row], indices: Sequence[int], temperature: float = 1.0) -> torch.Tensor:
    """Return the log-probability of each row's answer, one row at a time over the whole logits."""
    found: list[torch.Tensor] = []
    for row in (rows[index] for index in indices):
        ids, mask = torch.tensor([row.ids]), torch.ones(1, len(row.ids))
        output = lm(input_ids=ids, position_ids=torch.tensor([row.positions]), attention_mask=mask)
        logits = output.logits[0].double()
        total = logits.new_zeros(())
        for target, choices in zip(row.targets, row.choices, strict=True):
            legal = list(choices) or list(range(logits.shape[1]))
            among = (logits[target - 1, legal] / temperature).log_softmax(0)
            total = total + among[legal.index(row.ids[target])]
        found.append(total)
    return torch.stack(found)


@pytest.mark.parametrize(
    ("beta", "smooth", "sft"), [(0.3, 0.0, 0.0), (1.0, 0.0, 0.0), (0.3, 0.2, 0.0), (0.3, 0.0, 0.7), (0.5, 0.1, 2.0)]
)
def test_the_loss_of_pairs_is_that_of_the_papers(pairs: store.Rows, beta: float, smooth: float, sft: float) -> None:
    """Equation 7 of DPO, with the label smoothing of cDPO and the log-likelihood of RPO, and its gradient."""
    preference = PreferenceSettings(beta=beta, label_smoothing=smooth, sft_weight=sft)
    settings = PREFERENCE.model_copy(update={"preference": preference})
    lm, reference = model(), model(seed=2)
    # A micro-batch of a step that has more of them.
    bins = [[6, 7, 2, 3, 14, 15, 0, 1, 10, 11], [4, 5]]
    indices, num_pairs = bins[0], 6
    with torch.no_grad():
        before = by_hand(reference, pairs, range(len(pairs)))
    made = by_hand(lm, pairs, indices)
    gained = beta * (made - before[indices])
    margins = gained[0::2] - gained[1::2]
    lengths = torch.tensor([sum(len(choices) != 1 for choices in pairs[index].choices) for index in indices[0::2]])
    each = -(1 - smooth) * logsigmoid(margins) - smooth * logsigmoid(-margins) - sft * made[0::2] / lengths
    expected = each.sum() / num_pairs
    wanted = gradients(lm, expected)
    lm.set_attn_implementation("taiyi_packed")
    objective = Pairs(pairs, [Planned(0, bins)], settings, world(), before.float())
    work = objective.work(0)
    assert work.weight == num_pairs
    loss = objective.loss(lm, work.parts[0].batch, work.weight)
    assert loss.value.item() == pytest.approx(expected.item(), abs=1e-5)
    torch.testing.assert_close(gradients(lm, loss.value), wanted, atol=1e-5, rtol=1e-4)
    assert loss.measured[0].tolist() == [float((margins > 0).sum()), 5]
    assert loss.measured[1].tolist() == pytest.approx([margins.sum().item(), 5], abs=1e-5)


def test_the_loss_of_pairs_is_that_of_trl(tmp_path: Path) -> None:
    """The loss `sigmoid` of DPOTrainer and its gradient, on free answers (it knows of no choices)."""
    trl: Any = pytest.importorskip("trl")
    datasets: Any = pytest.importorskip("datasets")
    encoder, beta = Encoder(tokenizer()), 0.3
    answers = [(e, a) for e in yes_no_examples(4) for a in (e.answer, "perhaps so")]
    rows = store.write(
        [encoder.row(msgspec.structs.replace(e, answer=answer)) for e, answer in answers], tmp_path / "rows"
    )
    theirs, ours, reference = model(), model(), model(seed=2)
    args = trl.DPOConfig(
        output_dir=str(tmp_path / "trl"), beta=beta, loss_type="sigmoid", report_to=[], use_cpu=True, bf16=False,
        per_device_train_batch_size=4, gradient_checkpointing=False,
    )  # fmt: skip
    texts = datasets.Dataset.from_list([{"prompt": "aspirin?", "chosen": "yes", "rejected": "no"}])
    trainer = trl.DPOTrainer(theirs, reference, args=args, train_dataset=texts, processing_class=tokenizer())
    inputs = trainer.data_collator(
        [
            {
                "prompt_ids": right.ids[: right.targets[0]],
                "chosen_ids": right.ids[right.targets[0] :],
                "rejected_ids": wrong.ids[wrong.targets[0] :],
            }
            for right, wrong in ((rows[n], rows[n + 1]) for n in range(0, 8, 2))
        ]
    )
    expected = trainer.compute_loss(theirs, inputs)
    expected.backward()
    with torch.no_grad():
        before = by_hand(reference, rows, range(8))
    settings = PREFERENCE.model_copy(update={"preference": PreferenceSettings(beta=beta)})
    ours.set_attn_implementation("taiyi_packed")
    held = batch(rows, range(8))
    loss = Pairs(rows, [], settings, world(), before.float()).loss(ours, held, total=4)
    loss.value.backward()
    assert loss.value.item() == pytest.approx(expected.item(), abs=1e-5)
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        assert p.grad is not None and torch.allclose(p.grad, q.grad, atol=1e-5), name
