"""Fine-tuning of an encoder with a head: `transformers`' Trainer, with the best epoch on dev examples kept."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import msgspec
import torch
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerFast,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_pt_utils import LengthGroupedSampler
from transformers.trainer_utils import get_last_checkpoint
from transformers.utils import logging

from taiyi.errors import TrainError
from taiyi.features import Head, Item
from taiyi.train.base import quiet
from taiyi.train.encoder_batch import Entry, collate, entries_of, loss
from taiyi.train.encoder_model import SCRATCH, limit, load, save
from taiyi.train.settings import EncoderSettings

MODEL = "model"
CHECKPOINTS = "checkpoints"

Dev = Callable[[PreTrainedModel, PreTrainedTokenizerFast, Head], float]
"""Says how well an encoder in the making does, the better the higher."""


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """What came of fine-tuning.

    Attributes:
        epochs: how many it took.
        kept: the epoch whose weights were kept.
        scores: on dev examples, after each epoch.
        learning_rate: the highest.
        parameters: weights of the model, its head included.
        windows: what was learned from, in each epoch.
    """

    epochs: int
    kept: int
    scores: tuple[float, ...]
    learning_rate: float
    parameters: int
    windows: int


@contextmanager
def _errors_alone() -> Generator[None]:
    """Keep transformers from saying of every encoder that its head is new."""
    said = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(said)


@quiet()
@_errors_alone()
def fit(
    base: str | Path,
    head: Head,
    items: Sequence[Item],
    out: Path,
    settings: EncoderSettings,
    *,
    dev: Dev | None = None,
    tokens: Sequence[str] = (),
    say: Callable[[str], None] = lambda text: None,
) -> Fit:
    """Fine-tune an encoder on items and write it to `out/model`, with its head.

    Called again after an interruption it goes on from the last epoch that was finished.

    Args:
        base: a folder, a hub id, or `scratch`.
        head: what it is to say; of its windows the settings decide, and the encoder.
        dev: evaluates it after each epoch; the last epoch is kept where none is given.
        tokens: texts that are to be a token each, such as marks.
        say: is told about each epoch.

    Raises:
        TrainError: there is nothing to learn from.
        ModelError: the base cannot be loaded, is no encoder, or has no fast tokenizer.
    """
    if not items or not head.width:
        raise _nothing(items, out)
    set_seed(settings.seed)
    model, tokenizer = load(base, head, items, tokens)
    longest = min(settings.max_tokens, limit(model, tokenizer))
    head = msgspec.structs.replace(head, max_tokens=longest, overlap_tokens=settings.overlap_tokens)
    if not (entries := [entry for item in items for entry in entries_of(item, tokenizer, head)]):
        raise _nothing(items, out)
    rate = settings.learning_rate or (5e-4 if base == SCRATCH else 5e-5)
    checkpoints = (out / CHECKPOINTS).absolute()
    last, known = _resumable(checkpoints)
    # One that had stopped already, but was interrupted before its best weights were written, has no epoch left.
    epochs = len(known) if _is_stopped(known, settings.patience) else settings.epochs
    arguments = _arguments(checkpoints, settings, entries, rate, epochs, choose=dev is not None)
    trainer = _Trainer(model, arguments, entries, tokenizer, head, dev)
    # It would print its log beside what is printed for programs.
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_Watching(say, settings.patience))
    trainer.train(resume_from_checkpoint=last)
    scores = _scores(trainer.state)
    save(model, tokenizer, head, out / MODEL)
    return Fit(
        epochs=round(trainer.state.epoch or 0),
        kept=scores.index(max(scores)) + 1 if scores else round(trainer.state.epoch or 0),
        scores=scores,
        learning_rate=rate,
        parameters=sum(p.numel() for p in model.parameters()),
        windows=sum(len(entry.windows) for entry in entries),
    )


def _arguments(
    folder: Path, settings: EncoderSettings, entries: Sequence[Entry], rate: float, epochs: int, *, choose: bool
) -> TrainingArguments:
    """Return what the Trainer is told; `choose` is whether the best epoch is kept, and not the last."""
    length = sum(len(window.inputs["input_ids"]) for entry in entries for window in entry.windows) / len(entries)
    batch_size = max(1, round(settings.batch_tokens / length))
    steps = math.ceil(len(entries) / batch_size)
    choosing: dict[str, Any] = {"eval_strategy": "no"}
    if choose:
        choosing = {"eval_strategy": "epoch", "load_best_model_at_end": True, "metric_for_best_model": "score"}
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=epochs,
        learning_rate=rate,
        per_device_train_batch_size=batch_size,
        warmup_steps=round(settings.warmup_ratio * steps * settings.epochs),
        weight_decay=settings.weight_decay,
        seed=settings.seed,
        bf16=settings.precision == "bf16",
        use_cpu=not torch.cuda.is_available(),
        save_strategy="epoch",
        save_total_limit=1,
        logging_strategy="epoch",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        greater_is_better=True,
        **choosing,
    )


def _resumable(folder: Path) -> tuple[str | None, tuple[float, ...]]:
    """Return the last whole checkpoint with the scores of its epochs, and remove what follows it.

    A kill leaves the last one without some of its files, of which its state is written at the end; and from a folder
    that was moved since, the best epoch would not be found.
    """
    while folder.is_dir() and (last := get_last_checkpoint(str(folder))):
        try:
            state = TrainerState.load_from_json(str(Path(last) / TRAINER_STATE_NAME))
        except (OSError, ValueError, TypeError):
            state = None
        if state is not None and Path(state.best_model_checkpoint or last).is_dir():
            return last, _scores(state)
        shutil.rmtree(last)
    return None, ()


def _scores(state: TrainerState) -> tuple[float, ...]:
    return tuple(float(row["eval_score"]) for row in state.log_history if "eval_score" in row)


def _is_stopped(scores: Sequence[float], patience: int) -> bool:
    """Whether the last epochs, as many as patience says, were no better on dev examples than the best before them."""
    return len(scores) > patience and max(scores[-patience:]) <= max(scores[:-patience])


def _nothing(items: Sequence[Item], out: Path) -> TrainError:
    return TrainError("there is nothing to learn from", where=out, got=f"{len(items)} examples")


class _Trainer(Trainer):
    """Learns from entries, and is evaluated by whoever knows what the answers are for."""

    def __init__(
        self,
        model: PreTrainedModel,
        arguments: TrainingArguments,
        entries: Sequence[Entry],
        tokenizer: PreTrainedTokenizerFast,
        head: Head,
        dev: Dev | None,
    ) -> None:
        self._entries, self._tokenizer, self._head, self._dev = entries, tokenizer, head, dev
        shown: Any = entries
        super().__init__(
            model=model,
            args=arguments,
            train_dataset=shown,
            eval_dataset=shown,
            data_collator=lambda batch: collate(batch, tokenizer, head),
        )

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        logits = model(**inputs["inputs"]).logits.float()
        return loss(self._head, logits, inputs)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        assert self._dev is not None
        model = cast(PreTrainedModel, self.model)
        found = {"eval_score": self._dev(model, self._tokenizer, self._head)}
        model.train()
        self.log(found)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, found)
        return found

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        lengths = [max(len(window.inputs["input_ids"]) for window in entry.windows) for entry in self._entries]
        return LengthGroupedSampler(self.args.train_batch_size, lengths=lengths)


class _Watching(TrainerCallback):
    """Says how it goes, and stops where it gets no better.

    transformers' EarlyStoppingCallback counts from nothing again after an interruption; the log does not.
    """

    def __init__(self, say: Callable[[str], None], patience: int) -> None:
        self._say, self._patience = say, patience

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if "loss" in logs:
            self._say(f"epoch {round(state.epoch)}: loss {logs['loss']:.4f}")
        elif "eval_score" in logs:
            self._say(f"epoch {round(state.epoch)}: {100 * logs['eval_score']:.1f} on dev")

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        control.should_training_stop = _is_stopped(_scores(state), self._patience)
