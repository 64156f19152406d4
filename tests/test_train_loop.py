"""The loop: the loss is what it says, and an interrupted stage goes on bit for bit."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, GenerationConfig, PreTrainedTokenizerFast

from taiyi.checkpoint import Checkpoint
from taiyi.encoding import Row
from taiyi.errors import TrainError, machine_fault
from taiyi.train import rows as store
from taiyi.train import state
from taiyi.train.loop import Hooks, Step, TrainResult, train
from taiyi.train.model import scratch
from taiyi.train.objectives import Answers
from taiyi.train.optimizer import optimizer, schedule
from taiyi.train.order import Planned
from taiyi.train.rows import Rows
from taiyi.train.settings import ScratchSettings, StageSettings
from taiyi.train.tokenizer import train_bpe
from taiyi.train.world import World, world

SETTINGS = StageSettings(
    epochs=2, max_tokens=64, batch_tokens=128, accumulation=2, learning_rate=1e-2, save_every_steps=2, weight_decay=0.1
)


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    return train_bpe(["aspirin 阿司匹林"], vocab_size=280, tags=["<A>", "</A>"])


def model(**kwargs: Any):
    size = {"hidden": 32, "layers": 2, "heads": 2, "kv_heads": 1, "feed_forward": 48, "max_positions": 128, "seed": 3}
    return scratch(tokenizer(), **(size | kwargs))


def made(count: int = 60) -> list[Row]:
    chance = random.Random(5)
    rows: list[Row] = []
    for number in range(count):
        half = chance.randrange(3, 30)
        source = [chance.randrange(5, 200) for _ in range(half)]
        choices: list[tuple[int, ...]] = [
            () if number % 3 == 0 else (token, *{2, 3} - {token}) if chance.random() < 0.7 else (token,)
            for token in source
        ]
        choices[0] = (source[0], 1)
        positions = [*range(half), *range(half)]
        targets = list(range(half, 2 * half))
        rows.append(Row(f"c/train/{number}#t.1", [*source, *source], positions, targets, choices, f"t{number % 2}"))
    return rows


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    return store.write(made(), tmp_path / "rows")


@pytest.mark.parametrize("weight", [1.0, 2.5])
def test_loss_of_a_step_is_cross_entropy_over_the_legal_choices(rows: Rows, weight: float) -> None:
    """Its value and gradient are those of the full logits, however the step is cut into micro-batches."""
    lm = model()
    bins = [[4, 9], [0], [30, 7, 11]]
    losses: list[torch.Tensor] = []
    weights: list[float] = []
    measured: dict[str, list[float]] = {f"loss/{task}": [0.0, 0.0] for task in rows.tasks}
    for row in (rows[index] for indices in bins for index in indices):
        ids, mask = torch.tensor([row.ids]), torch.ones(1, len(row.ids))
        logits = lm(input_ids=ids, position_ids=torch.tensor([row.positions]), attention_mask=mask).logits[0]
        for target, choices in zip(row.targets, row.choices, strict=True):
            if len(choices) == 1:
                continue
            legal = list(choices) or list(range(logits.shape[1]))
            right = torch.tensor([legal.index(row.ids[target])])
            losses.append(cross_entropy(logits[target - 1, legal][None], right))
            weights.append(weight if choices else 1.0)
            of_task = measured[f"loss/{row.task}"]
            of_task[0] += losses[-1].item()
            of_task[1] += 1
    expected = (torch.stack(losses) * torch.tensor(weights)).sum() / sum(weights)
    expected.backward()
    gradients = {name: p.grad.clone() for name, p in lm.named_parameters() if p.grad is not None}
    lm.zero_grad()
    lm.set_attn_implementation("taiyi_packed")

    objective = answers(rows, bins, weight)
    work = objective.work(0)
    assert [part.batch.rows for part in work.parts] == [tuple(indices) for indices in bins]
    assert work.weight == pytest.approx(sum(weights))
    found = [objective.loss(lm, part.batch, work.weight) for part in work.parts]
    value = torch.stack([loss.value for loss in found]).sum()
    value.backward()
    torch.testing.assert_close(value, expected, atol=1e-5, rtol=1e-5)
    made = {name: p.grad for name, p in lm.named_parameters() if p.grad is not None}
    torch.testing.assert_close(made, gradients, atol=1e-6, rtol=1e-4)
    # What is told of each task is not weighted.
    sums: list[list[float]] = torch.stack([loss.measured for loss in found]).sum(0).tolist()
    for name, told in zip(objective.measures, sums, strict=True):
        assert told == pytest.approx(measured[name], rel=1e-4), name
    assert len(objective.measures) == 2


def test_weights_of_processes_add_up_to_that_of_the_step(rows: Rows) -> None:
    bins = [[4, 9], [0], [30, 7, 11]]
    whole = answers(rows, bins, 2.5).work(0).weight
    works = [answers(rows, bins, 2.5, cast(World, SimpleNamespace(rank=rank, size=2))).work(0) for rank in range(2)]
    # The second process has a micro-batch of another one beside its own, to keep pace, which does not count.
    assert [[part.real for part in work.parts] for work in works] == [[True, True], [True, False]]
    assert sum(work.weight for work in works) == pytest.approx(whole)


def answers(rows: Rows, bins: list[list[int]], weight: float, of: World | None = None) -> Answers:
    """Return the objective of a stage of one step."""
    settings = SETTINGS.model_copy(update={"decision_weight": weight})
    return Answers(rows, [Planned(0, bins)], settings, of or world())


class Interrupted(Exception):
    pass


def run(rows: Rows, out: Path, settings: StageSettings, stop: int | None = None) -> TrainResult:
    def progress(step: Step) -> None:
        if step.step == stop:
            raise Interrupted

    # The state of the process differs between a start and a later one: nothing may depend on it.
    torch.manual_seed(random.randrange(10**6))
    return train(
        rows, out, settings, model(), tokenizer(), Checkpoint(recipe="r", max_tokens=64), hooks=Hooks(progress=progress)
    )


def log(out: Path) -> list[Step]:
    return [msgspec.json.decode(line, type=Step) for line in (out / "loss.jsonl").read_bytes().splitlines()]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "muon", "schedule": "wsd"},
        {"precision": "bf16", "schedule": "cosine", "gradient_checkpointing": True},
        {"optimizer": "muon", "spelling": 512},
        {"spelling": 512},
    ],
    ids=["adamw", "muon", "bf16", "muon-spelling", "adamw-spelling"],
)
def test_an_interrupted_stage_goes_on_bit_for_bit(rows: Rows, tmp_path: Path, changes: dict[str, Any]) -> None:
    settings = SETTINGS.model_copy(update=changes)
    unbroken = run(rows, tmp_path / "unbroken", settings)
    assert unbroken.steps >= 10
    out = tmp_path / "broken"
    for stop in (5, 9):
        with pytest.raises(Interrupted):
            run(rows, out, settings, stop)
    # What a kill in the middle of a write leaves behind is not taken for whole.
    (out / "checkpoints" / "step-00000099.partial").mkdir()
    resumed = run(rows, out, settings)
    assert resumed.losses == unbroken.losses == [line.loss for line in log(out)]
    assert [line.step for line in log(out)] == list(range(1, unbroken.steps + 1))
    ours, theirs = (AutoModelForCausalLM.from_pretrained(x / "model") for x in (out, tmp_path / "unbroken"))
    for name, weight in ours.state_dict().items():
        assert torch.equal(weight, theirs.state_dict()[name]), name


def test_training_learns_and_the_folder_is_a_model(rows: Rows, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(rows, out, SETTINGS.model_copy(update={"epochs": 4}))
    assert result.losses[-1] < 0.9 * result.losses[0]
    assert result.tokens == 4 * rows.tokens
    assert Checkpoint.load(out / "model") == Checkpoint(recipe="r", max_tokens=64)
    assert GenerationConfig.from_pretrained(out / "model").eos_token_id == tokenizer().eos_token_id
    again = AutoModelForCausalLM.from_pretrained(out / "model")
    assert again.config._attn_implementation == "sdpa"
    # A finished stage is not run again.
    before = (out / "model" / "model.safetensors").stat().st_mtime_ns
    assert run(rows, out, SETTINGS.model_copy(update={"epochs": 4})) == result
    assert (out / "model" / "model.safetensors").stat().st_mtime_ns == before


def test_a_folder_of_another_training_is_refused(rows: Rows, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        run(rows, tmp_path / "out", SETTINGS, 3)
    run_again = SETTINGS.model_copy(update={"learning_rate": 1.0})
    with pytest.raises(TrainError, match="other settings"):
        run(rows, tmp_path / "out", run_again)


def test_a_loss_that_is_not_a_number_names_the_examples(rows: Rows, tmp_path: Path) -> None:
    lm = model()
    with torch.no_grad():
        lm.model.norm.weight.fill_(float("nan"))
    with pytest.raises(TrainError, match=r"c/train/.*not a number at step 1"):
        train(rows, tmp_path / "out", SETTINGS, lm, tokenizer(), Checkpoint())


def test_a_full_disk_is_said_and_leaves_the_last_checkpoint_whole(
    rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    with pytest.raises(Interrupted):
        run(rows, out, SETTINGS, 3)
    before = sorted(path.name for path in (out / "checkpoints").iterdir())
    real: Callable[..., None] = torch.save

    def full(value: Any, file: Any) -> None:
        with open("/dev/full", "wb") as device:  # noqa: PTH123
            real(value, device)

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainError, match="cannot be written; got No space left"):
        run(rows, out, SETTINGS)
    assert sorted(path.name for path in (out / "checkpoints").iterdir()) == before == ["step-00000002"]
    monkeypatch.undo()
    assert run(rows, out, SETTINGS).losses == run(rows, tmp_path / "unbroken", SETTINGS).losses


def test_an_empty_mixture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="nothing to train on"):
        run(store.write([], tmp_path / "rows"), tmp_path / "out", SETTINGS)


def test_muon_takes_the_matrices_of_the_layers_alone() -> None:
    lm = model()
    made = optimizer(lm, StageSettings(optimizer="muon", embedding_learning_rate=1e-3))
    matrices = {id(p) for p in made.param_groups[0]["params"]}
    names = {name for name, p in lm.named_parameters() if id(p) in matrices}
    assert len(names) == 2 * 7
    assert not [name for name in names if "embed" in name or "norm" in name]
    assert sum(len(group["params"]) for group in made.param_groups) == len(list(lm.parameters()))


@pytest.mark.parametrize("kind", ["linear", "cosine", "wsd"])
def test_schedules_rise_then_fall_to_nothing(kind: str) -> None:
    settings = StageSettings(schedule=kind, learning_rate=1.0, warmup_ratio=0.1, optimizer="muon")
    made = optimizer(model(), settings)
    rates = schedule(made, settings, 100)
    curve: list[list[float]] = []
    for _ in range(100):
        curve.append([group["lr"] for group in made.param_groups])
        made.step()
        rates.step()
    assert all(len(set(rates)) == 1 for rates in curve)
    first = [rates[0] for rates in curve]
    assert first[0] == 0 and max(first) == 1.0 and first[-1] < 0.03
    assert first[10] == 1.0
    if kind == "wsd":
        assert first[39] == 1.0 and 0.45 < first[70] < 0.55


def test_settings_are_checked() -> None:
    assert (StageSettings().learning_rate, StageSettings().warmup_ratio, StageSettings().max_tokens) == (
        2e-4,
        0.1,
        1024,
    )
    assert (StageSettings().lora.r, StageSettings().lora.alpha, StageSettings().lora.dropout) == (64, 16, 0.05)
    for wrong in ({"max_tokens": 4096}, {"schedule": "wsd", "warmup_ratio": 0.5}, {"learning_rte": 1}):
        with pytest.raises(ValueError):
            StageSettings.model_validate(wrong)
    with pytest.raises(ValueError, match="twice heads"):
        ScratchSettings(hidden=100, heads=3)


def test_a_partial_folder_is_never_the_folder(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("")
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        state.save_whole(tmp_path / "model", fail)
    assert not (tmp_path / "model").exists()
    state.save_whole(tmp_path / "model", lambda folder: None)
    assert (tmp_path / "model").is_dir()


def test_a_partial_file_is_never_the_file(tmp_path: Path) -> None:
    path = tmp_path / "result.json"

    def fail(file: Any) -> None:
        file.write(b"half")
        raise RuntimeError("killed")

    for before in ([], [b"old"]):
        for old in before:
            path.write_bytes(old)
        with pytest.raises(RuntimeError):
            state.save_file(path, fail)
        assert [path.read_bytes()] == before if before else not path.exists()
    # What a kill left is written over, and a full disk leaves what was there.
    state.save_file(path, lambda file: file.write(b"new"))
    assert path.read_bytes() == b"new" and [p.name for p in tmp_path.iterdir()] == ["result.json"]
    with pytest.raises(TrainError, match=r"result\.json: cannot be written; got No space left"):
        state.save_file(path, lambda file: Path("/dev/full").write_bytes(b"whole"))
    assert path.read_bytes() == b"new" and [p.name for p in tmp_path.iterdir()] == ["result.json"]


def test_adapters_learn_under_muon_too(rows: Rows, tmp_path: Path) -> None:
    # All of their weights are matrices, so that nothing is left for AdamW.
    lm = get_peft_model(model(), LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM"))
    settings = SETTINGS.model_copy(update={"method": "lora", "optimizer": "muon", "max_steps": 3})
    result = train(rows, tmp_path / "out", settings, lm, tokenizer(), Checkpoint(recipe="r", max_tokens=64))
    assert result.steps == 3 and 0 < result.trained < result.parameters


def test_memory_that_is_used_up_is_said_with_what_to_do(rows: Rows, tmp_path: Path) -> None:
    for error in (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), MemoryError()):
        fault = machine_fault(error)
        assert fault is not None and "batch_tokens" in str(fault)
