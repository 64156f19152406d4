"""How a model is asked: with which engine, by writing or by choosing, at which price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from taiyi import tasks
from taiyi.errors import RecipeError, TaiyiError
from taiyi.evaluate.suites import TestSet
from taiyi.generate.engine import NO_ROOM
from taiyi.recipe import EvaluateSettings
from taiyi.schema import Example, Prediction
from taiyi.steps.run import Run

if TYPE_CHECKING:
    from taiyi.generate import Asked, Engine

_MOST_NEW_TOKENS = 256
_SAID_CHARS = 160


def ask(
    engine: Engine, test_set: TestSet, examples: Sequence[Example], settings: EvaluateSettings
) -> Iterator[Prediction]:
    """Yield the answers to examples of a test set as they come: what the model writes, or the candidate that it holds
    most probable, as `choices` says.

    Raises:
        RecipeError: the engine does not know how probable an answer is.
    """
    from taiyi.generate import Choosing

    asked = _asked(test_set, examples, settings)
    if choosing := [one for one in asked if one.candidates]:
        if not isinstance(engine, Choosing):
            raise RecipeError(
                "this does not tell how probable an answer is",
                where=test_set.name,
                got=f"choices: {settings.choices}",
                expected="choices: generate",
            )
        per_byte = settings.choices == "likelihood_per_byte"
        yield from engine.choose(choosing, per_byte=per_byte, batch_tokens=settings.batch_tokens)
    if writing := [one.example for one in asked if not one.candidates]:
        most = longest(test_set, settings)
        yield from engine.generate(writing, max_new_tokens=most, batch_tokens=settings.batch_tokens)


def longest(test_set: TestSet, settings: EvaluateSettings) -> int:
    """Return how many tokens an answer may have."""
    return settings.max_new_tokens.get(test_set.task, _MOST_NEW_TOKENS)


def _asked(test_set: TestSet, examples: Sequence[Example], settings: EvaluateSettings) -> list[Asked]:
    from taiyi.generate import Asked

    task = tasks.get(test_set.task)
    closed = task if settings.choices != "generate" and isinstance(task, tasks.Closed) else None
    return [Asked(example, () if closed is None else closed.candidates(example)) for example in examples]


class Purse:
    """What answers may cost and have cost, where the engine knows their prices.

    Args:
        run: says what it comes to.
        engine: answers.
    """

    def __init__(self, run: Run, engine: Engine | None) -> None:
        from taiyi.generate import Estimate, Paid

        self._run = run
        self._engine = engine if isinstance(engine, Paid) else None
        endpoint = run.recipe.evaluate.endpoint
        self._most = None if endpoint is None else endpoint.max_cost
        self._spent = 0.0
        self._estimate = Estimate()

    def reckon(self, test_set: TestSet, examples: Sequence[Example], done: Sequence[Prediction]) -> None:
        """Count what is going to be asked of a test set, and what the answers that are there have cost."""
        if self._engine is None:
            return
        settings = self._run.recipe.evaluate
        asked = _asked(test_set, examples, settings)
        self._estimate += self._engine.estimate(asked, max_new_tokens=longest(test_set, settings))
        self._spent += sum(map(self._cost, done))

    def open(self) -> None:
        """Say what is going to be asked, and what it may cost at most, before anything is.

        Raises:
            TaiyiError: that is more than `max_cost`.
        """
        found = self._estimate
        if self._engine is None or not found.requests:
            return
        how = "counted by its tokenizer" if found.exact else "estimated from their characters, rather too many"
        cost = self._engine.cost(found.prompt_tokens, found.answer_tokens)
        told = "no prices are given" if cost is None else f"at most {cost:,.2f} at the prices given"
        spent = f", beside {self._spent:,.2f} for the answers that are there" if self._spent else ""
        self._run.log.say(
            f"{found.requests:,} requests: {found.prompt_tokens:,} tokens of prompts, {how}, and at most "
            f"{found.answer_tokens:,} of answers; {told}{spent}"
        )
        if self._most is not None and cost is not None and cost + self._spent > self._most:
            raise TaiyiError(
                "the answers may cost more than max_cost, and nothing was sent",
                got=f"{cost + self._spent:,.2f}",
                expected=f"at most {self._most:,.2f}",
                mend="raise --max-cost, or ask about fewer records with --max-records",
            )

    def pay(self, prediction: Prediction) -> None:
        """Count an answer.

        Raises:
            TaiyiError: the answers have cost more than `max_cost`.
        """
        self._spent += self._cost(prediction)
        if self._most is not None and self._spent > self._most:
            raise TaiyiError(
                "the answers have cost more than max_cost",
                got=f"{self._spent:,.2f}",
                expected=f"at most {self._most:,.2f}",
                mend="raise --max-cost: the same command goes on from the answers that are kept",
            )

    def facts(self, predictions: Sequence[Prediction]) -> dict[str, Any]:
        """Return what answers took, as the server counted it."""
        if self._engine is None:
            return {}
        prompts, answers = sum(p.num_prompt_tokens for p in predictions), sum(p.num_tokens for p in predictions)
        told: dict[str, Any] = {"prompt_tokens": prompts, "answer_tokens": answers}
        if (cost := self._engine.cost(prompts, answers)) is not None:
            told["cost"] = round(cost, 6)
        return told

    def _cost(self, prediction: Prediction) -> float:
        if self._engine is None:
            return 0.0
        return self._engine.cost(prediction.num_prompt_tokens, prediction.num_tokens) or 0.0


def usage(facts: Mapping[str, Any]) -> str:
    """Say what the answers to all test sets took, by what `Purse.facts` returned of each; nothing where that is not
    known."""
    told = [of_set for of_set in facts.values() if "prompt_tokens" in of_set]
    if not told:
        return ""
    prompts, answers = (sum(of_set[name] for of_set in told) for name in ("prompt_tokens", "answer_tokens"))
    cost = f", cost {sum(of_set['cost'] for of_set in told):,.2f}" if all("cost" in of_set for of_set in told) else ""
    return f", {prompts:,} tokens of prompts and {answers:,} of answers, as the server counts them{cost}"


def refused(run: Run, test_set: TestSet, engine: Engine, predictions: Sequence[Prediction]) -> dict[str, Any]:
    """Say which examples have no answer, and why; return how many there are of each reason."""
    reasons = Counter(p.reason for p in predictions if p.finish == "refused")
    words: dict[str, str] = getattr(engine, "refusals", {})
    context: int | None = getattr(engine, "context", None)
    for reason, count in reasons.most_common():
        if said := words.get(reason, ""):
            of = f", which says: {said[:_SAID_CHARS]}"
        else:
            short = context is not None and reason == NO_ROOM
            of = f"; the model's context has {context:,} tokens" if short else ""
        run.log.say(
            f"{test_set.title}: {count:,} of {len(predictions):,} examples have no answer, and count as wrong: "
            f"{reason}{of}"
        )
    return {"refused": dict(reasons)} if reasons else {}
