"""How fast `taiyi extract` answers: from the command that is typed to the first answer, and over a long file.

Run: python benchmarks/extract.py [MODEL] [--corpus NAME]... [--corpora DIR] [--sentences N] [--threads N]...
     [--rounds N] [--encoder FOLDER]... [--json FILE]

MODEL is a run or a folder with a small model, the one of the package if not given. The files are generated, one in
English and one in Chinese, or are texts of corpora. In turns, each is answered by the runtime in NumPy and by torch, on
as many threads as are asked for. Beside seconds on the clock stands CPU time, for machines that others use. Encoders
with a head for mentions read the same sentences; one that has no head yet gets one that knows nothing, for its speed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from taiyi.text import sentences

WORDS = {
    "en": "aspirin asthma induced severe patients with hepatotoxicity after treatment of chronic renal failure and "
    "the dose carbamazepine reduced seizures in epilepsy rats were given lithium tremor was seen no effect on pressure",
    "zh": "患者 服用 阿司匹林 后 出现 肝 损伤 ， 给予 青霉素 治疗 发热 咳嗽 胸片 检查 示 肺炎 支原体 感染 升高",
}
START = """
import sys
from pathlib import Path
from taiyi.use.taiyi import Taiyi
Taiyi.load(sys.argv[1], device="cpu", runtime=sys.argv[2]).extract("Aspirin can cause asthma.", ["chemical", "disease"])
"""


def generated(lang: str, count: int) -> str:
    """Return sentences of 8 to 40 words."""
    chance = random.Random(0)
    words, space = WORDS[lang].split(), " " if lang == "en" else ""
    made = (space.join(chance.choices(words, k=chance.randint(8, 40))) for _ in range(count))
    return "".join(f"{text[0].upper()}{text[1:]}. " if lang == "en" else f"{text}。" for text in made)


def of_corpus(name: str, root: Path | None, count: int) -> tuple[str, str]:
    """Return the language of a corpus, and the first sentences of its texts."""
    from taiyi import catalogue
    from taiyi.schema import Document

    corpus, folder = catalogue.get(name), catalogue.corpora_dir(root)
    split: Any = "test" if "test" in corpus.splits else "dev"
    text = ""
    for record in catalogue.load(corpus, split, folder):
        if isinstance(record, Document):
            text += record.text + "\n"
        if text.count("\n") >= count or len(sentences(text)) >= count:
            break
    found = sentences(text)[:count]
    return corpus.langs[0], text[: found[-1][1]]


def spent() -> float:
    """Return the CPU time of this process and of those that it waited for."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    cpu, clock = spent(), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=os.environ | environment)
    return time.perf_counter() - clock, spent() - cpu


def starts(model: str, rounds: int) -> Iterator[dict[str, Any]]:
    """Yield what the first answer takes as it is typed, and of both runtimes, the best of some rounds."""
    typed = [sys.executable, "-m", "taiyi", "extract", "Aspirin can cause asthma.", "--json", "--model", model]
    code = [sys.executable, "-c", START, model]
    commands = {"taiyi extract TEXT": typed, "numpy, without the command line": [*code, "numpy"]}
    commands["torch, without the command line"] = [*code, "torch"]
    for name, command in commands.items():
        found = [timed(command, {}) for _ in range(rounds)]
        yield {"start": name, "seconds": min(s for s, _ in found), "cpu_seconds": min(c for _, c in found)}


def runs(model: str, lang: Any, text: str, threads: list[int], rounds: int) -> Iterator[dict[str, Any]]:
    """Yield what answering a file took, the best of some rounds in turns; say where answers of the runtimes differ."""
    from taiyi.cli import inputs
    from taiyi.use.taiyi import Taiyi

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text"
        path.write_text(text, encoding="utf-8")
        ways = [(runtime, count) for count in threads for runtime in ("numpy", "torch")]
        took: dict[tuple[str, int], list[tuple[float, float]]] = {way: [] for way in ways}
        said: dict[tuple[str, int], list[Any]] = {}
        for _ in range(rounds):
            for way in ways:
                runtime: Any = way[0]
                taiyi = Taiyi.load(model, device="cpu", runtime=runtime, threads=way[1])
                asking = taiyi.asking("entities", lang)
                cpu, clock = time.process_time(), time.perf_counter()
                _, blocks = inputs.read(None, path)
                found = taiyi.extract_long(blocks, asking)
                said[way] = [(part.at, [(e.start, e.end, e.type) for e in part.entities]) for part in found]
                took[way].append((time.perf_counter() - clock, time.process_time() - cpu))
    count = len(sentences(text))
    for way in ways:
        seconds, cpu_seconds = min(s for s, _ in took[way]), min(c for _, c in took[way])
        same = sum(a == b for a, b in zip(said[way], said[ways[0]], strict=True))
        yield {
            "lang": lang,
            "runtime": way[0],
            "threads": way[1],
            "sentences": count,
            "chars": len(text),
            "seconds": seconds,
            "cpu_seconds": cpu_seconds,
            "parts_that_differ": len(said[way]) - same,
        }


def encoder_runs(folder: Path, lang: str, text: str, threads: list[int], rounds: int) -> Iterator[dict[str, Any]]:
    """Yield what the sentences of a file take an encoder that tags words, the best of some rounds in turns."""
    import torch

    from taiyi import features
    from taiyi.generate.encoder import Classifier
    from taiyi.train import encoder_model

    head = features.Head(kind="spans", names=("chemical", "disease"))
    if (folder / features.FILE).exists():
        classifier = Classifier.load(folder, device="cpu")
    else:
        classifier = Classifier(*encoder_model.load(folder, head, []), head)
    items = [features.Item(texts=(text[slice(*span)],)) for span in sentences(text)]
    took: dict[int, list[tuple[float, float]]] = {count: [] for count in threads}
    before = torch.get_num_threads()
    for _ in range(rounds):
        for count in threads:
            torch.set_num_threads(count)
            cpu, clock = time.process_time(), time.perf_counter()
            list(classifier.predict(items))
            took[count].append((time.perf_counter() - clock, time.process_time() - cpu))
    torch.set_num_threads(before)
    for count in threads:
        yield {
            "lang": lang,
            "runtime": f"encoder {folder.name}",
            "threads": count,
            "sentences": len(items),
            "chars": len(text),
            "seconds": min(s for s, _ in took[count]),
            "cpu_seconds": min(c for _, c in took[count]),
            "parts_that_differ": None,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", nargs="?", default="mini")
    parser.add_argument("--corpus", action="append")
    parser.add_argument("--corpora", type=Path)
    parser.add_argument("--sentences", type=int, default=500)
    parser.add_argument("--threads", type=int, action="append")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--encoder", type=Path, action="append")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    print("| from typing to the first answer | seconds | CPU seconds |\n|---|--:|--:|")
    for row in starts(given.model, given.rounds):
        print(f"| {row['start']} | {row['seconds']:.2f} | {row['cpu_seconds']:.2f} |", flush=True)
        rows.append(row)
    texts = [(lang, generated(lang, given.sentences)) for lang in WORDS]
    if given.corpus:
        texts = [of_corpus(name, given.corpora, given.sentences) for name in given.corpus]
    print("\n| file | runtime | threads | seconds | CPU seconds | sentences/s | by CPU time | differ |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for lang, text in texts:
        threads = given.threads or [1, 2]
        measured = [runs(given.model, lang, text, threads, given.rounds)]
        encoders: list[Path] = given.encoder or []
        measured += [encoder_runs(folder, lang, text, threads, given.rounds) for folder in encoders]
        for row in chain.from_iterable(measured):
            rates = [row["sentences"] / row[name] for name in ("seconds", "cpu_seconds")]
            print(
                f"| {lang}, {row['sentences']:,} sentences | {row['runtime']} | {row['threads']} "
                f"| {row['seconds']:.1f} | {row['cpu_seconds']:.1f} | {rates[0]:.0f} | {rates[1]:.0f} "
                f"| {'–' if row['parts_that_differ'] is None else row['parts_that_differ']} |",
                flush=True,
            )
            rows.append(row)
    if given.json:
        given.json.write_text(json.dumps({"rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
