"""What an example is about: the texts in its prompt, without the wording that stands around them.

The inverse of `Template.fill`, for baselines: they learn from the examples that models are asked, and read no
instructions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

import regex

from taiyi.errors import SchemaError
from taiyi.schema import Example
from taiyi.tasks import get, load_templates
from taiyi.templates import words

_SLOT = regex.compile(r"\{(\w+)\}")
_SAID_BY_TYPES = frozenset({"types", "labels", "options", "choices", "measure", "lowest", "highest"})
"""Slots that are filled from what is asked for, which an example has in `types`."""


def material(example: Example) -> dict[str, str]:
    """Return the texts that an example is about, by the slot of its prompt that each fills.

    Raises:
        SchemaError: its last message is no wording of its task.
    """
    if example.tagging is not None:
        return {"text": example.tagging.source}
    if example.source is not None:
        return {"text": example.source_text}
    prompt = example.messages[-1].content if example.messages else ""
    known = _known(example)
    for text in _wordings(example.template, example.task):
        if match := regex.fullmatch(_pattern(text, known), prompt):
            return {slot: value for slot, value in match.groupdict().items() if slot not in _SAID_BY_TYPES}
    raise SchemaError(
        "the prompt is not worded as its template says",
        where=example.id,
        got=repr(prompt[:60]),
        expected=next(_wordings(example.template, example.task), f"a template of {example.task}"),
        mend="ask without anything beside the wording (evaluate.prompt)",
    )


def _wordings(name: str, task: str) -> Iterator[str]:
    """Yield the texts of a template: the task's own, and those of its families under the same number."""
    _, lang, _ = name.rsplit(".", 2)
    for template in load_templates(get(task), "zh" if lang == "zh" else "en"):
        if template.id == name:
            yield template.text
            yield from (family.of(template).text for family in getattr(get(task), "families", ()))


def _known(example: Example) -> tuple[tuple[str, str], ...]:
    """Return patterns of the slots whose values can be told, or where they end."""
    marks = words(example.lang)
    shown = regex.escape(marks.comma.join(dict.fromkeys(t.shown for t in example.types)))
    first = regex.escape(example.types[0].name) if example.types else ""
    found: Mapping[str, str] = {
        "types": shown,
        "labels": shown,
        "measure": shown,
        "choices": regex.escape(marks.comma.join((marks.yes, marks.no, marks.maybe))),
        "options": rf"{first}\. .*",
        # Passages have line breaks of their own, and what is asked about them comes after the last.
        "context": ".*",
    }
    return tuple(found.items())


@lru_cache(maxsize=256)
def _pattern(text: str, known: tuple[tuple[str, str], ...]) -> regex.Pattern[str]:
    patterns = dict(known)
    parts = _SLOT.split(text)
    # Literal text and slots take turns; of a slot that nothing is known about the shortest value counts.
    written = (f"(?P<{p}>{patterns.get(p, '.*?')})" if n % 2 else regex.escape(p) for n, p in enumerate(parts))
    return regex.compile("".join(written), regex.DOTALL)
