"""The benchmark of training: its rows are what it says, and it runs."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from transformers import AutoTokenizer

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"bench_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


workload = load(BENCHMARKS / "training" / "workload.py")


def test_rows_have_the_lengths_of_classification_and_ner_mixed() -> None:
    rows = workload.rows(20_000, 16_000)
    facts = workload.facts(rows)
    assert facts["mean"] == pytest.approx(144, rel=0.03)
    assert facts["p50"] == pytest.approx(38, rel=0.05)
    assert facts["p90"] == pytest.approx(428, rel=0.05)
    assert 0.4 < facts["supervised"] < 0.5
    assert all(0 < prompt < len(ids) <= workload.MAX_TOKENS for ids, prompt in rows)
    assert rows == workload.rows(20_000, 16_000)


def test_texts_are_the_tokens_of_the_rows(tmp_path: Path) -> None:
    workload.write(tmp_path, "tiny", 40)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    rows, texts = (json.loads((tmp_path / f"{name}.json").read_bytes()) for name in ("rows", "texts"))
    for row, text in zip(rows, texts, strict=True):
        prompt, answer = (tokenizer.encode(text[name], add_special_tokens=False) for name in ("instruction", "output"))
        assert (prompt + answer, len(prompt)) == (row["ids"], row["prompt"])


def test_arithmetic_of_an_epoch() -> None:
    # Two layers of 32 x (32 + 32) for attention's own matrices, less for the narrower keys, and 3 x 32 x 64.
    layer = 32 * (32 + 16 + 16 + 32) + 3 * 32 * 64
    row = [(list(range(10)), 7)]
    expected = 6 * 2 * layer * 10 + 6 * 32 * 256 * 3 + 3 * 4 * 2 * 2 * 16 * 55
    assert workload.flops("tiny", row) == expected
    # Adapters of rank 64 beside each matrix; what is frozen has no gradient of its own.
    adapters = 64 * (2 * (32 + 32) + 2 * (32 + 16) + 3 * (32 + 64))
    expected = 2 * (4 * layer + 6 * adapters) * 10 + 4 * 32 * 256 * 3 + 3 * 4 * 2 * 2 * 16 * 55
    assert workload.flops("tiny", row, "qlora") == expected


@pytest.mark.whole
@pytest.mark.slow
@pytest.mark.parametrize("method", ["full", "qlora"])
def test_the_benchmark_runs(method: str, tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    command = [sys.executable, str(BENCHMARKS / "train.py"), "--quick", "--method", method, "--json", str(out)]
    done = subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "| Taiyi" in done.stdout
    found = json.loads(out.read_bytes())
    (system,) = found["systems"]
    assert system["name"] == "taiyi"
    (run,) = system["runs"]
    # Every row is trained once: what is counted is what was trained.
    assert run["tokens"] == found["rows"]["tokens"]
    assert system["tokens_per_s"] == pytest.approx(found["rows"]["tokens"] / run["seconds"])
    assert found["matmul_rate"] == run["matmul_rate"] > 0
