"""How fast tagged answers are decoded: with drafts of the source beside token by token and transformers' own generate.

Run: python benchmarks/decode.py MODEL EXAMPLES... [--records N] [--batch N]... [--threads N] [--rounds N] [--json FILE]

MODEL is a run or a folder with a model of ours; EXAMPLES are files of examples with tagged answers, such as the
`data-*/test-*.parquet` of a run. Per batch size, in turns, the same prompts are answered by

- `generate` of transformers, greedily, as many tokens as the longest of the same answers has, without a constraint;
- our decoder under its constraint, token by token;
- our decoder under its constraint, with drafts.

`--shape 0.6B` puts a model with random weights of the shape of Qwen3-0.6B in MODEL's place, which is made to write the
same answers: what it decides is replaced by what MODEL answered, after it has computed it.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

SHAPES: dict[str, dict[str, int]] = {
    "60M": {"hidden_size": 512, "num_hidden_layers": 12, "num_attention_heads": 8, "num_key_value_heads": 4}
    | {"head_dim": 64, "intermediate_size": 1536},
    "0.6B": {"hidden_size": 1024, "num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 8}
    | {"head_dim": 128, "intermediate_size": 3072},
}


@dataclass
class Found:
    """What a way of decoding took for a batch size."""

    seconds: list[float] = field(default_factory=list[float])
    passes: int = 0
    tokens: int = 0


def prompts_of(engine: Any, paths: Sequence[Path], records: int) -> list[Any]:
    """Return the prompts of a fixed sample of tagged examples, the longest first."""
    from taiyi import storage
    from taiyi.schema import Example

    found = [e for path in paths for e in storage.read_parquet(path, Example) if e.tagging is not None]
    random.Random(0).shuffle(found)
    prompts = [engine.encoder.prompt(e.messages, e.tagging) for e in found[:records]]
    return sorted(prompts, key=lambda prompt: -len(prompt.ids))


def batches(prompts: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (prompts[at : at + size] for at in range(0, len(prompts), size))


def of_shape(name: str, vocabulary: int) -> Any:
    """Return a model with random weights."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    return Qwen3ForCausalLM(Qwen3Config(vocab_size=vocabulary, tie_word_embeddings=True, **SHAPES[name])).eval()


class Told:
    """Replaces what a model decides by given answers, so that a model that knows nothing writes them."""

    def __init__(self, answers: dict[tuple[int, ...], list[int]], end: int) -> None:
        self.answers, self.end = answers, end

    def decide(self, rows: Sequence[Any], drafts: Sequence[Any]) -> list[list[int]]:
        found: list[list[int]] = []
        for row, draft in zip(rows, drafts, strict=True):
            answer = [*self.answers[tuple(row.prompt.ids)], self.end]
            at = len(row.written)
            # Behind where the draft departs from the answer nothing counts.
            found.append([answer[min(at + j, len(answer) - 1)] for j in range(len(draft.choices))])
        return found


def counted(model: Any) -> Callable[[], tuple[int, int]]:
    """Count the passes of a model, and the tokens that it is fed."""
    seen = [0, 0]

    def hook(module: Any, given: Any, keywords: dict[str, Any], output: Any) -> None:
        seen[0] += 1
        seen[1] += keywords["input_ids"].numel() if "input_ids" in keywords else given[0].numel()

    model.get_decoder().register_forward_hook(hook, with_kwargs=True)

    def take() -> tuple[int, int]:
        found = (seen[0], seen[1])
        seen[:] = [0, 0]
        return found

    return take


def generated(model: Any, batch: Sequence[Any], count: int) -> None:
    longest = max(len(prompt.ids) for prompt in batch)
    ids = torch.tensor([[0] * (longest - len(prompt.ids)) + list(prompt.ids) for prompt in batch])
    mask = torch.tensor([[0] * (longest - len(prompt.ids)) + [1] * len(prompt.ids) for prompt in batch])
    model.generate(
        ids, attention_mask=mask, max_new_tokens=count, min_new_tokens=count, do_sample=False, pad_token_id=0
    )


def measured(
    engine: Any, model: Any, told: Told | None, prompts: Sequence[Any], size: int, rounds: int
) -> dict[str, Found]:
    """Return what each way took to answer all prompts in batches of a size."""
    from taiyi.generate import grounded
    from taiyi.generate.torch_model import TorchModel

    take = counted(model)
    found = {name: Found() for name in ("generate", "token by token", "drafts")}
    lengths: dict[int, int] = {}
    if told is not None:
        own = grounded._decide

        def decide(states: Any, drafts: Any, rows: Any, rule: Any, sampler: Any) -> list[list[tuple[int, float]]]:
            own(states, drafts, rows, rule, sampler)
            return [[(token, 0.0) for token in of_row] for of_row in told.decide(rows, drafts)]

        grounded._decide = decide  # pyright: ignore[reportPrivateUsage]

    def ours(draft: int | None) -> list[tuple[int, ...]]:
        answers: list[tuple[int, ...]] = []
        for batch in batches(prompts, size):
            made = sorted(grounded.decode(TorchModel(model), engine.encoder, batch, max_tags=512, draft=draft))
            answers += [tuple(ids) for _, ids, _, _ in made]
        return answers

    for _ in range(rounds):
        written: dict[str, list[tuple[int, ...]]] = {}
        for name, draft in (("token by token", 0), ("drafts", None)):
            take()
            start = time.perf_counter()
            written[name] = ours(draft)
            found[name].seconds.append(time.perf_counter() - start)
            found[name].passes, found[name].tokens = take()
        if written["drafts"] != written["token by token"]:
            differ = sum(a != b for a, b in zip(*written.values(), strict=True))
            print(f"batch {size}: {differ} of {len(prompts)} answers differ with drafts")
        lengths = {n: len(ids) + 1 for n, ids in enumerate(written["drafts"])}
        take()
        start = time.perf_counter()
        for number, batch in enumerate(batches(prompts, size)):
            generated(model, batch, max(lengths[number * size + i] for i in range(len(batch))))
        found["generate"].seconds.append(time.perf_counter() - start)
        found["generate"].passes, found["generate"].tokens = take()
    if told is not None:
        grounded._decide = own  # pyright: ignore[reportPrivateUsage]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model")
    parser.add_argument("examples", nargs="+", type=Path)
    parser.add_argument("--records", type=int, default=96)
    parser.add_argument("--batch", type=int, action="append")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--shape", choices=list(SHAPES))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()

    from taiyi.generate import LocalEngine, grounded

    torch.set_num_threads(given.threads)
    engine = LocalEngine.load(given.model, device=given.device, dtype=given.dtype, runtime="torch")
    prompts = prompts_of(engine, given.examples, given.records)
    model: Any = engine.model
    model, told = model.model, None
    if given.shape:
        answers = {
            tuple(batch[i].ids): ids
            for batch in batches(prompts, 16)
            for i, ids, _, _ in grounded.decode(engine.model, engine.encoder, batch, max_tags=512)
        }
        told = Told(answers, engine.encoder.end)
        model = of_shape(given.shape, model.config.vocab_size)
        model = model.to(given.device, getattr(torch, given.dtype))
    source = sum(len(prompt.grounding.source) for prompt in prompts) / len(prompts)
    print(
        f"{len(prompts)} prompts of {sum(len(p.ids) for p in prompts) / len(prompts):.0f} tokens, source {source:.0f}"
    )
    print("| batch | way | seconds, best | passes | tokens read | drafts are faster by |\n|--:|---|--:|--:|--:|--:|")
    rows: list[dict[str, Any]] = []
    for size in given.batch or [1, 8, 32]:
        found = measured(engine, model, told, prompts, size, given.rounds)
        best = min(found["drafts"].seconds)
        for name, way in found.items():
            seconds = min(way.seconds)
            print(
                f"| {size} | {name} | {seconds:.2f} | {way.passes:,} | {way.tokens:,} | {seconds / best:.1f}x |",
                flush=True,
            )
            rows.append(
                {"batch": size, "way": name, "seconds": way.seconds, "passes": way.passes, "tokens": way.tokens}
            )
    if given.json:
        given.json.write_text(json.dumps({"shape": given.shape, "dtype": given.dtype, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
