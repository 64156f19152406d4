"""Suites of test sets by name: the paper's, those of every task, the demo's, and those of users' own files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from taiyi.errors import RecipeError, suggestion
from taiyi.evaluate.suites_paper import BIORED_UNSEEN, SAMPLE200, TAIYI13, TAIYI13_OFFICIAL
from taiyi.evaluate.suites_tasks import ALL_TASKS, BIOSSES, DEMO
from taiyi.evaluate.test_set import SAMPLE_SEED, TestSet

SUITES: Mapping[str, tuple[TestSet, ...]] = {
    "taiyi13": TAIYI13,
    "taiyi13-official": TAIYI13_OFFICIAL,
    "biored-unseen": (BIORED_UNSEEN,),
    "taiyi-sample200": SAMPLE200,
    "all-tasks": ALL_TASKS,
    "biosses": (BIOSSES,),
    "demo": DEMO,
}
"""The suites that ship, by name; `-` and `_` are the same in what is asked for."""

_FILES = frozenset({".yaml", ".yml"})
_own: dict[str, tuple[TestSet, ...]] = {}


def get(name: str) -> tuple[TestSet, ...]:
    """Return a suite by name or by the path of its file, or a single test set by its own name."""
    if Path(name).suffix in _FILES:
        # Imported where it is used: a file is checked by pydantic, which lists of suites do without.
        from taiyi.evaluate import suite_file

        found = suite_file.load(Path(name).expanduser())
        _own.pop(name, None)
        known = _by_name()
        if other := next((t.name for t in found if known.get(t.name, t) != t), None):
            raise RecipeError("another suite has a test set of this name", where=name, got=other, mend="rename it")
        _own[name] = found
        return found
    known = {name: (found,) for name, found in _by_name().items()} | dict(SUITES)
    for spelled, found in known.items():
        if _plain(spelled) == _plain(name):
            return found
    raise RecipeError("unknown suite", got=repr(name), mend=suggestion(name, known))


def test_set(name: str) -> TestSet:
    """Return a test set by name; of suites of users' own, those that were asked for.

    Raises:
        RecipeError: no suite has it.
    """
    known = _by_name()
    if name not in known:
        raise RecipeError("unknown test set", got=repr(name), mend=suggestion(name, known))
    return known[name]


def _plain(name: str) -> str:
    return name.replace("-", "_")


def _by_name() -> dict[str, TestSet]:
    return {found.name: found for suite in (*SUITES.values(), *_own.values()) for found in suite}


__all__ = ["BIORED_UNSEEN", "SAMPLE_SEED", "SUITES", "TestSet", "get", "test_set"]
