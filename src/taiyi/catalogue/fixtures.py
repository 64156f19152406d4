"""Fixtures: a few hand-written items of every layout of every corpus, in its exact format, that come with the package.

They lie under `corpora/fixtures/<layout>/` as the real files do under the folder of raw corpora, so they are read in
the same way. `<corpus>.json` beside them states what they hold.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import msgspec

from taiyi.catalogue.check import CheckResult, check
from taiyi.catalogue.entry import OFFICIAL, Corpus, Counts, Layout
from taiyi.errors import CorpusError
from taiyi.schema import Split

_FOLDER = Path(__file__).parents[1] / "corpora" / "fixtures"


def fixtures_dir(layout: str = OFFICIAL) -> Path:
    """Return the folder that holds fixtures of a layout, to be read from as from the folder of raw corpora."""
    return _FOLDER / layout


def fixtures(corpus: Corpus) -> Iterator[tuple[Layout, Corpus]]:
    """Yield each layout of a corpus, and an entry of that layout alone with the counts of its fixture.

    Raises:
        CorpusError: a layout has no fixture.
    """
    for layout in corpus.layouts:
        path = fixtures_dir(layout.name) / f"{corpus.name}.json"
        if not path.is_file():
            raise CorpusError(f"the layout {layout.name!r} of corpus {corpus.name!r} has no fixture", where=path)
        counts = msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, int]])
        stated = cast("dict[Split, Counts]", counts)
        yield layout, dataclasses.replace(corpus, files=layout.files, counts=stated, verified="fixture", copies=())


def check_fixtures(corpus: Corpus) -> list[CheckResult]:
    """Check the fixture of each layout of a corpus as `check` does real files; all splits must be there."""
    return [_check(layout, alone) for layout, alone in fixtures(corpus)]


def _check(layout: Layout, alone: Corpus) -> CheckResult:
    result = check(alone, fixtures_dir(layout.name))
    if result.status != "ok" or not result.absent:
        return result
    problems = tuple(f"{split}: {path} is missing" for split, paths in result.absent.items() for path in paths)
    return dataclasses.replace(result, status="differs", problems=problems)
