"""Questions with options scored by Taiyi. Run as a process of its own.

Run: python ours.py MODEL QUESTIONS.jsonl EXAMPLES.parquet OUT.json
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from taiyi import storage, tasks
from taiyi.generate import Asked, LocalEngine
from taiyi.heap import kept_heap
from taiyi.schema import Example


def main() -> None:
    model, questions, examples, out = map(Path, sys.argv[1:])
    engine = LocalEngine.load(model, device="cpu", dtype="float32", runtime="torch")
    began = time.perf_counter()
    asked: list[Asked] = []
    for example in storage.read_parquet(examples, Example):
        task = tasks.get(example.task)
        assert isinstance(task, tasks.Closed)
        asked.append(Asked(example, task.candidates(example)))
    with kept_heap():  # as `taiyi eval` does
        found = {p.example: p.text for p in engine.choose(asked, per_byte=False, batch_tokens=8192)}
    chosen = [list(one.candidates).index(found[one.example.id]) for one in asked]
    seconds = time.perf_counter() - began
    gold = [json.loads(line)["gold"] for line in questions.read_text(encoding="utf-8").splitlines()]
    right = sum(a == b for a, b in zip(chosen, gold, strict=True))
    out.write_text(json.dumps({"seconds": seconds, "accuracy": right / len(gold), "chosen": chosen}))


if __name__ == "__main__":
    main()
