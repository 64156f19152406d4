"""A report to hand on: texts of corpora have licences of their own, so it goes without them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from taiyi.evaluate.aggregate import SetResult, TypeResult, type_result
from taiyi.evaluate.details import Details, total_errors
from taiyi.evaluate.differences import Kind
from taiyi.evaluate.report import RunResult
from taiyi.metrics import f1
from taiyi.schema import Counts

NOT_IN_SET = "(not in the set)"
_OUTSIDE = "(any)"
"""What all names of `SetResult.outside` are called together; a table says of what is named there that it is outside."""


def shared(run: RunResult) -> RunResult:
    """Return the results of a run without sample answers, documents, and names that only answers have.

    A type or label of an answer is what a model wrote, which may be a text of its source. Those that are neither the
    set's own nor in its gold become one, with their counts added; all scores stay. Reports that do not tell the types
    of a set, as older ones do not, keep those of its gold.
    """
    details = {of.set: of for of in run.details}
    known = {result.name: _known(result, details.get(result.name)) for result in run.results}
    return msgspec.structs.replace(
        run,
        results=tuple(_result(result, known[result.name]) for result in run.results),
        details=tuple(
            msgspec.structs.replace(of, errors=_errors(of.errors, known.get(of.set, ()))) for of in run.details
        ),
        samples=(),
        documents="",
    )


def _known(result: SetResult, of: Details | None) -> set[str]:
    """Return the types and labels of a set: those that were asked for, and those of its gold."""
    tables = (result.per_type, *(protocol.per_type for protocol in result.protocols))
    known = {name for table in tables for name, found in table.items() if found.tp or found.fn}
    if of is not None:
        known.update(of.types)
        known.update(name for name, kinds in of.errors.items() if any(n for k, n in kinds.items() if k != "spurious"))
    return known


def _result(result: SetResult, known: Collection[str]) -> SetResult:
    outside = {name: count for name, count in result.outside.items() if name in known}
    if others := sum(result.outside.values()) - sum(outside.values()):
        outside[_OUTSIDE] = others
    return msgspec.structs.replace(
        result,
        outside=outside,
        per_type=_per_type(result.per_type, known),
        protocols=tuple(
            msgspec.structs.replace(protocol, per_type=_per_type(protocol.per_type, known))
            for protocol in result.protocols
        ),
    )


def _per_type(table: Mapping[str, TypeResult], known: Collection[str]) -> dict[str, TypeResult]:
    kept = {name: found for name, found in table.items() if name in known}
    if others := [Counts(t.tp, t.fp, t.fn) for name, t in table.items() if name not in known]:
        kept[NOT_IN_SET] = type_result(f1.total(others))
    return kept


def _errors(errors: Mapping[str, Mapping[Kind, int]], known: Collection[str]) -> dict[str, dict[Kind, int]]:
    kept = {name: dict(kinds) for name, kinds in errors.items() if name in known}
    if others := [kinds for name, kinds in errors.items() if name not in known]:
        kept[NOT_IN_SET] = total_errors(others)
    return kept
