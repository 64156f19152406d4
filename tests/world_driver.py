"""Trainings of a tiny model as processes of `torchrun` carry them out: what the tests of several processes start.

Each training is a dict: `out`, its folder; `settings`, of its stage; and what else `carry_out` takes.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

import torch
from peft import LoraConfig, get_peft_model
from transformers import PreTrainedTokenizerFast

from taiyi.checkpoint import Checkpoint
from taiyi.encoding import Prompt, Row
from taiyi.errors import TaiyiError
from taiyi.generate import free
from taiyi.generate.torch_model import TorchModel
from taiyi.train import rows as store
from taiyi.train.loop import Hooks, Step, TrainResult, train
from taiyi.train.model import scratch
from taiyi.train.objectives import Answer, Answered
from taiyi.train.selection import DevScore
from taiyi.train.settings import StageSettings
from taiyi.train.tokenizer import train_bpe
from taiyi.train.world import world

SETTINGS: dict[str, Any] = {
    "epochs": 2,
    "max_tokens": 64,
    "batch_tokens": 128,
    "accumulation": 4,
    "learning_rate": 1e-2,
    "weight_decay": 0.1,
}
ROWS = 56
PROMPTS = 10


class Stopped(Exception):
    pass


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    return train_bpe(["aspirin 阿司匹林"], vocab_size=280, tags=["<A>", "</A>"])


def model(settings: StageSettings, **changes: Any) -> Any:
    size = {"hidden": 32, "layers": 2, "heads": 2, "kv_heads": 1, "feed_forward": 48, "max_positions": 128, "seed": 3}
    base = scratch(tokenizer(), **(size | changes))
    if settings.method == "full":
        return base
    lora = settings.lora
    torch.manual_seed(7)
    config = LoraConfig(
        r=lora.r, lora_alpha=cast(int, lora.alpha), lora_dropout=lora.dropout, target_modules="all-linear",
        use_dora=lora.variant == "dora", task_type="CAUSAL_LM",
    )  # fmt: skip
    return get_peft_model(base, config)


def made(count: int = ROWS, longest: int = 60) -> list[Row]:
    """Return rows that repeat a source; where `count` is even, each two are a pair of answers to one prompt."""
    chance = random.Random(5)
    rows: list[Row] = []
    for number in range(count):
        half = chance.randrange(3, longest // 2)
        source = [chance.randrange(5, 200) for _ in range(half)]
        choices: list[tuple[int, ...]] = [
            () if number % 3 == 0 else (token, *{2, 3} - {token}) if chance.random() < 0.7 else (token,)
            for token in source
        ]
        choices[0] = (source[0], 1)
        positions = [*range(half), *range(half)]
        targets = list(range(half, 2 * half))
        rows.append(Row(f"c/train/{number}#t.1", [*source, *source], positions, targets, choices, f"t{number % 2}"))
    return rows


def write(folder: Path) -> None:
    """Write the rows of the trainings in a folder, unless they are there."""
    if not (folder / "rows" / store.FILE).exists():
        store.write(made(), folder / "rows")


def answer(learner: Any) -> Answer:
    """Return what answers with rows and rewards that are known: they follow from the step and the example alone.

    All answers to some examples are worth the same, so that nothing is learned from them.
    """

    def answers(step: int, asked: Sequence[int]) -> list[list[Answered]]:
        found: list[list[Answered]] = []
        for index in asked:
            chance = random.Random(f"{step}/{index}")
            rows = made(4, 20)
            found.append(
                [Answered(row.task, row, 0.5 if index % 5 == 0 else chance.choice((0.0, 0.5, 1.0))) for row in rows]
            )
        return found

    return answers


def carry_out(
    out: Path,
    settings: dict[str, Any],
    *,
    parallel: Any = "ddp",
    stop: int | None = None,
    kill: int | None = None,
    dev: bool = False,
    tie: bool = True,
    poison: int | None = None,
) -> TrainResult | None:
    """Train; return None where it was stopped.

    Args:
        out: the folder of the training; its rows are beside it.
        settings: what differs from `SETTINGS`.
        stop: the step after which it stops with an error.
        kill: the step after which all processes of the training and the one that started them are killed.
        dev: whether the model is asked after some steps; what it answers goes to the file `answered`.
        tie: whether the head shares the weights of the embeddings.
        poison: a token whose embedding is not a number.
    """
    this = world()
    asked = settings | ({"dev": {"every_steps": 3, "candidates": 2}} if dev else {})
    # A step of rewards has all answers to its prompts.
    others = {"accumulation"} if asked.get("kind") == "grpo" else set[str]()
    stage = StageSettings.model_validate({k: v for k, v in (SETTINGS | asked).items() if k not in others})
    rows = out.parent / "rows"
    if this.main:
        write(out.parent)
    this.wait()
    processes = this.gather([os.getpid()])

    def progress(step: Step) -> None:
        if step.step == kill:
            for process in (*processes[1:], os.getppid(), os.getpid()):
                os.kill(process, signal.SIGKILL)
        if step.step == stop:
            raise Stopped

    def score(learner: Any, step: int) -> DevScore:
        base = learner.get_base_model() if hasattr(learner, "get_base_model") else learner
        prompt = Prompt(ids=[5 + this.rank, 6, 7], positions=[0, 1, 2])
        # Of unequal length in each process: nobody waits for another one in the middle.
        limit = 4 + 3 * this.rank
        found = [ids for _, ids, _ in free.decode(TorchModel(base), [prompt], limits=[limit], ends=())]
        with (out / f"answered-{this.rank}").open("a") as file:
            file.write(f"{step} {found}\n")
        # The score follows from the step: the best is the second one.
        return DevScore(step=step, score=1 / (1 + abs(step - 6)), tasks={}, num_answers=1, num_unparsable=0)

    # The state of the process differs between a start and a later one: nothing may depend on it.
    learner = model(stage, tie=tie)
    if poison is not None:
        with torch.no_grad():
            learner.get_input_embeddings().weight[poison] = float("nan")
    torch.manual_seed(random.randrange(10**6))
    hooks = Hooks(
        dev=score if dev else None,
        answer=answer if stage.kind == "grpo" else None,
        asked=([f"e{n}" for n in range(PROMPTS)], [f"t{n % 2}" for n in range(PROMPTS)]),
        progress=progress,
    )
    try:
        return train(
            store.read(rows), out, stage, learner, tokenizer(), Checkpoint(recipe="r"), hooks=hooks, parallel=parallel
        )
    except Stopped:
        return None


def main() -> None:
    for training in json.loads(Path(sys.argv[1]).read_text()):
        out = Path(training.pop("out"))
        try:
            carry_out(out, **training)
        except TaiyiError as error:
            (out / f"error-{world().rank}").write_text(str(error))


if __name__ == "__main__":
    main()
