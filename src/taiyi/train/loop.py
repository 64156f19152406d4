"""The training loop of a stage: packed micro-batches, one loss over a step, checkpoints to go on from bit for bit.

What a step does follows from the recipe, the step and the weights alone: the order of the rows is a file, what is
random is seeded anew for each micro-batch, and the mean is taken over the whole step. So it does not depend on where a
training was interrupted, nor, within rounding, on how many processes share a step.
"""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import msgspec
import torch
import xxhash
from peft import PeftModel
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from taiyi.checkpoint import Checkpoint
from taiyi.errors import TrainError
from taiyi.heap import kept_heap
from taiyi.train import attention, state
from taiyi.train.loss import causal_model, check_head, decoder_layers
from taiyi.train.model import check_bf16
from taiyi.train.objectives import Answer, Answered, Answers, Objective, Pairs, Part, Rewards
from taiyi.train.optimizer import optimizer as make_optimizer
from taiyi.train.optimizer import schedule as make_schedule
from taiyi.train.optimizer import states
from taiyi.train.order import planned
from taiyi.train.reference import reference_log_probs
from taiyi.train.rows import Rows, digest
from taiyi.train.selection import Dev, Selection, Writer
from taiyi.train.settings import Parallel, StageSettings
from taiyi.train.spelling import features
from taiyi.train.world import answering, sharded, spread, synchronise, whole
from taiyi.train.world import world as this_world

MODEL = "model"
RESULT = "result.json"
LOG = "loss.jsonl"
_MOST_NAMES = 200


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the loss log.

    Attributes:
        step: its number, from 1.
        steps: how many there are in the stage.
        epoch: the epoch that it belongs to, from 0.
        loss: mean over what the step learns from.
        lr: the learning rate that it was made with.
        grad_norm: the norm of the gradient before clipping.
        tokens: tokens seen so far.
        seconds: seconds of training so far.
        measures: what else was measured, such as the loss of each task.
    """

    step: int
    steps: int
    epoch: int
    loss: float
    lr: float
    grad_norm: float
    tokens: int
    seconds: float
    measures: dict[str, float] = {}


class TrainResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a stage.

    Attributes:
        model: folder of the model, below that of the stage.
        steps: steps taken.
        kept: the step whose model was kept.
        losses: the loss of each step.
        seconds: seconds of training, without loading, saving and evaluating.
        tokens: tokens seen, repeated epochs included.
        parameters: weights of the model.
        trained: how many of them learned.
        processes: how many processes trained together at the end.
        peak_memory: bytes of memory of the accelerator at its highest; 0 on CPU.
    """

    model: str
    steps: int
    kept: int
    losses: list[float]
    seconds: float
    tokens: int
    parameters: int
    trained: int
    processes: int = 1
    peak_memory: int = 0


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """What a stage asks of others while it trains.

    Attributes:
        dev: evaluates the model in the making; stages with `dev` settings need it.
        answer: answers examples; stages of kind `grpo` need it.
        asked: of such a stage, the ids and tasks of its examples.
        progress: is told each step that was taken, in the first process.
    """

    dev: Dev | None = None
    answer: Callable[[PreTrainedModel | PeftModel], Answer] | None = None
    asked: tuple[Sequence[str], Sequence[str]] = field(default=((), ()))
    progress: Callable[[Step], None] = lambda step: None


def train(
    rows: Rows,
    out: Path,
    settings: StageSettings,
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerFast,
    checkpoint: Checkpoint,
    *,
    hooks: Hooks | None = None,
    parallel: Parallel = "ddp",
) -> TrainResult:
    """Train a model on rows and write it to `out/model`.

    Called again after an interruption it goes on from the last checkpoint, and gives the same losses and weights as
    without one (on CPU; kernels of GPUs may differ in the last bits). Called once it is finished it returns its result.
    Under `torchrun` every process calls it, with the same arguments.

    Raises:
        TrainError: there is nothing to train on, the folder is that of another training, a file is damaged, the loss is
            not a number or has exploded, or all rewards were such that nothing was learned from them.
        ModelError: packed training of the architecture would not be exact.
    """
    if (out / RESULT).exists():
        _claim(out, rows, settings)
        return msgspec.json.decode((out / RESULT).read_bytes(), type=TrainResult)
    with kept_heap():
        return _Training(rows, out, settings, model, tokenizer, checkpoint, hooks or Hooks(), parallel).carry_out()


class _Training:
    """A stage in training: how far it is, and what it takes to go on."""

    def __init__(
        self,
        rows: Rows,
        out: Path,
        settings: StageSettings,
        model: PreTrainedModel | PeftModel,
        tokenizer: PreTrainedTokenizerFast,
        checkpoint: Checkpoint,
        hooks: Hooks,
        parallel: Parallel,
    ) -> None:
        self.rows, self.out, self.settings, self.model, self.hooks = rows, out, settings, model, hooks
        self.world = this_world()
        self.step, self.tokens, self.seconds, self.stopped = 0, 0, 0.0, False
        self.losses: list[float] = []
        if self.world.main:
            out.mkdir(parents=True, exist_ok=True)
            _claim(out, rows, settings)
        self.world.wait()
        _place(model, self.world.device)
        self.causal = causal_model(model)
        check_head(model)
        attention.use(self.causal)
        if settings.gradient_checkpointing:
            self.causal.gradient_checkpointing_enable({"use_reentrant": False})
        if settings.kind in ("dpo", "grpo"):
            _without_dropout(model)
        longest = settings.max_tokens if settings.kind == "grpo" else max(rows.lengths, default=0)
        attention.check_longest(self.causal, int(longest))
        self.autocast = _autocast(settings, self.world.device)
        self.objective = self._objective()
        self.learner = spread(_Learner(model, self.objective), decoder_layers(self.causal), self.world, parallel)
        self.learning = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = make_optimizer(model, settings, self._spelled(tokenizer))
        writer = Writer(out / MODEL, model, tokenizer, checkpoint, settings, self.world, self.learner)
        self.selection = Selection(out, settings, writer, hooks.dev, self.world)

    def _spelled(self, tokenizer: PreTrainedTokenizerFast) -> tuple[Tensor, Tensor] | None:
        """Return the embeddings and the features that they learn by beside themselves, where the settings say so."""
        if self.settings.spelling is None:
            return None
        if sharded(self.learner):
            raise TrainError(
                "embeddings learn by spelling only where they are whole", mend="leave out `--parallel fsdp`"
            )
        embeddings = cast(nn.Embedding, self.causal.get_input_embeddings()).weight
        return embeddings, features(tokenizer, len(embeddings), self.settings.spelling)

    def _objective(self) -> Objective:
        if self.settings.kind == "grpo":
            assert self.hooks.answer is not None
            return Rewards(*self.hooks.asked, self.settings, self.world, self._answer(self.hooks.answer(self.model)))
        if not len(self.rows):
            raise TrainError("there is nothing to train on", where=self.rows.folder, mend="check the data of the stage")
        with self.world.main_first():
            plan = planned(self.rows.lengths, self.settings, self.out)
        if self.settings.kind == "dpo":
            with self.autocast():
                reference = reference_log_probs(self.model, self.rows, self.settings, self.world, self.out)
            return Pairs(self.rows, plan, self.settings, self.world, reference)
        return Answers(self.rows, plan, self.settings, self.world)

    def _answer(self, given: Answer) -> Answer:
        """Return what lets the model answer before it asks it to."""

        def answer(step: int, asked: Sequence[int]) -> Sequence[Sequence[Answered]]:
            # In the precision that it learns in, so that the model that learns is the one that answered.
            checkpointing = self.settings.gradient_checkpointing
            with answering(cast(nn.Module, self.model), self.learner, checkpointing), self.autocast():
                return given(step, asked)

        return answer

    def carry_out(self) -> TrainResult:
        cast(nn.Module, self.model).train()
        if self.world.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        folder = self.out / "checkpoints"
        saved = state.restore(folder, self.model, self.optimizer)
        if saved is not None:
            self.step, self.tokens, self.seconds = saved["step"], saved["tokens"], saved["seconds"]
            self.losses, self.stopped = list(saved["losses"]), saved["stopped"]
            self.selection.resume(saved["selection"], self.step)
        self.scheduler = make_schedule(self.optimizer, self.settings, self.objective.num_steps, self.step)
        if self.world.main:
            self._truncate_log()
        last_save = time.monotonic()
        with (self.out / LOG).open("ab") if self.world.main else nullcontext() as log:
            while self.step < self.objective.num_steps and not self.stopped:
                line = self._one()
                if log is not None:
                    log.write(msgspec.json.encode(line) + b"\n")
                    log.flush()
                    self.hooks.progress(line)
                if self.selection.due(self.step, self.objective.num_steps):
                    self.stopped = self.selection.evaluate(self.step)
                every, minutes = self.settings.save_every_steps, self.settings.save_every_minutes
                due = every is not None and self.step % every == 0
                if minutes is not None:
                    # The clock of the first process decides for all.
                    due = due or self.world.told(time.monotonic() - last_save > minutes * 60)
                if due and self.step < self.objective.num_steps:
                    captured = state.capture(self.model, self.optimizer, self._progress(), self.world.main)
                    if log is not None:
                        # Not to be behind its checkpoint where the machine stops.
                        os.fsync(log.fileno())
                        state.save(folder, captured)
                    self.selection.prune()
                    self.world.wait()
                    last_save = time.monotonic()
        return self._finish()

    def _progress(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "tokens": self.tokens,
            "seconds": self.seconds,
            "losses": self.losses,
            "stopped": self.stopped,
            "selection": self.selection.progress(),
        }

    def _truncate_log(self) -> None:
        """Drop lines of steps after the checkpoint: they are made again."""
        with (self.out / LOG).open("a+b") as file:
            file.seek(0)
            # Cut rather than written again, which a full disk or a kill could stop halfway.
            file.truncate(sum(len(line) for line, _ in zip(file, range(self.step), strict=False)))

    def _one(self) -> Step:
        """Take one step."""
        began = time.monotonic()
        number, world = self.step, self.world
        work = self.objective.work(number)
        own = [part for part in work.parts if part.real]
        (total,) = world.add([work.weight])
        lr = float(self.scheduler.get_last_lr()[0])
        value = torch.zeros((), device=world.device)
        measured = work.measured.to(world.device)
        for at, part in enumerate(work.parts, 1):
            synchronise(self.learner, last=at == len(work.parts))
            torch.manual_seed(_seed(self.settings.seed, number, part.number))
            # Nothing is used twice, and copies in 16 bit that are kept would be there for all layers at once, whatever
            # checkpointing or FSDP let go of.
            with self.autocast(cache=False):
                found = self.learner(part.batch.to(world.device), total)
            # Gradients are averaged over processes, but are to be added up.
            (found.value * (world.size if part.real else 0)).backward()
            if part.real:
                value += found.value.detach()
                measured += found.measured
        tokens = sum(part.batch.num_tokens for part in own)
        loss, seen, *sums = world.add([float(value), tokens, *measured.flatten().tolist()])
        norm = self._update(work.parts, loss)
        self.step += 1
        self.tokens += int(seen)
        self.seconds += time.monotonic() - began
        self.losses.append(loss)
        return Step(
            step=self.step,
            steps=self.objective.num_steps,
            epoch=self.objective.epoch(number),
            loss=loss,
            lr=lr,
            grad_norm=norm,
            tokens=self.tokens,
            seconds=round(self.seconds, 3),
            measures={
                name: total / count
                for name, total, count in zip(self.objective.measures, sums[::2], sums[1::2], strict=True)
                if count
            },
        )

    def _update(self, parts: Sequence[Part], loss: float) -> float:
        """Change the weights by the gradients; return their norm."""
        norm = 0.0
        if parts:
            norm = float(whole(nn.utils.clip_grad_norm_(self.learning, self.settings.max_grad_norm)))
            self._check(loss, norm)
        # Weights without a gradient stay as they are: where there was nothing to learn, only the schedule goes on.
        self.optimizer.step()
        self.scheduler.step()
        self.optimizer.zero_grad(set_to_none=True)
        return norm

    def _check(self, loss: float, norm: float) -> None:
        if not math.isfinite(loss) or not math.isfinite(norm):
            what = f"the loss is not a number at step {self.step + 1}"
        elif self.settings.kind in ("sft", "cpt") and loss > self._worst:
            what = f"the loss has exploded at step {self.step + 1}: guessing would be better"
        else:
            return
        raise TrainError(
            what,
            where=_listed([*self.objective.examples(self.step)]),
            got=f"loss {loss}, norm of the gradient {norm}",
            mend="lower the learning rate, or look at these examples",
        )

    @property
    def _worst(self) -> float:
        """Twice the loss of a model that takes all tokens to be as probable."""
        return 2 * math.log(self.causal.config.get_text_config().vocab_size)

    def _check_learned(self) -> None:
        """Raise TrainError where no step changed a weight: the model would pass for one that was trained."""
        # An optimizer holds something of each weight that it has changed, in checkpoints too.
        if not any(states(self.optimizer).values()):
            raise TrainError(
                "nothing was learned: in no step did answers to the same prompt have different rewards",
                where=self.out,
                got=f"{self.step} steps; what the answers were worth is in {LOG}",
                mend="ask for more answers (reward.answers), raise reward.temperature, or give the stage other data",
            )

    def _finish(self) -> TrainResult:
        """Write the model, then the result, which says that the stage is finished."""
        self._check_learned()
        kept = self.selection.finish(self.step)
        result = TrainResult(
            model=MODEL,
            steps=self.step,
            kept=kept,
            losses=self.losses,
            seconds=self.seconds,
            tokens=self.tokens,
            parameters=sum(p.numel() for p in self.model.parameters()),
            trained=sum(p.numel() for p in self.learning),
            processes=self.world.size,
            peak_memory=torch.cuda.max_memory_allocated() if self.world.device.type == "cuda" else 0,
        )
        if self.world.main:
            told = msgspec.json.format(msgspec.json.encode(result)) + b"\n"
            state.save_file(self.out / RESULT, lambda file: file.write(told))
            self.selection.prune(self.step)
            shutil.rmtree(self.out / "checkpoints", ignore_errors=True)
        self.world.wait()
        return result


class _Learner(nn.Module):
    """A model with the loss of its stage, so that all that uses its weights is one forward pass."""

    def __init__(self, model: PreTrainedModel | PeftModel, objective: Objective) -> None:
        super().__init__()
        self.model = model
        self._objective = objective

    def forward(self, batch: Any, total: float) -> Any:
        return self._objective.loss(cast(nn.Module, self.model), batch, total)


def _listed(names: Sequence[str]) -> str:
    """Name examples, as far as a person would read."""
    more = f", and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _seed(seed: int, step: int, part: int) -> int:
    """Return what the randomness of a micro-batch follows from: the same on however many processes."""
    return xxhash.xxh3_64_intdigest(f"{seed}/{step}/{part}".encode()) >> 1


def _claim(out: Path, rows: Rows, settings: StageSettings) -> None:
    """Note what a folder is a training of; refuse to go on in a folder of something else."""
    claim = msgspec.json.encode({"settings": settings.telling(), "rows": digest(rows) if len(rows) else ""})
    path = out / "stage.json"
    if not path.exists():
        state.save_file(path, lambda file: file.write(claim))
    elif path.read_bytes() != claim:
        raise TrainError(
            "the folder holds a training with other settings or other rows",
            where=path,
            mend="train into another folder, or remove this one",
        )


def _place(model: PreTrainedModel | PeftModel, device: torch.device) -> None:
    """Move a model to the device (a model in 4 bit is there since it was loaded)."""
    if not getattr(causal_model(model), "is_quantized", False):
        cast(nn.Module, model).to(device)


def _without_dropout(model: PreTrainedModel | PeftModel) -> None:
    """Turn dropout off: the model that learns is to be the one that answered."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        for name, value in vars(module).items():
            if "dropout" in name and isinstance(value, float):
                setattr(module, name, 0.0)


def _autocast(settings: StageSettings, device: torch.device) -> Callable[..., AbstractContextManager[Any]]:
    if settings.precision == "bf16":
        check_bf16(device)

    def cast(*, cache: bool = True) -> AbstractContextManager[Any]:
        if settings.precision == "fp32":
            return nullcontext()
        return torch.autocast(device.type, dtype=torch.bfloat16, cache_enabled=cache)

    return cast
