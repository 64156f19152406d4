"""What a recipe would take, before anything is trained: rows, steps, memory and hours of each stage.

The data and the rows are made, as training would make them; steps are then counted by the code that orders training.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from taiyi.errors import ModelError, RecipeError
from taiyi.manifest import manifest
from taiyi.recipe_stages import Stage, begins, maker
from taiyi.steps.data import build
from taiyi.steps.place import Memory, Place, memory_of
from taiyi.steps.run import Run
from taiyi.steps.training import encode
from taiyi.steps.work import Work
from taiyi.train.launch import NOT_SHARDED
from taiyi.train.settings import LoraSettings, StageSettings

if TYPE_CHECKING:
    from taiyi.train.memory import Step
    from taiyi.train.rows import Rows
    from taiyi.train.shapes import Shape

_WORLDS = (2, 4, 8, 16, 32, 64)


class Corpus(msgspec.Struct, frozen=True):
    """What a stage trains on of a corpus by a task."""

    corpus: str
    task: str
    rows: int
    tokens: int


class Remedy(msgspec.Struct, frozen=True):
    """A change under which a stage would fit, or not, and the bytes that it then takes on a device."""

    change: str
    memory: int
    fits: bool


class StagePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage would take.

    Attributes:
        rows: rows of an epoch; their tokens and supervised tokens are `tokens` and `supervised`.
        rejects: examples without a row, and other remarks, by reason.
        corpora: what the rows are made of.
        padded: tokens that padded micro-batches of as many rows, in random order, would compute in an epoch.
        fill: share of the micro-batches that is no empty place.
        micro_batches: of the whole stage.
        steps_per_epoch: steps of each epoch, in order.
        steps: of the whole stage.
        seen: tokens of the whole stage.
        exact: whether rows and steps are known; else they are the most that there can be.
        parameters: weights of the model.
        trained: how many of them learn.
        memory: on one device.
        refused: why training would not begin, whatever memory there is; empty if it would.
        fits: whether training would begin, and the device has as much memory.
        remedies: where it does not fit, changes that were tried.
        tokens_per_second: of all devices.
        hours: of training alone.
        notes: what else there is to know.
    """

    name: str
    kind: str
    method: str
    rows: int
    tokens: int
    supervised: int
    rejects: dict[str, int]
    corpora: list[Corpus]
    padded: int
    fill: float
    micro_batches: int
    steps_per_epoch: list[int]
    steps: int
    seen: int
    exact: bool
    parameters: int
    trained: int
    memory: Memory
    refused: str
    fits: bool
    remedies: list[Remedy]
    tokens_per_second: float
    hours: float
    notes: list[str]


def plan(run: Run, place: Place, base_config: Path | None = None) -> list[StagePlan]:
    """Plan the stages of a recipe.

    Args:
        place: what it would be trained on.
        base_config: a `config.json` to take the base's shape from, where the base itself is not there. Its tokenizer is
            the one beside it; else rows are made by a tokenizer trained on the recipe's own texts.

    Raises:
        ModelError: the base is not there, or cannot be planned.
    """
    from taiyi.train.shapes import of_base, of_scratch

    if not run.recipe.stages:
        raise RecipeError("the recipe has no stage to train", where=run.recipe.name)

    notes: list[str] = []
    shape: Shape | None = None
    if base_config is not None:
        folder = base_config if base_config.is_dir() else base_config.parent
        shape = of_base(str(base_config))
        own = (folder / "tokenizer.json").exists()
        if not own:
            notes.append("rows are of a tokenizer trained on the recipe's texts, not of the base's: numbers are rough")
        run = replace(run, recipe=run.recipe.model_copy(update={"base": str(folder) if own else "scratch"}))
    elif run.recipe.base != "scratch":
        # Before the data is made: what is not there is said at once.
        try:
            shape = of_base(run.recipe.base)
        except ModelError as error:
            raise ModelError(
                error.what,
                where=error.where,
                got=error.got,
                expected=error.expected,
                mend=f"{error.mend}; or plan by its configuration alone: --base-config config.json",
            ) from error
    data = build(run)
    missing: dict[str, list[str]] = manifest(data).facts["absent"]
    found: list[StagePlan] = []
    for index, stage in enumerate(run.recipe.stages):
        lacking = sorted({name for of in (*stage.replay, stage.name) for name in missing.get(of, [])})
        told = [*notes, f"not at hand, and so left out: {', '.join(lacking)}"] if lacking else notes
        folder = encode(run, data, index)
        if shape is None:
            tokenizer = run.folder / manifest(folder).inputs["tokenizer"] / "tokenizer"
            shape = of_scratch(tokenizer, run.recipe.scratch)
        found.append(_stage(run, index, folder, shape, place, told, exact=not notes))
    return found


def _stage(
    run: Run, index: int, folder: Path, shape: Shape, place: Place, notes: Sequence[str], *, exact: bool
) -> StagePlan:
    from taiyi.train import rows as store

    stage, settings = run.recipe.stages[index], run.recipe.stages[index].settings
    facts = manifest(folder).facts
    held = store.read(folder / "rows")
    shape = _begin(run.recipe.stages, index, shape)
    lora = _lora(run.recipe.stages, index, shape)
    work = Work(held, settings)
    step = work.step(shape, lora, place)
    memory = _memory_of(work, step, place)
    too_long = _too_long(work, shape)
    refused = too_long or _refused(settings, place)
    fits = not refused and memory.total <= place.memory
    per_second = work.tokens_per_second(step, shape, place)
    epochs = Counter(planned.epoch for planned in work.planned)
    # Of rows that are not known yet nothing is said about padding.
    bins = [of for planned in work.planned if not planned.epoch for of in planned.bins] if work.known else []
    batches = [held.lengths[of] for of in bins]
    return StagePlan(
        name=stage.name,
        kind=settings.kind,
        method=settings.method,
        rows=len(held),
        tokens=held.tokens,
        supervised=held.targets,
        rejects=facts["rejects"],
        corpora=_corpora(held),
        padded=_padded(held.lengths, len(batches), settings.seed),
        fill=sum(int(of.sum()) for of in batches) / (len(batches) * settings.batch_tokens) if batches else 0.0,
        micro_batches=work.micro_batches(place),
        steps_per_epoch=[epochs[epoch] for epoch in sorted(epochs)] or work.steps_per_epoch,
        steps=work.steps,
        seen=work.seen,
        exact=exact and work.known,
        parameters=step.parameters,
        trained=step.trained,
        memory=memory,
        refused=refused,
        fits=fits,
        # Shorter rows are other rows: which, only the recipe can say.
        remedies=[] if fits or too_long else _remedies(work, shape, lora, place),
        tokens_per_second=per_second,
        hours=work.seen / per_second / 3600,
        notes=[*notes, *_notes(settings, work, shape, place)],
    )


def _begin(stages: Sequence[Stage], index: int, shape: Shape) -> Shape:
    """Return the shape of what a stage begins from, where the base has one."""
    first = begins(stages[index], stages[:index])
    if first is None:
        return shape
    return shape.trained() if first.method == "full" else _begin(stages, stages.index(first), shape)


def _lora(stages: Sequence[Stage], index: int, shape: Shape) -> LoraSettings:
    """Return the adapter that a stage trains: its own, that of an earlier stage where it goes on with it, or the
    base's."""
    stage = stages[index]
    began = maker(stage, stages[:index])
    of_base = begins(began, stages[: stages.index(began)]) is None and began.adapter != "merge"
    size = shape.lora if of_base and shape.lora is not None else began.lora
    # Of an adapter that is trained on, dropout alone may be another.
    given = next((s.lora.dropout for s in (stage, began) if "dropout" in s.lora.model_fields_set), size.dropout)
    return size.model_copy(update={"dropout": given})


def _memory_of(work: Work, step: Step, place: Place) -> Memory:
    settings = work.settings
    answers = settings.dev is not None or settings.kind == "grpo"
    return memory_of(step, place, work.accumulates(place), answers=answers)


def _remedies(work: Work, shape: Shape, lora: LoraSettings | None, place: Place) -> list[Remedy]:
    """Try what takes less memory, from what changes the training least; the method is changed last."""
    settings = work.settings
    if _refused(settings, place):
        size = _memory(work, {}, shape, lora, whole := replace(place, parallel="ddp"))
        return [Remedy("--parallel ddp", size, size <= whole.memory)]
    smallest = settings.max_tokens * (2 if settings.kind == "dpo" else 1)
    less: dict[str, Any] = {}
    if not settings.gradient_checkpointing:
        less["gradient_checkpointing"] = True
    if settings.batch_tokens > smallest:
        less["batch_tokens"] = smallest
    tried = [{name: value} for name, value in less.items()]
    if len(less) > 1:
        tried.append(less)
    if shape.pretrained:
        easier: dict[str, tuple[str, ...]] = {"full": ("lora", "qlora"), "lora": ("qlora",)}
        tried += [
            {"method": method} | less
            for method in easier.get(settings.method, ())
            if not _refused(settings.model_copy(update={"method": method}), place)
        ]
    found: list[Remedy] = []
    for change in tried:
        size = _memory(work, change, shape, lora, place)
        found.append(Remedy(_told(change), size, size <= place.memory))
    if not place.on_cpu and settings.method != "qlora":
        found += _sharded(work, less, shape, lora, place)
    return found


def _sharded(
    work: Work, less: dict[str, Any], shape: Shape, lora: LoraSettings | None, place: Place
) -> Iterator[Remedy]:
    """Yield the fewest devices over which a stage fits with its weights shared out, as it is or with less."""
    for change in [{}, less] if less else [{}]:
        other = Work(work.held, work.settings.model_copy(update=change))
        step = other.step(shape, lora, place)
        for count in _WORLDS:
            many = replace(place, count=count, parallel="fsdp")
            size = _memory_of(other, step, many).total
            if (count > place.count or place.parallel == "ddp") and size <= place.memory:
                yield Remedy(", ".join(filter(None, [f"--devices {count} --parallel fsdp", _told(change)])), size, True)
                break


def _memory(work: Work, change: dict[str, Any], shape: Shape, lora: LoraSettings | None, place: Place) -> int:
    """Return the bytes that a stage with a change takes on a device."""
    other = Work(work.held, work.settings.model_copy(update=change))
    return _memory_of(other, other.step(shape, lora, place), place).total


def _told(change: dict[str, Any]) -> str:
    """Return a change of settings as a recipe has it."""
    return ", ".join(f"{name}: {str(value).lower()}" for name, value in change.items())


def _corpora(held: Rows) -> list[Corpus]:
    found: dict[tuple[str, str], list[int]] = {}
    for index, tokens in enumerate(held.lengths.tolist()):
        corpus = held.example(index).split("/", 1)[0]
        counts = found.setdefault((corpus, held.tasks[int(held.arrays["tasks"][index])]), [0, 0])
        counts[0] += 1
        counts[1] += tokens
    return [Corpus(corpus, task, rows, tokens) for (corpus, task), (rows, tokens) in sorted(found.items())]


def _padded(lengths: Any, num_batches: int, seed: int) -> int:
    """Return the tokens, padding included, of as many padded batches in random order."""
    if not num_batches:
        return 0
    order = np.random.default_rng(seed).permutation(lengths)
    return sum(int(of.max()) * len(of) for of in np.array_split(order, num_batches) if len(of))


def _refused(settings: StageSettings, place: Place) -> str:
    """Return why training would refuse a stage (`train.world.spread`); nothing if it would not."""
    if settings.method == "qlora" and place.parallel == "fsdp" and place.count > 1:
        return NOT_SHARDED
    return ""


def _too_long(work: Work, shape: Shape) -> str:
    """Return why training would refuse the rows of a stage (`attention.check_longest`); nothing if it would not."""
    if work.settings.kind == "grpo":
        return shape.too_long(work.settings.max_tokens)
    # Whether there are pairs of long answers is known only once there are answers.
    return "" if work.settings.kind == "dpo" else shape.too_long(int(max(work.held.lengths, default=0)))


def _notes(settings: StageSettings, work: Work, shape: Shape, place: Place) -> list[str]:
    notes: list[str] = []
    if settings.kind == "dpo":
        if told := shape.too_long(int(max(work.lengths, default=0))):
            notes.append(f"answers may make rows that training would refuse: {told}")
        notes.append(
            "rows are pairs of answers that the model gives before the stage: steps, tokens, hours and memory are the"
            " most that there can be; answering is not in the hours"
        )
    if settings.kind == "grpo":
        notes.append(
            "rows are answers that the model gives in training: tokens, hours and memory are the most that there can"
            " be, and neither the hours nor the memory of answering are among them"
        )
    if settings.dev is not None:
        more = ", and it may stop earlier" if settings.dev.patience is not None else ""
        notes.append(f"evaluation every {settings.dev.every_steps} steps is not in the hours{more}")
    if settings.kind != "grpo" and settings.accumulation % place.count:
        notes.append(
            f"accumulation is {settings.accumulation}, so that some of {place.count} devices are idle in each step: use"
            f" a multiple of {place.count}"
        )
    return notes
