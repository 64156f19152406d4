"""Answers that are chosen from a few: the one whose tokens are the most probable after the prompt.

As in lm-eval (Gao et al., 2021): the sum of the log-probabilities of an answer's tokens (`acc`), or that over its
length in bytes (`acc_bytes`). The prompt is read once for all of its candidates; those of one token need nothing more.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from math import exp
from typing import NamedTuple

from taiyi.encoding import Encoder, Prompt
from taiyi.generate.beginnings import begun
from taiyi.generate.engine import NO_ROOM, Asked, Weighed
from taiyi.generate.model import LanguageModel, Place, States
from taiyi.schema import Prediction

MAX_ROWS = 32
"""How many prompts are read at a time at most."""

# How many rows of logits over the vocabulary are held at a time.
_POSITIONS = 256

Tokens = Sequence[int]


class _Job(NamedTuple):
    asked: Asked
    prompt: Prompt
    answers: Sequence[Tokens]

    @property
    def rows(self) -> int:
        """How many copies of the prompt are held while the answers are read."""
        return max(1, sum(len(tokens) > 1 for tokens in self.answers))

    @property
    def length(self) -> int:
        return len(self.prompt.ids) + max(map(len, self.answers))


def choose(
    model: LanguageModel,
    encoder: Encoder,
    asked: Sequence[Asked],
    *,
    context: int,
    per_byte: bool,
    batch_tokens: int,
) -> Iterator[Prediction]:
    """Answer examples with the most probable of their candidates, those with the longest prompts first.

    Args:
        context: how many tokens the model holds.
        per_byte: whether the log-probability of a candidate is divided by its length in bytes of UTF-8.
        batch_tokens: bounds the tokens of a batch.
    """
    candidates = {one.example.id: one.candidates for one in asked}
    for id, scores, lengths, seconds in weigh(model, encoder, asked, context=context, batch_tokens=batch_tokens):
        if not scores:
            yield Prediction(example=id, text="", finish="refused", reason=NO_ROOM)
            continue
        chosen = best(scores, candidates[id], per_byte=per_byte)
        yield Prediction(
            example=id,
            text=candidates[id][chosen],
            finish="stop",
            num_tokens=lengths[chosen],
            seconds=seconds,
            confidences=(shares(scores)[chosen],),
        )


def weigh(
    model: LanguageModel, encoder: Encoder, asked: Sequence[Asked], *, context: int, batch_tokens: int
) -> Iterator[Weighed]:
    """Say how probable the candidates of examples are, those with the longest prompts first; arguments are those of
    `choose`."""
    jobs: list[_Job] = []
    for one in asked:
        job = _Job(one, encoder.prompt(one.example.messages), _encoded(one.candidates, encoder))
        if job.length > context:
            yield Weighed(one.example.id, (), (), 0.0)
        else:
            jobs.append(job)
    jobs.sort(key=lambda job: (-job.length, job.asked.example.id))
    for batch in _batches(jobs, batch_tokens):
        started = time.perf_counter()
        scores = score(model, [job.prompt for job in batch], [job.answers for job in batch])
        seconds = (time.perf_counter() - started) / len(batch)
        for job, found in zip(batch, scores, strict=True):
            yield Weighed(job.asked.example.id, found, [len(tokens) for tokens in job.answers], seconds)


def best(scores: Sequence[float], candidates: Sequence[str], *, per_byte: bool) -> int:
    """Return the index of the candidate that scores best; of equal ones the first."""
    if per_byte:
        scores = [score / len(text.encode()) for score, text in zip(scores, candidates, strict=True)]
    return max(range(len(scores)), key=lambda index: (scores[index], -index))


def shares(scores: Sequence[float]) -> list[float]:
    """Return how probable each of some answers is among them, from their log-probabilities."""
    most = max(scores)
    weights = [exp(score - most) for score in scores]
    together = sum(weights)
    return [weight / together for weight in weights]


def begins_another(candidates: Sequence[str]) -> bool:
    """Whether a candidate is the beginning of another, such as 1 of 10: by itself it is never the less probable one."""
    return any(a is not b and b.startswith(a) for a in candidates for b in candidates)


def _encoded(candidates: Sequence[str], encoder: Encoder) -> Sequence[Tokens]:
    """Encode candidates; where one begins another, with the token that ends an answer."""
    found = [encoder.text_ids(text) for text in candidates]
    ends = begins_another(candidates) or any(a is not b and b[: len(a)] == a for a in found for b in found)
    return [[*tokens, encoder.end] for tokens in found] if ends else found


def score(model: LanguageModel, prompts: Sequence[Prompt], answers: Sequence[Sequence[Tokens]]) -> list[list[float]]:
    """Return the log-probability of each answer to each prompt of a batch: the sum over its tokens.

    Args:
        model: a causal language model.
        prompts: what is answered.
        answers: for each prompt, tokens of some answers to it; none of them empty.
    """
    capacity = max(len(p.ids) + max(map(len, of)) for p, of in zip(prompts, answers, strict=True))
    feeding, read = begun(model, prompts, capacity=capacity)
    unread = [(prompt.ids[count:], prompt.positions[count:]) for prompt, count in zip(prompts, read, strict=True)]
    states = feeding.feed([ids for ids, _ in unread], [positions for _, positions in unread])
    begins = [((i, len(unread[i][0]) - 1), tokens[0]) for i, of in enumerate(answers) for tokens in of]
    first = iter(_log_probs(states, [at for at, _ in begins], [token for _, token in begins]))
    found = [[next(first) for _ in of] for of in answers]
    longer = [(i, j) for i, of in enumerate(answers) for j, tokens in enumerate(of) if len(tokens) > 1]
    if not longer:
        return found
    # Each of them goes on from a copy of its prompt.
    feeding.keep([i for i, _ in longer])
    fed = [list(answers[i][j][:-1]) for i, j in longer]
    places = [
        range(len(prompts[i].ids), len(prompts[i].ids) + len(row)) for (i, _), row in zip(longer, fed, strict=True)
    ]
    states = feeding.feed(fed, places)
    rest = [(row, k, i, j) for row, (i, j) in enumerate(longer) for k in range(len(fed[row]))]
    told = _log_probs(states, [(row, k) for row, k, *_ in rest], [answers[i][j][k + 1] for _, k, i, j in rest])
    for (_, _, i, j), value in zip(rest, told, strict=True):
        found[i][j] += value
    return found


def _log_probs(states: States, at: Sequence[Place], tokens: Tokens) -> list[float]:
    """Return the log-probability of a token at each place."""
    found: list[float] = []
    for begin in range(0, len(tokens), _POSITIONS):
        logits = states.logits(at[begin : begin + _POSITIONS])
        found += logits.log_probs(tokens[begin : begin + _POSITIONS])
    return found


def _batches(jobs: Sequence[_Job], batch_tokens: int) -> Iterator[list[_Job]]:
    """Cut jobs, sorted by length, into batches whose tokens, padded, stay within the budget; or of one job."""
    batch: list[_Job] = []
    rows = 0
    for job in jobs:
        longest = batch[0].length if batch else job.length
        if batch and (longest * (rows + job.rows) > batch_tokens or len(batch) == MAX_ROWS):
            yield batch
            batch, rows = [], 0
        batch.append(job)
        rows += job.rows
    if batch:
        yield batch
