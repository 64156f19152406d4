"""How fast instruction data is built, and in how much memory, against the bare cost of the libraries that do the work.

Run: make bench-build, or python benchmarks/build.py [--examples N] [--workers N] [--folder DIR] [--json FILE]

Three corpora are generated, of words and characters that are as frequent as Zipf has it: English abstracts with
entities (one record in ten, of 1,300 characters), English texts with a label (three in ten, of 350), Chinese questions
with answers (six in ten, of 40 and 130). Of them 2 in 100 are repeated exactly, and 3 in 100 with a word or character
changed.
They are built as a recipe is, with all filters, duplicates and near duplicates within and across corpora, and
decontamination against 3,000 records that are held out.

Then the examples are encoded as rows of tokens with their loss masks, by a tokenizer trained on a part of them.

CPU seconds are those of all processes together. A bare cost is that of the library alone on the same data, in one
process of one thread: msgspec decoding the records of JSON lines; rensa making MinHash signatures from the character
5-grams of the texts, as strings; msgspec encoding the examples as JSON; pyarrow writing what a step writes as Parquet,
and reading what it reads; tokenizers encoding prompts and answers.

Where Hugging Face datasets is installed, `Dataset.map` then renders the same records, with the same tasks and
templates, and encodes them as trl does (the chat template over the prompt, and over the prompt with its answer), in as
many processes, and writes Parquet: beside what collecting, rendering, joining and encoding take here.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import re
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.console import Console

from taiyi import catalogue, corpora, storage, tasks
from taiyi.build.instructions import Instructions
from taiyi.build.settings import Selection
from taiyi.build.workers import ONE_THREAD, Local
from taiyi.evaluate import suites
from taiyi.evaluate.suites import TestSet
from taiyi.manifest import Log
from taiyi.recipe import Recipe
from taiyi.schema import Document, Entity, Example, Labelled, Question, Record, Span
from taiyi.steps import Run
from taiyi.steps import build as build_data
from taiyi.steps.training import encode as encode_rows

# Worker processes import this file too, and find the corpora of the benchmark as this process does.
corpora.__path__.append(str(Path(__file__).parent / "corpora"))
os.environ.update(ONE_THREAD)
cleaning: Any = importlib.import_module("taiyi.steps.cleaning")
rendering: Any = importlib.import_module("taiyi.steps.rendering")

SHARES = {"bench_ner": 0.1, "bench_tc": 0.3, "bench_qa": 0.6}
TASKS = {"bench_ner": "ner", "bench_tc": "tc", "bench_qa": "qa_sqa"}
HELD_OUT = 1000
REPEATED, NEARLY = 0.02, 0.03
BARE = 20_000
SOME_TEXTS = 5_000

suites.SUITES["bench"] = tuple(
    TestSet(
        name=f"{name}_test",
        title=name,
        corpus=name,
        split="test",
        task=task,
        metric={"ner": "micro_f1", "tc": "accuracy"}.get(task, "chrf"),  # type: ignore[arg-type]
        langs=catalogue.get(name).langs,
    )
    for name, task in TASKS.items()
)


# --- Corpora ---------------------------------------------------------------------------------------------------------


class Words:
    """Texts of words, or of characters, drawn with the frequencies of Zipf's law."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        parts = [a + b for a in "bcdfglmnprstv" for b in ("a", "e", "i", "o", "u", "al", "en", "is", "or")]
        self.words = ["".join(self.random.choice(parts, size=n)) for n in self.random.integers(1, 5, size=20_000)]
        self.characters = list(map(chr, self.random.permutation(np.arange(0x4E00, 0x4E00 + 3500)).tolist()))
        self._word, self._character = _zipf(len(self.words)), _zipf(len(self.characters))

    def english(self, num_words: int) -> list[str]:
        drawn = np.searchsorted(self._word, self.random.random(num_words)).tolist()
        return [self.words[i] + (". " if n % 17 == 16 else " ") for n, i in enumerate(drawn)]

    def chinese(self, num_characters: int) -> list[str]:
        drawn = np.searchsorted(self._character, self.random.random(num_characters)).tolist()
        return [self.characters[i] + ("，" if n % 12 == 11 else "") for n, i in enumerate(drawn)]

    def length(self, mean: int) -> int:
        return max(8, int(mean * self.random.lognormal(-0.125, 0.5)))

    def changed(self, text: list[str], others: Callable[[int], list[str]]) -> list[str]:
        at = int(self.random.integers(len(text)))
        return [*text[:at], *others(1), *text[at + 1 :]]


def _zipf(size: int) -> np.ndarray:
    weights = 1 / np.arange(1, size + 1)
    return np.cumsum(weights / weights.sum())


def records(corpus: str, split: str, number: int, seed: int) -> Iterator[Record]:
    made = Words(seed)
    fresh = {"bench_ner": 210, "bench_tc": 55, "bench_qa": 40}[corpus]
    write = made.chinese if corpus == "bench_qa" else made.english
    earlier: list[list[str]] = []
    for index in range(number):
        kind = made.random.random()
        if earlier and kind < REPEATED + NEARLY:
            text = earlier[int(kind * 1e6) % len(earlier)]
            text = text if kind < REPEATED else made.changed(text, write)
        else:
            text = write(made.length(fresh))
            earlier = [*earlier[-500:], text]
        head: dict[str, Any] = {
            "id": str(index),
            "corpus": corpus,
            "split": split,
            "document_ids": (f"{split}:{index}",),
        }
        whole = "".join(text).strip()
        if corpus == "bench_ner":
            places = sorted({int(made.random.integers(len(text) - 2)) for _ in range(9)})
            starts = np.cumsum([0, *map(len, text)]).tolist()
            entities = tuple(
                Entity(
                    id=f"T{n}",
                    type=("Chemical", "Disease")[n % 2],
                    text=word,
                    spans=(Span(starts[at], starts[at] + len(word)),),
                )
                for n, at in enumerate(places)
                if (word := text[at].strip(" ."))
            )
            yield Document(**head, lang="en", text=whole, entities=entities)
        elif corpus == "bench_tc":
            yield Labelled(**head, lang="en", text=whole, labels=(f"L{len(whole) % 8}",))
        else:
            answer = "".join(made.chinese(made.length(130)))
            yield Question(**head, lang="zh", kind="simple", question=whole, answers=(answer,))


def generate(folder: Path, examples: int) -> None:
    for seed, (corpus, share) in enumerate(SHARES.items()):
        storage.write_jsonl(records(corpus, "train", round(examples * share), seed), folder / corpus / "train.jsonl")
        storage.write_jsonl(records(corpus, "test", HELD_OUT, 100 + seed), folder / corpus / "test.jsonl")


# --- The build -------------------------------------------------------------------------------------------------------


def peak_mib() -> float:
    """Return the peak memory of this process since `forget_peak`."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.findall(r"VmHWM:\s*(\d+) kB", status.read_text())[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


class Measured:
    """A function with what each call of it takes: seconds of CPU, and peak memory of its process."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __call__(self, part: Any) -> tuple[Any, float, float]:
        forget_peak()
        begun = time.process_time()
        result = self.function(part)
        return result, time.process_time() - begun, peak_mib()


class Steps:
    """What each step took: seconds on the clock and of CPU, and the peak memory of a process."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.cpu: dict[str, float] = {}
        self.peak: dict[str, float] = {}

    def add(self, name: str, seconds: float, cpu: float, peak: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0) + seconds
        self.cpu[name] = self.cpu.get(name, 0) + cpu
        self.peak[name] = max(self.peak.get(name, 0), peak)

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            forget_peak()
            begun, cpu = time.perf_counter(), time.process_time()
            result = function(*given, **named)
            self.add(name, time.perf_counter() - begun, time.process_time() - cpu, peak_mib())
            return result

        return call


class Timed(Local):
    def __init__(self, workers: int, steps: Steps) -> None:
        super().__init__(workers)
        self.steps = steps

    def map(self, function: Callable[[Any], Any], parts: Sequence[Any]) -> Iterator[Any]:
        name = function.__name__.strip("_").removesuffix("_part")
        begun = time.perf_counter()
        for result, cpu, peak in super().map(Measured(function), parts):
            self.steps.add(name, 0, cpu, peak)
            yield result
        self.steps.add(name, time.perf_counter() - begun, 0, 0)


def recipe(base: Path) -> Recipe:
    stage = {
        "name": "all",
        "data": [{"corpus": corpus, "task": task} for corpus, task in TASKS.items()],
        "max_tokens": 8192,
        "batch_tokens": 8192,
    }
    return Recipe.model_validate(
        {"name": "bench", "seed": 1, "base": str(base), "stages": [stage], "evaluate": {"suites": ["bench"]}}
    )


def make_base(root: Path, folder: Path) -> None:
    """Make a small model with a tokenizer trained on some of the texts: the rows are encoded for it."""
    if (folder / "config.json").exists():
        return
    from taiyi.train.model import scratch
    from taiyi.train.tokenizer import train_bpe

    def texts() -> Iterator[str]:
        for corpus in TASKS:
            for _, line in zip(range(SOME_TEXTS), (root / corpus / "train.jsonl").open("rb"), strict=False):
                record = msgspec.json.decode(line)
                yield from (record[name] for name in ("text", "question") if name in record)
                yield from record.get("answers", ())

    tags = ("<Chemical>", "</Chemical>", "<Disease>", "</Disease>")
    tokenizer = train_bpe(texts(), vocab_size=8000, tags=tags)
    model = scratch(tokenizer, hidden=16, layers=1, heads=1, kv_heads=1, feed_forward=32, max_positions=8192, seed=1)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def measure(root: Path, runs: Path, base: Path, workers: int) -> tuple[Path, Steps, float]:
    steps = Steps()
    cleaning.resolve = steps.timed("resolve", cleaning.resolve)
    rendering.join = steps.timed("join", rendering.join)
    log = Log(runs / "bench", Console(quiet=True))
    run = Run(recipe(base), runs / "bench", root, log, engine=Timed(workers, steps))
    forget_peak()
    begun, cpu = time.perf_counter(), time.process_time()
    folder = build_data(run)
    encode_rows(run, folder, 0)
    seconds = time.perf_counter() - begun
    named = sum(steps.seconds.values())
    own = sum(steps.cpu[name] for name in ("resolve", "join"))
    in_main = sum(steps.cpu.values()) - own if workers == 1 else 0
    steps.add("the rest", seconds - named, time.process_time() - cpu - own - in_main, peak_mib())
    return folder, steps, seconds


# --- What libraries take by themselves -------------------------------------------------------------------------------


def bare(root: Path, run: Path, base: Path, folder: Path) -> dict[str, float]:
    """Return the CPU seconds of the libraries' work for all of the data, from that for a part of it."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from rensa import RMinHash
    from tokenizers import Tokenizer

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    costs: dict[str, float] = {}

    def took(name: str, work: Callable[[], Any], share: float) -> Any:
        begun = time.process_time()
        result = work()
        costs[name] = costs.get(name, 0) + (time.process_time() - begun) / share
        return result

    def table_of(path: Path, rows: int) -> Any:
        with pq.ParquetFile(path) as file:
            return next(file.iter_batches(rows))

    decoder = msgspec.json.Decoder(Record)
    with tempfile.TemporaryDirectory() as made:
        out = Path(made) / "x.parquet"
        for corpus in TASKS:
            lines = (root / corpus / "train.jsonl").read_bytes().splitlines()
            some = lines[:BARE]
            share = len(some) / len(lines)
            took("collect: decode", lambda some=some: [decoder.decode(line) for line in some], share)
            (shard,) = (run / "shards").glob(f"{corpus}-train-*")
            batch = pa.Table.from_batches([table_of(shard / "items-00000.parquet", len(some))])
            write = lambda batch=batch: pq.write_table(batch, out, compression="zstd", row_group_size=8192)  # noqa: E731
            took("collect: write Parquet", write, share)
            took("judge: read Parquet", lambda: pq.read_table(out, use_threads=False), share)
            texts = [msgspec.json.decode(texts)[0] for texts in batch["texts"].to_pylist()]
            del batch, some, lines

            def sign(texts: list[str] = texts) -> Any:
                return [_sign(RMinHash, [text[i : i + 5] for i in range(len(text) - 4)]) for text in texts]

            took("judge: MinHash", sign, share)
        path = folder / "all.parquet"
        total = storage.num_rows(path)
        examples = [e for _, e in zip(range(BARE), _spread(path), strict=False)]
        share = len(examples) / total
        encoder = msgspec.json.Encoder()
        took("render: encode", lambda: [encoder.encode(example) for example in examples], share)
        storage.write_parquet(examples, out, Example)
        table = pq.read_table(out)
        took(
            "render: write Parquet", lambda: pq.write_table(table, out, compression="zstd", row_group_size=8192), share
        )
        took("join: read Parquet", lambda: pq.read_table(out, use_threads=False), share)
        took("join: write Parquet", lambda: pq.write_table(table, out, compression="zstd", row_group_size=8192), share)
        tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
        texts = [f"{example.messages[-1].content}\n{example.answer}" for example in examples]
        took("encode: tokenise", lambda: tokenizer.encode_batch_fast(texts), share)
        took("encode: read Parquet", lambda: pq.read_table(out, use_threads=False), share)
    return costs


def _sign(kind: Any, tokens: list[str]) -> Any:
    made = kind(128, 4)
    made.update(tokens)
    return made.digest()


def _spread(path: Path) -> Iterator[Example]:
    """Yield about `BARE` examples from all over a file."""
    every = max(1, storage.num_rows(path) // BARE)
    for index, example in enumerate(storage.read_parquet(path, Example)):
        if index // 512 % every == 0:
            yield example


def rendered(row: dict[str, str], name: str, base: str) -> dict[str, Any]:
    record = msgspec.json.decode(row["text"], type=Record)
    (made,) = instructions(name).of(record)
    assert isinstance(made, Example)
    messages = [{"role": message.role, "content": message.content} for message in made.messages]
    answered = [*messages, {"role": "assistant", "content": made.answer}]
    tokenizer = _tokenizer(base)
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)["input_ids"]
    ids = tokenizer.apply_chat_template(answered, return_dict=True)["input_ids"]
    mask = [0] * len(prompt) + [1] * (len(ids) - len(prompt))
    return {"example": msgspec.json.encode(made).decode(), "input_ids": ids, "completion_mask": mask}


@lru_cache
def instructions(name: str) -> Instructions:
    selection = Selection(corpus=name, task=TASKS[name])
    return Instructions(selection, tasks.get(TASKS[name]), catalogue.get(name), seed=1, training=True)


@lru_cache(maxsize=1)
def _tokenizer(base: str) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(base)


def with_datasets(root: Path, base: Path, workers: int) -> float | None:
    """Return the seconds on the clock of reading, rendering, encoding and writing by Hugging Face datasets, if it is
    there."""
    try:
        datasets: Any = importlib.import_module("datasets")
    except ImportError:
        return None
    datasets.disable_progress_bars()
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as made:
        for name in TASKS:
            files = str(root / name / "train.jsonl")
            lines = datasets.load_dataset("text", data_files=files, split="train", cache_dir=made)
            given = {"name": name, "base": str(base)}
            done = lines.map(rendered, fn_kwargs=given, num_proc=workers, remove_columns=["text"])
            done.to_parquet(str(Path(made) / f"{name}.parquet"))
    return time.perf_counter() - begun


# --- Output ----------------------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where the corpora and the data go; else a temporary folder")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="taiyi-bench-"))
    root, runs, base = folder / f"corpora-{given.examples}", folder / "runs", folder / "base"
    try:
        if not root.exists():
            generate(root, given.examples)
        shutil.rmtree(runs, ignore_errors=True)
        make_base(root, base)
        made, steps, seconds = measure(root, runs, base, given.workers)
        total = storage.num_rows(made / "all.parquet")
        costs = bare(root, runs / "bench", base, made)
        theirs = with_datasets(root, base, given.workers)
    finally:
        if not given.folder:
            shutil.rmtree(folder)
    print_tables(steps, seconds, total, given, costs)
    if theirs is not None:
        ours = sum(steps.seconds[name] for name in ("collect", "render", "join", "encode"))
        print(f"\ndatasets: {theirs:.1f} s; collect, render, join and encode: {ours:.1f} s ({theirs / ours:.1f} times)")
    if given.json:
        rows = {"seconds": steps.seconds, "cpu": steps.cpu, "peak_mib": steps.peak, "bare": costs, "examples": total}
        given.json.write_text(json.dumps({"python": sys.version, "wall": seconds, **rows}, indent=1))


def print_tables(steps: Steps, seconds: float, total: int, given: Any, costs: dict[str, float]) -> None:
    print(f"{given.examples:,} records, {total:,} examples, {given.workers} processes: {seconds:.0f} s on the clock, "
          f"{total / seconds:,.0f} examples/s\n")  # fmt: skip
    print("| step | seconds | CPU seconds | peak MiB of a process | bare, CPU seconds | ratio |")
    print("|---|--:|--:|--:|--:|--:|")
    of_step = {name: sum(c for n, c in costs.items() if n.startswith(name + ":")) for name in steps.seconds}
    for name in steps.seconds:
        ratio = f"{of_step[name]:.1f} | {steps.cpu[name] / of_step[name]:.1f}" if of_step[name] else " | "
        print(f"| {name} | {steps.seconds[name]:.1f} | {steps.cpu[name]:.1f} | {steps.peak[name]:.0f} | {ratio} |")
    cpu, whole = sum(steps.cpu.values()), sum(of_step.values())
    print(f"| all | {seconds:.1f} | {cpu:.1f} | {max(steps.peak.values()):.0f} | {whole:.1f} | {cpu / whole:.1f} |\n")
    print("| bare work of a library | CPU seconds |\n|---|--:|")
    for name, cost in costs.items():
        print(f"| {name} | {cost:.1f} |")


if __name__ == "__main__":
    main()
