"""The real corpora hold what the catalogue says that they hold."""

from __future__ import annotations

import pytest

from taiyi import catalogue
from taiyi.catalogue import Corpus
from taiyi.formats import bioc, pubtator
from taiyi.schema import Document

pytestmark = pytest.mark.real
REAL = [corpus for corpus in catalogue.all_corpora() if corpus.bundled is None and corpus.checked_on == "real"]


@pytest.mark.parametrize("corpus", REAL, ids=lambda corpus: corpus.name)
def test_counts_are_as_stated(corpus: Corpus) -> None:
    root = catalogue.corpora_dir()
    if not corpus.location(root).is_dir():
        pytest.skip(f"{corpus.folder} is not among the real corpora")
    result = catalogue.check(corpus, root)
    assert (result.status, result.problems) == ("ok", ())


def test_every_folder_is_of_a_corpus() -> None:
    known = {corpus.folder for corpus in catalogue.all_corpora()}
    assert {path.name for path in catalogue.corpora_dir().iterdir() if path.is_dir() and path.name[0] != "."} <= known


@pytest.mark.parametrize(
    ("xml", "text", "separators"),
    [
        ("bc5cdr/CDR_TestSet.BioC.xml", "bc5cdr/CDR_TestSet.PubTator.txt", "|"),
        ("biored/BioRED/Test.BioC.XML", "biored/BioRED/Test.PubTator", ","),
    ],
)
def test_bioc_and_pubtator_say_the_same(xml: str, text: str, separators: str) -> None:
    def content(document: Document) -> object:
        mentions = sorted((e.type, e.spans, sorted(c.id for c in e.concepts)) for e in document.entities)
        relations = sorted((r.type, [a.ref for a in r.arguments]) for r in document.relations)
        return document.text, document.passages, mentions, relations

    root = catalogue.corpora_dir()
    one, other = (
        {
            item.id: content(item)
            for item in read(root / path, corpus="c", split="test", lang="en", id_separators=separators)
            if isinstance(item, Document)
        }
        for read, path in ((bioc.read, xml), (pubtator.read, text))
    )
    assert one == other
