"""The micro-batches of a stage, as far as they are known before it is trained: steps, tokens, and what they take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from taiyi.steps.place import Place
from taiyi.train.settings import LoraSettings, StageSettings

if TYPE_CHECKING:
    from taiyi.train.memory import Step
    from taiyi.train.order import Planned
    from taiyi.train.rows import Rows
    from taiyi.train.shapes import Shape


class Work:
    """The micro-batches of a stage, as far as they are known before it is trained.

    Attributes:
        held: the rows of its examples.
        settings: of the stage.
        lengths: tokens of the rows that it trains on; where these are not known, the most that they can be.
        planned: its steps, unless the model's answers make its rows while it trains.
        steps: how many there are.
        steps_per_epoch: of a stage without `planned`: those of each epoch.
        seen: tokens of all steps.
    """

    def __init__(self, held: Rows, settings: StageSettings) -> None:
        from taiyi.train.order import planned

        self.held, self.settings = held, settings
        self.lengths = held.lengths
        self.planned: Sequence[Planned] = ()
        self.steps_per_epoch: list[int] = []
        if settings.kind == "grpo":
            # As `objectives.Rewards` counts; each example is answered several times. One that is replayed and drawn
            # again has two rows, and is asked once.
            examples = list({held.example(index): index for index in range(len(held))}.values())
            self.lengths = self._longest(settings.reward.max_new_tokens)[examples]
            each = -(-len(examples) // settings.reward.prompts)
            self.steps = min(settings.epochs * each, settings.max_steps or settings.epochs * each)
            self.steps_per_epoch = [min(each, self.steps - at) for at in range(0, self.steps, each)]
            # Of an epoch that is left before its end, the longest.
            longest_first = np.sort(self.lengths)[::-1]
            asked = sum(int(longest_first[: of * settings.reward.prompts].sum()) for of in self.steps_per_epoch)
            self.seen = settings.reward.answers * asked
            return
        if settings.kind == "dpo":
            preference = settings.preference
            longest = np.sort(self._longest(preference.max_new_tokens))[::-1][: preference.examples]
            self.lengths = np.repeat(longest, 2)
        self.planned = planned(self.lengths, settings)
        self.steps = len(self.planned)
        self.seen = sum(int(self.lengths[rows].sum()) for step in self.planned for rows in step.bins)

    @property
    def known(self) -> bool:
        """Whether the rows are there before the stage begins."""
        return self.settings.kind in ("sft", "cpt")

    def _longest(self, max_new_tokens: int) -> Any:
        """Return the most tokens that a row of each example can have with an answer of the model's own."""
        answers = np.diff(self.held.arrays["target_offsets"])
        copied = self.held.arrays["counted"] != answers
        most = self.lengths - answers + np.maximum(answers, max_new_tokens)
        # Tagged answers are as long as their source, with as many tags as the model likes.
        most[copied] = self.settings.max_tokens
        return np.minimum(most, self.settings.max_tokens)

    @property
    def _full(self) -> int:
        """How many of the longest rows a micro-batch holds: all but the last of a device's hold as many at least, since
        the next is begun only for a row that fits into none."""
        return max(1, self.settings.batch_tokens // max(1, int(self.lengths.max(initial=1))))

    def _bins(self, place: Place) -> Iterator[list[int]]:
        """Yield how many micro-batches each device has in each step in which answers make the rows: at most so many.

        Each packs the answers to its own prompts (`objectives.Rewards`).
        """
        reward, number = self.settings.reward, len(self.lengths)
        for steps in self.steps_per_epoch:
            for step in range(steps):
                prompts = min(reward.prompts, number - step * reward.prompts)
                dealt = (-(-(prompts - rank) // place.count) for rank in range(place.count))
                yield [-(-max(0, mine) * reward.answers // self._full) for mine in dealt]

    def micro_batches(self, place: Place) -> int:
        """Return how many micro-batches there are in all steps, on all devices."""
        if self.settings.kind == "grpo":
            return sum(map(sum, self._bins(place)))
        return sum(len(step.bins) for step in self.planned)

    def accumulates(self, place: Place) -> bool:
        """Whether a device computes several micro-batches in a step."""
        if self.settings.kind == "grpo":
            return self.rounds(place) > self.steps
        return self.settings.accumulation > place.count

    def rounds(self, place: Place) -> int:
        """Return how many micro-batches the busiest device computes."""
        if self.settings.kind == "grpo":
            return sum(map(max, self._bins(place)))
        return sum(-(-len(step.bins) // place.count) for step in self.planned)

    def step(self, shape: Shape, lora: LoraSettings | None, place: Place) -> Step:
        """Return what the most demanding micro-batch takes: the one of most tokens, or of most free targets."""
        from taiyi.train.memory import simulate

        return simulate(
            lambda layers: shape.make(self.settings.method, layers),
            shape.num_layers,
            self.settings,
            self._batches(),
            lora=lora,
            on_cpu=place.on_cpu,
            accumulates=self.accumulates(place),
        )

    def tokens_per_second(self, step: Step, shape: Shape, place: Place) -> float:
        """Return tokens in a second of all devices, idle ones counted."""
        if (one := place.tokens_per_second) is None:
            again = self.settings.gradient_checkpointing
            # Causal attention: two matrix products over half of the pairs of tokens; five more in the backward pass,
            # which computes the first again (arXiv 2205.14135).
            pairs = float((self.lengths.astype(np.float64) ** 2).sum() / self.lengths.sum())
            attention = shape.attention_width * 2 * pairs * (1 + 2.5 + again)
            # Products are in the type of what goes in: in 16 bit over weights of that, whatever `precision` says.
            # Attention is in the type of most of them.
            in_32 = step.flops_in_32 / step.tokens
            in_16 = step.flops / step.tokens - in_32
            of_16, of_32 = place.device.rate("bf16"), place.device.rate("fp32")
            seconds = in_16 / of_16 + in_32 / of_32 + attention / (of_16 if in_16 > in_32 else of_32)
            one = place.assumed_share / seconds
        return one * self.micro_batches(place) / max(1, self.rounds(place))

    def _batches(self) -> list[Any]:
        from taiyi.train.batch import batch
        from taiyi.train.rows import hold

        settings = self.settings
        if not self.known:
            if settings.kind == "dpo":
                bins = [rows for step in self.planned for rows in step.bins]
                sizes = self.lengths[max(bins, key=lambda rows: int(self.lengths[rows].sum()))].tolist()
            else:
                longest, answers = int(self.lengths.max()), settings.reward.prompts * settings.reward.answers
                sizes = [longest] * min(self._full, answers)
                # Shorter answers fill what is left.
                if len(sizes) < answers and (left := settings.batch_tokens - sum(sizes)) > 1:
                    sizes.append(min(left, longest))
            return [batch(hold(_unknown(size) for size in sizes), range(len(sizes)))]
        bins = [rows for step in self.planned for rows in step.bins]
        offsets = self.held.arrays["choice_offsets"]
        targets = self.held.arrays["target_offsets"]
        # Targets with choices add to these offsets; those without learn over the whole vocabulary.
        free = np.add.reduceat(np.append(np.diff(offsets) == 0, False), targets[:-1]) if len(targets) > 1 else targets
        chosen = {
            max(range(len(bins)), key=lambda n: int(self.lengths[bins[n]].sum())),
            max(range(len(bins)), key=lambda n: int(free[bins[n]].sum())),
        }
        return [batch(self.held, bins[n]) for n in sorted(chosen)]


def _unknown(size: int) -> Any:
    """Return a row whose answer is not known: the longer half of its tokens is taken to be learned."""
    from taiyi.encoding import Row

    targets = list(range(max(1, size // 2), size))
    return Row("planned", [0] * size, list(range(size)), targets, [()] * len(targets))
