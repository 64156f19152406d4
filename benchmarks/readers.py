"""How fast corpora are read, and in how much memory, against the plain parse of the same files.

Run: make bench CORPORA=DIR, or python benchmarks/readers.py [DIR] [--rounds N] [--json FILE]

For each corpus, in turn in one process, each the fastest of some rounds in CPU time: reading the bytes of its files;
the bare parse of them (lxml for XML, json for JSON, decoding and splitting into lines and columns for text); decoding
the same records from JSON lines in memory with msgspec, which is what building and validating them costs alone; and
reading the files as records. Peak memory is that of a process of its own that reads the corpus once, less that of one
that imports the same and reads nothing; with `x4` its files hold four times as many documents, to show that it does not
grow with them.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import re
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from taiyi import catalogue
from taiyi.catalogue import Corpus
from taiyi.formats import bioc, bioc_json
from taiyi.formats.xml import etree
from taiyi.schema import Record, Reject, Split

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
    here: dict[str, Any] = {"corpus": name, "split": "train", "lang": corpus.langs[0]}
    if form == "BioC XML":
        files = sorted(folder.glob("*.BioC.xml"))
        return files, lambda: (item for file in files for item in bioc.read(file, **here))
    if form == "BioC JSON":
        files = sorted(folder.glob("BioRED/*.BioC.JSON"))
        return files, lambda: (item for file in files for item in bioc_json.read(file, **here))
    splits: list[Split] = [split for split in corpus.splits if corpus.layout(split, root)]
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


def fastest(rounds: int, **work: Callable[[], object]) -> dict[str, float]:
    """Return the CPU seconds of the fastest round of each; they take turns, so that each meets the same noise."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, do in work.items():
            gc.collect()
            start = time.process_time()
            do()
            times[name].append(time.process_time() - start)
    return {name: min(taken) for name, taken in times.items()}


def drain(items: Iterable[object]) -> int:
    return sum(not isinstance(item, Reject) for item in items)


def measure(case: str, root: Path, rounds: int) -> dict[str, Any]:
    files, read = sources(case, root)
    own = [msgspec.json.encode(item) for item in read() if not isinstance(item, Reject)]
    decoder = msgspec.json.Decoder(Record)
    times = fastest(
        rounds,
        bytes=lambda: [file.read_bytes() for file in files],
        parse=lambda: [bare_parse(file) for file in files],
        own=lambda: [decoder.decode(line) and None for line in own],
        records=lambda: drain(read()),
    )
    return {
        "case": case,
        "files": len(files),
        "megabytes": sum(file.stat().st_size for file in files) / 1e6,
        "records": len(own),
        "seconds": times,
        "records_per_s": len(own) / times["records"],
        "ratio": times["records"] / times["parse"],
    }


def _peak_kib(case: str, root: Path, connection: Any) -> None:
    if case:
        drain(sources(case, root)[1]())
    else:
        catalogue.all_corpora()
    connection.send(_high_water_kib())


def _high_water_kib() -> int:
    status = Path("/proc/self/status")
    if status.exists():
        # On Linux a process inherits the peak that getrusage tells from the one that started it.
        (kib,) = re.findall(r"VmHWM:\s*(\d+) kB", status.read_text())
        return int(kib)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def peak_mib(case: str, root: Path) -> float:
    """Return the peak memory of a process that reads a case once; of one that reads nothing if it is empty."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_peak_kib, args=(case, root, theirs))
    process.start()
    peak: int = ours.recv()
    process.join()
    return peak / 1024


def repeated(case: str, root: Path, target: Path) -> None:
    """Lay out a corpus under another root, its texts `REPEATS` times as long; all documents have ids of their own."""
    corpus: Corpus = catalogue.get(case)
    shutil.copytree(corpus.location(root), target / corpus.folder)
    for file in (target / corpus.folder).rglob("*.txt"):
        data = file.read_bytes()
        ids = re.compile(rb"^(\d+)(?=[|\t])", re.MULTILINE)
        file.write_bytes(b"".join(ids.sub(rb"\g<1>%d" % number, data) for number in range(REPEATS)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("root", type=Path, nargs="?", help="the folder of the corpora")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    root = catalogue.corpora_dir(arguments.root)
    rows: list[dict[str, Any]] = []
    nothing = peak_mib("", root)
    print(
        "| corpus | files | MB | records | bytes | bare parse | same records from JSON lines | reader | records/s "
        "| reader ÷ bare parse | memory |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for case in CASES:
        row = measure(case, root, arguments.rounds)
        row["peak_mib"] = peak_mib(case, root) - nothing
        rows.append(row)
        print(_line(row), flush=True)
    with tempfile.TemporaryDirectory() as made:
        for case in ("bc5cdr", "cmeee_chip2020"):
            repeated(case, root, Path(made))
            row = measure(case, Path(made), arguments.rounds) | {"case": f"{case} x{REPEATS}"}
            row["peak_mib"] = peak_mib(case, Path(made)) - nothing
            rows.append(row)
            print(_line(row), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps({"python": sys.version, "rows": rows}, indent=1))


def _line(row: dict[str, Any]) -> str:
    times = " | ".join(f"{1000 * seconds:.0f} ms" for seconds in row["seconds"].values())
    return (
        f"| {row['case']} | {row['files']} | {row['megabytes']:.1f} | {row['records']:,} | {times} | "
        f"{row['records_per_s']:,.0f} | {row['ratio']:.1f} | {row['peak_mib']:.0f} MiB |"
    )


if __name__ == "__main__":
    main()
