"""What the rows of EU-ADR in BigBio's schema say, beyond their numbers."""

from __future__ import annotations

import pytest

from taiyi import catalogue
from taiyi.schema import Document

pytestmark = pytest.mark.real


def test_ends_of_relations_are_mentions_with_the_type_of_their_place() -> None:
    root = catalogue.corpora_dir()
    documents = [d for d in catalogue.load(catalogue.get("euadr"), "train", root) if isinstance(d, Document)]
    ends = 0
    for document in documents:
        entities = {entity.id: entity for entity in document.entities}
        for relation in document.relations:
            for end in (entities[argument.ref] for argument in relation.arguments):
                others = [
                    e for e in document.entities if e.spans == end.spans and e.id != end.id and e.type == end.type
                ]
                assert others or end.type == "Mention"
                ends += 1
    assert (len(documents), ends) == (100, 1776)
