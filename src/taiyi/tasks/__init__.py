"""The tasks: one file each, with render, parse and score together."""

from __future__ import annotations

from taiyi.errors import RecipeError, suggestion
from taiyi.tasks.choice import MultipleChoice, YesNo
from taiyi.tasks.classification import Classification
from taiyi.tasks.dialogue import Dialogues
from taiyi.tasks.ner import NamedEntities
from taiyi.tasks.questions import ContextQuestions, SimpleQuestions
from taiyi.tasks.relations import Relations
from taiyi.tasks.task import Task, example_id, load_templates

_TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        NamedEntities(),
        Relations(),
        Classification(),
        MultipleChoice(),
        YesNo(),
        SimpleQuestions(),
        ContextQuestions(),
        Dialogues(),
    )
}


def names() -> list[str]:
    """Return the names of the tasks."""
    return list(_TASKS)


def get(name: str) -> Task:
    """Return a task by name; RecipeError with a suggestion where there is none of that name."""
    if name not in _TASKS:
        raise RecipeError("unknown task", got=name, mend=suggestion(name, _TASKS))
    return _TASKS[name]


__all__ = ["Task", "example_id", "get", "load_templates", "names"]
