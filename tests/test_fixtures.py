"""Every corpus reads its hand-written fixture, in each layout in which it is passed on."""

from __future__ import annotations

import pytest

from taiyi import catalogue
from taiyi.catalogue import Corpus

CORPORA = [corpus for corpus in catalogue.all_corpora() if corpus.bundled is None]


@pytest.mark.parametrize("corpus", CORPORA, ids=lambda corpus: corpus.name)
def test_fixtures_are_read_as_stated(corpus: Corpus) -> None:
    for result in catalogue.check_fixtures(corpus):
        assert (result.status, result.problems) == ("ok", ())


def test_every_fixture_is_of_a_corpus() -> None:
    known = {(layout.name, corpus.name) for corpus in CORPORA for layout in corpus.layouts}
    found = {(path.parent.name, path.stem) for path in catalogue.fixtures_dir().parent.glob("*/*.json")}
    assert found == known


@pytest.mark.parametrize("corpus", CORPORA, ids=lambda corpus: corpus.name)
def test_fixtures_have_records_of_every_split(corpus: Corpus) -> None:
    for layout, alone in catalogue.fixtures(corpus):
        assert {split for split, counts in alone.counts.items() if counts.get("records")} == set(layout.files)


def test_fixtures_are_small() -> None:
    folder = catalogue.fixtures_dir().parent
    sizes = {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    assert {name: size for name, size in sizes.items() if size > 30_000} == {}
