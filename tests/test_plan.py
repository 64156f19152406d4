"""`taiyi plan`: what it says of steps is exact, and of memory near what training takes."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console
from transformers import MistralConfig, Qwen3Config, Qwen3MoeConfig

import tiny
from taiyi.cli.plan import _print_memory
from taiyi.cli.recipes import prepared
from taiyi.encoding import Row
from taiyi.errors import ModelError, TrainError
from taiyi.recipe_stages import Stage
from taiyi.steps.place import Place, memory_of
from taiyi.steps.plan import StagePlan, _lora, plan
from taiyi.steps.work import Work
from taiyi.train import memory
from taiyi.train.batch import batch
from taiyi.train.devices import Device, device
from taiyi.train.memory import FLOOR_CUDA, FOUR_BIT, LIBRARIES_CPU, Step, simulate
from taiyi.train.order import pack
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
    return hold(_rows(count, length))


def _rows(count: int, length: int, name: str = "") -> Iterator[Row]:
    learned = list(range(length // 2, length))
    for n in range(count):
        yield Row(f"c/train/{name}{n}#t.1", [5] * length, list(range(length)), learned, [()] * len(learned))


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


def planned(
    folder: Path, recipe: dict[str, Any], place: Place | None = None, config: dict[str, Any] | None = None
) -> list[StagePlan]:
    (folder / "config.json").write_text(json.dumps(CONFIG | (config or {})))
    run = prepared(tiny.write(folder, recipe), None, folder / "runs", 1)
    base = folder / "config.json" if recipe.get("base", "scratch") != "scratch" else None
    return plan(run, place or Place(device=GPU), base)


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


def test_micro_batches_of_rewards_are_at_most_those_of_any_packing() -> None:
    reward = {"prompts": 4, "answers": 8, "max_new_tokens": 300}
    settings = StageSettings(kind="grpo", max_tokens=700, batch_tokens=1400, reward=RewardSettings(**reward))
    work = Work(rows(10, 600), settings)
    assert set(work.lengths.tolist()) == {600}
    for size in (1, 3):
        place = Place(device=GPU, count=size)
        dealt = [[8 * len(range(rank, prompts, size)) for rank in range(size)] for prompts in (4, 4, 2)]
        most = [[len(pack([600] * of, 1400, 1400, seed=0, epoch=0)) for of in each] for each in dealt]
        assert work.micro_batches(place) == sum(map(sum, most))
        assert work.rounds(place) == sum(map(max, most))
    assert work.seen == 10 * 8 * 600
    # Of part of an epoch the longest examples may be asked.
    mixed = hold([*_rows(4, 600, "long"), *_rows(6, 100, "short")])
    short = Work(mixed, settings.model_copy(update={"max_steps": 1}))
    assert short.seen == 4 * 8 * 600


def test_hours_follow_the_type_that_products_are_computed_in() -> None:
    """Over weights in 16 bit that is 16 bit, whatever `precision` says, but for the adapters' own."""
    place = Place(device=GPU, share=1.0)
    full, lora, qlora = step(), step(method="lora"), step(method="qlora")
    assert full.flops_in_32 == full.flops and step(precision="bf16").flops_in_32 == 0
    assert step(method="lora", precision="bf16").flops_in_32 == 0
    of_adapters = 6 * lora.trained * lora.tokens
    for found in (lora, qlora):
        assert found.flops_in_32 == pytest.approx(of_adapters, rel=0.05)
    slow = Device("slow in 32 bit", 2**40, 100, 1)
    work = Work(rows(), StageSettings(method="lora"))
    in_16 = lora.flops - lora.flops_in_32
    least = (in_16 / 100e12 + lora.flops_in_32 / 1e12) / lora.tokens
    speed = work.tokens_per_second(lora, shape(), Place(device=slow, share=1.0))
    assert 0.5 / least < speed < 1 / least
    # A base in 32 bit is computed in 32.
    import torch

    assert step(Shape(Qwen3Config(**SIZE), torch.float32), method="lora").flops_in_32 == lora.flops
    assert Work(rows(), StageSettings()).tokens_per_second(full, shape(), place) < 50e12 / (full.flops / full.tokens)


def test_whole_weights_while_a_shared_model_is_loaded_or_answers_may_decide() -> None:
    found = step(on_cpu=False)
    weights, many = sum(found.weights.values()), Place(device=GPU, count=64, parallel="fsdp")
    told = memory_of(msgspec.structs.replace(found, outside=0, layer=0, learning_layer=0, passing=0), many, False)
    assert told.total == told.loading == weights + FLOOR_CUDA > told.training and not told.answering
    told = memory_of(found, many, False, answers=True)
    assert told.answering > told.loading + sum(told.weights.values())
    assert not memory_of(found, Place(device=GPU, count=64), False, answers=True).answering


def test_the_table_says_which_phase_decides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (stage,) = planned(tmp_path, BASED | {"stages": [FIRST]})
    for decided in (False, True):
        memory = msgspec.structs.replace(stage.memory, loading=stage.memory.training * 2 * decided)
        told = msgspec.structs.replace(stage, memory=memory)
        _print_memory(Console(width=200), [told], Place(device=GPU))
        assert ("while it is loaded" in capsys.readouterr().out) == decided


def test_memory_of_a_cpu_counts_python_and_what_it_imports() -> None:
    here = memory_of(step(), Place(device=Device("cpu", 2**40, 1, 1)), False)
    assert here.libraries == LIBRARIES_CPU and here.total == here.training
    assert here.total - here.libraries == pytest.approx(step().peak + here.framework + here.kept, abs=1)
    assert not memory_of(step(), Place(device=GPU), False).libraries
    code = "import taiyi.steps.training, taiyi.train.loop, taiyi.train.model; print(open('/proc/self/status').read())"
    status = tiny.python("-c", code).stdout
    (kib,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    assert int(kib) * 1024 == pytest.approx(LIBRARIES_CPU, rel=0.25)


def test_a_base_that_is_an_adapter_gives_its_size_unless_it_is_merged() -> None:
    own = Shape(Qwen3Config(**SIZE), lora=LoraSettings(r=4, alpha=8, dropout=0.1))

    def trained(*stages: dict[str, Any]) -> LoraSettings:
        made = [Stage.model_validate({"name": f"s{n}", "method": "lora", **of}) for n, of in enumerate(stages)]
        return _lora(made, len(made) - 1, own)

    assert trained({}) == trained({}, {}) == own.lora
    assert trained({"lora": {"dropout": 0.2}}).model_dump() == LoraSettings(r=4, alpha=8, dropout=0.2).model_dump()
    assert trained({"adapter": "merge"}).r == trained({"adapter": "merge"}, {}).r == LoraSettings().r
    assert trained({}, {"adapter": "merge", "lora": {"r": 16}}).r == 16
    assert trained({"lora": {"r": 4}}, {"adapter": "merge"}).r == LoraSettings().r


def test_rows_longer_than_a_window_or_a_context_are_refused(tmp_path: Path) -> None:
    windowed = of_base_config(MistralConfig(**SIZE, sliding_window=16))
    assert windowed.too_long(16) == "" and "attention window" in windowed.too_long(17)
    assert step(windowed).peak == step(of_base_config(MistralConfig(**SIZE, sliding_window=None))).peak
    preferences = FIRST | {"kind": "dpo", "preference": {"max_new_tokens": 16}}
    for stage, refused in ((FIRST, True), (preferences, False)):
        (told,) = planned(
            tmp_path, BASED | {"stages": [stage | {"name": "one"}]}, config={"max_position_embeddings": 32}
        )
        assert told.fits == (not refused)
        assert ("longer than the model's context" in told.refused) == refused
        assert any("longer than the model's context" in note for note in told.notes) != refused
        assert not told.remedies


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_mixture_of_experts_is_refused_with_the_reason(method: str) -> None:
    experts = Qwen3MoeConfig(**SIZE, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32)
    with pytest.raises(ModelError, match="mixture of experts cannot be planned"):
        step(of_base_config(experts), method=method)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("A40", "a40"),
        ("RTX 4090", "4090"),
        ("NVIDIA GeForce RTX 4090", "4090"),
        ("A100-80GB", "a100"),
        ("a100 80 GB", "a100"),
        ("A100 40GB", "a100-40gb"),
        ("h100-80gb", "h100"),
    ],
)
def test_devices_are_known_by_several_names(name: str, found: str) -> None:
    assert device(name).name == found


@pytest.mark.parametrize("name", ["a1000", "a6000", "h100-40gb", "a100-40gb-80gb", ""])
def test_a_device_that_nobody_knows_is_an_error_with_those_that_there_are(name: str) -> None:
    with pytest.raises(TrainError, match=r"a40, a100, .*4090.*--memory"):
        device(name)


def test_a_device_of_ones_own() -> None:
    assert device("A6000", 48, 155) == Device("a6000", 48e9, 155, 155 / 16)
    assert device("4090", memory=48) == Device("4090", 48e9, 165.2, 82.6)
    for given in (("a6000", 48, None), ("a6000", None, 155), ("cpu", None, 1)):
        with pytest.raises(TrainError, match="--"):
            device(*given)
    for wrong in (0, -1, float("nan"), float("inf")):
        with pytest.raises(TrainError, match="--memory"):
            device("a6000", wrong, 1)
        with pytest.raises(TrainError, match="--tflops"):
            device("a6000", 1, wrong)


def test_a_base_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ModelError, match="is not there"):
        of_base("./nowhere")


def test_the_plan_names_the_way_out_where_the_base_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    run = prepared(tiny.write(tmp_path, BASED | {"stages": [FIRST]}), None, tmp_path, 1)
    with pytest.raises(ModelError, match=r"cannot be loaded.*--base-config"):
        plan(run, Place(device=GPU))


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
    done = tiny.forked("train", path, "--runs", tmp_path / "runs", timeout=280)
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
    (found,) = benchmark().compared("tall base, fp32, lora", Device("cpu", 2**40, 1, 1), steps=60)
    assert found["planned"]["steps"] == found["measured"]["steps"]
    assert found["planned"]["tokens"] == found["measured"]["tokens"]
    assert found["planned"]["memory"] == pytest.approx(found["measured"]["memory"], rel=0.25)
