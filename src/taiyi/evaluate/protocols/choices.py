"""How the field scores questions with options: with answers that cannot be read apart, or taken for an option."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taiyi.evaluate.protocols.protocol import Protocol, score_of
from taiyi.metrics.measures import ratio_of
from taiyi.schema import Choice, Score

if TYPE_CHECKING:
    from taiyi.evaluate.run import Answered

_TASKS = frozenset({"qa_mc", "qa_yesno"})
_YES = "yes"
_ACCURACY = ratio_of("accuracy", "accuracy", 0, 1)
_OF_PARSED = ratio_of("parsed_accuracy", "accuracy", 0, 1)


def _key(answered: Answered) -> str | None:
    return answered.answer.key if isinstance(answered.answer, Choice) else None


def _right(answered: Answered, key: str | None) -> float:
    assert isinstance(answered.gold, Choice)
    return float(key == answered.gold.key)


def _parsed(answered: Answered) -> Score:
    key = _key(answered)
    return score_of(answered, sums=(_right(answered, key), float(key is not None)))


def _default(answered: Answered) -> Score:
    """Take an answer that names no option for the first one."""
    first = next((shown.name for shown in answered.examples[0].types), _YES)
    return score_of(answered, sums=(_right(answered, _key(answered) or first), 1.0))


PROTOCOLS = (
    Protocol(
        name="mirage",
        title="MIRAGE",
        about="Accuracy where an answer that names no option counts as A (of yes, no and maybe: as yes), as MIRAGE's "
        "scorer takes it: what it adds to the own score is chance.",
        tasks=_TASKS,
        measures=(_ACCURACY,),
        score=_default,
    ),
    Protocol(
        name="parsed",
        title="answers that can be read",
        about="Accuracy over the questions whose answer names an option; the others, which the own score counts as "
        "wrong, are left out. It says what form alone costs, and is no score by itself.",
        tasks=_TASKS,
        measures=(_OF_PARSED,),
        score=_parsed,
    ),
)
