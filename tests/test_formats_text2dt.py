"""Text2DT: decision trees in pre-order."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import texts, words
from taiyi.errors import FormatError
from taiyi.formats import text2dt
from taiyi.schema import Labelled, Reject, TextToStruct, TreeNode, Triple

HERE: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "zh"}
CONDITION: dict[str, Any] = {"role": "C", "triples": [["患者", "临床表现", "轻度"]], "logical_rel": "null"}
NOTHING: dict[str, Any] = {"role": "D", "triples": [], "logical_rel": "null"}


def put(tmp_path: Path, value: Any) -> Path:
    path = tmp_path / "some.json"
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def test_nodes_keep_their_order_and_may_be_empty(tmp_path: Path) -> None:
    (record,) = text2dt.read(put(tmp_path, [{"text": "轻者观察。", "tree": [CONDITION, NOTHING]}]), **HERE)
    assert record == TextToStruct(
        **HERE,
        id="0",
        source="轻者观察。",
        nodes=(
            TreeNode(role="condition", triples=(Triple(head="患者", type="临床表现", tail="轻度"),)),
            TreeNode(role="decision"),
        ),
    )


@pytest.mark.parametrize(
    "node",
    [
        None,
        {**NOTHING, "role": "E"},
        {**NOTHING, "logical_rel": "xor"},
        {**NOTHING, "triples": [["a", "b"]]},
        {"role": "C"},
    ],
)
def test_a_tree_with_a_broken_node_is_rejected_whole(tmp_path: Path, node: Any) -> None:
    (reject,) = text2dt.read(put(tmp_path, [{"text": "轻者观察。", "tree": [CONDITION, node]}]), **HERE)
    assert isinstance(reject, Reject)
    assert reject.reason == "malformed node"


@pytest.mark.parametrize("item", [{"text": "轻者观察。"}, {"text": "轻者观察。", "tree": []}, {"tree": [CONDITION]}])
def test_texts_without_tree_are_rejected(tmp_path: Path, item: Any) -> None:
    (reject,) = text2dt.read(put(tmp_path, [item]), **HERE)
    assert isinstance(reject, Reject)


def test_other_records_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(FormatError):
        text2dt.write([Labelled(**HERE, id="1", text="a", labels=("b",))], tmp_path / "some.json")


nodes = st.builds(
    TreeNode,
    role=st.sampled_from(["condition", "decision"]),
    triples=st.lists(st.builds(Triple, head=words, type=words, tail=words), max_size=3).map(tuple),
    logic=st.sampled_from(["and", "or", "null"]),
)


@given(st.lists(st.tuples(texts, st.lists(nodes, min_size=1, max_size=5)), max_size=3))
def test_written_trees_are_read_again(found: list[tuple[str, list[TreeNode]]]) -> None:
    records = [
        TextToStruct(**HERE, id=str(index), source=text, nodes=tuple(tree)) for index, (text, tree) in enumerate(found)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "some.json"
        text2dt.write(records, path)
        assert list(text2dt.read(path, **HERE)) == records
