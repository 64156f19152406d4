"""What stages learn from: answers, pairs of answers, or rewards; which micro-batches each step has, and their loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from taiyi.encoding import Row
from taiyi.train.batch import Batch, batch
from taiyi.train.loss import learned, log_probs
from taiyi.train.order import Planned, pack
from taiyi.train.rows import Rows, hold
from taiyi.train.settings import StageSettings
from taiyi.train.world import World


class Part(NamedTuple):
    """A micro-batch of a step.

    Attributes:
        number: of the micro-batch within the step, over all processes.
        batch: its rows.
        real: False where the process has nothing to do and only keeps pace with the others: its loss does not count.
    """

    number: int
    batch: Batch
    real: bool


class Work(NamedTuple):
    """What a process does in a step.

    Attributes:
        parts: its micro-batches, as many as each other process has.
        weight: what they weigh in the mean over the step.
        measured: what is measured before them: for each of the objective's measures a sum, and of how much it is one,
            as [measure, 2].
    """

    parts: list[Part]
    weight: float
    measured: Tensor


class Loss(NamedTuple):
    """The loss of a micro-batch, and what is measured of it, as in `Work`."""

    value: Tensor
    measured: Tensor


class Objective(Protocol):
    """What a stage learns from.

    Attributes:
        num_steps: how many steps there are.
        measures: names of what is measured in each step beside the loss.
    """

    num_steps: int
    measures: tuple[str, ...]

    def work(self, step: int) -> Work:
        """Return what this process does in a step, from 0."""
        ...

    def loss(self, model: nn.Module, batch: Batch, total: float) -> Loss:
        """Return the loss of a micro-batch, divided by the weight of its whole step."""
        ...

    def epoch(self, step: int) -> int:
        """Return the epoch that a step belongs to, from 0."""
        ...

    def examples(self, step: int) -> Iterator[str]:
        """Yield the ids of the examples of a step."""
        ...


class _Ordered(ABC):
    """An objective over rows in an order that is known beforehand."""

    measures: tuple[str, ...] = ()

    def __init__(self, rows: Rows, plan: Sequence[Planned], world: World) -> None:
        self._rows, self._plan, self._world = rows, plan, world
        self.num_steps = len(plan)

    def work(self, step: int) -> Work:
        bins = self._plan[step].bins
        parts = [Part(n, batch(self._rows, bins[n]), real) for n, real in _dealt(len(bins), self._world)]
        weight = sum(self.weight(part.batch) for part in parts if part.real)
        return Work(parts, weight, torch.zeros(len(self.measures), 2))

    @abstractmethod
    def weight(self, batch: Batch) -> float:
        """Return what a micro-batch weighs in the mean over its step."""

    def epoch(self, step: int) -> int:
        return self._plan[step].epoch

    def examples(self, step: int) -> Iterator[str]:
        return (self._rows.example(row) for rows in self._plan[step].bins for row in rows)


class Answers(_Ordered):
    """Stages of kind `sft` and `cpt`: the mean loss over tokens of answers or texts. Measured: that of each task."""

    def __init__(self, rows: Rows, plan: Sequence[Planned], settings: StageSettings, world: World) -> None:
        super().__init__(rows, plan, world)
        self._decision_weight = settings.decision_weight
        self.measures = tuple(f"loss/{task}" for task in rows.tasks)

    def weight(self, batch: Batch) -> float:
        return batch.weight(self._decision_weight)

    def loss(self, model: nn.Module, batch: Batch, total: float) -> Loss:
        value, found = learned(model, batch, self._decision_weight)
        with torch.no_grad():
            counts = _count(batch)
            measured = _by_task(len(self.measures), batch, -found.by_row(batch), counts)
        return Loss(value / total, measured)


class Pairs(_Ordered):
    """Stages of kind `dpo`: rows 2i and 2i + 1 are a right and a wrong answer to one prompt (arXiv 2305.18290).

    `reference` are the log-probabilities of all rows under the model that the stage begins from. Measured: in how many
    pairs the right answer gained more than the wrong one, and by how much.
    """

    measures: tuple[str, ...] = ("right", "margin")

    def __init__(
        self, rows: Rows, plan: Sequence[Planned], settings: StageSettings, world: World, reference: Tensor
    ) -> None:
        super().__init__(rows, plan, world)
        self._settings, self._reference = settings.preference, reference

    def weight(self, batch: Batch) -> float:
        return len(batch.rows) / 2

    def loss(self, model: nn.Module, batch: Batch, total: float) -> Loss:
        settings = self._settings
        found = log_probs(model, batch).by_row(batch)
        gained = settings.beta * (found - self._reference[list(batch.rows)].to(found.device))
        margins = gained[0::2] - gained[1::2]
        smooth = settings.label_smoothing
        value = -(logsigmoid(margins) * (1 - smooth) + logsigmoid(-margins) * smooth).sum()
        if settings.sft_weight:
            value = value - settings.sft_weight * (found / _count(batch))[0::2].sum()
        with torch.no_grad():
            count = float(len(margins))
            measured = torch.stack([(margins > 0).sum().float(), margins.sum()])
            measured = torch.stack([measured, torch.full_like(measured, count)], 1)
        return Loss(value / total, measured)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that the model gave.

    Attributes:
        task: of its example.
        row: the answer as a row; None where nothing can be learned of it, such as one that is too long.
        reward: what it is worth.
        unparsable: whether it could not be read.
        cut: whether it was cut at the limit of tokens.
    """

    task: str
    row: Row | None
    reward: float
    unparsable: bool = False
    cut: bool = False


Answer = Callable[[int, Sequence[int]], Sequence[Sequence[Answered]]]
"""Answers examples in a step, each several times; called by every process for examples of its own."""


_SHARES = ("unparsable", "cut", "left out")


class Rewards:
    """Stages of kind `grpo`: what answers are worth beside other answers to the same prompt (arXiv 2402.03300).

    An answer is learned by its advantage, how far its reward lies above the mean of its group; the loss is averaged
    over all tokens of a step's answers (DAPO, arXiv 2503.14476). Every answer is used for one step, so that the model
    that learns is the one that answered. Answers that are left out, of which no row can be made, count in no group; and
    groups whose rewards are all alike have no advantage, but their tokens count in the average. Measured: the mean
    reward of each task, and the shares of answers that could not be read, were cut, or left out; the loss itself is 0
    but for rounding and its gradient is what teaches.
    """

    def __init__(
        self, names: Sequence[str], tasks: Sequence[str], settings: StageSettings, world: World, answer: Answer
    ) -> None:
        """`names` and `tasks` are the ids and tasks of the examples."""
        self._names, self._settings, self._world, self._answer = names, settings, world, answer
        self._tasks = [*dict.fromkeys(tasks)]
        self.measures = (*(f"reward/{task}" for task in self._tasks), *_SHARES)
        each = settings.reward.prompts
        steps = settings.epochs * -(-len(names) // each)
        self.num_steps = min(steps, settings.max_steps or steps)
        self._steps_per_epoch = -(-len(names) // each)
        self._advantages = torch.zeros(0)

    def epoch(self, step: int) -> int:
        return step // self._steps_per_epoch

    def asked(self, step: int) -> list[int]:
        """Return the examples of a step."""
        epoch, place = divmod(step, self._steps_per_epoch)
        order = np.random.default_rng([self._settings.seed, epoch]).permutation(len(self._names))
        each = self._settings.reward.prompts
        return order[place * each : (place + 1) * each].tolist()

    def examples(self, step: int) -> Iterator[str]:
        return (self._names[index] for index in self.asked(step))

    def work(self, step: int) -> Work:
        mine = self.asked(step)[self._world.rank :: self._world.size]
        given = self._answer(step, mine)
        rows: list[Row] = []
        advantages: list[float] = []
        num_tokens = 0
        for group in given:
            of_group = [(answered.row, answered.reward) for answered in group if answered.row is not None]
            num_tokens += sum(_num_targets(row) for row, _ in of_group)
            rewards = np.array([reward for _, reward in of_group])
            # What rounding leaves of equal rewards is no advantage.
            if len(of_group) < 2 or not np.ptp(rewards):
                continue
            found = rewards - rewards.mean()
            if self._settings.reward.scale:
                found = found / (rewards.std(ddof=1) + 1e-4)
            rows += [row for row, _ in of_group]
            advantages += found.tolist()
        # One at least: a process without an answer keeps pace with a row that does not count.
        self._advantages = torch.tensor(advantages or [0.0], device=self._world.device)
        return Work(self._together(rows), num_tokens, self._measure(given))

    def _measure(self, given: Sequence[Sequence[Answered]]) -> Tensor:
        sums = torch.zeros(len(self.measures), 2, dtype=torch.float64)
        for answered in (answered for group in given for answered in group):
            sums[self._tasks.index(answered.task)] += torch.tensor([answered.reward, 1.0])
            told = (answered.unparsable, answered.cut, answered.row is None)
            sums[-len(_SHARES) :] += torch.tensor([(float(share), 1.0) for share in told])
        return sums

    def _together(self, rows: Sequence[Row]) -> list[Part]:
        """Pack rows into as many micro-batches as the process with the most of them has."""
        settings = self._settings
        held = hold(rows)
        most = settings.batch_tokens
        bins = pack(held.lengths, most, most, seed=settings.seed, epoch=0) if rows else []
        counts = self._world.gather([len(bins)])
        before = sum(counts[: self._world.rank])
        parts = [Part(before + n, batch(held, rows), True) for n, rows in enumerate(bins)]
        filler = parts[0].batch if parts else _nothing()
        return parts + [Part(0, filler, False)] * (max(counts) - len(parts))

    def loss(self, model: nn.Module, batch: Batch, total: float) -> Loss:
        found = log_probs(model, batch, temperature=self._settings.reward.temperature).by_row(batch)
        # The ratio of the model to itself: 1, with the gradient of the log-probability.
        ratio = torch.exp(found - found.detach())
        value = -(self._advantages[list(batch.rows)].to(found.device) * ratio).sum() / total
        return Loss(value, torch.zeros(len(self.measures), 2))


def _num_targets(row: Row) -> int:
    """Return how many targets of a row are not forced."""
    return sum(len(choices) != 1 for choices in row.choices)


def _nothing() -> Batch:
    """Return a micro-batch of one row, for a process that has none."""
    return batch(hold([Row("", [0, 0], [0, 1], [1], [()])]), [0])


def _dealt(count: int, world: World) -> list[tuple[int, bool]]:
    """Deal out micro-batches in turn: which ones this process has, and whether they are its own."""
    mine = range(world.rank, -(-count // world.size) * world.size, world.size)
    return [(n, True) if n < count else (0, False) for n in mine]


def _count(batch: Batch) -> Tensor:
    """Return how many targets of each row count."""
    counts = torch.zeros(len(batch.rows), device=batch.ids.device)
    for rows in (batch.free_row, batch.decided_row):
        counts.index_add_(0, rows, torch.ones(len(rows), device=counts.device))
    return counts


def _by_task(num_tasks: int, batch: Batch, *of_rows: Tensor) -> Tensor:
    """Return the sums of what is said of each row over the rows of each task, as [task, what]."""
    sums = torch.zeros(num_tasks, len(of_rows), device=batch.ids.device)
    return sums.index_add_(0, batch.tasks, torch.stack(of_rows, 1))
