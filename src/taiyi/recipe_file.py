"""The file of a recipe or suite: what its YAML says, on which line each of its values stands, and what is wrong with
them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel, ValidationError
from yaml.reader import ReaderError

from taiyi import reference
from taiyi.errors import Misfit, RecipeError, suggestion

_MENDS = {
    "\\t": "write spaces in place of tabs",
    "mapping values": "put a text that has a colon in it in quotes, and begin a line for each key",
    "',' or": "close every [ and { and put commas between what they hold",
    "node content": "close every [ and { and put commas between what they hold",
    "undefined alias": "give the value a name with & where it is first written",
    "duplicate anchor": "give each & a name of its own",
    "another document": "a recipe is one document: take the second `---` and what follows it out",
    "end of stream": "close the quotes",
    "escape character": "put the text in single quotes, in which \\ stands for itself",
    "start any token": "put the text in quotes",
    "constructor for the tag": "take the word with ! away, or put the text in quotes",
    "cannot be read as": "write another value, or put it in quotes",
    "unhashable": "put a text that begins with { or [ in quotes",
}
"""How to mend what the parser says, by words that it says it with."""


class _Twice(yaml.MarkedYAMLError):
    """A key is given twice."""


_YAML = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """Reads a value as the core schema of YAML 1.2 does, and so do editors: `no` and dates are texts, 010 is ten.

    It refuses a key that is given twice, of which YAML keeps the last and drops the other.
    """

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in lines:
                    said = f"{key.value!r} here and on line {lines[key.value]}"
                    raise _Twice(problem=said, problem_mark=key.start_mark)
                lines[key.value] = key.start_mark.line + 1
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return cast("Any", super().construct_object(node, deep))
        except (KeyError, ValueError) as error:
            kind = str(node.tag).rpartition(":")[2]
            said = f"{str(node.value)[:40]!r}, which cannot be read as {kind}"
            raise yaml.constructor.ConstructorError(problem=said, problem_mark=node.start_mark) from error

    def whole(self, node: yaml.ScalarNode) -> int:
        """Return a whole number: hexadecimal after 0x, octal after 0o, and else decimal, whatever it begins with."""
        written = self.construct_scalar(node)
        return int(written, 0 if "x" in written or "o" in written else 10)

    def number(self, node: yaml.ScalarNode) -> float:
        return float(self.construct_scalar(node))


# No dates, bytes or sets, of which a recipe has none.
_KINDS = (None, *(_YAML + kind for kind in ("null", "bool", "int", "float", "str", "seq", "map")))
_Loader.yaml_constructors = {tag: make for tag, make in yaml.SafeLoader.yaml_constructors.items() if tag in _KINDS}
_Loader.yaml_implicit_resolvers = {}
_NUMBERS = [*"-+.0123456789"]
for _kind, _pattern, _first in (
    ("bool", "true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    # Not of the core schema, but of YAML 1.1 and of Python: 200_000.
    ("int", "[-+]?[0-9]+(_[0-9]+)*|0o[0-7]+|0x[0-9a-fA-F]+", _NUMBERS),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", _NUMBERS),
    ("null", "~|null|Null|NULL|", [*"~nN", ""]),
    ("merge", "<<", ["<"]),
):
    _Loader.add_implicit_resolver(_YAML + _kind, re.compile(f"(?:{_pattern})\\Z"), _first)
_Loader.add_constructor(_YAML + "int", _Loader.whole)
_Loader.add_constructor(_YAML + "float", _Loader.number)


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """A file that was read: its content as plain values, and where in it they are."""

    path: Path
    content: dict[str, object]
    _root: yaml.Node

    def at(self, *loc: str | int) -> str:
        """Return where a value is, for an error: `recipe.yaml:12: stages.0.data.3.form`."""
        key = ".".join(str(part) for part in loc)
        return f"{self.path}:{self._nearest(loc)[0]}: {key}" if key else str(self.path)

    def text(self, *loc: str | int) -> str | None:
        """Return a single value as it is written, such as `01`, which is read as the number 1."""
        node = self._nearest(loc)[1]
        return node.value if isinstance(node, yaml.ScalarNode) else None

    def _nearest(self, loc: tuple[str | int, ...]) -> tuple[int, yaml.Node]:
        """Return the line and the node of a place, or of the last one on the way to it that is there."""
        node, line = self._root, self._root.start_mark.line + 1
        for part in loc:
            if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line + 1
            elif isinstance(node, yaml.MappingNode):
                # What is merged in by << stands before what the mapping says itself, and yields to it.
                found = [(key, value) for key, value in node.value if key.value == str(part)]
                if not found:
                    break
                line, node = found[-1][0].start_mark.line + 1, found[-1][1]
            else:
                break
        return line, node


def read(
    path: Path,
    what: str = "recipe",
    *,
    there: str = "recipes that ship are in recipes/",
    begin: str = "recipes/demo.yaml or docs/recipes.md",
) -> RecipeFile:
    """Read a YAML file of keys and values.

    Args:
        what: what it is the file of.
        there: where others of its kind are, for an error.
        begin: what one can begin with, for an error.

    Raises:
        RecipeError: there is none, it is empty, it is no text, no YAML or has no keys, or a key is given twice.
    """
    try:
        # A mark of the byte order is no part of the text.
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise RecipeError(f"no such {what}", where=path, mend=there) from error
    except UnicodeDecodeError as error:
        got = f"the byte {error.object[error.start]:#04x}"
        raise _no_text(path, error.object[: error.start].count(b"\n"), got, "save it in UTF-8") from error
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        content = cast("object", None if root is None else loader.construct_document(root))
    except ReaderError as error:
        line, got = text[: error.position].count("\n"), f"the character {error.character:#06x}"
        raise _no_text(path, line, got, "take it out, and save the file in UTF-8") from error
    except yaml.YAMLError as error:
        raise _no_yaml(error, path) from error
    except RecursionError as error:
        raise RecipeError("too many [ or { in one another", where=path, mend="close every [ and {") from error
    expected = "keys and values, such as `name: mine`"
    if root is None or content is None:
        raise RecipeError(f"the {what} is empty", where=path, expected=expected, mend=f"begin with {begin}")
    if not isinstance(content, dict):
        got = "a list" if isinstance(root, yaml.SequenceNode) else repr(content)[:80]
        mend = f'take the "- " away before the keys of the {what}' if got == "a list" else None
        raise RecipeError(f"a {what} is a mapping of keys to values", where=path, got=got, expected=expected, mend=mend)
    return RecipeFile(path, cast("dict[str, object]", content), root)


def _no_text(path: Path, line: int, got: str, mend: str) -> RecipeError:
    return RecipeError("not a text", where=f"{path}:{line + 1}", got=got, expected="YAML in UTF-8", mend=mend)


def _no_yaml(error: yaml.YAMLError, path: Path) -> RecipeError:
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    if not isinstance(error, yaml.MarkedYAMLError) or mark is None:
        return RecipeError("not YAML", where=path, got=" ".join(str(error).split()))
    problem = error.problem or error.context or "something else"
    if isinstance(error, _Twice):
        where = f"{path}:{mark.line + 1}"
        return RecipeError("a key is given twice", where=where, got=problem, mend="keep one of the two")
    if error.context_mark and error.context:
        if not error.context.startswith("while"):
            problem = f"{error.context} on line {error.context_mark.line + 1}, {problem}"
        elif "end of stream" in problem:
            # What is not closed is found out at the end of the file, but stands where it begins.
            problem, mark = f"{problem} {error.context}", error.context_mark
    mend = next((mend for words, mend in _MENDS.items() if words in problem), None)
    return RecipeError(
        "not YAML",
        where=f"{path}:{mark.line + 1}",
        got=f"{problem} (column {mark.column + 1})",
        expected="`key: value`, indented by spaces, and lists whose entries begin with `- `",
        mend=mend or "look at the indentation of this line and of the one before",
    )


def explained(error: ValidationError, settings: type[BaseModel], file: RecipeFile) -> RecipeError:
    """Return the first fault in words, with the places of the others."""
    fault, *others = error.errors()
    loc = fault["loc"]
    also = ""
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        also = f" (further faults: {', '.join('.'.join(map(str, other['loc'])) for other in others[:3])}{more})"
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, Misfit):
        return RecipeError(str(cause), where=file.at(*loc, *cause.loc), **cause.said)
    if cause is not None:
        return RecipeError(str(cause), where=file.at(*loc))
    root = reference.schema(settings)
    if fault["type"] in ("extra_forbidden", "invalid_key"):
        name = str(loc[-1])
        mend = suggestion(name, reference.keys(root, loc[:-1]))
        if places := reference.places(root, name):
            mend = f"{mend.rstrip('?')}; it is a key of {' and of '.join(places)}"
        return RecipeError("unknown key" + also, where=file.at(*loc), mend=mend)
    if loc[-1:] == ("[key]",):
        loc = loc[:-1]
        wanted = reference.at(root, loc[:-1]).get("propertyNames", {})
        return RecipeError("unfit key" + also, where=file.at(*loc), expected=reference.kind(root, wanted))
    setting = reference.at(root, loc)
    expected = reference.kind(root, setting)
    meaning = setting.get("description")
    if fault["type"] == "missing":
        return RecipeError("a key is missing" + also, where=file.at(*loc), expected=expected, mend=meaning)
    value = fault["input"]
    mend = _mend(fault["type"], value, file.text(*loc)) or meaning
    got = "nothing" if value is None else repr(value)[:80]
    return RecipeError("unfit value" + also, where=file.at(*loc), got=got, expected=expected, mend=mend)


def _mend(fault: str, value: object, written: str | None) -> str | None:
    """Return what to write where a value is of another kind than its setting, if that can be told."""
    if value is None:
        return "give the key a value, or take it out"
    if fault == "string_type" and written is not None:
        return f'put it in quotes: "{written}"'
    if fault == "tuple_type":
        one = 'begin each entry with "- "' if isinstance(value, dict) else f"put it in brackets: [{written}]"
        return f"{one}, even if there is only one"
    if fault in ("dict_type", "model_type"):
        return "write `key: value`" + (', without "- " or brackets' if isinstance(value, list) else "")
    return None
