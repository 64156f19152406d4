"""How much `taiyi serve` answers, with questions answered together and one by one, and what hours of it do to memory.

Run: python benchmarks/serve.py [MODEL] [--clients N]... [--requests N] [--rounds N] [--json FILE]
     python benchmarks/serve.py [MODEL] --soak SECONDS

MODEL is a run or a folder with a small model, the one of the package if not given. Servers run as processes of their
own, one that answers up to 32 questions together and one that answers each by itself, and are asked in turns. Beside
requests a second stands the CPU time of the server, for machines that others use: ratios of the two tell more than
either. The soak (serve_soak.py) sends a mix of right and wrong requests, with clients that go away in the middle.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx2
from serve_soak import Soak

WORDS = (
    "aspirin asthma induced severe patients with hepatotoxicity after treatment of chronic renal failure and the dose "
    "carbamazepine reduced seizures in epilepsy rats were given lithium tremor was seen no effect on pressure"
)
TYPES = ["chemical", "disease"]


def texts(count: int, sentences: int = 2) -> list[str]:
    """Return texts of some sentences of 8 to 30 words, none like another."""
    chance, words = random.Random(0), WORDS.split()
    return [
        " ".join(f"{' '.join(chance.choices(words, k=chance.randint(8, 30))).capitalize()}." for _ in range(sentences))
        for _ in range(count)
    ]


def child(model: str, together: int) -> None:
    """Serve a model; say where on the first line."""
    from taiyi.serve import running, service
    from taiyi.serve.app import app
    from taiyi.serve.settings import ServeSettings
    from taiyi.use.taiyi import Taiyi

    service.TOGETHER = together
    settings = ServeSettings(port=0, name="bench", max_requests=1024)
    taiyi = Taiyi.load(model)
    with running.listen(settings) as listening:
        print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        running.run(app(taiyi, settings), settings, listening)


@contextmanager
def served(model: str, together: int) -> Iterator[str]:
    command = [sys.executable, __file__, model, "--child", str(together)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, "the server did not start"
        for _ in range(600):
            try:
                if httpx2.get(f"{url}/ready", timeout=60).status_code == 200:
                    break
            except httpx2.TransportError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def numbers(url: str) -> dict[str, float]:
    """Return the numbers of a server that have no labels."""
    text = httpx2.get(f"{url}/metrics", timeout=60).text
    return {name: float(value) for name, value in re.findall(r"^(\w+) (\S+)$", text, re.MULTILINE)}


async def load(url: str, asked: list[str], clients: int) -> list[float]:
    """Ask for all texts from so many clients at once; return how long each waited."""
    waiting, waited = list(reversed(asked)), list[float]()
    limits = httpx2.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx2.AsyncClient(base_url=url, timeout=120, limits=limits) as client:

        async def one() -> None:
            while waiting:
                text, started = waiting.pop(), time.perf_counter()
                response = await client.post("/v1/extract", json={"text": text, "types": TYPES})
                response.raise_for_status()
                waited.append(time.perf_counter() - started)

        await asyncio.gather(*(one() for _ in range(clients)))
    return waited


def measure(url: str, asked: list[str], clients: int) -> dict[str, float]:
    before, started = numbers(url), time.perf_counter()
    waited = sorted(asyncio.run(load(url, asked, clients)))
    seconds, after = time.perf_counter() - started, numbers(url)
    batches = after["taiyi_batch_questions_count"] - before["taiyi_batch_questions_count"]
    return {
        "per_second": len(asked) / seconds,
        "cpu_ms": 1000 * (after["process_cpu_seconds_total"] - before["process_cpu_seconds_total"]) / len(asked),
        "median_ms": 1000 * median(waited),
        "p95_ms": 1000 * waited[int(0.95 * len(waited))],
        "together": len(asked) / batches,
    }


def throughput(model: str, clients: list[int], requests: int, rounds: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    with served(model, 32) as together, served(model, 1) as alone:
        for url in (together, alone):
            measure(url, texts(8), 2)
        for count in clients:
            found: dict[str, list[dict[str, float]]] = {"together": [], "alone": []}
            for _ in range(rounds):
                for name, url in (("together", together), ("alone", alone)):
                    found[name].append(measure(url, texts(requests), count))
            for name, measured in found.items():
                shown = {key: median(one[key] for one in measured) for key in measured[0]}
                rows.append({"clients": count, "answered": name} | shown)
                print(f"{count:>4} clients, {name:>8}: " + ", ".join(f"{k} {v:,.1f}" for k, v in shown.items()))
    return rows


def memory(model: str, seconds: float) -> None:
    with served(model, 32) as url:
        began, soak = time.monotonic(), Soak(url, types=TYPES)
        while (passed := time.monotonic() - began) < seconds:
            asyncio.run(soak.run(seconds=min(seconds / 10, seconds - passed)))
            resident = numbers(url)["process_resident_memory_bytes"] / 2**20
            shown = ", ".join(f"{count:,} x {what}" for what, count in sorted(soak.came.items()))
            print(f"{time.monotonic() - began:6.0f} s: {resident:6.1f} MiB; {shown}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="mini")
    parser.add_argument("--clients", type=int, action="append")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--soak", type=float)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child is not None:
        child(given.model, given.child)
    elif given.soak is not None:
        memory(given.model, given.soak)
    else:
        rows = throughput(given.model, given.clients or [1, 8, 32], given.requests, given.rounds)
        if given.json:
            given.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
