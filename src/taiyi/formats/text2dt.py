"""Text2DT's JSON: a text and the decision tree that it states, its nodes in pre-order (CHIP-2022, CBLUE)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, cast

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines
from taiyi.schema import Lang, Record, Reject, Split, TextToStruct, TreeNode, Triple

_ROLES: dict[str, Literal["condition", "decision"]] = {"C": "condition", "D": "decision"}
_LETTERS = {role: letter for letter, role in _ROLES.items()}


def read(path: Path, *, corpus: str, split: Split, lang: Lang) -> Iterator[Record | Reject]:
    """Read `{"text", "tree": [{"role", "triples", "logical_rel"}]}`; ids are positions from 0.

    A tree of which a node cannot be read is rejected whole, for the order of the nodes is its shape.
    """
    for index, (where, item) in enumerate(json_lines.items(path)):
        if isinstance(item, Reject):
            yield item
            continue
        text, tree = item.get("text"), item.get("tree")
        if not isinstance(text, str) or not isinstance(tree, list):
            yield Reject(where=where, reason=checked.MALFORMED, detail="text and tree were expected")
            continue
        nodes = [_node(value) for value in cast("list[Any]", tree)]
        if None in nodes:
            wrong = cast("list[Any]", tree)[nodes.index(None)]
            yield Reject(where=where, reason="malformed node", detail=checked.shown(wrong))
            continue
        yield checked.record(
            TextToStruct,
            where,
            id=str(index),
            corpus=corpus,
            split=split,
            lang=lang,
            source=text,
            nodes=tuple(node for node in nodes if node is not None),
        )


def _node(value: Any) -> TreeNode | None:
    match value:
        case {
            "role": "C" | "D" as role,
            "triples": [*triples],
            "logical_rel": "and" | "or" | "null" as logic,
        }:
            read = [_triple(triple) for triple in triples]
            if None in read:
                return None
            return TreeNode(role=_ROLES[role], triples=tuple(t for t in read if t is not None), logic=logic)
        case _:
            return None


def _triple(value: Any) -> Triple | None:
    match value:
        case [str() as head, str() as type, str() as tail]:
            return Triple(head=head, type=type, tail=tail)
        case _:
            return None


def write(records: Iterable[Record], path: Path) -> None:
    """Write texts with their trees as Text2DT's JSON, which its scorer reads.

    Raises:
        FormatError: a record is no text with a decision tree.
    """
    json_lines.write((_item_of(record) for record in records), path, layout="array")


def _item_of(record: Record) -> dict[str, Any]:
    if not isinstance(record, TextToStruct):
        raise FormatError("Text2DT's JSON holds decision trees only", where=record.id, got=type(record).__name__)
    tree = [
        {
            "role": _LETTERS[node.role],
            "triples": [[triple.head, triple.type, triple.tail] for triple in node.triples],
            "logical_rel": node.logic,
        }
        for node in record.nodes
    ]
    return {"text": record.source, "tree": tree}
