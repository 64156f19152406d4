"""The training loop of a stage: packed micro-batches, one loss over a step, checkpoints to go on from bit for bit."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, cast

import msgspec
import torch
import xxhash
from peft import PeftModel
from torch import nn
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerFast

from taiyi.checkpoint import Checkpoint
from taiyi.encoding import end_token
from taiyi.errors import TrainError
from taiyi.train import attention, state
from taiyi.train.base import quiet
from taiyi.train.batch import batch
from taiyi.train.loss import causal_model, check_head, loss
from taiyi.train.optimizer import optimizer as make_optimizer
from taiyi.train.optimizer import schedule as make_schedule
from taiyi.train.pack import load_order, pack, save_order
from taiyi.train.rows import Rows
from taiyi.train.settings import StageSettings

MODEL = "model"
RESULT = "result.json"
LOG = "loss.jsonl"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the loss log.

    Attributes:
        step: its number, from 1.
        steps: how many there are in the stage.
        epoch: the epoch that it belongs to, from 0.
        loss: mean over the targets of the step.
        lr: the learning rate that it was made with.
        grad_norm: the norm of the gradient before clipping.
        tokens: tokens seen so far.
        seconds: seconds of training so far.
    """

    step: int
    steps: int
    epoch: int
    loss: float
    lr: float
    grad_norm: float
    tokens: int
    seconds: float


class TrainResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a stage.

    Attributes:
        model: folder of the model, below that of the stage.
        steps: steps taken.
        losses: the loss of each step.
        seconds: seconds of training, without loading and saving.
        tokens: tokens seen, repeated epochs included.
        parameters: weights of the model.
        trained: how many of them learned.
        peak_memory: bytes of memory of the accelerator at its highest; 0 on CPU.
    """

    model: str
    steps: int
    losses: list[float]
    seconds: float
    tokens: int
    parameters: int
    trained: int
    peak_memory: int = 0


def train(
    rows: Rows,
    out: Path,
    settings: StageSettings,
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerFast,
    checkpoint: Checkpoint,
    *,
    progress: Callable[[Step], None] = lambda step: None,
) -> TrainResult:
    """Train a model on rows and write it to `out/model`.

    Called again after an interruption it goes on from the last checkpoint, and gives the same losses and weights as
    without one (on CPU; kernels of GPUs may differ in the last bits). Called once it is finished it returns its result.
    """
    if (out / RESULT).exists():
        return msgspec.json.decode((out / RESULT).read_bytes(), type=TrainResult)
    if not len(rows):
        raise TrainError("there is nothing to train on", where=rows.folder, mend="check the mixture of the stage")
    out.mkdir(parents=True, exist_ok=True)
    _claim(out, rows, settings)
    device = _place(model)
    causal = causal_model(model)
    check_head(model)
    attention.use(causal)
    if settings.gradient_checkpointing:
        causal.gradient_checkpointing_enable({"use_reentrant": False})
    plan = _plan(rows, out, settings)
    # From here on whatever is random follows the seed, or the checkpoint.
    torch.manual_seed(settings.seed)
    optimizer = make_optimizer(model, settings)
    scheduler = make_schedule(optimizer, settings, len(plan))
    run = _Run(rows, out, settings, model, plan, device)
    model.train()
    saved = state.restore(out / "checkpoints", model=model, optimizer=optimizer, scheduler=scheduler)
    if saved is not None:
        run.resume(saved)
    run.truncate_log()
    autocast = _autocast(settings, device)
    last_save = time.monotonic()
    with (out / LOG).open("ab") as log:
        while run.step < len(plan):
            line = run.one(optimizer, scheduler, autocast)
            log.write(msgspec.json.encode(line) + b"\n")
            log.flush()
            progress(line)
            due = settings.save_every_steps is not None and run.step % settings.save_every_steps == 0
            minutes = settings.save_every_minutes
            due = due or (minutes is not None and time.monotonic() - last_save > minutes * 60)
            if due and run.step < len(plan):
                state.save(
                    out / "checkpoints", model=model, optimizer=optimizer, scheduler=scheduler, progress=run.progress()
                )
                last_save = time.monotonic()
    return _finish(run, out, model, tokenizer, checkpoint)


class _Run:
    """The position of a stage: how far it is, and one step further."""

    def __init__(
        self,
        rows: Rows,
        out: Path,
        settings: StageSettings,
        model: nn.Module,
        plan: list[tuple[int, list[list[int]]]],
        device: torch.device,
    ) -> None:
        self.rows, self.out, self.settings = rows, out, settings
        self.model, self.plan, self.device = model, plan, device
        self.learning = [p for p in model.parameters() if p.requires_grad]
        self.step = 0
        self.tokens = 0
        self.seconds = 0.0
        self.losses: list[float] = []

    def progress(self) -> dict[str, Any]:
        return {"step": self.step, "tokens": self.tokens, "seconds": self.seconds, "losses": self.losses}

    def resume(self, saved: dict[str, Any]) -> None:
        self.step, self.tokens, self.seconds = saved["step"], saved["tokens"], saved["seconds"]
        self.losses = list(saved["losses"])

    def truncate_log(self) -> None:
        """Drop lines of steps after the checkpoint: they are made again."""
        with (self.out / LOG).open("a+b") as file:
            file.seek(0)
            # Cut rather than written again, which a full disk or a kill could stop halfway.
            file.truncate(sum(len(line) for line, _ in zip(file, range(self.step), strict=False)))

    def one(self, optimizer: torch.optim.Optimizer, scheduler: Any, autocast: Callable[[], Any]) -> Step:
        """Take one step."""
        began = time.monotonic()
        epoch, bins = self.plan[self.step]
        weight = self.settings.decision_weight
        batches = [batch(self.rows, bin_rows) for bin_rows in bins]
        total = sum(b.weight(weight) for b in batches)
        lr = scheduler.get_last_lr()[0]
        value = torch.zeros((), device=self.device)
        for one in batches:
            with autocast():
                part = loss(self.model, one.to(self.device), decision_weight=weight, total=total)
            part.backward()  # pyright: ignore[reportUnknownMemberType]
            value += part.detach()
        norm = float(nn.utils.clip_grad_norm_(self.learning, self.settings.max_grad_norm))
        found = float(value)
        if not math.isfinite(found) or not math.isfinite(norm):
            raise TrainError(
                f"the loss is not a number at step {self.step + 1}",
                where=", ".join(self.rows.example(row) for bin_rows in bins for row in bin_rows),
                got=f"loss {found}, norm of the gradient {norm}",
                mend="lower the learning rate, or look at these examples",
            )
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.tokens += sum(b.ids.numel() for b in batches)
        self.seconds += time.monotonic() - began
        self.losses.append(found)
        return Step(
            step=self.step,
            steps=len(self.plan),
            epoch=epoch,
            loss=found,
            lr=lr,
            grad_norm=norm,
            tokens=self.tokens,
            seconds=round(self.seconds, 3),
        )


def _plan(rows: Rows, out: Path, settings: StageSettings) -> list[tuple[int, list[list[int]]]]:
    """Return the bins of each step with its epoch; the order is written once and read back ever after."""
    plan: list[tuple[int, list[list[int]]]] = []
    lengths = rows.lengths
    for epoch in range(settings.epochs):
        path = out / f"order-{epoch}.npy"
        if not path.exists():
            bins = pack(lengths, settings.max_tokens, settings.batch_tokens, seed=settings.seed, epoch=epoch)
            partial = path.with_suffix(".partial")
            save_order(bins, partial)
            partial.rename(path)
        bins = load_order(path)
        plan.extend((epoch, bins[at : at + settings.accumulation]) for at in range(0, len(bins), settings.accumulation))
        if settings.max_steps is not None and len(plan) >= settings.max_steps:
            return plan[: settings.max_steps]
    return plan


def _claim(out: Path, rows: Rows, settings: StageSettings) -> None:
    """Note what a folder is a training of; refuse to go on in a folder of something else."""
    kept = settings.model_dump(exclude={"save_every_steps", "save_every_minutes"})
    digest = xxhash.xxh3_64()
    for name in ("ids", "targets", "choices"):
        digest.update(memoryview(rows.arrays[name]))  # pyright: ignore[reportArgumentType]
    claim = msgspec.json.encode({"settings": kept, "rows": digest.hexdigest()})
    path = out / "stage.json"
    if not path.exists():
        partial = path.with_suffix(".partial")
        partial.write_bytes(claim)
        partial.rename(path)
    elif path.read_bytes() != claim:
        raise TrainError(
            "the folder holds a training with other settings or other rows",
            where=path,
            mend="train into another folder, or remove this one",
        )


def _place(model: PreTrainedModel | PeftModel) -> torch.device:
    """Move a model to the accelerator where there is one (a model in 4 bit is there since it was loaded)."""
    if torch.cuda.is_available() and not getattr(causal_model(model), "is_quantized", False):
        cast(nn.Module, model).to("cuda")
    return next(model.parameters()).device


def _autocast(settings: StageSettings, device: torch.device) -> Callable[[], AbstractContextManager[Any]]:
    if settings.precision == "fp32":
        return nullcontext
    return lambda: torch.autocast(device.type, dtype=torch.bfloat16)


def _finish(
    run: _Run,
    out: Path,
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerFast,
    checkpoint: Checkpoint,
) -> TrainResult:
    """Write the model, then the result, which says that the stage is finished."""
    causal = causal_model(model)
    causal.set_attn_implementation("sdpa")
    if run.settings.gradient_checkpointing:
        causal.gradient_checkpointing_disable()
    generation = GenerationConfig(eos_token_id=end_token(tokenizer), pad_token_id=tokenizer.pad_token_id)

    def write(folder: Path) -> None:
        with quiet():
            model.save_pretrained(str(folder))
        tokenizer.save_pretrained(str(folder))
        generation.save_pretrained(str(folder))
        checkpoint.save(folder)

    state.save_whole(out / MODEL, write)
    result = TrainResult(
        model=MODEL,
        steps=run.step,
        losses=run.losses,
        seconds=run.seconds,
        tokens=run.tokens,
        parameters=sum(p.numel() for p in model.parameters()),
        trained=sum(p.numel() for p in run.learning),
        peak_memory=torch.cuda.max_memory_allocated() if run.device.type == "cuda" else 0,
    )
    partial = out / (RESULT + ".partial")
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    partial.rename(out / RESULT)
    return result
