"""Several processes train as one does, whatever starts them, are killed and go on, and may become more or fewer.

Real processes, on CPUs with gloo: `torchrun`, two agents of it on two addresses of this machine, `accelerate launch`.
What several processes add up in another order differs in rounding; what the same number of them does again is the same
to the bit.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import load_file
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer

import tiny
import world_driver as driver
from taiyi.errors import TrainError
from taiyi.train import rows as store
from taiyi.train.order import planned
from taiyi.train.settings import StageSettings
from taiyi.train.world import World, spread
from whole import WHOLE

# The processes of all tests are started by the first one.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

FULL: dict[str, Any] = {}
SAVED = {"save_every_steps": 2}
LORA: dict[str, Any] = {"method": "lora", "lora": {"r": 4, "alpha": 8, "dropout": 0.2}}
DORA: dict[str, Any] = {"method": "lora", "lora": {"r": 4, "alpha": 8, "dropout": 0.2, "variant": "dora"}}
MUON: dict[str, Any] = {"optimizer": "muon"}
DPO: dict[str, Any] = {"kind": "dpo"}
GRPO: dict[str, Any] = {"kind": "grpo", "reward": {"prompts": 3, "answers": 4}}
# Micro-batches of a few answers: one process has several, and another none.
UNEVEN = GRPO | {"batch_tokens": 64}
CHECKPOINTED: dict[str, Any] = {"gradient_checkpointing": True}
SETTINGS = {"full": FULL, "lora": LORA, "dora": DORA, "muon": MUON, "dpo": DPO, "grpo": GRPO, "uneven": UNEVEN} | {
    "dev": CHECKPOINTED
}

# What one process begins and two go on with, by where the weights of the two lie.
BEGUN = (
    {"ddp": ("full", "lora", "muon"), "fsdp": ("full", "lora", "muon")}
    if WHOLE
    else {"ddp": ["lora"], "fsdp": ["muon"]}
)

# What sums in another order may change: the relative difference of a loss, and the absolute one of a weight. Measured:
# 4e-7 and 3e-6. Muon makes matrices orthogonal in bf16, where the last bit is a larger one: 9e-5 and 7e-4.
ROUNDING = (5e-6, 3e-5)
ROUNDING_OF_MUON = (1e-3, 5e-3)

Training = dict[str, Any]


def torchrun(*options: object) -> list[str]:
    return [sys.executable, "-m", "torch.distributed.run", "--master-port", str(free_port()), *map(str, options)]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def start(command: Sequence[str], trainings: Sequence[Training], folder: Path, **extra: str) -> subprocess.Popen[str]:
    jobs = folder / f"jobs-{len(list(folder.iterdir()))}.json"
    jobs.write_text(json.dumps([{"parallel": "ddp"} | t | {"out": str(t["out"])} for t in trainings]))
    return subprocess.Popen(
        [*command, str(Path(driver.__file__)), str(jobs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=tiny.environment() | extra,
    )


def finish(*started: subprocess.Popen[str]) -> None:
    try:
        told = [one.communicate(timeout=240)[0] for one in started]
    finally:
        for one in started:
            one.kill()
    assert [one.returncode for one in started] == [0] * len(started), "\n".join(told)[-4000:]


class Trained:
    """What a training left."""

    def __init__(self, out: Path) -> None:
        told = json.loads((out / "result.json").read_text())
        self.losses: list[float] = told["losses"]
        self.kept, self.processes, self.steps = told["kept"], told["processes"], told["steps"]
        (file,) = (out / "model").glob("*.safetensors")
        self.weights = load_file(file)

    def same(self, other: Trained) -> bool:
        return (
            self.losses == other.losses
            and self.weights.keys() == other.weights.keys()
            and all(torch.equal(weight, other.weights[name]) for name, weight in self.weights.items())
        )

    def near(self, other: Trained, within: tuple[float, float] = ROUNDING) -> None:
        """Assert that the difference is one of rounding."""
        assert self.losses == pytest.approx(other.losses, rel=within[0], abs=1e-7)
        assert self.weights.keys() == other.weights.keys()
        differences = {n: float((w - other.weights[n]).abs().max()) for n, w in self.weights.items()}
        assert max(differences.values()) <= within[1], differences


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("world")
    driver.write(found)
    return found


@pytest.fixture(scope="module")
def alone(folder: Path) -> dict[str, Trained]:
    """Every kind of training by one process."""
    for name, settings in SETTINGS.items():
        driver.carry_out(folder / f"1-{name}", settings, dev=name == "dev")
    return {name: Trained(folder / f"1-{name}") for name in SETTINGS}


@pytest.fixture(scope="module")
def stopped(folder: Path) -> dict[str, Path]:
    """Trainings that one process left in the middle."""
    found = {name: folder / f"1-{name}-stopped" for name in ("full", "lora", "muon")}
    for name, out in found.items():
        assert driver.carry_out(out, SETTINGS[name] | SAVED, stop=5) is None
    return found


@pytest.fixture(scope="module")
def killed(folder: Path) -> dict[str, Path]:
    """Trainings whose processes, and what started them, were killed after some step."""
    found: dict[str, Path] = {}
    for number, parallel, name in ((2, "ddp", "lora"), (2, "fsdp", "full"), (3, "ddp", "full"))[: 3 if WHOLE else 2]:
        out = found[f"{number}-{parallel}"] = folder / f"{number}-{parallel}-killed"
        settings = SETTINGS[name] | SAVED
        training = {"out": out, "settings": settings, "parallel": parallel, "kill": random.randrange(3, 8)}
        started = start(torchrun("--nproc-per-node", number), [training], folder)
        said, _ = started.communicate(timeout=240)
        assert started.returncode == -signal.SIGKILL, said
        assert (out / "checkpoints").is_dir() and not (out / "result.json").exists()
    return found


@pytest.fixture(scope="module")
def two(folder: Path, killed: dict[str, Path], stopped: dict[str, Path]) -> dict[str, Trained]:
    """Every kind of training by two processes, in both ways that weights may lie; and those that others began."""
    trainings: dict[str, Training] = {}
    for parallel in ("ddp", "fsdp"):
        for name, settings in SETTINGS.items():
            trainings[f"{parallel}-{name}"] = {"settings": settings, "parallel": parallel, "dev": name == "dev"}
        for name in BEGUN[parallel]:
            trainings[f"{parallel}-of-one-{name}"] = {"settings": SETTINGS[name], "parallel": parallel}
            shutil.copytree(stopped[name], folder / f"2-{parallel}-of-one-{name}")
        for begun, name in (("2-ddp", "lora"), ("2-fsdp", "full")):
            if not WHOLE and begun != f"2-{parallel}":
                continue
            trainings[f"{parallel}-of-{begun}"] = {"settings": SETTINGS[name], "parallel": parallel}
            shutil.copytree(killed[begun], folder / f"2-{parallel}-of-{begun}")
    trainings["poisoned"] = {"settings": FULL, "poison": 17, "tie": False}
    listed = [{"out": folder / f"2-{name}"} | training for name, training in trainings.items()]
    finish(start(torchrun("--nproc-per-node", 2), listed, folder))
    return {name: Trained(folder / f"2-{name}") for name in trainings if name != "poisoned"}


@pytest.fixture(scope="module")
def three(folder: Path, killed: dict[str, Path]) -> dict[str, Trained]:
    shutil.copytree(killed["3-ddp"], folder / "3-of-3-ddp")
    shutil.copytree(killed["2-ddp"], folder / "3-of-2-ddp")
    settings = {"full": FULL, "lora": LORA, "grpo": GRPO, "of-3-ddp": FULL, "of-2-ddp": LORA}
    listed = [{"out": folder / f"3-{name}", "settings": found} for name, found in settings.items()]
    finish(start(torchrun("--nproc-per-node", 3), listed, folder))
    return {name: Trained(folder / f"3-{name}") for name in settings}


def rounding(name: str) -> tuple[float, float]:
    return ROUNDING_OF_MUON if name == "muon" else ROUNDING


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
@pytest.mark.parametrize("name", SETTINGS)
def test_two_processes_train_as_one_does(
    name: str, parallel: str, alone: dict[str, Trained], two: dict[str, Trained]
) -> None:
    found = two[f"{parallel}-{name}"]
    assert found.processes == 2 and found.steps >= 8
    assert found.kept == alone[name].kept
    found.near(alone[name], rounding(name))


@pytest.mark.whole
@pytest.mark.parametrize("name", ["full", "lora", "grpo"])
def test_three_processes_train_as_one_does(name: str, alone: dict[str, Trained], three: dict[str, Trained]) -> None:
    assert three[name].processes == 3
    three[name].near(alone[name])


def test_steps_are_not_multiples_of_the_processes(folder: Path, alone: dict[str, Trained]) -> None:
    # What the tests above rest on: steps of an odd number of micro-batches, and tokens that dropout does change.
    settings = StageSettings.model_validate(driver.SETTINGS)
    steps = planned(store.read(folder / "rows").lengths, settings)
    assert {len(step.bins) % 2 for step in steps} == {0, 1}
    assert any(len(step.bins) % 3 for step in steps)
    undropped = folder / "1-undropped"
    driver.carry_out(undropped, LORA | {"lora": LORA["lora"] | {"dropout": 0.0}})
    assert Trained(undropped).losses[1:] != pytest.approx(alone["lora"].losses[1:], rel=1e-4)


@pytest.mark.parametrize(("begun", "name"), [("ddp-of-2-ddp", "ddp-lora"), ("fsdp-of-2-fsdp", "fsdp-full")])
def test_two_killed_processes_go_on_bit_for_bit(begun: str, name: str, two: dict[str, Trained]) -> None:
    assert two[begun].same(two[name])


@pytest.mark.whole
def test_three_killed_processes_go_on_bit_for_bit(three: dict[str, Trained]) -> None:
    assert three["of-3-ddp"].same(three["full"])


def test_a_training_goes_on_with_more_processes(alone: dict[str, Trained], two: dict[str, Trained]) -> None:
    for parallel in ("ddp", "fsdp"):
        for name in BEGUN[parallel]:
            found = two[f"{parallel}-of-one-{name}"]
            assert found.losses[:4] == alone[name].losses[:4] and not found.same(alone[name])
            found.near(alone[name], rounding(name))


@pytest.mark.whole
def test_a_training_goes_on_with_other_processes(
    alone: dict[str, Trained], two: dict[str, Trained], three: dict[str, Trained]
) -> None:
    two["ddp-of-2-fsdp"].near(alone["full"])
    two["fsdp-of-2-ddp"].near(alone["lora"])
    three["of-2-ddp"].near(alone["lora"])


@pytest.mark.parametrize(
    ("begun", "name"),
    [("2-ddp", "lora"), ("2-fsdp", "full"), pytest.param("3-ddp", "full", marks=pytest.mark.whole)],
)
def test_a_training_goes_on_with_one_process(
    begun: str, name: str, folder: Path, killed: dict[str, Path], alone: dict[str, Trained]
) -> None:
    out = folder / f"1-of-{begun}"
    shutil.copytree(killed[begun], out)
    driver.carry_out(out, SETTINGS[name])
    found = Trained(out)
    assert found.processes == 1
    found.near(alone[name])


def test_evaluation_changes_nothing(alone: dict[str, Trained], two: dict[str, Trained], folder: Path) -> None:
    # The best model is that of step 6, which the training without evaluation went through too.
    for found, plain in (
        (alone["dev"], alone["full"]),
        *((two[f"{p}-dev"], two[f"{p}-full"]) for p in ("ddp", "fsdp")),
    ):
        assert found.losses == plain.losses
        assert found.kept == 6 < found.steps
    for parallel in ("ddp", "fsdp"):
        out = folder / f"2-{parallel}-dev"
        last, best = (load_file(out / "candidates" / f"step-0000000{n}" / "model.safetensors") for n in (8, 6))
        assert all(torch.equal(weight, last[name]) for name, weight in two[f"{parallel}-full"].weights.items())
        assert all(torch.equal(weight, best[name]) for name, weight in two[f"{parallel}-dev"].weights.items())
        # The first process asks what the only one does; the second asks something else, and more.
        assert (out / "answered-0").read_text() == (folder / "1-dev" / "answered-0").read_text()
        assert (out / "answered-1").read_text() != (out / "answered-0").read_text()


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_what_processes_wrote_is_a_model(parallel: str, two: dict[str, Trained], folder: Path) -> None:
    written = folder / f"2-{parallel}-full" / "model"
    loaded, info = AutoModelForCausalLM.from_pretrained(written, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    assert loaded.lm_head.weight is loaded.model.embed_tokens.weight
    assert AutoTokenizer.from_pretrained(written).get_vocab() == driver.tokenizer().get_vocab()
    for name in ("lora", "dora"):
        base = driver.model(StageSettings())
        adapted = PeftModel.from_pretrained(base, folder / f"2-{parallel}-{name}" / "model")
        held = get_peft_model_state_dict(adapted)
        weights = two[f"{parallel}-{name}"].weights
        assert weights.keys() == held.keys()
        assert all(torch.equal(weight, held[n]) for n, weight in weights.items())


def test_every_process_names_what_is_not_a_number(two: dict[str, Trained], folder: Path) -> None:
    said = [(folder / "2-poisoned" / f"error-{rank}").read_text() for rank in range(2)]
    assert said[0] == said[1]
    assert "the loss is not a number at step 1" in said[0]


@pytest.mark.whole
@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_two_hosts_train_as_one_process_does(parallel: str, folder: Path, alone: dict[str, Trained]) -> None:
    out = folder / f"hosts-{parallel}"
    rendezvous = ("--nnodes", 2, "--rdzv-backend", "c10d", "--rdzv-endpoint", f"127.0.0.1:{free_port()}")
    hosts = [
        start(
            torchrun(*rendezvous, "--nproc-per-node", 1, "--node-rank", rank, "--local-addr", f"127.0.0.{rank + 1}"),
            [{"out": out, "settings": LORA, "parallel": parallel}],
            folder,
        )
        for rank in range(2)
    ]
    finish(*hosts)
    assert Trained(out).processes == 2
    Trained(out).near(alone["lora"])


@pytest.mark.whole
def test_accelerate_launches_it(folder: Path, alone: dict[str, Trained]) -> None:
    out = folder / "accelerate"
    # As on a machine with two devices; with `--cpu` it would start one process, or leave that to mpirun.
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    options = ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
    port = ["--main_process_port", str(free_port())]
    finish(start([*command, *options, *port], [{"out": out, "settings": FULL}], folder))
    assert Trained(out).processes == 2
    Trained(out).near(alone["full"])


def test_weights_in_four_bit_are_not_sharded() -> None:
    class Params4bit(nn.Parameter):
        pass

    module = nn.Module()
    module.register_parameter("weight", Params4bit(torch.zeros(2)))
    processes = World.__new__(World)
    processes.rank, processes.size, processes.device = 0, 2, torch.device("cpu")
    with pytest.raises(TrainError, match="4 bit are not sharded"):
        spread(module, [], processes, "fsdp")


def stages(run: Path) -> list[Trained]:
    """What the stages of a run left, in their order."""
    return [Trained(next(run.glob(f"train-{name}-*"))) for name in ("stage1", "stage2")]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(tmp_path_factory.mktemp("recipe"))


@pytest.fixture(scope="module")
def whole(recipe: Path) -> list[Trained]:
    """The stages of the tiny recipe, trained by one process."""
    done = tiny.taiyi("train", recipe, "--runs", recipe.parent / "alone", timeout=240)
    assert done.returncode == 0, done.stderr
    return stages(recipe.parent / "alone" / "tiny")


@pytest.mark.whole
def test_the_command_line_under_torchrun(recipe: Path, whole: list[Trained]) -> None:
    runs = recipe.parent / "fsdp"
    command = [*torchrun("--nproc-per-node", 2, "-m"), "taiyi", "train", str(recipe), "--runs", str(runs)]
    for _ in range(2):  # the second time everything is done
        done = subprocess.run(
            [*command, "--parallel", "fsdp"],
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
            env=tiny.environment(),
        )
        assert done.returncode == 0, done.stderr
        # One of the processes speaks.
        assert done.stdout.count("Model: ") == 1
    for found, alone in zip(stages(runs / "tiny"), whole, strict=True):
        assert found.processes == 2
        assert found.losses == pytest.approx(alone.losses, rel=ROUNDING_OF_MUON[0])


SRUN = """#!/bin/bash
# What Slurm would start on two nodes is started here twice.
while [[ $1 == --* ]]; do shift; done
for node in 0 1; do SLURM_PROCID=$node "$@" & done
failed=0
for node in 0 1; do wait -n || failed=1; done
exit $failed
"""


@pytest.mark.whole
def test_the_slurm_script_on_two_nodes_that_are_this_machine(
    recipe: Path, whole: list[Trained], tmp_path: Path
) -> None:
    bin = tmp_path / "bin"
    bin.mkdir()
    for name, text in (("srun", SRUN), ("scontrol", "#!/bin/bash\necho 127.0.0.1\necho 127.0.0.2\n")):
        (bin / name).write_text(text)
        (bin / name).chmod(0o755)
    (bin / "torchrun").write_text(f'#!/bin/bash\nexec {sys.executable} -m torch.distributed.run "$@"\n')
    (bin / "torchrun").chmod(0o755)
    job = {"SLURM_JOB_NODELIST": "two", "SLURM_NNODES": "2", "SLURM_GPUS_ON_NODE": "1", "SLURM_JOB_ID": "4711"}
    environment = tiny.environment() | job
    script = Path(__file__).parent.parent / "examples" / "slurm.sh"
    done = subprocess.run(
        ["bash", str(script), str(recipe), "--runs", str(tmp_path / "runs")],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env=environment | {"PATH": f"{bin}:{environment['PATH']}"},
    )
    assert done.returncode == 0, done.stderr
    for found, alone in zip(stages(tmp_path / "runs" / "tiny"), whole, strict=True):
        assert found.processes == 2
        assert found.losses == pytest.approx(alone.losses, rel=ROUNDING_OF_MUON[0])


@pytest.mark.whole
@pytest.mark.skipif(not all(map(find_spec, ("ray", "pandas", "tensorboardX"))), reason="needs ray[train]")
def test_the_ray_script_with_two_workers(recipe: Path, whole: list[Trained], tmp_path: Path) -> None:
    script = Path(__file__).parent.parent / "examples" / "ray_train.py"
    done = subprocess.run(
        [sys.executable, str(script), str(recipe), "--workers", "2", "--runs", str(tmp_path / "runs")],
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
        env=tiny.environment() | {"RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0"},
    )
    assert done.returncode == 0, done.stderr
    for found, alone in zip(stages(tmp_path / "runs" / "tiny"), whole, strict=True):
        assert found.processes == 2
        assert found.losses == pytest.approx(alone.losses, rel=ROUNDING_OF_MUON[0])


def test_tasks_of_slurm_that_know_nothing_of_one_another_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_PROCID", "1")
    with pytest.raises(TrainError, match="nothing tells it so"):
        World()


def test_tasks_of_slurm_are_refused_before_they_write_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them would make the data in the same folder."""
    monkeypatch.setenv("SLURM_PROCID", "1")
    for command in ("train", "run"):
        done = tiny.forked(command, tiny.write(tmp_path), "--runs", tmp_path / "runs")
        assert done.returncode == 1 and "nothing tells it so" in done.stderr
    assert not (tmp_path / "runs").exists()
