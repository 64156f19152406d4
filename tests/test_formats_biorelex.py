"""BioRelEx: entities are clusters of mentions, and interactions may be denied or left open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from taiyi import tasks
from taiyi.formats import biorelex
from taiyi.schema import Concept, Document, Example, Reject, Shown, Span, Triple, Triples


def read(tmp_path: Path, *items: Any) -> list[Any]:
    path = tmp_path / "some.json"
    path.write_text(json.dumps(items), encoding="utf-8")
    return list(biorelex.read(path, corpus="c", split="train", lang="en"))


def entity(label: str, names: dict[str, list[list[int]]], **more: Any) -> dict[str, Any]:
    uses = {name: {"is_mentioned": bool(spans), "mentions": spans} for name, spans in names.items()}
    return {"label": label, "names": uses, "is_state": False, "is_mutant": False, "grounding": None} | more


def item(**more: Any) -> dict[str, Any]:
    return {
        "id": "x.0",
        "paperid": "70000001",
        "url": None,
        "text": "GX (GXP) binds Z; GX is free.",
        "entities": [
            entity("protein", {"GX": [[18, 20], [0, 2]], "GXP": [[4, 7]], "growth X": []}, is_mutant=True),
            entity("chemical", {"Z": [[15, 16]]}),
        ],
        "interactions": [{"participants": [1, 0], "type": "bind", "label": 1, "implicit": False}],
    } | more


def test_mentions_are_entities_and_clusters_coreferences(tmp_path: Path) -> None:
    (document,) = read(tmp_path, item())
    assert isinstance(document, Document)
    assert [(e.id, e.text, e.spans[0]) for e in document.entities] == [
        ("T0.0", "GX", Span(0, 2)),
        ("T0.1", "GXP", Span(4, 7)),
        ("T0.2", "GX", Span(18, 20)),
        ("T1.0", "Z", Span(15, 16)),
    ]
    assert document.entities[0].attributes == {"mutant": "true", "other_names": "growth X"}
    assert [c.entities for c in document.coreferences] == [("T0.0", "T0.1", "T0.2")]
    (relation,) = document.relations
    assert [a.ref for a in relation.arguments] == ["T1.0", "T0.0"]
    assert relation.attributes == {}
    assert document.document_ids == ("biorelex:70000001",)


@pytest.mark.parametrize(
    ("label", "implicit", "type", "attributes"),
    [
        (1, False, "bind", {}),
        (1, True, "bind", {"implicit": "true"}),
        (-1, False, "bind_negated", {}),
        (0, True, "bind_unlabelled", {"implicit": "true"}),
    ],
)
def test_what_an_interaction_says(
    tmp_path: Path, label: int, implicit: bool, type: str, attributes: dict[str, str]
) -> None:
    interaction = {"participants": [0, 1], "type": "bind", "label": label, "implicit": implicit}
    (document,) = read(tmp_path, item(interactions=[interaction]))
    assert [(r.type, r.attributes) for r in document.relations] == [(type, attributes)]


def test_an_interaction_that_is_denied_is_no_answer_to_what_binds(tmp_path: Path) -> None:
    interactions = [
        {"participants": pair, "type": "bind", "label": label} for pair, label in (([0, 1], -1), ([1, 0], 1))
    ]
    (document,) = read(tmp_path, item(interactions=interactions))
    task = tasks.get("re")
    example = task.render(
        document, tasks.load_templates(task, "en")[0], form="list", types=(Shown(name="bind", shown="binding"),)
    )
    assert isinstance(example, Example)
    assert example.gold == Triples(items=(Triple(head="Z", tail="GX", type="bind"),))


@pytest.mark.parametrize(
    ("source", "link", "gene", "concepts"),
    [
        ("uniprot", "https://www.uniprot.org/uniprot/P90001", "NA", [("uniprot", "P90001")]),
        ("NCBI gene", "https://www.ncbi.nlm.nih.gov/gene/?term=900", "900", [("NCBI gene", "900")]),
        ("interpro", "http://www.ebi.ac.uk/interpro/entry/IPR900742?q=X%20Y", "NA", [("interpro", "IPR900742")]),
        ("interpro", "https://www.ebi.ac.uk/interpro/", "NA", []),
        ("https://enzyme.expasy.org/EC/9.9.1.9", "https://enzyme.expasy.org/EC/9.9.1.9", "NA",
         [("enzyme.expasy.org", "9.9.1.9")]),
    ],
)  # fmt: skip
def test_concepts(tmp_path: Path, source: str, link: str, gene: str, concepts: list[tuple[str, str]]) -> None:
    grounding = {"source": source, "link": link, "entrez_gene": gene, "hgnc_symbol": "NA", "comment": ""}
    entities = [entity("protein", {"GX": [[0, 2]]}, grounding=grounding)]
    (document,) = read(tmp_path, item(entities=entities, interactions=[]))
    assert document.entities[0].concepts == tuple(Concept(db=db, id=id) for db, id in concepts)


def test_an_address_in_pubmed_central_is_a_document_id(tmp_path: Path) -> None:
    (document,) = read(tmp_path, item(url="https://www.ncbi.nlm.nih.gov/pmc/articles/PMC90000001/"))
    assert document.document_ids == ("biorelex:70000001", "pmcid:PMC90000001")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"entities": [7], "interactions": []}, "malformed entity"),
        ({"entities": [entity("protein", {"GX": [[0]]})], "interactions": []}, "malformed mention"),
        ({"entities": [entity("protein", {"GX": [[0, 900]]})], "interactions": []}, "span outside the text"),
        ({"entities": [entity("protein", {"GX": [[1, 3]]})], "interactions": []}, "mention does not match the text"),
        ({"interactions": [{"participants": [0, 7], "type": "bind", "label": 1}]},
         "interaction of an entity without a mention"),
        ({"interactions": [{"participants": [0, 1], "type": "bind", "label": 3}]}, "malformed interaction"),
        ({"interactions": [{"participants": [0, True], "type": "bind", "label": 1}]}, "malformed interaction"),
        ({"text": 7}, "malformed line"),
    ],
)  # fmt: skip
def test_what_is_dropped_says_why(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    items = read(tmp_path, item(**change))
    assert [(i.where, i.reason) for i in items if isinstance(i, Reject)] == [("some.json[0]", reason)]
