"""What may import what: the line goes one way, and listing corpora needs no torch."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import taiyi

PACKAGE = Path(taiyi.__file__).parent

# What every room may see: the types, the errors and the texts. They see only one another, in this order.
FOUNDATION = ("errors", "text", "schema")

# The rooms of the line from raw files to scores. A recipe has the settings of them all, and its steps carry them out.
LINE = (
    *(
        "formats",
        "metrics",
        "templates",
        "tagged",
        "grounding",
        "tokens",
        "encoding",
        "checkpoint",
        "endpoint",
        "features",
        "heap",
        "hub",
        "catalogue",
        "corpora",
        "tasks",
    ),
    *("build", "train", "generate", "evaluate"),
)

# Each room, and the rooms that it may import beside the foundation and itself. None stands for all of them.
MAY_IMPORT: dict[str, tuple[str, ...] | None] = {
    "formats": (),
    "metrics": (),
    "templates": (),
    "tagged": (),
    "grounding": ("tagged",),
    "tokens": (),
    "encoding": ("tagged", "grounding", "tokens"),
    "checkpoint": ("encoding",),
    "endpoint": (),
    "features": (),
    "heap": (),
    "hub": (),
    "catalogue": (),
    "corpora": ("catalogue", "formats"),
    "tasks": ("catalogue", "templates", "metrics", "tagged"),
    "build": ("catalogue", "tasks", "templates", "storage"),
    "train": ("tagged", "grounding", "encoding", "checkpoint", "features", "heap", "hub"),
    "generate": ("tagged", "grounding", "tokens", "encoding", "checkpoint", "endpoint", "features", "hub"),
    "evaluate": ("catalogue", "tasks", "tagged", "metrics", "generate", "features", "recipe_file"),
    "cascade": ("tasks", "templates", "checkpoint", "build", "generate", "evaluate"),
    "use": (
        *("formats", "convert", "catalogue", "tasks", "templates", "tagged", "tokens", "checkpoint", "endpoint"),
        *("build", "generate", "evaluate", "cascade", "knowledge"),
    ),
    "serve": ("catalogue", "convert", "checkpoint", "endpoint", "generate", "knowledge", "use"),
    "knowledge": ("catalogue", "formats", "build", "generate", "storage"),
    "convert": ("formats",),
    "storage": (),
    "manifest": ("storage",),
    "reference": (),
    "recipe_file": ("reference",),
    "recipe_check": ("catalogue", "tasks", "templates", "build", "evaluate"),
    "recipe_stages": ("tasks", "build", "train", "recipe_file"),
    "recipe": (*LINE, "storage", "manifest", "reference", "recipe_file", "recipe_check", "recipe_stages"),
    "steps": (*LINE, "cascade", "storage", "manifest", "recipe", "recipe_stages"),
    "look": (*LINE, "storage", "manifest", "steps"),
    "cli": None,
    "__main__": ("cli",),
}

# Slow to import, or importing torch. They are at home in two rooms.
HEAVY = {"torch", "transformers", "accelerate", "peft", "bitsandbytes", "datasets", "trl"}
HEAVY_ROOMS = {"train", "generate"}


class Import(NamedTuple):
    """One import of one module: where it stands, what it names, and whether it only serves the type checker."""

    where: str
    name: str
    types_only: bool


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _full_name(node: ast.ImportFrom, path: Path) -> str:
    if node.level == 0:
        return node.module or ""
    package = ["taiyi", *path.relative_to(PACKAGE).parts[:-1]]
    base = package[: len(package) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def imports(path: Path, source: str) -> Iterator[Import]:
    """All imports of a module, also those inside functions."""
    tree = ast.parse(source)
    for_types: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for_types.update(inner for statement in node.body for inner in ast.walk(statement))
    for node in ast.walk(tree):
        where = f"{path.relative_to(PACKAGE.parent)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(where, alias.name, node in for_types)
        elif isinstance(node, ast.ImportFrom):
            module = _full_name(node, path)
            # `from taiyi import tagged` names a room; `from taiyi.tagged import read` a function of it.
            for alias in node.names:
                yield Import(where, f"taiyi.{alias.name}" if module == "taiyi" else module, node in for_types)


def faults(path: Path, source: str) -> list[str]:
    """What a module imports against the order of the rooms."""
    room = room_of(path)
    found: list[str] = []
    for where, name, types_only in imports(path, source):
        top, *rest = name.split(".")
        if top in HEAVY and room not in HEAVY_ROOMS and not types_only:
            found.append(f"{where}: imports {top} outside {' and '.join(sorted(HEAVY_ROOMS))}")
        if top != "taiyi" or not rest or rest[0] in (room, "__version__"):
            continue
        if room in FOUNDATION:
            allowed = FOUNDATION[: FOUNDATION.index(room)]
        elif (others := MAY_IMPORT.get(room)) is None:
            continue
        else:
            allowed = (*FOUNDATION, *others)
        if rest[0] not in allowed:
            found.append(f"{where}: {room} may not import {name}")
    return found


def test_every_room_is_in_the_order() -> None:
    rooms = {room_of(path) for path in modules()} - {"__init__"}
    assert rooms <= MAY_IMPORT.keys() | set(FOUNDATION), "say in MAY_IMPORT what the new room may import"


def test_order_has_no_circle() -> None:
    done: set[str] = set()
    left = {room: set(others or ()) for room, others in MAY_IMPORT.items()}
    while left:
        free = {room for room, others in left.items() if others <= done}
        assert free, f"these import one another in a circle: {sorted(left)}"
        done |= free
        left = {room: others for room, others in left.items() if room not in free}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_keeps_the_order(path: Path) -> None:
    found = faults(path, path.read_text(encoding="utf-8"))
    assert not found, "\n".join(dict.fromkeys(found))


def test_package_itself_imports_nothing() -> None:
    path = PACKAGE / "__init__.py"
    body = ast.parse(path.read_text(encoding="utf-8")).body
    at_import = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in at_import] == ["from __future__ import annotations"]


@pytest.mark.parametrize(
    ("room", "source", "fault"),
    [
        ("formats/pubtator.py", "from taiyi.tasks import ner", "formats may not import taiyi.tasks"),
        ("formats/pubtator.py", "from ..tasks import ner", "formats may not import taiyi.tasks"),
        ("formats/pubtator.py", "from .. import tasks", "formats may not import taiyi.tasks"),
        ("schema.py", "from taiyi import text, catalogue", "schema may not import taiyi.catalogue"),
        ("errors.py", "from taiyi.schema import Span", "errors may not import taiyi.schema"),
        ("tasks/ner.py", "def f():\n    import torch.nn", "imports torch outside generate and train"),
        ("train/loop.py", "from taiyi.tasks import ner", "train may not import taiyi.tasks"),
    ],
)
def test_a_wrong_import_is_seen(room: str, source: str, fault: str) -> None:
    found = faults(PACKAGE / room, source)
    assert len(found) == 1
    assert fault in found[0]


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("formats/pubtator.py", "from taiyi.schema import Document\nfrom . import lines\nimport msgspec"),
        ("train/loop.py", "import torch"),
        ("encoding.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from transformers import T"),
        ("cli/run.py", "from taiyi import steps"),
    ],
)
def test_a_right_import_passes(room: str, source: str) -> None:
    assert not faults(PACKAGE / room, source)


def _compared_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Names of corpora and tasks that code compares with a constant, as in `if corpus == "bc5cdr"`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        names = [getattr(side, "id", getattr(side, "attr", "")) for side in sides]
        constants = [c for side in sides for c in ast.walk(side) if isinstance(c, ast.Constant) and c.value]
        if any(isinstance(constant.value, str) for constant in constants):
            yield from ((node.lineno, name) for name in names if name in ("corpus", "task"))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_corpus_or_task_is_a_special_case(path: Path) -> None:
    at_home = {"corpora": "corpus", "tasks": "task"}.get(room_of(path))
    found = [(line, name) for line, name in _compared_names(ast.parse(path.read_text("utf-8"))) if name != at_home]
    assert not found, f"{path.name}: what is special about a corpus or task belongs into its own file"
