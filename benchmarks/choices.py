"""How long questions with options take beside lm-evaluation-harness: the same model, prompts and scoring.

Run: python benchmarks/choices.py MODEL [--sets NAME ...] [--corpora DIR] [--batch N ...] [--rounds N] [--json FILE]

MODEL is a run or a folder with a model of ours; by default PubMedQA (yes, no, maybe after the abstract) and MedQA's
English questions (four options). The prompts are those of `taiyi eval`; the harness is given the same texts, and that
it reads the same tokens is checked. Both take the answer whose tokens are the most probable after the prompt, the sum
of their log-probabilities (`acc` of the harness), in fp32. The harness, 0.4.13 at the least, is installed into an
environment of its own, and is measured at several batch sizes, the fastest of which counts. Rounds take turns. Measured
is the time from the questions to the scores, and that of the whole process, with imports and loading the model.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from taiyi import catalogue, steps, storage, tasks
from taiyi.checkpoint import Checkpoint, model_folder
from taiyi.encoding import Encoder
from taiyi.manifest import Log
from taiyi.recipe import EvaluateSettings, Recipe
from taiyi.schema import Example

HERE = Path(__file__).resolve().parent / "evaluating"
PACKAGE = "lm-eval[hf]==0.4.13"
SETS = ("pubmed_qa", "med_qa_us")


class Questions(NamedTuple):
    """Questions as a file of examples, and as one of texts."""

    examples: Path
    texts: Path
    number: int


def prepare(model: Path, name: str, folder: Path, corpora: Path, records: int | None) -> Questions:
    """Write the questions of a test set in both forms; fails where the texts are not read as the same tokens."""
    from transformers import AutoTokenizer

    recipe = Recipe(name=name, base=str(model), evaluate=EvaluateSettings(suites=(name,), max_records=records))
    run = steps.Run(recipe, folder / name, corpora, Log(folder / name, quiet=True))
    examples = steps.build(run) / f"test-{name}.parquet"
    tokenizer: Any = AutoTokenizer.from_pretrained(model)
    checkpoint = Checkpoint.load(model)
    encoder = Encoder(tokenizer, positions=checkpoint.positions, decisions=checkpoint.decisions)
    texts = folder / f"{name}.jsonl"
    count = 0
    with texts.open("w", encoding="utf-8") as file:
        for example in storage.read_parquet(examples, Example):
            ids = encoder.prompt(example.messages).ids
            text = tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
            if tokenizer(text, add_special_tokens=False)["input_ids"] != ids:
                raise SystemExit(f"{example.id}: the text of the prompt has other tokens than the prompt")
            task = tasks.get(example.task)
            assert isinstance(task, tasks.Closed)
            choices = task.candidates(example)
            gold = next(n for n, choice in enumerate(choices) if task.parse(choice, example) == example.gold)
            file.write(json.dumps({"prompt": text, "choices": choices, "gold": gold}, ensure_ascii=False) + "\n")
            count += 1
    return Questions(examples, texts, count)


def environment(cache: Path, given: Path | None) -> Path:
    """Return the Python of an environment with the harness, which is made where there is none."""
    if given is not None:
        return given
    folder = cache / "lm-eval"
    python = folder / "bin" / "python"
    mark = folder / ".installed"
    if not mark.exists() or mark.read_text() != PACKAGE:
        print(f"Installing {PACKAGE} into {folder}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", PACKAGE], check=True)
        mark.write_text(PACKAGE)
    return python


def carry_out(command: list[str], out: Path) -> dict[str, Any]:
    """Run a process and return what it writes, with the seconds that all of it took."""
    out.unlink(missing_ok=True)
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    began = time.perf_counter()
    done = subprocess.run(command, env=os.environ | offline, capture_output=True, text=True)
    whole = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:2])} failed:\n{done.stderr[-3000:]}")
    return json.loads(out.read_bytes()) | {"whole": whole}


def best(runs: Sequence[dict[str, Any]], key: str) -> float:
    return min(run[key] for run in runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--corpora", type=Path)
    parser.add_argument("--records", type=int, help="at most so many questions of each")
    parser.add_argument("--batch", nargs="*", type=int, default=[1, 8, 32], help="batch sizes of the harness")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "taiyi" / "bench-choices")
    parser.add_argument("--python", type=Path, help="of an environment that has the harness")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    model, corpora = model_folder(given.model), catalogue.corpora_dir(given.corpora)
    python = environment(given.cache, given.python)
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    with tempfile.TemporaryDirectory() as made:
        out = Path(made) / "found.json"
        for name in given.sets:
            asked = prepare(model, name, Path(made), corpora, given.records)
            ways: dict[str, list[Any]] = {
                f"harness, batch {n}": [python, HERE / "harness.py", model, asked.texts, out, n] for n in given.batch
            }
            ways["taiyi"] = [sys.executable, HERE / "ours.py", model, asked.texts, asked.examples, out]
            of_set = found.setdefault(name, {way: [] for way in ways})
            for number in range(given.rounds):
                for way, command in ways.items():
                    run = carry_out([*map(str, command)], out)
                    of_set[way].append(run | {"questions": asked.number})
                    print(f"{name}, round {number + 1}: {way} {run['seconds']:.1f} s", file=sys.stderr, flush=True)
    print("| test set | questions | | accuracy | other answers | seconds | of the harness's | whole process |")
    print("|---|--:|---|--:|--:|--:|--:|--:|")
    for name, of_set in found.items():
        ours = of_set["taiyi"]
        fastest = min(best(runs, "seconds") for way, runs in of_set.items() if way != "taiyi")
        for way, runs in of_set.items():
            other = sum(a != b for a, b in zip(runs[0]["chosen"], ours[0]["chosen"], strict=True))
            share = best(runs, "seconds") / fastest
            print(
                f"| {name} | {runs[0]['questions']:,} | {way} | {100 * runs[0]['accuracy']:.1f} | {other or ''} "
                f"| {best(runs, 'seconds'):.1f} | {share:.2f} | {best(runs, 'whole'):.1f} |"
            )
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
