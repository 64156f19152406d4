"""One epoch by Taiyi's own loop, and the machine's rate of matrix products. Run as a process of its own.

Run: python ours.py FOLDER OUT.json full|qlora [SETTING=VALUE ...], or as several processes under torchrun.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from workload import LORA

from taiyi.checkpoint import Checkpoint
from taiyi.encoding import Row
from taiyi.train import loop
from taiyi.train import rows as rows_file
from taiyi.train.model import load_base
from taiyi.train.settings import StageSettings
from taiyi.train.world import world

_PRODUCTS = ((2048, 512, 1536), (2048, 1536, 512), (2048, 2048, 2048), (4096, 4096, 4096))
_GPU_PRODUCTS = ((8192, 8192, 8192), (2048, 4096, 12_288))


def matmul_rate(seconds: float = 1.0) -> float:
    """Return how many operations a second the machine does in matrix products in bf16: the fastest of all shapes."""
    best = 0.0
    device = "cuda" if torch.cuda.is_available() else "cpu"
    for m, k, n in (*_PRODUCTS, *(_GPU_PRODUCTS if device == "cuda" else ())):
        a, b = (torch.randn(*size, device=device).bfloat16() for size in ((m, k), (n, k)))
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            began = time.perf_counter()
            torch.nn.functional.linear(a, b)
            if device == "cuda":
                torch.cuda.synchronize()
            best = max(best, 2 * m * k * n / (time.perf_counter() - began))
    return best


def main() -> None:
    folder, out, method, *options = sys.argv[1:]
    processes = world()
    rate = matmul_rate() if processes.size == 1 else 0.0
    made = json.loads((Path(folder) / "rows.json").read_bytes())
    given: dict[str, Any] = {"precision": "bf16", "save_every_minutes": None, "method": method}
    if method == "qlora":
        given["lora"] = LORA
    settings = StageSettings.model_validate(given | dict(option.split("=", 1) for option in options))
    with tempfile.TemporaryDirectory() as own:
        stage = processes.told(own)
        rows = rows_file.write(
            (
                Row(
                    example=str(number),
                    ids=row["ids"],
                    positions=list(range(len(row["ids"]))),
                    targets=list(range(row["prompt"], len(row["ids"]))),
                    choices=[()] * (len(row["ids"]) - row["prompt"]),
                )
                for number, row in enumerate(made)
            ),
            Path(own) / "rows",
        )
        model, tokenizer = load_base(
            str(Path(folder) / "model"), method=settings.method, dtype="fp32" if method == "full" else "auto",
            lora=settings.lora,
        )  # fmt: skip
        ended = began = time.perf_counter()

        def progress(step: loop.Step) -> None:
            nonlocal ended
            ended = time.perf_counter()

        # As frameworks count: with all that comes before the first step, but without writing the model.
        hooks = loop.Hooks(progress=progress)
        result = loop.train(rows, Path(stage) / "out", settings, model, tokenizer, Checkpoint(), hooks=hooks)
        processes.wait()
    if not processes.main:
        return
    facts = {
        "seconds": ended - began,
        "seconds_of_steps": result.seconds,
        "steps": result.steps,
        "tokens": result.tokens,
        "peak_memory": result.peak_memory,
        "loss": result.losses[-1],
        "matmul_rate": max(rate, matmul_rate()) if rate else 0.0,
        "torch": torch.__version__,
    }
    Path(out).write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
