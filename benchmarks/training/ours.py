"""One epoch by Taiyi's own loop, and the machine's rate of matrix products. Run as a process of its own.

Run: python ours.py FOLDER OUT.json [SETTING=VALUE ...]
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from taiyi.checkpoint import Checkpoint
from taiyi.encoding import Row
from taiyi.train import loop
from taiyi.train import rows as rows_file
from taiyi.train.settings import StageSettings

_PRODUCTS = ((2048, 512, 1536), (2048, 1536, 512), (2048, 2048, 2048), (4096, 4096, 4096))


def matmul_rate(seconds: float = 1.0) -> float:
    """Return how many operations a second the machine does in matrix products in bf16: the fastest of all shapes."""
    best = 0.0
    for m, k, n in _PRODUCTS:
        a, b = torch.randn(m, k).bfloat16(), torch.randn(n, k).bfloat16()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            began = time.perf_counter()
            torch.nn.functional.linear(a, b)
            best = max(best, 2 * m * k * n / (time.perf_counter() - began))
    return best


def main() -> None:
    folder, out, *options = sys.argv[1:]
    rate = matmul_rate()
    made = json.loads((Path(folder) / "rows.json").read_bytes())
    settings = StageSettings.model_validate(
        {"precision": "bf16", "save_every_minutes": None} | dict(option.split("=", 1) for option in options)
    )
    with tempfile.TemporaryDirectory() as stage:
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
            Path(stage) / "rows",
        )
        model = AutoModelForCausalLM.from_pretrained(Path(folder) / "model", dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(Path(folder) / "model")
        result = loop.train(rows, Path(stage) / "out", settings, model, tokenizer, Checkpoint())
    facts = {
        "seconds": result.seconds,
        "steps": result.steps,
        "tokens": result.tokens,
        "loss": result.losses[-1],
        "matmul_rate": max(rate, matmul_rate()),
        "torch": torch.__version__,
    }
    Path(out).write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
