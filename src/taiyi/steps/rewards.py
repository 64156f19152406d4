"""Rewards: a model in the making answers examples by chance, and the tasks' own scores say what answers are worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from taiyi.build.mixture import rank
from taiyi.checkpoint import Checkpoint
from taiyi.evaluate import run as scoring
from taiyi.schema import Example, Prediction

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from taiyi.generate import LocalEngine, Sampled
    from taiyi.train.objectives import Answer, Answered
    from taiyi.train.settings import RewardSettings


class Answerer:
    """Answers examples with a model in the making, several times each.

    What it answers in a step follows from the model, the seed and the step alone. The reward of an answer is what it is
    worth by itself (`evaluate.run.worth`), that of one that cannot be read is in the settings.

    Args:
        examples: of the stage.
        tokenizer: of the model.
        checkpoint: how the model is trained; `max_tokens` is the longest row that it learns from.
        settings: how often it answers, and how.
        seed: what the answers follow from.
        batch_tokens: how many tokens are answered at once.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        tokenizer: PreTrainedTokenizerFast,
        checkpoint: Checkpoint,
        settings: RewardSettings,
        *,
        seed: int,
        batch_tokens: int,
    ) -> None:
        self._examples, self._tokenizer, self._checkpoint = examples, tokenizer, checkpoint
        self._settings, self._seed, self._batch_tokens = settings, seed, batch_tokens

    def __call__(self, model: PreTrainedModel | PeftModel) -> Answer:
        """Return what answers with a model, which has to be let answer (`train.world.answering`) meanwhile."""

        def answer(step: int, asked: Sequence[int]) -> list[list[Answered]]:
            from taiyi.generate import LocalEngine
            from taiyi.generate.torch_model import TorchModel
            from taiyi.train.loss import causal_model

            engine = LocalEngine(TorchModel(causal_model(model)), self._tokenizer, self._checkpoint)
            # With its end token a row is not to be longer than those that are learned.
            engine.context = min(engine.context, self._checkpoint.max_tokens - 1)
            examples = [self._examples[index] for index in asked]
            groups: dict[str, dict[int, Sampled]] = {example.id: {} for example in examples}
            for sampled in engine.sample(
                examples,
                answers=self._settings.answers,
                temperature=self._settings.temperature,
                seed=rank(self._seed, f"rewards/{step}"),
                max_new_tokens=self._settings.max_new_tokens,
                batch_tokens=self._batch_tokens,
            ):
                groups[sampled.example][sampled.number] = sampled
            return [self._group(engine, example, groups[example.id]) for example in examples]

        return answer

    def _group(self, engine: LocalEngine, example: Example, group: dict[int, Sampled]) -> list[Answered]:
        """Make the answers to an example, in the order of their numbers, into rows with their rewards."""
        from taiyi.train.objectives import Answered

        prompt = engine.encoder.prompt(example.messages, example.tagging)
        found: list[Answered] = []
        for _, sampled in sorted(group.items()):
            row = engine.encoder.answered(example, prompt, sampled.tokens, end=sampled.end)
            # A row without a choice teaches nothing.
            fits = len(row.ids) <= self._checkpoint.max_tokens and any(len(choices) != 1 for choices in row.choices)
            given = Prediction(example=example.id, text=sampled.text, finish=sampled.finish)
            score = scoring.score_alone(example, given)
            unparsable = score.state == "unparsable"
            reward = self._settings.unparsable if unparsable else scoring.worth(example, score)
            cut = sampled.finish == "length"
            found.append(Answered(example.task, row if fits else None, reward, unparsable=unparsable, cut=cut))
        return found
