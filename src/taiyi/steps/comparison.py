"""Runs beside one another: what each was asked and answered is read from their folders and scored anew, alike."""

from __future__ import annotations

import string
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from taiyi.checkpoint import RUN_FILE
from taiyi.errors import suggestion
from taiyi.evaluate import protocols, report, suites
from taiyi.evaluate.aggregate import SetResult
from taiyi.evaluate.compare import CompareError, Comparison, compare, corrected, same_records
from taiyi.evaluate.run import Answered, answered
from taiyi.evaluate.suites import TestSet
from taiyi.manifest import MANIFEST, Manifest, manifest
from taiyi.steps import predictions
from taiyi.steps.declared import ASKED, set_digest
from taiyi.steps.run import examples
from taiyi.storage import read_json


class _Evaluate(msgspec.Struct, frozen=True):
    suites: tuple[str, ...] = ()


class _Recipe(msgspec.Struct, frozen=True):
    """What of a recipe tells its test sets, whatever else recipes had when it was written."""

    evaluate: _Evaluate = _Evaluate()


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A run that was evaluated: the folders of its report, predictions and data, and what these were made from.

    `place` is what was asked for: the run, or the report's folder.
    """

    place: Path
    folder: Path
    made: Manifest
    data: Manifest
    predictions_folder: Path
    data_folder: Path

    @property
    def sets(self) -> dict[str, Path]:
        """The examples of the test sets that were answered."""
        there = {name: self.data_folder / f"test-{name}.parquet" for name in self.made.inputs["tests"]}
        return {name: path for name, path in there.items() if path.exists()}

    def results(self) -> report.RunResult:
        """Return what its report tells.

        Raises:
            TaiyiError: the folder of its report has no results.
        """
        path = self.folder / "results.json"
        if not path.exists():
            raise CompareError("the report has no results", where=path, mend="evaluate again")
        return report.load(path)

    def declared(self) -> dict[str, TestSet]:
        """Return the test sets of the suites that its recipe names, which may be in files of the user's own."""
        results = self.folder / "results.json"
        recipe = report.load(results).recipe if results.exists() else ""
        asked = msgspec.yaml.decode(recipe, type=_Recipe).evaluate.suites if recipe else ()
        return {test_set.name: test_set for suite in asked for test_set in suites.get(suite)}

    def answered(self, name: str) -> list[Answered]:
        """Return what was asked and answered of a test set, by record.

        Raises:
            TaiyiError: an example lacks an answer, or has several.
        """
        asked = list(examples(self.sets[name]))
        where = f"{self.predictions_folder}: {name}"
        return answered(asked, predictions.by_example(where, asked, predictions.read(self.predictions_folder, name)))

    def version(self, test_set: TestSet) -> dict[str, Any]:
        """Return what tells a version of a test set from others: its own declaration, its corpus's, and its files.

        How it was asked, in which form and windows and under which wording, is no part of it.
        """
        of_data = self.data.inputs
        return {
            "the raw files of its corpus": of_data["corpora"].get(test_set.corpus),
            "the entry of its corpus": of_data["declared"].get(test_set.corpus),
            "its split, task or types": of_data["tests"].get(test_set.name),
        }


def find(place: Path) -> Evaluated:
    """Return the evaluation of a run, or the one that a folder of a report belongs to.

    Raises:
        CompareError: there is none, or what it was made from is gone.
    """
    folder = place
    if (place / RUN_FILE).exists():
        pointer: dict[str, str] = read_json(place / RUN_FILE, dict[str, str])
        if "report" not in pointer:
            raise CompareError("the run was not evaluated yet", where=place, mend="give its recipe to taiyi run")
        folder = place / pointer["report"]
    if not (folder / MANIFEST).exists() or manifest(folder).step != "report":
        raise CompareError(
            "no report here",
            where=place,
            expected=f"a run with {RUN_FILE}, or the folder of its report",
            mend="make one with: taiyi eval MODEL --suite NAME",
        )
    made = manifest(folder)
    answers = folder.resolve().parent / made.inputs["predictions"]
    data = answers.parent / manifest(answers).inputs["data"] if (answers / MANIFEST).exists() else answers
    for needed in (answers, data):
        if not (needed / MANIFEST).exists():
            raise CompareError(
                "what the report was made from is not there",
                where=needed,
                expected="the report in the folder of its run, with its predictions and data",
                mend="evaluate again, or give the run",
            )
    return Evaluated(place, folder, made, manifest(data), answers, data)


def compared(
    first: Path, *others: Path, sets: Collection[str] = (), resamples: int = 1000, seed: int = 0
) -> list[Comparison]:
    """Compare evaluated runs with the first of them, on every test set that all have, under every protocol.

    Args:
        first: a run, or the folder of a report.
        others: those that it is compared with, called B, C and so on in what is returned.
        sets: the test sets to compare on; all that every run has where none is named.
        resamples: of the bootstrap and of the randomisation.
        seed: of both.

    Raises:
        TaiyiError: they have no test set in common, or not in the same version or with the same records; an answer
            is missing or there twice.
    """
    one, *rest = map(find, (first, *others))
    declared = one.declared()
    asked = [declared[n] if n in declared else suites.test_set(n) for n in _shared([one, *rest], sets)]
    for test_set in asked:
        for other in rest:
            _check_version(test_set, one, other)
    found: list[Comparison] = []
    for test_set in asked:
        if one.data.inputs["tests"][test_set.name] == set_digest(test_set, ASKED):
            found += _compared(test_set, one, rest, resamples, seed)
        else:
            found += _another(test_set, len(rest))
    return corrected(found)


def reported(*places: Path, sets: Collection[str] = ()) -> dict[str, list[SetResult]]:
    """Return the results that the reports of runs have of the test sets that all of them share.

    Each is called by its letter, from A, and the name of its recipe.

    Raises:
        TaiyiError: they have no test set in common, or a report has no results.
    """
    runs = [find(place) for place in places]
    shared = _shared(runs, sets)
    found: dict[str, list[SetResult]] = {}
    for number, run in enumerate(runs):
        results = run.results()
        by_name = {result.name: result for result in results.results}
        found[f"{letter(number)}: {results.name}"] = [by_name[name] for name in shared if name in by_name]
    return found


def letter(number: int) -> str:
    """Return what a run is called among those that are compared: A, B and so on."""
    return string.ascii_uppercase[number] if number < len(string.ascii_uppercase) else f"R{number + 1}"


def _shared(runs: Sequence[Evaluated], sets: Collection[str]) -> list[str]:
    """Return the names of the test sets to compare runs on: those that are asked for, or all that every run has."""
    shared = [name for name in runs[0].sets if all(name in run.sets for run in runs)]
    if unknown := [name for name in sets if name not in shared]:
        every = "both" if len(runs) == 2 else "all"
        mend = suggestion(unknown[0], shared)
        raise CompareError(
            f"not a test set of {every} runs", got=", ".join(unknown), expected=", ".join(shared), mend=mend
        )
    if not shared:
        raise CompareError(
            "the runs have no test set in common",
            where=" and ".join(str(run.place) for run in runs),
            got=" and ".join(", ".join(run.sets) or "none" for run in runs),
            mend=f"evaluate {'both' if len(runs) == 2 else 'all'} on the same suite",
        )
    return [name for name in shared if not sets or name in sets]


def _check_version(test_set: TestSet, one: Evaluated, other: Evaluated) -> None:
    ours, theirs = one.version(test_set), other.version(test_set)
    if differing := [what for what in ours if ours[what] != theirs[what]]:
        raise CompareError(
            "the runs were evaluated on two versions of a test set",
            where=f"{test_set.name}: {one.place} and {other.place}",
            got=f"other in {' and '.join(differing)}",
            mend="evaluate both again, or name the sets to compare with --set",
        )


def _another(test_set: TestSet, others: int) -> Iterator[Comparison]:
    """Yield, in place of comparisons, why a test set is not what both runs were asked."""
    own = protocols.own(test_set)
    for number in range(1, others + 1):
        yield Comparison(
            set=test_set.name,
            title=test_set.title,
            protocol=own.name,
            shown=own.title,
            measure=own.measures[0].title,
            run=letter(number),
            unfit="evaluated on another version of this test set, of an older Taiyi; evaluate again",
        )


def _compared(
    test_set: TestSet, one: Evaluated, others: Sequence[Evaluated], resamples: int, seed: int
) -> Iterator[Comparison]:
    """Yield the comparisons on a test set, protocol by protocol, of each run with the first."""
    ours = one.answered(test_set.name)
    pairs = [
        same_records(f"{test_set.name}: {one.place} and {other.place}", ours, other.answered(test_set.name))
        for other in others
    ]
    for protocol in protocols.of(test_set):
        for number, both in enumerate(pairs, 1):
            found = compare(test_set, protocol, both, resamples=resamples, seed=seed)
            yield msgspec.structs.replace(found, run=letter(number))
