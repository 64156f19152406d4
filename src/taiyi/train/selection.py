"""Which model of a stage is kept: the last, or the one that answers its dev sample best."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec
from peft import PeftModel
from torch import nn
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerFast

from taiyi.checkpoint import Checkpoint
from taiyi.encoding import end_token
from taiyi.errors import TrainError
from taiyi.train import state
from taiyi.train.base import quiet
from taiyi.train.loss import causal_model
from taiyi.train.settings import StageSettings
from taiyi.train.world import World, answering, gathered, sharded

LOG = "dev.jsonl"
CANDIDATES = "candidates"


class DevScore(msgspec.Struct, frozen=True, kw_only=True):
    """How a model in the making did on the dev sample of its stage.

    Attributes:
        step: after which step.
        score: the mean of the scores of the tasks.
        tasks: the score of each task in each language, from 0 to 1.
        num_answers: how many answers it gave.
        num_unparsable: how many of them could not be read.
        seconds: how long it took.
    """

    step: int
    score: float
    tasks: dict[str, float]
    num_answers: int
    num_unparsable: int
    seconds: float = 0.0


Dev = Callable[[PreTrainedModel | PeftModel, int], DevScore]
"""Evaluates a model after a step; called by every process, and gives all of them the same score."""


class Writer:
    """Writes the model of a stage as a folder that others can load."""

    def __init__(
        self,
        target: Path,
        model: PreTrainedModel | PeftModel,
        tokenizer: PreTrainedTokenizerFast,
        checkpoint: Checkpoint,
        settings: StageSettings,
        world: World,
        learner: nn.Module,
    ) -> None:
        self.target, self.world, self.model, self.learner = target, world, model, learner
        self._tokenizer, self._checkpoint, self._settings = tokenizer, checkpoint, settings

    def write(self, folder: Path) -> None:
        """Write the model as it is now; every process must ask."""
        weights = self._weights()
        if self.world.main:
            state.save_whole(folder, lambda partial: self._into(partial, weights))
        self.world.wait()

    def _weights(self) -> dict[str, Any] | None:
        """Return the whole weights where processes have parts of them; those that do not write get none."""
        if not sharded(self.learner):
            return None
        return {name: gathered(p.detach(), self.world.main) for name, p in self.model.named_parameters()}

    def _into(self, folder: Path, weights: dict[str, Any] | None) -> None:
        causal = cast(Any, causal_model(cast(nn.Module, self.model)))
        generation = GenerationConfig(
            eos_token_id=end_token(self._tokenizer), pad_token_id=self._tokenizer.pad_token_id
        )
        used = causal.config._attn_implementation
        causal.set_attn_implementation("sdpa")
        with quiet():
            cast(Any, self.model).save_pretrained(str(folder), **({} if weights is None else {"state_dict": weights}))
        causal.set_attn_implementation(used)
        self._tokenizer.save_pretrained(str(folder))
        generation.save_pretrained(str(folder))
        self._checkpoint.save(folder)

    def answering(self) -> Any:
        """Return a context in which the model answers rather than learns."""
        return answering(self.model, self.learner, self._settings.gradient_checkpointing)


class Selection:
    """The evaluations of a stage, and what is kept by them."""

    def __init__(self, out: Path, settings: StageSettings, writer: Writer, dev: Dev | None, world: World) -> None:
        self._settings = settings.dev
        if (self._settings is None) != (dev is None):
            raise TrainError("the settings of a stage and what evaluates it do not agree", got=self._settings)
        self._out, self._writer, self._dev, self._world = out, writer, dev, world
        self._scores: list[DevScore] = []

    def progress(self) -> list[Any]:
        return [msgspec.to_builtins(score) for score in self._scores]

    def resume(self, saved: list[Any], step: int) -> None:
        """Take over the evaluations up to a checkpoint; what came after it is made again."""
        self._scores = msgspec.convert(saved, list[DevScore])
        if self._world.main:
            for folder in (self._out / CANDIDATES).glob("step-*"):
                if _step_of(folder) > step:
                    shutil.rmtree(folder)

    def due(self, step: int, steps: int) -> bool:
        """Whether the model is evaluated after a step."""
        return self._settings is not None and (step % self._settings.every_steps == 0 or step == steps)

    def evaluate(self, step: int) -> bool:
        """Evaluate the model, keep it where it is among the best, and return whether training stops early."""
        assert self._settings is not None and self._dev is not None
        # Not under the autocast of training, but as `taiyi eval` asks the model that is written: in 32 bit on a CPU. On
        # accelerators, where it is asked in bf16, autocast would come no nearer to those answers.
        with self._writer.answering():
            found = self._dev(self._writer.model, step)
        self._scores.append(found)
        if self._world.main:
            lines = b"".join(msgspec.json.encode(score) + b"\n" for score in self._scores)
            state.save_file(self._out / LOG, lambda file: file.write(lines))
        if found in self._best():
            self._writer.write(self._folder(found.step))
        patience = self._settings.patience
        # Of equal scores the first is the best.
        return patience is not None and len(self._scores) - 1 - self._scores.index(self._best()[0]) >= patience

    def prune(self, last: int | None = None) -> None:
        """Remove what is no candidate any more: once no checkpoint to go on from may still name it.

        `last` is the step whose model stays whatever its score, once the stage is finished.
        """
        if self._settings is None or not self._world.main:
            return
        kept = {self._folder(score.step) for score in self._best()}
        if last is not None:
            kept.add(self._folder(last))
        for folder in (self._out / CANDIDATES).glob("step-*"):
            if folder not in kept:
                shutil.rmtree(folder)

    def finish(self, step: int) -> int:
        """Write the model that is kept, and return its step; the other candidates stay beside it."""
        if self._settings is None:
            self._writer.write(self._writer.target)
            return step
        best = self._best()[0].step
        if self._settings.keep == "last" or best == step:
            self._writer.write(self._writer.target)
            return step
        self._writer.write(self._folder(step))
        if self._world.main:

            def copy(partial: Path) -> None:
                shutil.copytree(self._folder(best), partial, dirs_exist_ok=True)

            state.save_whole(self._writer.target, copy)
        self._world.wait()
        return best

    def _best(self) -> list[DevScore]:
        assert self._settings is not None
        return sorted(self._scores, key=lambda score: (-score.score, score.step))[: self._settings.candidates]

    def _folder(self, step: int) -> Path:
        return self._out / CANDIDATES / f"step-{step:08d}"


def _step_of(folder: Path) -> int:
    return int(folder.name.removeprefix("step-").removesuffix(".partial"))
