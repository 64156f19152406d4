"""Wordings of prompts: one TOML file per task and language, with stable ids; and the words that answers are made of.

A template is wording only: what fills its slots, and how answers are written, is the task's. The hash of all
wordings is stored with every model, since a model answers best to the wordings that it was trained on.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import get_args

from taiyi.errors import TemplateError, suggestion
from taiyi.schema import Lang

FOLDER = Path(__file__).parent
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """One wording of a task's prompt, such as `ner.en.01`; `text` has slots in braces.

    `before` and `after` stand around it and have none. Wordings that are held out are never trained on: with them it is
    measured how a model takes an instruction that it has not seen.
    """

    id: str
    task: str
    lang: Lang
    text: str
    version: int
    before: str = ""
    after: str = ""
    held_out: bool = False

    def dressed(self, before: str = "", after: str = "") -> Template:
        """Return the same wording with text around it, such as definitions of types; braces in it are no slots."""
        return replace(self, before=f"{before}{self.before}", after=f"{self.after}{after}")

    def fill(self, **slots: str) -> str:
        """Return the prompt; the values are put in as they are, braces included."""
        return self.before + _SLOT.sub(lambda match: slots[match[1]], self.text) + self.after

    def fill_at(self, slot: str, **slots: str) -> tuple[str, int]:
        """Return the prompt and where the value of `slot` begins in it."""
        before, _, after = self.text.partition("{" + slot + "}")
        start = self.before + _SLOT.sub(lambda match: slots[match[1]], before)
        return start + slots[slot] + _SLOT.sub(lambda match: slots[match[1]], after) + self.after, len(start)


@dataclass(frozen=True, slots=True)
class Words:
    """The words and marks of answers in one language.

    Attributes:
        none: the answer where there is nothing to extract.
        comma: between the names of types in a prompt.
        semicolon: between the items of an answer.
        colon: between a type and its items.
        yes, no, maybe: the answers of a yes/no/maybe question.
        definitions, guidelines, entities, roles: what stands in a prompt before what types mean, the corpus whose
            guidelines are to be followed, the entities of the text, and the names of the roles of events.
        similarity, relatedness: what pairs of texts are graded by.
    """

    none: str
    comma: str
    semicolon: str
    colon: str
    yes: str
    no: str
    maybe: str
    definitions: str
    guidelines: str
    entities: str
    roles: str
    similarity: str
    relatedness: str


@cache
def words(lang: Lang) -> Words:
    """Return the words of a language."""
    return Words(**tomllib.loads((FOLDER / "words.toml").read_text(encoding="utf-8"))[lang])


@cache
def load(task: str, lang: Lang, slots: frozenset[str]) -> tuple[Template, ...]:
    """Read the templates of a task in a language, each of which must have exactly the given slots, once each.

    Raises TemplateError where the file is missing or malformed, an id is used twice, or the slots are not those.
    """
    path = FOLDER / f"{task}.{lang}.toml"
    if not path.exists():
        raise TemplateError("the task has no templates in this language", where=path.name)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        version = int(data["version"])
        templates = tuple(
            Template(
                id=f"{task}.{lang}.{row['id']}",
                task=task,
                lang=lang,
                text=str(row["text"]).strip("\n"),
                version=version,
                held_out=bool(row.get("held_out", False)),
            )
            for row in data["template"]
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise TemplateError("malformed template file", where=path.name, got=repr(error)) from error
    seen: set[str] = set()
    for template in templates:
        if template.id in seen:
            raise TemplateError(
                "two templates have the same id",
                where=path.name,
                got=template.id,
                mend="give each an id that no other has, and none that another had before",
            )
        seen.add(template.id)
        found = _SLOT.findall(template.text)
        if sorted(found) != sorted(slots):
            raise TemplateError(
                "a template has other slots than its task fills",
                where=f"{path.name}: {template.id}",
                got=found,
                expected=sorted(slots),
                mend="write each of these once, in braces, and nothing else in braces",
            )
    return templates


@cache
def form_statement(task: str, lang: Lang, form: str) -> str:
    """Return the sentence that asks for an answer in a form.

    Raises:
        TemplateError: `forms.toml` has none.
    """
    statements = tomllib.loads((FOLDER / "forms.toml").read_text(encoding="utf-8"))
    try:
        return statements[task][lang][form]
    except KeyError as error:
        raise TemplateError(
            "no sentence asks for this form", where="forms.toml", got=f"{task}.{lang}.{form}"
        ) from error


def choose(templates: tuple[Template, ...], wanted: tuple[str, ...]) -> tuple[Template, ...]:
    """Return the templates whose number (`01`) or id (`ner.en.01`) is wanted; all where none is named.

    Ids of another language are left to its templates.
    """
    if not wanted:
        return templates
    known = {name for t in templates for name in (t.id, t.id.rsplit(".", 1)[1])}
    others = tuple(f"{t.task}.{lang}." for t in templates[:1] for lang in get_args(Lang) if lang != t.lang)
    chosen = tuple(t for t in templates if t.id in wanted or t.id.rsplit(".", 1)[1] in wanted)
    for name in wanted:
        if name not in known and (not chosen or not name.startswith(others)):
            raise TemplateError("unknown template", got=name, mend=suggestion(name, [t.id for t in templates]))
    return chosen


def digest() -> str:
    """Return a hash of every wording, as stored with models."""
    total = hashlib.sha256()
    for path in sorted(FOLDER.glob("*.toml")):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:16]
