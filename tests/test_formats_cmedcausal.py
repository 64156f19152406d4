"""CMedCausal: relations of relations, one entity a piece of text, and what cannot be read."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.errors import FormatError
from taiyi.formats import cmedcausal
from taiyi.schema import Argument, Document, Labelled, Reject, Relation

HERE: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "zh"}
TEXT = "饮酒伤肝，孕期尤甚，酒伤胃。"


def put(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def mention(start: int, end: int, text: str = TEXT) -> dict[str, Any]:
    return {"mention": text[start:end], "start_idx": start, "end_idx": end}


def link(head: tuple[int, int], code: int, tail: tuple[int, int]) -> dict[str, Any]:
    return {"head": mention(*head), "relation": code, "tail": {"type": "mention", **mention(*tail)}}


def condition(head: tuple[int, int], inner: dict[str, Any]) -> dict[str, Any]:
    return {"head": mention(*head), "relation": 2, "tail": {"type": "relation", **inner}}


def document(path: Path, *relations: Any) -> tuple[Document, list[Reject]]:
    *rejects, found = cmedcausal.read(put(path, [{"text": TEXT, "relation_of_mention": relations}]), **HERE)
    assert isinstance(found, Document)
    return found, [reject for reject in rejects if isinstance(reject, Reject)]


def test_a_condition_refers_to_the_relation_that_is_stated(tmp_path: Path) -> None:
    found, rejects = document(tmp_path / "x", condition((5, 7), link((0, 2), 1, (2, 4))), link((0, 2), 1, (2, 4)))
    assert rejects == []
    assert [entity.text for entity in found.entities] == ["孕期", "饮酒", "伤肝"]
    assert found.relations == (
        Relation(
            id="R1",
            type="条件关系",
            arguments=(
                Argument(role="condition", kind="entity", ref="T1"),
                Argument(role="relation", kind="relation", ref="R2"),
            ),
        ),
        Relation(
            id="R2",
            type="因果关系",
            arguments=(
                Argument(role="cause", kind="entity", ref="T2"),
                Argument(role="effect", kind="entity", ref="T3"),
            ),
        ),
    )


def test_a_relation_stated_in_a_condition_alone_comes_last_and_says_so(tmp_path: Path) -> None:
    found, _ = document(tmp_path / "x", condition((5, 7), link((0, 2), 1, (2, 4))), link((10, 11), 3, (0, 2)))
    assert [(r.id, r.type, r.attributes) for r in found.relations] == [
        ("R1", "条件关系", {}),
        ("R2", "上下位关系", {}),
        ("R3", "因果关系", {"stated": "in a condition"}),
    ]
    assert found.relations[0].arguments[1].ref == "R3"


def test_what_does_not_fit_is_rejected_with_its_relation(tmp_path: Path) -> None:
    wrong = {**link((0, 2), 1, (2, 4)), "head": {"mention": "戒酒", "start_idx": 0, "end_idx": 2}}
    outside = link((0, 2), 1, (2, 4)) | {"tail": {"mention": "胃", "start_idx": 12, "end_idx": 99}}
    nested = condition((5, 7), condition((5, 7), link((0, 2), 1, (2, 4))))
    found, rejects = document(tmp_path / "x", wrong, outside, nested, {"head": 1}, None)
    assert found.relations == found.entities == ()
    assert [reject.reason for reject in rejects] == [
        "mention does not match the text",
        "span outside the text",
        "malformed relation",
        "malformed relation",
        "malformed relation",
    ]


def test_an_unlabelled_text_is_rejected(tmp_path: Path) -> None:
    (reject,) = cmedcausal.read(put(tmp_path / "x", [{"text": TEXT}]), **HERE)
    assert isinstance(reject, Reject)


def test_only_its_own_relations_are_written(tmp_path: Path) -> None:
    labelled = Labelled(**HERE, id="1", text="a", labels=("b",))
    other = Document(
        **HERE,
        id="1",
        text="a",
        relations=(Relation(id="R", type="x", arguments=(Argument(role="r", kind="text", ref="a"),)),),
    )
    for record in (labelled, other):
        with pytest.raises(FormatError):
            cmedcausal.write([record], tmp_path / "x")


places = st.integers(0, len(TEXT) - 1).flatmap(lambda at: st.tuples(st.just(at), st.integers(at + 1, len(TEXT))))
links = st.builds(link, places, st.sampled_from([1, 3]), places)
relations = st.lists(links | st.builds(condition, places, links), max_size=6)


@given(st.lists(relations, max_size=3))
def test_written_documents_are_read_again(found: list[list[dict[str, Any]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, again = Path(folder) / "some.json", Path(folder) / "again.json"
        put(path, [{"text": TEXT, "relation_of_mention": each} for each in found])
        records = [item for item in cmedcausal.read(path, **HERE) if not isinstance(item, Reject)]
        assert len(records) == len(found)
        cmedcausal.write(records, again)
        assert list(cmedcausal.read(again, **HERE)) == records
        assert [len(item["relation_of_mention"]) for item in json.loads(again.read_text("utf-8"))] == [*map(len, found)]
