"""Facts of the real files in PubTator, BioC and tables, beyond the counts of those that are read first."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from taiyi import catalogue
from taiyi.catalogue import Corpus, Layout
from taiyi.formats import bioc, bioc_json
from taiyi.schema import Document, Reject, Split

pytestmark = pytest.mark.real
NAMES = ("bc5cdr", "biored", "linnaeus", "drugprot")
COPIES = [(corpus, layout) for name in NAMES for corpus in [catalogue.get(name)] for layout in corpus.copies]


@pytest.mark.parametrize(("corpus", "layout"), COPIES, ids=lambda value: value.name)
def test_every_copy_holds_what_is_stated(corpus: Corpus, layout: Layout) -> None:
    alone = dataclasses.replace(corpus, files=layout.files, counts=layout.counts, verified=layout.verified, copies=())
    result = catalogue.check(alone, catalogue.corpora_dir())
    assert (result.status, result.problems) == ("ok", ())


@pytest.mark.parametrize("name", ["Train", "Dev", "Test"])
def test_bioc_json_says_what_bioc_xml_says(name: str) -> None:
    folder = catalogue.corpora_dir() / "biored" / "BioRED"
    one, other = (
        list(read(folder / f"{name}.BioC.{ending}", corpus="c", split="test", lang="en", id_separators=","))
        for read, ending in ((bioc.read, "XML"), (bioc_json.read, "JSON"))
    )
    assert [msgspec.structs.replace(item, passages=()) for item in one if isinstance(item, Document)] == other


def test_offsets_of_tmvars_bioc_are_of_another_text() -> None:
    folder = catalogue.corpora_dir() / "tmvar_v1"
    splits: dict[Split, int] = {"train": 99, "test": 30}
    for split, number in splits.items():
        items = list(bioc.read(folder / f"{split}.BioC.xml", corpus="c", split=split, lang="en"))
        assert [i.reason for i in items if isinstance(i, Reject)] == ["mention does not match the text"] * number


def test_damaged_lines_of_tmvar_2() -> None:
    corpus = catalogue.get("tmvar_v2")
    rejects = [item for item in catalogue.load(corpus, "train", catalogue.corpora_dir()) if isinstance(item, Reject)]
    assert sorted(reject.where for reject in rejects) == ["tmVar.Normalization.txt:120", "tmVar.Normalization.txt:691"]
