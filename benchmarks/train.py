"""How fast models are trained, beside TRL's SFTTrainer and LLaMA-Factory: the same model, rows and precision.

Run: make bench-train, or python benchmarks/train.py [--rows N] [--rounds N] [--only NAME ...] [--json FILE] [--quick]
On a GPU: python benchmarks/train.py --model 8B --method qlora

A model of 30M weights (Qwen3 architecture) learns each row once, in bf16 autocast over 32-bit weights, with AdamW; or
adapters over a model of the size of Qwen3-8B in 4 bit do. Rows have the lengths of classification and NER mixed.
Frameworks take turns, so that each meets the same noise, each in a process of its own and, but for Taiyi, in an
environment of its own that is installed here. They are measured as they come, which for both others is with gradient
checkpointing, and packed without it too; Taiyi has it where a recipe asks for it. What counts are real tokens a second:
those of the rows, without padding, which each framework has to have counted as many of, over its time of training with
what comes before the first step and without writing the model; the fastest round of each. The share of the machine's
rate is what an epoch cannot do without (`training.workload.flops`) over the rate of plain matrix products in bf16,
measured in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import venv
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import torch
from training import workload

HERE = Path(__file__).resolve().parent / "training"
# TRL runs on the libraries that Taiyi runs on; LLaMA-Factory asks for older ones, which pip chooses.
_SHARED = ("torch", "transformers", "accelerate", "peft", "bitsandbytes")
TRL = ["trl==1.16.0", *(f"{name}=={version(name).partition('+')[0]}" for name in _SHARED)]
LLAMA_FACTORY = ["llamafactory==0.9.5", "bitsandbytes"]


class System(NamedTuple):
    """A way of training: its script and what it is told, the packages of its environment, the number of processes."""

    label: str
    script: str
    arguments: tuple[str, ...]
    environment: str = ""
    packages: tuple[str, ...] = ()
    processes: int = 1


SYSTEMS = {
    "trl-padded": System("TRL SFTTrainer, padded, batch 8", "trl_sft.py", ("padded",), "trl", tuple(TRL)),
    "trl-packed": System("TRL SFTTrainer, packed (bfd), 2 x 1,024", "trl_sft.py", ("packed",), "trl", tuple(TRL)),
    "trl-packed-stored": System(
        "TRL SFTTrainer, packed, no gradient checkpointing", "trl_sft.py", ("packed", "stored"), "trl", tuple(TRL)
    ),
    "llama-factory-padded": System(
        "LLaMA-Factory, padded, batch 8", "llama_factory.py", ("padded",), "llama-factory", tuple(LLAMA_FACTORY)
    ),
    "llama-factory-packed": System(
        "LLaMA-Factory, packed (neat_packing), 2 x 1,024",
        "llama_factory.py",
        ("packed",),
        "llama-factory",
        tuple(LLAMA_FACTORY),
    ),
    "llama-factory-packed-stored": System(
        "LLaMA-Factory, packed, no gradient checkpointing",
        "llama_factory.py",
        ("packed", "stored"),
        "llama-factory",
        tuple(LLAMA_FACTORY),
    ),
    "taiyi": System("Taiyi, packed, 2,048", "ours.py", ()),
    # Steps of as many tokens as with one process.
    "taiyi-2": System(
        "Taiyi, packed, 2 processes with 1,024 each",
        "ours.py",
        ("batch_tokens=1024", "accumulation=2"),
        processes=2,
    ),
}


def python_of(system: System, cache: Path, given: dict[str, Path]) -> Path:
    """Return the Python that a system runs under; its environment is made first where it is not there."""
    if not system.environment:
        return Path(sys.executable)
    if system.environment in given:
        return given[system.environment]
    folder = cache / system.environment
    python, mark = folder / "bin" / "python", folder / ".installed"
    wanted = "\n".join(system.packages)
    if not mark.exists() or mark.read_text() != wanted:
        print(f"Installing {', '.join(system.packages)} into {folder}", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *system.packages], check=True)
        mark.write_text(wanted)
    return python


def measure(system: System, python: Path, folder: Path, method: str, extra: list[str], tokens: int) -> dict[str, Any]:
    """Train one epoch of so many tokens in a process of its own and return what it tells of it."""
    out = folder / "found.json"
    out.unlink(missing_ok=True)
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "DISABLE_VERSION_CHECK": "1"}
    launch: list[str] = []
    if system.processes > 1:
        launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(system.processes)]
        offline["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // system.processes))
    command = [str(python), *launch, str(HERE / system.script), str(folder), str(out), method, *system.arguments]
    done = subprocess.run([*command, *extra], env=os.environ | offline, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{system.label} failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(out.read_bytes())
    # LLaMA-Factory cuts rows that would fill a pack by a token.
    if abs(found["tokens"] - tokens) > tokens / 1000:
        raise SystemExit(f"{system.label} trained {found['tokens']:,} tokens, and the rows have {tokens:,}")
    return found


def table(results: dict[str, list[dict[str, Any]]], tokens: int, flops: float) -> tuple[str, list[dict[str, Any]]]:
    """Return the results as a table in markdown, and as values."""
    rate = max((run["matmul_rate"] for run in results.get("taiyi", [])), default=None)
    best = {name: min(run["seconds"] for run in runs) for name, runs in results.items()}
    lines = [
        "| | real tokens/s, best | median | Taiyi is | GFLOP/s | of the matmul rate | peak memory | torch |",
        "|---|--:|--:|--:|--:|--:|--:|---|",
    ]
    values: list[dict[str, Any]] = []
    for name, runs in results.items():
        seconds = best[name]
        median = sorted(run["seconds"] for run in runs)[len(runs) // 2]
        times = seconds / best["taiyi"] if "taiyi" in best else None
        share = flops / seconds / rate if rate else None
        memory = max(run["peak_memory"] for run in runs)
        label = SYSTEMS[name].label + (f" ({runs[0]['version']})" if "version" in runs[0] else "")
        values.append(
            {
                "name": name,
                "label": label,
                "tokens_per_s": tokens / seconds,
                "median_tokens_per_s": tokens / median,
                "gflops": flops / seconds / 1e9,
                "share": share,
                "taiyi_times": times,
                "peak_memory": memory,
                "runs": runs,
            }
        )
        lines.append(
            f"| {label} | {tokens / seconds:,.0f} | {tokens / median:,.0f} | {f'{times:.1f}x' if times else ''} "
            f"| {flops / seconds / 1e9:,.0f} | {f'{share:.0%}' if share else ''} "
            f"| {f'{memory / 2**30:.1f} GiB' if memory else ''} | {runs[0]['torch']} |"
        )
    return "\n".join(lines), values


def machine() -> dict[str, Any]:
    """Return what the numbers depend on beside the code."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return {
        "processor": next(named, platform.processor()),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0],
        "bf16": torch.cpu._is_avx512_bf16_supported(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "transformers")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=400, help="rows of the epoch")
    parser.add_argument("--model", choices=list(workload.SIZES), default="30M", help="the size of the model")
    parser.add_argument("--method", choices=workload.METHODS, default="full", help="which weights learn")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=list(SYSTEMS), help="which to measure; all if not given")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "taiyi" / "bench-train")
    parser.add_argument("--python", action="append", default=[], metavar="ENVIRONMENT=PATH", help="one that is there")
    parser.add_argument("--set", nargs="*", default=[], metavar="SETTING=VALUE", help="settings of Taiyi's stage")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="a tiny model and Taiyi alone, to see that it runs")
    arguments = parser.parse_args()
    given = {name: Path(path) for name, _, path in (text.partition("=") for text in arguments.python)}
    size, count, rounds = ("tiny", 24, 1) if arguments.quick else (arguments.model, arguments.rows, arguments.rounds)
    names: list[str] = ["taiyi"] if arguments.quick else arguments.only or list(SYSTEMS)
    pythons = {name: python_of(SYSTEMS[name], arguments.cache, given) for name in names}
    facts = machine()
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    rows = workload.rows(count, workload.SIZES[size]["vocab_size"])
    described = workload.facts(rows)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        workload.write(folder, size, count)
        for number in range(rounds):
            for name in names:
                extra = arguments.set if name.startswith("taiyi") else []
                found = measure(SYSTEMS[name], pythons[name], folder, arguments.method, extra, described["tokens"])
                results[name].append(found)
                print(f"round {number + 1}: {name} {found['seconds']:.1f} s", file=sys.stderr, flush=True)
    text, values = table(results, described["tokens"], workload.flops(size, rows, arguments.method))
    rate = max((run["matmul_rate"] for run in results.get("taiyi", [])), default=0.0)
    print(text)
    print(
        f"\n{described['rows']} rows: mean {described['mean']} tokens, p50 {described['p50']}, p90 {described['p90']}, "
        f"{described['supervised']:.0%} supervised. {facts['gpu'] or facts['processor']}, {facts['cores']} cores; "
        f"matmul in bf16: {rate / 1e9:,.0f} GFLOP/s."
    )
    if arguments.json:
        settled = {"machine": facts, "model": size, "method": arguments.method, "rows": described}
        written = settled | {"matmul_rate": rate, "systems": values}
        arguments.json.write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
