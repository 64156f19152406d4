"""What INDEX.md and the entries say of the real Chinese extraction corpora, beyond counts."""

from __future__ import annotations

from collections import Counter

import pytest

from taiyi import catalogue
from taiyi.schema import Document, Split, TextToStruct

pytestmark = pytest.mark.real


def documents(name: str, split: Split) -> list[Document]:
    found = catalogue.load(catalogue.get(name), split, catalogue.corpora_dir())
    return [item for item in found if isinstance(item, Document)]


def test_cdee_has_three_tendencies() -> None:
    found = Counter(e.attributes.get("tendency", "") for d in documents("chip_cdee", "train") for e in d.events)
    assert found == {"": 4883, "否定": 3499, "不确定": 379}


def test_cdn_terms_have_one_to_thirteen_standard_terms() -> None:
    found = Counter(len(d.entities[0].concepts) for d in documents("chip_cdn", "train"))
    assert (found[1], found[2], max(found)) == (2736, 2372, 13)


def test_cdn_names_some_standard_terms_twice() -> None:
    twice = [
        d for d in documents("chip_cdn", "train") if len(set(d.entities[0].concepts)) < len(d.entities[0].concepts)
    ]
    assert len(twice) == 32


def test_cmeie_has_texts_without_triples() -> None:
    assert sum(not d.relations for d in documents("cmeie_v2", "dev")) == 18


def test_the_texts_of_cmeee_are_in_both_versions() -> None:
    one, other = ({d.text for d in documents(name, "dev")} for name in ("cmeee_v2", "cmeee_chip2020"))
    assert one == other


def test_text2dt_trees_are_full_binary_ones() -> None:
    corpus = catalogue.get("text2dt")
    for split in corpus.splits:
        for tree in catalogue.load(corpus, split, catalogue.corpora_dir()):
            assert isinstance(tree, TextToStruct)
            # In pre-order every condition opens two places, and every node fills one; all are filled at the end only.
            places = [1]
            for node in tree.nodes:
                places.append(places[-1] + (1 if node.role == "condition" else -1))
            assert min(places[:-1]) > 0
            assert places[-1] == 0
