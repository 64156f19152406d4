"""What `taiyi plan` says beside what training takes: steps, memory and speed of real runs on this machine's CPU.

Run: python benchmarks/plan.py [--case NAME]... [--runs N] [--steps N] [--held] [--json FILE]

Each case trains some steps on generated rows, several times with other orders of the rows, each in a process of its own
with the package's own loop. Measured is the peak of resident memory less what the process had before the model was
made. The rows are as long as those of a mixture of classification, questions and extraction are, and a third of them
learn among choices.

glibc gives freed memory of a few MiB back to the system at first, and later keeps it in pieces that other shapes do
not fit (mallopt(3), M_MMAP_THRESHOLD). What it keeps is planned by rule of thumb. `--held` holds the threshold where it
begins, at 128 KiB, which makes training slow: then nothing is kept, and what is measured is the tensors themselves.

The cases named `floor` have models of a few thousand weights: what they take is what a process takes beside its
tensors, and `FLOOR_CPU` of `taiyi.train.memory` is taken from them alone. Tensors of all others are there to check the
plan; what the allocator keeps was fitted to all but the last two, which are there to check that.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MIB = 1 << 20
SETTINGS: dict[str, Any] = {"max_tokens": 1024, "batch_tokens": 2048, "epochs": 20, "learning_rate": 1e-4}
SHORT: dict[str, Any] = {"max_tokens": 64, "batch_tokens": 64}


@dataclass(frozen=True)
class Size:
    """The shape of a model."""

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head: int
    feed_forward: int


FLOOR = Size(vocabulary=320, hidden=16, layers=2, heads=1, kv_heads=1, head=16, feed_forward=32)
DEEP = Size(vocabulary=8_000, hidden=256, layers=10, heads=4, kv_heads=4, head=64, feed_forward=640)
WIDE = Size(vocabulary=20_000, hidden=640, layers=3, heads=10, kv_heads=2, head=64, feed_forward=1792)
TALL = Size(vocabulary=12_000, hidden=448, layers=7, heads=7, kv_heads=1, head=64, feed_forward=1344)
WORDY = Size(vocabulary=48_000, hidden=256, layers=2, heads=4, kv_heads=1, head=64, feed_forward=768)


@dataclass(frozen=True)
class Case:
    """A run: the shape of its model, how it is trained, and whether it begins from a base."""

    size: Size
    settings: dict[str, Any]
    from_base: bool = False


_CHECKPOINTING = {"gradient_checkpointing": True}
CASES: dict[str, Case] = {
    "floor, fp32": Case(FLOOR, SHORT),
    "floor, bf16": Case(FLOOR, SHORT | {"precision": "bf16"}),
    "floor, muon": Case(FLOOR, SHORT | {"optimizer": "muon"}),
    "deep, fp32": Case(DEEP, {}),
    "deep, bf16, checkpointing": Case(DEEP, _CHECKPOINTING | {"precision": "bf16"}),
    "wide, bf16": Case(WIDE, {"precision": "bf16"}),
    "wide, muon, accumulation": Case(WIDE, {"optimizer": "muon", "accumulation": 2}),
    "wide base, lora": Case(WIDE, {"method": "lora", "precision": "bf16"}, from_base=True),
    "deep base, qlora, checkpointing": Case(
        DEEP, _CHECKPOINTING | {"method": "qlora", "precision": "bf16"}, from_base=True
    ),
    "wordy, fp32, short rows": Case(WORDY, {"max_tokens": 256, "batch_tokens": 1024}),
    "tall, bf16": Case(TALL, {"precision": "bf16", "batch_tokens": 3072}),
    "tall base, fp32, lora": Case(TALL, {"method": "lora"}, from_base=True),
}


def made(vocabulary: int, max_tokens: int, count: int = 400) -> Iterator[Any]:
    """Yield rows of random tokens: short questions, and documents whose answers copy them."""
    from taiyi.encoding import Row

    chance = random.Random(1)
    for number in range(count):
        length = min(max_tokens, max(8, round(chance.lognormvariate(4.2, 1.0))))
        ids = [chance.randrange(300, vocabulary) for _ in range(length)]
        copies = number % 3 == 0
        targets = list(range(length // 2 if copies else length * 3 // 4, length))
        choices = [(ids[at], 5, 6, 7) if copies else () for at in targets]
        yield Row(f"bench/train/{number}#t.1", ids, list(range(length)), targets, choices, task="t")


def tokenizer() -> Any:
    from taiyi.train.tokenizer import train_bpe

    return train_bpe(["aspirin 阿司匹林"], vocab_size=280, tags=["<A>", "</A>"])


def config(size: Size) -> Any:
    from transformers import Qwen3Config

    return Qwen3Config(
        vocab_size=size.vocabulary,
        hidden_size=size.hidden,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.kv_heads,
        head_dim=size.head,
        intermediate_size=size.feed_forward,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=2,
    )


def settings_of(case: Case, seed: int, steps: int) -> Any:
    """Return how a case is trained, for so many micro-batches."""
    from taiyi.train.settings import StageSettings

    steps = max(1, steps // case.settings.get("accumulation", 1))
    return StageSettings(**SETTINGS | case.settings, seed=seed, max_steps=steps)


def prepare(case: Case, folder: Path) -> None:
    """Write the rows of a case and, where it begins from one, its base."""
    from transformers import Qwen3ForCausalLM

    from taiyi.train import rows

    rows.write(made(case.size.vocabulary, settings_of(case, 0, 1).max_tokens), folder / "rows")
    if case.from_base:
        Qwen3ForCausalLM(config(case.size)).save_pretrained(folder / "base")
        tokenizer().save_pretrained(folder / "base")


def measure(case: Case, folder: Path, seed: int, steps: int) -> dict[str, float]:
    """Train a case in this process, and return what it took."""
    from transformers import Qwen3ForCausalLM

    from taiyi.checkpoint import Checkpoint
    from taiyi.train import loop, model, rows

    settings = settings_of(case, seed, steps)
    held = rows.read(folder / "rows")
    words = tokenizer()
    if settings.method == "qlora":
        # Otherwise loaded when it is first used.
        importlib.import_module("bitsandbytes")
    before = peak_memory()
    if case.from_base:
        dtype = "fp32" if settings.method == "full" else "auto"
        learner, words = model.load_base(str(folder / "base"), method=settings.method, dtype=dtype, lora=settings.lora)
    else:
        learner = Qwen3ForCausalLM(config(case.size))
    result = loop.train(held, folder / f"out-{seed}", settings, learner, words, Checkpoint(recipe="bench"))
    log = [json.loads(line) for line in (folder / f"out-{seed}" / loop.LOG).read_text().splitlines()]
    speed = (log[-1]["tokens"] - log[0]["tokens"]) / (log[-1]["seconds"] - log[0]["seconds"])
    return {"memory": peak_memory() - before, "steps": result.steps, "tokens": result.tokens, "speed": speed}


def peak_memory() -> int:
    """Return the bytes of this process's resident memory at their highest so far."""
    # Not getrusage's: that of Linux remembers what the process that started this one had.
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def planned(case: Case, folder: Path, device: Any, seed: int, steps: int, held: bool) -> dict[str, float]:
    """Return what the plan says of a case."""
    from taiyi.steps.place import Place, memory_of
    from taiyi.steps.work import Work
    from taiyi.train import rows
    from taiyi.train.shapes import Shape, of_base

    work = Work(rows.read(folder / "rows"), settings_of(case, seed, steps))
    shape = of_base(str(folder / "base")) if case.from_base else Shape(config(case.size))
    place = Place(device=device)
    step = work.step(shape, work.settings.lora, place)
    memory = memory_of(step, place, work.accumulates(place))
    return {
        # Measured is what comes on top of what the process has imported.
        "memory": memory.total - memory.libraries - (memory.kept if held else 0),
        "framework": memory.framework,
        "steps": work.steps,
        "tokens": work.seen,
        "speed": work.tokens_per_second(step, shape, place),
    }


def compared(name: str, device: Any, runs: int = 1, *, steps: int = 10, held: bool = False) -> list[dict[str, Any]]:
    """Return, for each of several runs of a case, what the plan says of it and what it took in its own process."""
    environment = os.environ | ({"MALLOC_MMAP_THRESHOLD_": str(128 << 10)} if held else {})
    case, found = CASES[name], list[dict[str, Any]]()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepare(case, folder)
        for seed in range(runs):
            run = subprocess.run(
                [sys.executable, __file__, "--measure", name, "--folder", place, f"--seed={seed}", f"--steps={steps}"],
                capture_output=True,
                text=True,
                check=False,
                env=environment,
            )
            if run.returncode:
                raise SystemExit(f"{name}: {run.stderr}")
            measured = json.loads(run.stdout.splitlines()[-1])
            told = planned(case, folder, device, seed, steps, held)
            found.append({"case": name, "seed": seed, "planned": told, "measured": measured})
    return found


def row(runs: list[dict[str, Any]]) -> list[str]:
    """Return the cells of a case: numbers that differ from run to run as the lowest and the highest."""

    def between(values: list[float], form: str) -> str:
        least, most = (f"{value:{form}}" for value in (min(values), max(values)))
        return least if least == most else f"{least} to {most}"

    def of(what: str, name: str, unit: float = 1) -> list[float]:
        return [run[what][name] / unit for run in runs]

    exact = all(run["planned"][name] == run["measured"][name] for run in runs for name in ("steps", "tokens"))
    # What a model of a few thousand weights takes beside its tensors is the floor itself, and checks nothing.
    floor = runs[0]["case"].startswith("floor")
    ratios = [a / b for a, b in zip(of("planned", "memory"), of("measured", "memory"), strict=True)]
    return [
        runs[0]["case"],
        "the same" if exact else "differ",
        between(of("planned", "memory", MIB), ",.0f"),
        between(of("measured", "memory", MIB), ",.0f"),
        "–" if floor else between(ratios, ".2f"),
        "–" if floor else "yes" if all(0.75 <= ratio <= 1.25 for ratio in ratios) else "no",
        between(of("planned", "speed"), ",.0f"),
        between(of("measured", "speed"), ",.0f"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--case", action="append", choices=list(CASES))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=60, help="micro-batches of each run")
    parser.add_argument("--held", action="store_true", help="have glibc give freed memory back at once")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(CASES[given.measure], given.folder, given.seed, given.steps)))
        return

    from rich.console import Console
    from rich.table import Table

    from taiyi.train.devices import device

    here = device("cpu")
    table = Table(
        title=f"Planned and measured; matrix products: {here.bf16:.2f} TFLOP/s in bf16, {here.fp32:.2f} in fp32"
    )
    for column in (
        "Case",
        "Steps and tokens",
        "Planned MiB",
        "Measured MiB",
        "Planned / measured",
        "Within 25%",
        "Planned tokens/s",
        "Tokens/s",
    ):
        table.add_column(column, justify="right" if table.columns else "left")
    found: list[dict[str, Any]] = []
    for name in given.case or CASES:
        runs = compared(name, here, given.runs, steps=given.steps, held=given.held)
        table.add_row(*row(runs))
        found += runs
    console = Console()
    if not console.is_terminal:
        console.width = 160
    console.print(table)
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
