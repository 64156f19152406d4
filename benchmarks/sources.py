"""Time, memory and disk of an index of sources, made of and asked on generated abstracts.

Run: python benchmarks/sources.py [--documents N] [--chinese SHARE] [--questions N] [--folder DIR]

Abstracts have some 200 words or, in Chinese, 300 characters, drawn as natural texts have them: the most frequent in
nearly every one, most in hardly any. A question is 15 words in a row, or 12 characters, of an abstract of the index.
Making and asking are processes of their own, so that the memory of each is its own; pages of the index that the system
keeps in memory count with the process that reads them.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np

from taiyi.knowledge.sources import indexing
from taiyi.knowledge.sources.index import Index

_SYLLABLES = [a + b for a in "bcdfghklmnprstvz" for b in "aeiou"]
_WORDS, _CHARACTERS = 300_000, 3_500


def abstracts(count: int, chinese: float, seed: int = 0) -> Iterator[str]:
    """Yield so many abstracts, the same for the same seed; `chinese` is the share of those in Chinese."""
    rng = np.random.default_rng(seed)
    ranks = np.arange(1, _WORDS + 1)
    sizes = 2 + (np.log10(ranks) * 0.6).astype(int)
    shapes = np.random.default_rng(1)
    spelt = (cast(list[int], shapes.integers(0, len(_SYLLABLES), size).tolist()) for size in sizes)
    words = np.array(["".join(_SYLLABLES[i] for i in syllables) for syllables in spelt], object)
    characters = np.array([chr(0x4E00 + i) for i in shapes.permutation(_CHARACTERS)], object)
    shares = [np.cumsum(w / w.sum()) for w in (1 / (ranks + 2.7) ** 1.07, 1 / (ranks[:_CHARACTERS] + 20) ** 1.0)]
    for _ in range(count):
        if rng.random() < chinese:
            drawn = characters[np.searchsorted(shares[1], rng.random(int(np.clip(rng.lognormal(5.65, 0.3), 50, 900))))]
            yield "".join("".join(drawn[i : i + 25]) + "。" for i in range(0, len(drawn), 25))
        else:
            drawn = words[np.searchsorted(shares[0], rng.random(int(np.clip(rng.lognormal(5.25, 0.35), 30, 600))))]
            yield " ".join(" ".join(drawn[i : i + 20]).capitalize() + "." for i in range(0, len(drawn), 20))


def write(path: Path, count: int, chinese: float, questions: int) -> list[tuple[str, str]]:
    """Write abstracts and return questions, each with the id of the abstract that it is of."""
    rng = random.Random(2)
    asked: list[tuple[str, str]] = []
    every = max(1, count // questions)
    with path.open("w", encoding="utf-8") as file:
        for number, text in enumerate(abstracts(count, chinese)):
            file.write(json.dumps({"id": str(number), "text": text}, ensure_ascii=False) + "\n")
            if number % every == 0 and len(asked) < questions:
                parts, joint, size = (text.split(), " ", 15) if text.isascii() else (list(text), "", 12)
                at = rng.randrange(max(1, len(parts) - size))
                asked.append((joint.join(parts[at : at + size]), str(number)))
    return asked


def _apart(work: Any, *given: Any) -> dict[str, float]:
    """Call a function in a process of its own, and return what it says with its time and memory."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, given))


def _measured(work: Any, given: tuple[Any, ...]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    said: dict[str, float] = work(*given)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu, "peak_mib": peak} | said


def make(file: Path, out: Path) -> dict[str, float]:
    """Make the index."""
    made = indexing.build([file], out)
    return {"passages": made.passages, "disk_mib": sum(made.files.values()) / 2**20}


def ask(out: Path, asked: list[tuple[str, str]]) -> dict[str, float]:
    """Ask all questions once to have the index in memory, as a service has it, and once again for the times."""
    begun = time.perf_counter()
    index = Index.open(out)
    opened = time.perf_counter() - begun
    walls: list[float] = []
    cpus: list[float] = []
    first: list[float] = []
    found = 0
    for times in (first, walls):
        for question, id in asked:
            wall, cpu = time.perf_counter(), time.process_time()
            hits = index.search(question, 10)
            times.append(time.perf_counter() - wall)
            if times is walls:
                cpus.append(time.process_time() - cpu)
                found += id in {hit.passage.document for hit in hits}
    return {
        "open_ms": opened * 1e3,
        "recall_at_10": found / len(asked),
        **{f"{name}_median_ms": statistics.median(times) * 1e3 for name, times in _named(first, walls, cpus)},
        **{f"{name}_p95_ms": statistics.quantiles(times, n=20)[-1] * 1e3 for name, times in _named(first, walls, cpus)},
    }


def _named(first: list[float], walls: list[float], cpus: list[float]) -> list[tuple[str, list[float]]]:
    return [("first", first), ("again", walls), ("again_cpu", cpus)]


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--documents", type=int, default=50_000)
    parser.add_argument("--chinese", type=float, default=0.2, help="the share of abstracts in Chinese")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="where to work; else a place of its own, removed afterwards")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="taiyi-sources-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        file, out = folder / "abstracts.jsonl", folder / "index"
        shutil.rmtree(out, ignore_errors=True)
        asked = write(file, given.documents, given.chinese, given.questions)
        figures = {"documents": given.documents, "text_mib": file.stat().st_size / 2**20}
        figures = {**figures, "make": _apart(make, file, out), "ask": _apart(ask, out, asked)}
        print(json.dumps(figures, indent=2, default=float))
    finally:
        if given.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
