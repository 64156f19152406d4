"""Questions with options scored by lm-evaluation-harness. Run as a process of its own, in an environment that has it.

Run: python harness.py MODEL QUESTIONS.jsonl OUT.json BATCH_SIZE
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

_TASK = """\
task: questions
dataset_path: json
dataset_kwargs:
  data_files: {{test: {path}}}
test_split: test
output_type: multiple_choice
doc_to_text: prompt
doc_to_choice: choices
doc_to_target: gold
target_delimiter: ""
metric_list:
  - metric: acc
"""


def main() -> None:
    model, questions, out, batch_size = sys.argv[1:]
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "questions.yaml").write_text(_TASK.format(path=json.dumps(str(Path(questions).resolve()))))
        manager = TaskManager(include_path=folder, include_defaults=False)
        loaded = HFLM(pretrained=model, device="cpu", dtype="float32", batch_size=int(batch_size))
        began = time.perf_counter()
        found = simple_evaluate(
            loaded, tasks=["questions"], task_manager=manager, bootstrap_iters=0, log_samples=True, verbosity="ERROR"
        )
        seconds = time.perf_counter() - began
    samples = sorted(found["samples"]["questions"], key=lambda sample: sample["doc_id"])
    chosen = [max(range(len(s["filtered_resps"])), key=lambda i: s["filtered_resps"][i][0]) for s in samples]
    facts = {
        "seconds": seconds,
        "accuracy": found["results"]["questions"]["acc,none"],
        "chosen": chosen,
        "version": version("lm_eval"),
    }
    Path(out).write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
