"""TextEE windows: tokens as characters, triggers apart from entities, and faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from taiyi.formats import textee
from taiyi.schema import Argument, Document, Reject, Span


def at(text: str, start: int, end: int) -> dict[str, Any]:
    return {"text": text, "start": start, "end": end}


def window(**changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "doc_id": "PMID-5",
        "wnd_id": "PMID-5_0",
        "text": "Nod-9  raises growth.",
        "tokens": ["Nod", "-", "9", "raises", "growth", "."],
        "entity_mentions": [
            {"id": "T1", "entity_type": "Gene", **at("Nod - 9", 0, 3)},
            {"id": "T2", "entity_type": "Raise", **at("raises", 3, 4)},
            {"id": "T3", "entity_type": "Growth", **at("growth", 4, 5)},
        ],
        "event_mentions": [
            {
                "id": "E1",
                "event_type": "Raise",
                "trigger": at("raises", 3, 4),
                "arguments": [{"entity_id": "T1", "role": "Cause"}, {"entity_id": "T3", "role": "Theme"}],
            },
            {"id": "E2", "event_type": "Growth", "trigger": at("growth", 4, 5), "arguments": []},
        ],
        "relation_mentions": [],
        "lang": "en",
    }
    return whole | changes


def read(tmp_path: Path, item: object) -> tuple[list[Document], list[str]]:
    path = tmp_path / "dev.json"
    path.write_text(json.dumps(item) + "\n")
    options = {"documents": {r"PMID-(\d+)": r"pmid:\1"}}
    items = list(textee.read(path, corpus="c", split="dev", lang="en", **options))
    return [i for i in items if isinstance(i, Document)], [i.reason for i in items if isinstance(i, Reject)]


def test_a_window_with_events(tmp_path: Path) -> None:
    (document,), rejects = read(tmp_path, window())
    assert rejects == []
    assert (document.id, document.document_ids) == ("PMID-5_0", ("pmid:5",))
    assert [(e.id, e.text, e.spans) for e in document.entities] == [("T1", "Nod-9", (Span(0, 5),))]
    raises, growth = document.events
    assert (raises.trigger, raises.trigger_spans) == ("raises", (Span(7, 13),))
    assert raises.arguments == (
        Argument(role="Cause", kind="entity", ref="T1"),
        Argument(role="Theme", kind="event", ref="E2"),
    )
    assert (growth.id, growth.arguments) == ("E2", ())


@pytest.mark.parametrize(
    ("changes", "reasons", "kept"),
    [
        ({"tokens": ["Nod", "9"]}, ["tokens are not those of the text"], False),
        ({"tokens": [1]}, ["tokens are not those of the text"], False),
        ({"text": None}, ["malformed line"], False),
        ({"entity_mentions": None}, ["malformed mention", "reference to nothing", "reference to nothing"], True),
        ({"entity_mentions": [{"id": "T1", "entity_type": "Gene", **at("Nod", 0, 9)}]}, None, True),
        ({"event_mentions": [{"id": "E1"}]}, ["malformed event"], True),
        (
            {
                "relation_mentions": [
                    {"id": "R1", "relation_type": "frag", "arguments": [{"entity_id": "T1", "role": "Arg1"}] * 2}
                ]
            },
            ["relation of a mention with itself"],
            True,
        ),
    ],
)
def test_what_is_at_fault_is_rejected(
    tmp_path: Path, changes: dict[str, Any], reasons: list[str] | None, kept: bool
) -> None:
    documents, rejects = read(tmp_path, window(**changes))
    assert bool(documents) == kept
    assert rejects == (["tokens outside the window", *["reference to nothing"] * 2] if reasons is None else reasons)
