"""What settings there are, in words: from the JSON Schema that pydantic makes of them.

The same words stand in the reference of docs/recipes.md and in what is said of a recipe's faults.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from taiyi.errors import TaiyiError

Schema = dict[str, Any]

BEGIN, END = "<!-- settings:begin -->", "<!-- settings:end -->"
"""Between these lines a page has the reference."""

_SINGULAR = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}
_PLURAL = {"integer": "whole numbers", "number": "numbers", "string": "texts", "boolean": "true or false"}
_LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}


class _Generator(GenerateJsonSchema):
    """Without titles, which repeat names, and with the defaults that are made anew for each recipe."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def get_default_value(self, schema: core_schema.WithDefaultSchema) -> Any:
        factory: Callable[[], Any] | None = schema.get("default_factory")  # pyright: ignore[reportAssignmentType]
        return factory() if factory is not None else super().get_default_value(schema)


def schema(settings: type[BaseModel]) -> Schema:
    """Return the JSON Schema of settings; their docstrings are its descriptions, where the source is at hand."""
    return settings.model_json_schema(schema_generator=_Generator)


def at(root: Schema, loc: Sequence[str | int]) -> Schema:
    """Return the schema of the value at a place, such as `("stages", 0, "name")`; empty where there is none."""
    found = root
    for part in loc:
        found = _resolved(root, found)
        if isinstance(part, int):
            found = found.get("items", {})
        elif "properties" in found:
            found = found["properties"].get(part, {})
        else:
            inner: Schema | bool = found.get("additionalProperties", False)
            found = inner if isinstance(inner, dict) else {}
    return found


def keys(root: Schema, loc: Sequence[str | int]) -> list[str]:
    """Return the keys that the value at a place may have."""
    return list(_resolved(root, at(root, loc)).get("properties", ()))


def kind(root: Schema, part: Schema, *, code: str = "", link: Callable[[str], str] | None = None) -> str:
    """Say what a value is, such as `whole number of at least 1`.

    Args:
        code: what literal values are put between.
        link: says of the name of a definition what stands for its settings; else some of its keys are named.
    """

    def words(part: Schema, names: dict[str, str]) -> str:
        if "$ref" in part:
            name = str(part["$ref"]).rpartition("/")[2]
            return link(name) if link is not None else f"keys and values ({_some_keys(root['$defs'][name])})"
        if "anyOf" in part:
            return ", or ".join(words(one, names) for one in part["anyOf"])
        if "const" in part or "enum" in part:
            return _either([f"{code}{one}{code}" for one in part.get("enum", [part.get("const")])])
        what = part.get("type")
        if what == "null":
            return f"{code}null{code}"
        if what == "array":
            least = f", {part['minItems']} or more" if "minItems" in part else ""
            return f"{'lists' if names is _PLURAL else 'list'} of {words(part['items'], _PLURAL)}{least}"
        if what == "object":
            named = part.get("propertyNames")
            keyed = words(named, _PLURAL) if named else "names"
            inner: Schema | bool = part["additionalProperties"]
            valued = words(inner, _PLURAL) if isinstance(inner, dict) else "values of any kind"
            return f"keys and values: {keyed} with {valued}"
        limits = [f"{said} {part[limit]:,}" for limit, said in _LIMITS.items() if limit in part]
        of = f" of {' and '.join(limits)}" if limits else ""
        like = f" like {code}{part['pattern']}{code}" if "pattern" in part else ""
        return f"{names.get(str(what), str(what))}{of}{like}"

    return words(part, _SINGULAR)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a recipe: where it stands, such as `stages[].data[]`, what it is, and its settings."""

    path: str
    meaning: str
    settings: dict[str, Schema]
    required: frozenset[str]


def parts(root: Schema) -> Iterator[Part]:
    """Yield the recipe itself and each part of it, those that stand first in it first."""
    yield from _parts(root, root, "")


def _parts(root: Schema, part: Schema, path: str) -> Iterator[Part]:
    here = _resolved(root, part)
    settings: dict[str, Schema] = here["properties"]
    required = frozenset(here.get("required", ()))
    # What must be said stands first; pydantic begins with what is inherited.
    ordered = dict(sorted(settings.items(), key=lambda setting: setting[0] not in required))
    yield Part(path, _line(here.get("description", "")), ordered, required)
    for name, setting in settings.items():
        inner = _resolved(root, setting)
        mark = "[]" if inner.get("type") == "array" else ""
        inner = _resolved(root, inner["items"]) if mark else inner
        if "properties" in inner:
            yield from _parts(root, inner, f"{path}.{name}{mark}".removeprefix("."))


def places(root: Schema, key: str) -> list[str]:
    """Return the parts that have a setting of this name."""
    return [part.path or "the recipe itself" for part in parts(root) if key in part.settings]


def markdown(root: Schema) -> str:
    """Return the reference of all settings: for each part a heading and a table."""
    found = list(parts(root))

    # A definition may stand at several places; each is linked to its own heading.
    def link(path: str, _: str) -> str:
        heading = next(part.path for part in found if part.path in (path, f"{path}[]"))
        return f"[`{heading}`](#{re.sub(r'[^a-z0-9_-]', '', heading)})"

    blocks: list[str] = []
    for part in found:
        lines = [f"### `{part.path}`" if part.path else "### The recipe itself", "", part.meaning, ""]
        lines += ["| Setting | Type | Default | Meaning |", "| --- | --- | --- | --- |"]
        for name, setting in part.settings.items():
            cells = (
                f"`{name}`",
                kind(root, setting, code="`", link=partial(link, f"{part.path}.{name}".removeprefix("."))),
                "required" if name in part.required else _default(root, setting),
                # pydantic leaves out what the part itself says too.
                _line(setting.get("description") or _resolved(root, setting).get("description", "")),
            )
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def renewed(page: Path, root: Schema) -> str:
    """Return the text of a page with today's reference.

    Raises:
        TaiyiError: the page is not there, or has no place for it.
    """
    try:
        text = page.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise TaiyiError(
            "there is no such page", where=page, mend="write one with a place for the reference"
        ) from error
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise TaiyiError("the page has no place for the reference", where=page, expected=f"a line {BEGIN}, and {END}")
    return f"{before}{BEGIN}\n\n{markdown(root)}\n\n{END}{after}"


def _default(root: Schema, setting: Schema) -> str:
    if "properties" in _resolved(root, setting) and setting.get("default") is not None:
        return "its own"
    value = json.dumps(setting.get("default"), ensure_ascii=False)
    return "`" + re.sub(r'"(\w+)":', r"\1:", value) + "`"


def _resolved(root: Schema, part: Schema) -> Schema:
    """Return what a reference stands for; of a value that may be null, what it else is."""
    for one in part.get("anyOf", ()):
        if one.get("type") != "null":
            return _resolved(root, one)
    return root["$defs"][str(part["$ref"]).rpartition("/")[2]] if "$ref" in part else part


def _some_keys(part: Schema, most: int = 4) -> str:
    required = part.get("required", [])
    names = [*required, *(name for name in part["properties"] if name not in required)]
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def _either(values: Sequence[str]) -> str:
    return " or ".join([", ".join(values[:-1]), values[-1]] if len(values) > 1 else values)


def _line(text: str) -> str:
    return " ".join(text.split())
