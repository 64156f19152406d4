"""Families of wordings: what a task asks where its own wordings do not fit a record, under the same ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from taiyi import templates
from taiyi.errors import TemplateError
from taiyi.schema import Lang
from taiyi.templates import Template


@dataclass(frozen=True, slots=True)
class Family:
    """Wordings of a task for records of some kind, such as questions with passages.

    Its files are `<name>.<lang>.toml`, with the numbers of the task's own wordings, the held-out ones among them: which
    wording an example has follows from its template and its record, and ids and draws stay as they are.
    """

    name: str
    slots: frozenset[str]

    def of(self, template: Template) -> Template:
        """Return the wording of this family with the number of a template, and all else of the template."""
        number = template.id.rsplit(".", 1)[1]
        text = _texts(self, template.lang).get(number)
        if text is None:
            raise TemplateError(
                "a family of wordings lacks a number of its task",
                where=f"{self.name}.{template.lang}.toml",
                expected=number,
                mend=f"write the wording of {template.id} for it",
            )
        return replace(template, text=text)


@cache
def _texts(family: Family, lang: Lang) -> Mapping[str, str]:
    return {t.id.rsplit(".", 1)[1]: t.text for t in templates.load(family.name, lang, family.slots)}
