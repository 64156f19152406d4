"""The tasks: one file each, with render, parse and score together."""

from __future__ import annotations

from taiyi.errors import RecipeError, suggestion
from taiyi.schema import Example
from taiyi.tasks.choice import MultipleChoice, YesNo
from taiyi.tasks.classification import Classification
from taiyi.tasks.coref import Coreferences
from taiyi.tasks.cre import CausalRelations
from taiyi.tasks.dialogue import Dialogues
from taiyi.tasks.ee import Events
from taiyi.tasks.nen import Normalisation
from taiyi.tasks.ner import NamedEntities
from taiyi.tasks.pairs import Entailment, Similarity
from taiyi.tasks.plain import PlainText
from taiyi.tasks.questions import ContextQuestions, SimpleQuestions
from taiyi.tasks.rc import RelationClassification
from taiyi.tasks.relations import Relations
from taiyi.tasks.struct import DecisionTree
from taiyi.tasks.task import Closed, Naming, Pairing, Task, Whole, Writing, example_id, load_templates
from taiyi.tasks.texts import Reports, Summaries, Titles, Translation

_TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        NamedEntities(),
        Normalisation(),
        Relations(),
        RelationClassification(),
        CausalRelations(),
        Events(),
        Coreferences(),
        DecisionTree(),
        Classification(),
        MultipleChoice(),
        YesNo(),
        SimpleQuestions(),
        ContextQuestions(),
        Dialogues(),
        Translation(),
        Similarity(),
        Entailment(),
        Summaries(),
        Titles(),
        Reports(),
    )
}


TEXT = PlainText.name
"""The task of stages of kind `cpt`, and of no other: it asks nothing, and is no task of a corpus."""

_plain = PlainText()

# Tasks that are asked of corpora for another one, by other means.
_FOR = {"rc": "re"}


def listed_as(name: str) -> str:
    """Return the task that a corpus has in its entry where this one can be asked of it."""
    return _FOR.get(name, name)


def names() -> list[str]:
    """Return the names of the tasks that ask something."""
    return list(_TASKS)


def get(name: str) -> Task:
    """Return a task by name; RecipeError with a suggestion where there is none of that name."""
    if name == TEXT:
        return _plain
    if name not in _TASKS:
        raise RecipeError("unknown task", got=name, mend=suggestion(name, _TASKS))
    return _TASKS[name]


def grammar(example: Example) -> str:
    """Return the answers that the form of an example allows, as `Task.grammar` does."""
    return get(example.task).grammar(example)


def grammar_of_extraction(example: Example) -> str:
    """Return the grammar of an example whose answer is taken from a text; empty for others."""
    return "" if example.source is None else grammar(example)


__all__ = [
    "TEXT",
    "Closed",
    "Naming",
    "Pairing",
    "PlainText",
    "Task",
    "Whole",
    "Writing",
    "example_id",
    "get",
    "grammar",
    "grammar_of_extraction",
    "listed_as",
    "load_templates",
    "names",
]
