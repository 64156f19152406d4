"""An engine in this process: a model from a run, a folder or the hub."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Self, cast

from taiyi.checkpoint import Checkpoint
from taiyi.encoding import Encoder, Prompt
from taiyi.errors import ModelError
from taiyi.generate import free, grounded, likelihood
from taiyi.generate.engine import NO_ROOM, NOT_LEARNED, Asked, Ended, Grammar, Weighed
from taiyi.generate.loading import DTypeName, Runtime, load, locate
from taiyi.generate.model import LanguageModel
from taiyi.generate.sampling import Chance, Sampler
from taiyi.schema import Example, Message, Prediction
from taiyi.tokens import Tokenizer

if TYPE_CHECKING:
    from taiyi.generate.constrained import Constraint, Vocabulary

MAX_ROWS = 32
"""How many rows a batch has at most."""

MAX_SAMPLED = 128
"""How many rows a batch of sampled answers has at most: answers to one example share its prompt."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """An answer that was drawn by chance.

    Attributes:
        example: id of the example.
        number: which of the answers to it, from 0.
        tokens: what the model chose, without the end token; of a tagged answer that reached the bound, without the rest
            of the source, which is copied into the text.
        text: the answer.
        finish: whether it ended by itself.
        end: the token that it ended with, if it did: that of a turn, or of a text.
    """

    example: str
    number: int
    tokens: tuple[int, ...]
    text: str
    finish: Literal["stop", "length"]
    end: int | None = None


class _Job(NamedTuple):
    """An example to answer, and the number of the answer."""

    example: Example
    prompt: Prompt
    number: int = 0


class LocalEngine:
    """Answers with a model in this process.

    Args:
        model: a causal language model.
        tokenizer: its tokenizer.
        checkpoint: how it was trained.
        name: what to call it.
        grammar: what free answers may be; they may be anything if not given.
    """

    def __init__(
        self,
        model: LanguageModel,
        tokenizer: Tokenizer,
        checkpoint: Checkpoint,
        *,
        name: str = "",
        grammar: Grammar | None = None,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.checkpoint = checkpoint
        self.name = name or checkpoint.recipe or model.architecture
        self.encoder = Encoder(tokenizer, positions=checkpoint.positions, decisions=checkpoint.decisions)
        self.context = model.context
        self.rule = grounded.Rule()
        self.grammar = grammar
        # A model of ours is only asked for what it was trained to hold, others for their whole context.
        self.limit = min(self.context, checkpoint.max_tokens) if checkpoint.recipe else self.context
        own = cast(int | None, tokenizer.eos_token_id)
        self._ends = {self.encoder.end, *model.ends, *([] if own is None else [own])}
        self._vocabulary: Vocabulary | None = None

    @classmethod
    def load(
        cls,
        model: str | Path,
        *,
        device: str = "auto",
        dtype: DTypeName = "auto",
        runtime: Runtime = "auto",
        threads: int | None = None,
        checkpoint: Checkpoint | None = None,
        grammar: Grammar | None = None,
    ) -> Self:
        """Load a run, a folder (a model or a PEFT adapter), a model of the hub, or the one of the package (`mini`).

        What computes it is chosen as `loading.load` says. The checkpoint is that of the folder if none is given.
        """
        path = locate(model)
        if checkpoint is None:
            checkpoint = Checkpoint.load(path) if isinstance(path, Path) else Checkpoint()
        loaded, tokenizer = load(path, device=device, dtype=dtype, runtime=runtime, threads=threads)
        return cls(loaded, tokenizer, checkpoint, name=str(model), grammar=grammar)

    def generate(self, examples: Sequence[Example], *, max_new_tokens: int, batch_tokens: int) -> Iterator[Prediction]:
        """Answer every example once, the longest first; tagged examples are decoded under their constraint.

        `max_new_tokens` bounds an answer; of a tagged answer it bounds the tags, beyond the copy of the source. An
        answer that reaches the bound or the end of the model's context has finish `length`. Where the context does not
        hold the prompt and a first token (of a tagged answer: the copy of its source) there is none: it is `refused`,
        and so is what a model that began from nothing did not learn to do.
        """
        yield from (_refused(example, NOT_LEARNED) for example in examples if not self._knows(example))
        jobs, too_long = self._jobs([example for example in examples if self._knows(example)])
        yield from (_refused(example, NO_ROOM) for example in too_long)
        for tagged, ours in jobs:
            for batch in _batches(ours, max_new_tokens, batch_tokens, MAX_ROWS):
                yield from self._tagged(batch, max_new_tokens) if tagged else self._free(batch, max_new_tokens)

    def sample(
        self,
        examples: Sequence[Example],
        *,
        answers: int,
        temperature: float,
        seed: int,
        max_new_tokens: int,
        batch_tokens: int,
    ) -> Iterator[Sampled]:
        """Answer every example several times by chance, in any order; bounds are those of `generate`.

        An answer follows from the model, the seed, the id of its example and its number, within the rounding of
        logits. Tokens are drawn from the softmax of the logits over the temperature, those of tagged answers among
        their choices; the rule does not count.
        """
        jobs, too_long = self._jobs(examples)
        for example in too_long:
            for number in range(answers):
                yield Sampled(example.id, number, (), "", "length")
        for tagged, ours in jobs:
            each = [job._replace(number=number) for job in ours for number in range(answers)]
            for batch in _batches(each, max_new_tokens, batch_tokens, MAX_SAMPLED):
                sampler = Sampler(temperature, [Chance(seed, job.example.id, job.number) for job in batch])
                if tagged:
                    yield from self._tagged_sampled(batch, max_new_tokens, sampler)
                else:
                    yield from self._free_sampled(batch, max_new_tokens, sampler)

    def choose(self, asked: Sequence[Asked], *, per_byte: bool, batch_tokens: int) -> Iterator[Prediction]:
        """Answer every example with the most probable of its candidates, those with the longest prompts first.

        Where the context does not hold the prompt and the longest of them there is no answer: it is `refused`, and so
        is what a model that began from nothing did not learn to do.
        """
        yield from (_refused(one.example, NOT_LEARNED) for one in asked if not self._knows(one.example))
        known = [one for one in asked if self._knows(one.example)]
        yield from likelihood.choose(
            self.model, self.encoder, known, context=self.context, per_byte=per_byte, batch_tokens=batch_tokens
        )

    def weigh(self, asked: Sequence[Asked], *, batch_tokens: int) -> Iterator[Weighed]:
        """Say of every example how probable its candidates are, those with the longest prompts first."""
        return likelihood.weigh(self.model, self.encoder, asked, context=self.context, batch_tokens=batch_tokens)

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> Generator[str, None, Ended]:
        """Answer a dialogue, in pieces of text as they come; return how it ended.

        Raises:
            ModelError: the context does not hold it, or the model did not learn to write texts of its own.
        """
        self.check_talks()
        prompt = self.encoder.prompt(messages)
        room = self.context - len(prompt.ids)
        if room < 1:
            raise ModelError(
                "the dialogue is longer than the model's context", got=len(prompt.ids), expected=self.context
            )
        limit = min(max_new_tokens, room)
        ids: list[int] = []
        shown = ""
        for token in free.stream(self.model, prompt, limit=limit, ends=self._ends):
            ids.append(token)
            text = self._text(ids)
            # A character may take several tokens; its first ones decode to a replacement character.
            if len(text) > len(shown) and not text.endswith("\ufffd"):
                yield text[len(shown) :]
                shown = text
        if rest := self._text(ids)[len(shown) :]:
            yield rest
        return Ended("stop" if len(ids) < limit else "length", len(prompt.ids), len(ids))

    def check_talks(self) -> None:
        """Raise ModelError where the model began from nothing and did not learn to write texts of its own: what it
        would say makes no sense."""
        if not self.checkpoint.talks:
            raise ModelError(
                "this model cannot talk: it did not learn to answer free questions",
                where=self.name,
                expected=f"what it learned: {', '.join(self.checkpoint.tasks())}",
                mend="ask it with `taiyi extract` or `taiyi classify`, give it --sources, or take another model",
            )

    def about(self) -> str:
        """What the model is, in a few words."""
        size = self.model.num_parameters / 1e6
        made = f", recipe {self.checkpoint.recipe}, stage {self.checkpoint.stage}" if self.checkpoint.recipe else ""
        return f"{self.model.architecture} with {size:,.1f}M parameters on {self.model.device}{made}"

    def num_tokens(self, messages: Sequence[Message]) -> int:
        """How many tokens a dialogue takes as a prompt."""
        return len(self.encoder.prompt(messages).ids)

    def _knows(self, example: Example) -> bool:
        return self.checkpoint.knows(example.task, example.lang)

    def _jobs(self, examples: Sequence[Example]) -> tuple[list[tuple[bool, list[_Job]]], list[Example]]:
        """Return tagged and free jobs, the longest first but those of a record together, which may begin alike, and the
        examples that the context has no room for."""
        fitting: list[_Job] = []
        too_long: list[Example] = []
        for example in examples:
            prompt = self.encoder.prompt(example.messages, example.tagging)
            if self._least(prompt) > self.context:
                too_long.append(example)
            else:
                fitting.append(_Job(example, prompt))
        longest: dict[str, int] = {}
        for job in fitting:
            longest[job.example.record] = max(longest.get(job.example.record, 0), len(job.prompt.ids))
        fitting.sort(
            key=lambda job: (
                -longest[job.example.record],
                job.example.record,
                -len(job.prompt.ids),
                job.example.id,
            )
        )
        return [
            (t, [job for job in fitting if (job.example.tagging is not None) == t]) for t in (True, False)
        ], too_long

    def _least(self, prompt: Prompt) -> int:
        """How many positions a prompt and the shortest answer to it take."""
        aligned = prompt.grounding is None or self.encoder.positions == "aligned"
        return (len(prompt.ids) if aligned else _length(prompt)) + 1

    def _tagged(self, batch: Sequence[_Job], max_new_tokens: int) -> Iterator[Prediction]:
        prompts = [job.prompt for job in batch]
        most = [self._most_tags(prompt, max_new_tokens) for prompt in prompts]
        started = time.perf_counter()
        answers = list(grounded.decode(self.model, self.encoder, prompts, max_tags=most, rule=self.rule))
        seconds = (time.perf_counter() - started) / len(batch)
        for index, ids, finish, log_probs in answers:
            example, grounding = batch[index].example, prompts[index].grounding
            assert example.tagging is not None and grounding is not None
            text = self.encoder.answer_text(ids, example.tagging)
            yield Prediction(
                example=example.id,
                text=text,
                finish=finish,
                constrained=True,
                num_tokens=len(ids),
                seconds=seconds,
                confidences=tuple(grounded.confidences(grounding, ids, log_probs)),
            )

    def _free(self, batch: Sequence[_Job], max_new_tokens: int) -> Iterator[Prediction]:
        prompts = [job.prompt for job in batch]
        limits = [min(max_new_tokens, self.context - len(prompt.ids)) for prompt in prompts]
        started = time.perf_counter()
        constraints = [self._constraint(job.example) for job in batch]
        answers = list(free.decode(self.model, prompts, limits=limits, ends=self._ends, constraints=constraints))
        seconds = (time.perf_counter() - started) / len(batch)
        for index, ids, end in answers:
            yield Prediction(
                example=batch[index].example.id,
                text=self._text(ids),
                finish="length" if end is None else "stop",
                constrained=constraints[index] is not None,
                num_tokens=len(ids),
                seconds=seconds,
            )

    def _constraint(self, example: Example) -> Constraint | None:
        """What the answer to an example may be; None where it may be anything, or its grammar cannot be used."""
        text = "" if self.grammar is None else self.grammar(example)
        if not text:
            return None
        if self._vocabulary is None:
            from taiyi.generate.constrained import Vocabulary

            self._vocabulary = Vocabulary(self.tokenizer, self._ends, self.model.num_logits)
        return self._vocabulary.constraint(text)

    def _tagged_sampled(self, batch: Sequence[_Job], max_new_tokens: int, sampler: Sampler) -> Iterator[Sampled]:
        prompts = [job.prompt for job in batch]
        most = [self._most_tags(prompt, max_new_tokens) for prompt in prompts]
        for index, ids, finish, _ in grounded.decode(self.model, self.encoder, prompts, max_tags=most, sampler=sampler):
            job = batch[index]
            grounding, tagging = job.prompt.grounding, job.example.tagging
            assert grounding is not None and tagging is not None
            text = self.encoder.answer_text(ids, tagging)
            chosen = ids if finish == "stop" else ids[: len(grounding.source) + most[index] + 1]
            end = self.encoder.end if finish == "stop" else None
            yield Sampled(job.example.id, job.number, tuple(chosen), text, finish, end)

    def _free_sampled(self, batch: Sequence[_Job], max_new_tokens: int, sampler: Sampler) -> Iterator[Sampled]:
        prompts = [job.prompt for job in batch]
        limits = [min(max_new_tokens, self.context - len(prompt.ids)) for prompt in prompts]
        for index, ids, end in free.decode(self.model, prompts, limits=limits, ends=self._ends, sampler=sampler):
            job = batch[index]
            finish = "length" if end is None else "stop"
            yield Sampled(job.example.id, job.number, tuple(ids), self._text(ids), finish, end)

    def _most_tags(self, prompt: Prompt, max_new_tokens: int) -> int:
        """How many tokens the tags of an answer may take."""
        aligned = self.encoder.positions == "aligned"
        return min(max_new_tokens, self.context if aligned else self.context - _length(prompt))

    def _text(self, ids: Sequence[int]) -> str:
        return cast(str, self.tokenizer.decode(list(ids), clean_up_tokenization_spaces=False))


def _refused(example: Example, reason: str) -> Prediction:
    return Prediction(example=example.id, text="", finish="refused", reason=reason)


def _length(prompt: Prompt) -> int:
    return len(prompt.ids) + (len(prompt.grounding.source) if prompt.grounding else 0)


def _batches(jobs: Sequence[_Job], max_new_tokens: int, batch_tokens: int, most: int) -> Iterator[list[_Job]]:
    """Cut jobs, sorted by length, into batches of at most `most` whose tokens, padded, stay within the budget; or of
    one job."""
    batch: list[_Job] = []
    longest = 0
    for job in jobs:
        prompt = job.prompt
        # Tags add about a fifth to a copied source.
        cost = len(prompt.ids) + (len(prompt.grounding.source) * 6 // 5 if prompt.grounding else max_new_tokens)
        longest = max(longest, cost)
        if batch and (longest * (len(batch) + 1) > batch_tokens or len(batch) == most):
            yield batch
            batch, longest = [], cost
        batch.append(job)
    if batch:
        yield batch
