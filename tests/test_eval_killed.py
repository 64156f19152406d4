"""A suite of 200 documents that is killed at random ten times ends with the scores of one that nothing stopped."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

import tiny
from taiyi.storage import read_json
from test_generate_local import save

pytestmark = [pytest.mark.whole, pytest.mark.slow, pytest.mark.timeout(1800)]

TIMES = 10
EN = [("Aspirin", "B-Drug"), ("helped", "O"), ("epilepsy", "B-Finding"), ("and", "O"), ("carbamazepine", "B-Drug")]
ZH = [*((char, "O") for char in "患者服用"), *zip("阿司匹林", ("B-Drug", "I-Drug", "I-Drug", "I-Drug"), strict=True)]
SETS = {"en": EN, "zh": ZH}


def suite(folder: Path) -> Path:
    """Write 100 documents of each language, and the suite of them."""
    chance = random.Random(0)
    for lang, words in SETS.items():
        lines = ["\n".join(f"{word}\t{tag}" for word, tag in chance.choices(words, k=12)) for _ in range(100)]
        (folder / f"{lang}.conll").write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    sets = [
        {
            "name": f"killed_{lang}", "path": f"{lang}.conll", "format": "conll", "options": {"per_sentence": True},
            "lang": lang, "task": "ner", "types": ["Drug", "Finding"] if lang == "en" else ["Drug"],
        }
        for lang in SETS
    ]  # fmt: skip
    path = folder / "killed.yaml"
    path.write_text(yaml.safe_dump({"name": "killed", "test_sets": sets}, allow_unicode=True), encoding="utf-8")
    return path


def command(model: Path, own: Path, runs: Path) -> list[str]:
    given = ("-m", "taiyi", "eval", model, "--suite", own, "--runs", runs, "--max-new-tokens", 24)
    return [sys.executable, *map(str, given)]


def num_answers(runs: Path) -> int:
    """How many answers are on disk."""
    return sum(file.read_bytes().count(b"\n") for file in runs.rglob("predictions-*/*.jsonl")) + 100 * len(
        [*runs.rglob("predictions-*/*.parquet")]
    )


def killed(arguments: list[str], runs: Path, after: int) -> bool:
    """Run a command and kill it once so many answers are there; whether it was still there to be killed."""
    process = subprocess.Popen(
        arguments, env=tiny.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while process.poll() is None and num_answers(runs) < after:
        time.sleep(0.002)
    gone = process.poll() is not None
    if not gone:
        os.killpg(process.pid, 9)
    process.wait()
    return not gone


def results(runs: Path) -> list[dict[str, Any]]:
    [file] = runs.rglob("report-*/results.json")
    return json.loads(file.read_text("utf-8"))["results"]


def test_the_scores_are_the_same(tmp_path: Path) -> None:
    model, own = save(tmp_path / "model"), suite(tmp_path)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    done = subprocess.run(command(model, own, whole), env=tiny.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    chance = random.Random(1)
    moments = sorted(chance.sample(range(1, 200), TIMES))
    for moment in moments:
        assert killed(command(model, own, broken), broken, moment), f"it ended before {moment} answers were killed"
    assert not [*broken.rglob("results.json")]
    done = subprocess.run(command(model, own, broken), env=tiny.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert results(broken) == results(whole)
    assert [r["num_records"] for r in results(whole)] == [100, 100]
    [manifest] = broken.rglob("predictions-*/manifest.json")
    assert read_json(manifest, dict[str, Any])["facts"]["killed_en"]["num_examples"] == 100
