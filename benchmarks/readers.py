"""How fast corpora are read, and in how much memory, against the plain parse of the same files.

Run: make bench CORPORA=DIR, or python benchmarks/readers.py DIR [--rounds N] [--json FILE]

For each corpus, side by side in one process, each the fastest of some rounds: reading the bytes of its files; the bare parse
of them (lxml for XML, json for JSON, decoding and splitting into lines and columns for text); and reading them as records. Peak
memory is that of a process of its own that reads the corpus once, less that of one that imports the same and reads nothing; with
`x4` the same files stand four times, to show that it does not grow with them.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from lxml import etree

from taiyi import catalogue
from taiyi.catalogue import Corpus
from taiyi.formats import bioc
from taiyi.schema import Reject

CASES = (
    "bc5cdr",
    "bc5cdr BioC XML",
    "biored",
    "biored BioC JSON",
    "bionlp_shared_task_2009",
    "bionlp_st_2011_ge",
    "bionlp_st_2013_cg",
    "bionlp_st_2013_gro",
    "cmeee_chip2020",
    "cmeee_v2",
)
REPEATS = 4


def sources(case: str, root: Path) -> tuple[list[Path], Callable[[], Iterable[object]]]:
    """Return the files of a case, and what reads them."""
    name, _, form = case.partition(" ")
    corpus = catalogue.get(name)
    folder = corpus.location(root)
    here = {"corpus": name, "split": "train", "lang": corpus.langs[0]}
    if form == "BioC XML":
        files = sorted(folder.glob("*.BioC.xml"))
        return files, lambda: (item for file in files for item in bioc.read(file, **here))
    if form == "BioC JSON":
        from taiyi.formats import bioc_json

        files = sorted(folder.glob("BioRED/*.BioC.JSON"))
        return files, lambda: (item for file in files for item in bioc_json.read(file, **here))
    splits = [split for split in corpus.splits if corpus.layout(split, root)]
    found = [path for split in splits for source in corpus.sources(split, root) for path in _files(source, folder)]
    return found, lambda: (item for split in splits for item in catalogue.load(corpus, split, root))


def _files(source: catalogue.Source, folder: Path) -> list[Path]:
    paths = source.find(folder)
    return [file for path in paths for file in ([path] if path.is_file() else sorted(path.iterdir())) if _read(file)]


def _read(file: Path) -> bool:
    return file.is_file() and file.suffix in (".txt", ".a1", ".a2", ".json", ".jsonl", ".xml", ".PubTator")


def bare_parse(file: Path) -> object:
    """Parse a file as its format's library does, and no more."""
    suffix = file.suffix.lower()
    if suffix == ".xml":
        return etree.parse(str(file))
    data = file.read_bytes()
    if suffix == ".json":
        return json.loads(data)
    return [line.split("\t") for line in data.decode().split("\n")]


def fastest(do: Callable[[], object], rounds: int) -> float:
    times: list[float] = []
    for _ in range(rounds):
        gc.collect()
        start = time.perf_counter()
        do()
        times.append(time.perf_counter() - start)
    return min(times)


def drain(items: Iterable[object]) -> int:
    return sum(not isinstance(item, Reject) for item in items)


def measure(case: str, root: Path, rounds: int) -> dict[str, Any]:
    files, read = sources(case, root)
    records = drain(read())
    size = sum(file.stat().st_size for file in files)
    plain = fastest(lambda: [file.read_bytes() for file in files], rounds)
    parse = fastest(lambda: [bare_parse(file) for file in files], rounds)
    ours = fastest(lambda: drain(read()), rounds)
    return {
        "case": case, "files": len(files), "megabytes": size / 1e6, "records": records, "bytes_s": plain,
        "parse_s": parse, "records_s": ours, "records_per_s": records / ours, "ratio": ours / parse,
    }  # fmt: skip


def _peak_kib(case: str, root: Path, connection: Any) -> None:
    if case:
        drain(sources(case, root)[1]())
    else:
        catalogue.all_corpora()
    connection.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def peak_mib(case: str, root: Path) -> float:
    """Return the peak memory of a process that reads a case once; of one that reads nothing if it is empty."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_peak_kib, args=(case, root, theirs))
    process.start()
    peak: int = ours.recv()
    process.join()
    return peak / 1024


def repeated(case: str, root: Path, target: Path) -> None:
    """Lay out a corpus under another root, with each file of text or lines `REPEATS` times as long."""
    corpus: Corpus = catalogue.get(case)
    shutil.copytree(corpus.location(root), target / corpus.folder)
    for file in (target / corpus.folder).rglob("*"):
        if file.is_file() and file.suffix == ".txt":
            data = file.read_bytes()
            file.write_bytes(data * REPEATS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("root", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    nothing = peak_mib("", arguments.root)
    print("| corpus | files | MB | records | bytes | bare parse | records | records/s | records ÷ bare parse | memory |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for case in CASES:
        row = measure(case, arguments.root, arguments.rounds)
        row["peak_mib"] = peak_mib(case, arguments.root) - nothing
        rows.append(row)
        print(_line(row), flush=True)
    with tempfile.TemporaryDirectory() as made:
        for case in ("bc5cdr", "cmeee_chip2020"):
            repeated(case, arguments.root, Path(made))
            row = measure(case, Path(made), 1) | {"case": f"{case} x{REPEATS}"}
            row["peak_mib"] = peak_mib(case, Path(made)) - nothing
            rows.append(row)
            print(_line(row), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps({"python": sys.version, "rows": rows}, indent=1))


def _line(row: dict[str, Any]) -> str:
    times = " | ".join(f"{1000 * row[key]:.0f} ms" for key in ("bytes_s", "parse_s", "records_s"))
    return (
        f"| {row['case']} | {row['files']} | {row['megabytes']:.1f} | {row['records']:,} | {times} | "
        f"{row['records_per_s']:,.0f} | {row['ratio']:.1f} | {row['peak_mib']:.0f} MiB |"
    )


if __name__ == "__main__":
    main()
