"""The dev sample of a stage: its records, drawn from the shards of what it asks and kept beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from taiyi import storage
from taiyi.build.clean import contaminated
from taiyi.build.collect import Stored
from taiyi.build.sample import Candidates, Place, Stratum, drawn, num_drawn, ranks_of
from taiyi.manifest import key_of
from taiyi.recipe import Stage
from taiyi.schema import Reject
from taiyi.steps.cleaning import Paths, matches
from taiyi.steps.rejects import Rejects
from taiyi.steps.run import VERSIONS, Run
from taiyi.steps.shards import Sample, Wanted, left_out, there, wanted


class _Drawn(msgspec.Struct, frozen=True):
    """What was drawn: the numbers of the parts that have some of it, and what could not be drawn."""

    parts: tuple[int, ...]
    rejects: tuple[Reject, ...]


def sample(run: Run, stage: Stage, tests: Paths, rejects: Rejects) -> Sample:
    """Draw the dev sample of a stage unless it is there: records of its own data, or of what `dev` names.

    Of what is material of a test set, of which `tests` are the parts, nothing is drawn: a model would be chosen by it.
    """
    assert stage.dev is not None
    asked = [found for s in stage.dev.data or stage.data if (found := there(run, s)) is not None]
    pieces, shards = wanted(run, asked)
    made_of: dict[str, Any] = {
        "version": VERSIONS["data"],
        "seed": run.recipe.seed,
        "records": stage.dev.records,
        "own": not stage.dev.data,
        "parts": [_name(of.part) for of in pieces],
        "tests": [_name(part) for part in tests],
        "decontaminate": run.recipe.decontaminate.model_dump(mode="json"),
    }
    folder = run.folder / "shards" / f"dev-{stage.name}-{key_of(made_of)}"
    done = folder / "drawn.json"
    if not done.exists():
        storage.write_json(_draw(run, stage, pieces, tests, folder), done)
    made = storage.read_json(done, _Drawn)
    found = Sample(
        stage.name, bool(asked), tuple(Wanted(selection=pieces[n].selection, part=_file(folder, n)) for n in made.parts)
    )
    if stage.dev.data:
        for shard in shards:
            rejects.add(found.name, left_out(shard))
    rejects.add(found.name, made.rejects)
    return found


def _name(part: Path) -> str:
    return f"{part.parent.name}/{part.name}"


def _file(folder: Path, number: int) -> Path:
    return folder / f"items-{number:05}.parquet"


class _Rows(NamedTuple):
    """The records of a stratum: by part, their ranks and their rows there."""

    parts: list[int]
    ranks: list[Any]
    rows: list[Any]


def _draw(run: Run, stage: Stage, pieces: Sequence[Wanted], tests: Paths, folder: Path) -> _Drawn:
    """Draw the records and write those of each part that has some into a file."""
    assert stage.dev is not None
    strata: dict[Stratum, _Rows] = {}
    for number, piece in enumerate(pieces):
        ranks = ranks_of(storage.read_column(piece.part, "place").to_pylist(), run.recipe.seed)
        langs = np.array(storage.read_column(piece.part, "lang").to_pylist())
        for lang in np.unique(langs).tolist():
            rows = np.flatnonzero(langs == lang)
            of = strata.setdefault(Stratum(piece.selection.corpus, piece.selection.task, lang), _Rows([], [], []))
            of.parts.append(number)
            of.ranks.append(ranks[rows])
            of.rows.append(rows)
    candidates = {name: Candidates(of.ranks, of.parts, of.rows) for name, of in strata.items()}
    sizes = {name: len(of) for name, of in candidates.items()}
    read: dict[Place, Stored] = {}
    unfit: list[Reject] = []

    def fits(places: list[Place]) -> list[bool]:
        for number in sorted({place.part for place in places}):
            rows = sorted(place.row for place in places if place.part == number)
            stored = storage.read_rows(pieces[number].part, Stored, rows)
            read.update(zip((Place(number, row) for row in rows), stored, strict=True))
        items = [read[place].item() for place in places]
        found = matches(items, tests, run.recipe.decontaminate)
        unfit.extend(contaminated(item, match) for item, match in zip(items, found, strict=True) if match is not None)
        return [match is None for match in found]

    numbers = num_drawn(sizes, stage.dev.records, own=not stage.dev.data)
    chosen = sorted(place for kept in drawn(candidates, numbers, fits).values() for place in kept)
    parts = sorted({place.part for place in chosen})
    for number in parts:
        items = [read[place] for place in chosen if place.part == number]
        storage.write_parquet(items, _file(folder, number), Stored)
    return _Drawn(tuple(parts), tuple(unfit))
