"""`taiyi plan`: what it says of steps is exact, and of memory near what training takes."""

from __future__ import annotations

import importlib.util
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from transformers import Qwen3Config

import tiny
from taiyi.cli.recipes import prepared
from taiyi.encoding import Row
from taiyi.errors import ModelError, TrainError
from taiyi.steps.place import Place, memory_of
from taiyi.steps.plan import StagePlan, plan
from taiyi.steps.work import Work
from taiyi.train import memory
from taiyi.train.batch import batch
from taiyi.train.devices import Device, device
from taiyi.train.memory import FOUR_BIT, Step, simulate
from taiyi.train.rows import hold
from taiyi.train.settings import LoraSettings, PreferenceSettings, RewardSettings, StageSettings
from taiyi.train.shapes import Shape, of_base

SIZE: dict[str, Any] = {
    "vocab_size": 300,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "intermediate_size": 128,
    "tie_word_embeddings": True,
}
GPU = Device("a40", 2**30, 100, 50)
CONFIG = SIZE | {"model_type": "qwen3", "dtype": "bfloat16"}
# Qwen3-8B.
EIGHT: dict[str, Any] = {
    "vocab_size": 151_936,
    "hidden_size": 4096,
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "intermediate_size": 12_288,
    "tie_word_embeddings": False,
}

# A base that is known by its configuration alone.
BASED = tiny.changed(base="nobody/model")
_STAGE: dict[str, Any] = {"precision": "bf16", "max_tokens": 512, "batch_tokens": 1024, "seed": 1}
FIRST = _STAGE | {"name": "stage1", "data": tiny.RECIPE["stages"][0]["data"]}
PREFERENCES = _STAGE | {"name": "prefer", "kind": "dpo", "replay": ["stage1"], "preference": {"max_new_tokens": 16}}
REWARDS = _STAGE | {"name": "reward", "kind": "grpo", "replay": ["stage1"], "reward": {"prompts": 8, "answers": 2}}


def shape(**size: Any) -> Shape:
    return of_base_config(Qwen3Config(**SIZE | size))


def of_base_config(config: Any) -> Shape:
    import torch

    return Shape(config, torch.bfloat16)


def rows(count: int = 8, length: int = 32) -> Any:
    learned = list(range(length // 2, length))
    made = (
        Row(f"c/train/{n}#t.1", [5] * length, list(range(length)), learned, [()] * len(learned)) for n in range(count)
    )
    return hold(made)


def step(of: Shape | None = None, count: int = 8, *, on_cpu: bool = True, **settings: Any) -> Step:
    of, held = of or shape(), rows(count)
    return simulate(
        lambda layers: of.make(settings.get("method", "full"), layers),
        of.num_layers,
        StageSettings(**settings),
        [batch(held, range(count))],
        lora=LoraSettings(r=4),
        on_cpu=on_cpu,
        accumulates=False,
    )


def planned(folder: Path, recipe: dict[str, Any], place: Place | None = None) -> list[StagePlan]:
    (folder / "config.json").write_text(json.dumps(CONFIG))
    run = prepared(tiny.write(folder, recipe), None, folder / "runs", 1)
    config = folder / "config.json" if recipe.get("base", "scratch") != "scratch" else None
    return plan(run, place or Place(device=GPU), config)


def test_weights_gradients_and_optimizer_are_what_they_are_by_definition() -> None:
    adam = step()
    assert adam.weights["float32"] >= 4 * adam.parameters
    assert adam.trained == adam.parameters
    assert adam.gradients == 4 * adam.trained
    assert adam.optimizer == pytest.approx(8 * adam.trained, rel=0.01)
    matrices = adam.parameters - 300 * 64 - 2 * (2 * 64 + 2 * 16) - 64
    muon = step(optimizer="muon")
    assert muon.optimizer == pytest.approx(4 * matrices + 8 * (muon.parameters - matrices), rel=0.01)
    assert adam.peak >= sum(adam.weights.values()) + adam.gradients + adam.optimizer


def test_adapters_learn_alone_in_32_bit_and_a_base_in_4_bit_takes_half_a_byte_and_its_constants() -> None:
    lora, qlora = step(method="lora"), step(method="qlora")
    each = 64 * (64 + 2 * 32) + 64 * 64 + 3 * 64 * 128
    assert lora.gradients == 4 * lora.trained == qlora.gradients
    assert lora.weights["bfloat16"] == 2 * (lora.parameters - lora.trained)
    assert qlora.weights[FOUR_BIT] == pytest.approx(2 * each * (1 / 2 + 1 / 64 + 4 / 64 / 256), abs=20)
    assert sum(qlora.weights.values()) < sum(lora.weights.values())


def test_activations_grow_with_tokens_and_shrink_with_checkpointing() -> None:
    few, many = step(count=8), step(count=32)
    assert 3 < many.passing / few.passing < 5
    assert step(count=32, gradient_checkpointing=True).passing < 0.7 * many.passing
    assert step(count=32, gradient_checkpointing=True).flops > 1.2 * many.flops
    # Six operations for each weight and token, the head's only where something is learned.
    weights = few.parameters - 300 * 64 / 2
    assert few.flops / few.tokens == pytest.approx(6 * weights, rel=0.02)


@pytest.mark.parametrize(
    ("settings", "on_cpu"),
    [({}, True), ({"method": "lora", "precision": "bf16"}, False), ({"gradient_checkpointing": True}, False)],
    ids=["full", "lora", "checkpointing"],
)
def test_a_deep_model_is_known_by_a_few_of_its_layers(
    settings: dict[str, Any], on_cpu: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = shape(num_hidden_layers=15)
    found = step(deep, on_cpu=on_cpu, **settings)
    monkeypatch.setattr(memory, "_FEW", (6, 99))
    whole = step(deep, on_cpu=on_cpu, **settings)
    assert found.parameters == whole.parameters and found.flops == whole.flops
    assert found.gradients == whole.gradients and found.weights == whole.weights
    assert found.peak == pytest.approx(whole.peak, rel=0.03)


def test_several_devices_share_or_repeat() -> None:
    found = step()
    one = memory_of(found, Place(device=GPU), False)
    ddp = memory_of(found, Place(device=GPU, count=4), False)
    fsdp = memory_of(found, Place(device=GPU, count=4, parallel="fsdp"), False)
    assert ddp.total - one.total == found.gradients
    assert fsdp.optimizer == pytest.approx(one.optimizer / 4, abs=1)
    assert memory_of(found, Place(device=GPU, count=4, parallel="fsdp"), True).total > fsdp.total


def test_steps_of_rewards_and_the_most_of_preferences() -> None:
    held = rows(20, 32)
    rewards = Work(
        held, StageSettings(kind="grpo", epochs=2, max_tokens=64, batch_tokens=256, reward=RewardSettings(prompts=8))
    )
    assert (rewards.steps, rewards.steps_per_epoch) == (6, [3, 3])
    pairs = Work(
        held,
        StageSettings(
            kind="dpo", max_tokens=64, batch_tokens=128, preference=PreferenceSettings(max_new_tokens=24, examples=7)
        ),
    )
    assert pairs.lengths.tolist() == [16 + 24] * 14
    assert pairs.steps == 7 and not pairs.known


def test_a_device_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(TrainError, match="a100"):
        device("a1000")


def test_a_base_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ModelError, match="is not there"):
        of_base("./nowhere")


def test_adapters_over_what_was_trained_whole_have_a_base_in_32_bit(tmp_path: Path) -> None:
    recipe = BASED | {"stages": [FIRST | {"method": "full"}, PREFERENCES | {"method": "lora"}]}
    first, second = planned(tmp_path, recipe)
    assert list(first.memory.weights) == list(second.memory.weights) == ["float32"]
    (alone,) = planned(tmp_path, BASED | {"name": "alone", "stages": [FIRST | {"method": "lora"}]})
    assert set(alone.memory.weights) == {"bfloat16", "float32"}


def test_a_base_in_4_bit_is_refused_where_weights_are_shared_out(tmp_path: Path) -> None:
    recipe = BASED | {"stages": [FIRST | {"method": "qlora"}]}
    (told,) = planned(tmp_path, recipe, Place(device=GPU, count=2, parallel="fsdp"))
    assert not told.fits and "4 bit" in told.refused and told.memory.total < GPU.memory
    assert [(remedy.change, remedy.fits) for remedy in told.remedies] == [("--parallel ddp", True)]
    (told,) = planned(tmp_path, recipe, Place(device=GPU, parallel="fsdp"))
    assert told.fits and not told.refused and not told.remedies


def test_what_does_not_fit_comes_with_what_was_tried(tmp_path: Path) -> None:
    (fits,) = planned(tmp_path, BASED | {"stages": [FIRST]})
    small = Device("a40", fits.memory.total * 0.995, 100, 50)
    (told,) = planned(tmp_path, BASED | {"stages": [FIRST]}, Place(device=small))
    assert not told.fits and told.memory == fits.memory
    changes = [remedy.change for remedy in told.remedies]
    less = "gradient_checkpointing: true, batch_tokens: 512"
    assert changes[:3] == ["gradient_checkpointing: true", "batch_tokens: 512", less]
    assert changes[3:5] == [f"method: lora, {less}", f"method: qlora, {less}"]
    assert changes[5].startswith("--devices 2 --parallel fsdp") and told.remedies[5].fits
    assert all(remedy.fits == (remedy.memory <= small.memory) for remedy in told.remedies)
    again = FIRST | {"gradient_checkpointing": True, "batch_tokens": 512}
    (least,) = planned(tmp_path, BASED | {"stages": [again]})
    assert told.remedies[2].memory == least.memory.total


@pytest.mark.whole
@pytest.mark.slow
def test_the_command_prints_every_kind_of_stage_and_fails_where_one_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    path = tiny.write(tmp_path, BASED | {"stages": [FIRST, PREFERENCES, REWARDS]})
    command = ["plan", path, "--runs", tmp_path, "--base-config", tmp_path / "config.json", "--device", "a40"]
    done = tiny.taiyi(*command, timeout=280)
    assert done.returncode == 0, done.stderr
    assert "≤" in done.stdout and "fits" in done.stdout and "Traceback" not in done.stderr
    (tmp_path / "config.json").write_text(json.dumps(CONFIG | EIGHT))
    tiny.write(tmp_path, BASED | {"stages": [FIRST]})
    done = tiny.taiyi(*command, "--json", timeout=280)
    (stage,) = json.loads(done.stdout)["stages"]
    assert done.returncode == 1 and "cannot be trained there" in done.stderr
    assert stage["parameters"] == 8_190_735_360 and stage["memory"]["total"] > 16 * stage["parameters"]
    assert not stage["exact"] and "rough" in stage["notes"][0]
    assert any(remedy["fits"] for remedy in stage["remedies"])


@pytest.mark.slow
def test_steps_and_tokens_are_those_of_training(tmp_path: Path) -> None:
    first, second = (dict(stage, max_steps=None) for stage in tiny.RECIPE["stages"])
    first |= {"epochs": 2, "accumulation": 2}
    # Longer than an epoch of its rows, and so also of those that it replays.
    second = {name: value for name, value in second.items() if name != "epochs"} | {"total_tokens": 9000}
    recipe = tiny.RECIPE | {"stages": [first, second], "seed": 5}
    (tmp_path / "runs").mkdir()
    path = tiny.write(tmp_path, recipe)
    told = planned(tmp_path, recipe)
    done = tiny.taiyi("train", path, "--runs", tmp_path / "runs", timeout=280)
    assert done.returncode == 0, done.stderr
    assert told[1].tokens < 9000 <= told[1].seen and len(told[1].steps_per_epoch) > 1
    for stage in told:
        (result,) = (tmp_path / "runs" / "tiny").glob(f"train-{stage.name}-*/result.json")
        real = json.loads(result.read_text())
        assert (stage.steps, stage.seen) == (real["steps"], real["tokens"])
        assert (stage.parameters, stage.trained) == (real["parameters"], real["trained"])
        assert stage.exact and stage.rows == sum(part.rows for part in stage.corpora)
        assert sum(stage.steps_per_epoch) == stage.steps


@cache
def benchmark() -> Any:
    path = Path(__file__).parent.parent / "benchmarks" / "plan.py"
    spec = importlib.util.spec_from_file_location("benchmark_plan", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["benchmark_plan"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.whole
@pytest.mark.slow
def test_memory_is_within_a_quarter_of_what_training_takes() -> None:
    (found,) = benchmark().compared("wordy, fp32, short rows", Device("cpu", 2**40, 1, 1))
    assert found["planned"]["steps"] == found["measured"]["steps"]
    assert found["planned"]["tokens"] == found["measured"]["tokens"]
    assert found["planned"]["memory"] == pytest.approx(found["measured"]["memory"], rel=0.25)
