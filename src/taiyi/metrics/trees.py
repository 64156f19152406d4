"""Decision trees beside each other, as Text2DT's own scorer compares them (CHIP-2022 task 3, PromptCBLUE).

A tree is given by its nodes in pre-order; a condition has two branches, a decision none. Of an answer that is not one
whole tree, what is there is compared, but none of its paths is right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from taiyi.metrics.measures import f1_of, ratio_of
from taiyi.schema import TreeNode

TREES = (
    ratio_of("tree_edit_ratio", "edit ratio", 0, 1),
    ratio_of("tree_accuracy", "tree accuracy", 2, 3),
    f1_of("tree_triple_f1", "triple F1", 4, 5, 4, 6),
    f1_of("tree_path_f1", "path F1", 7, 8, 7, 9),
    f1_of("tree_node_f1", "node F1", 10, 11, 10, 12),
)
"""Measures of what `sums` returns."""


class _Node(NamedTuple):
    """What a node says; texts of triples are compared in small letters."""

    role: str
    logic: str
    triples: frozenset[tuple[str, str, str]]


class _Placed(NamedTuple):
    """The nodes of a tree by the branches that lead to them, and whether they are one whole tree."""

    nodes: Mapping[str, _Node]
    whole: bool


def sums(gold: Sequence[TreeNode], answer: Sequence[TreeNode]) -> tuple[float, ...]:
    """Return what the measures add up for one tree.

    These are: how much of what could have to be edited need not be, and all that could; whether the tree is right, and
    1; of triples, of paths to decisions, and of nodes with triples, how many are right, answered, and gold.
    """
    trees = [_placed([*map(_node, nodes)]) for nodes in (gold, answer)]
    telling = [Counter(node for node in tree.nodes.values() if node.triples) for tree in trees]
    triples = [frozenset[tuple[str, str, str]]().union(*(n.triples for n in tree.nodes.values())) for tree in trees]
    paths = [_paths(tree) for tree in trees]
    most = sum(map(len, triples)) + 2 * sum(nodes.total() for nodes in telling)
    found = (
        *(most - _edits(*trees), most),
        *(trees[0] == trees[1], 1),
        *(len(triples[0] & triples[1]), len(triples[1]), len(triples[0])),
        *(_num_right(paths, trees), len(paths[1]), len(paths[0])),
        *((telling[0] & telling[1]).total(), telling[1].total(), telling[0].total()),
    )
    return tuple(map(float, found))


def _node(node: TreeNode) -> _Node:
    triples = frozenset((t.head.lower(), t.type.lower(), t.tail.lower()) for t in node.triples)
    return _Node(node.role, node.logic, triples)


def _placed(nodes: Sequence[_Node]) -> _Placed:
    """Return nodes in pre-order with the branches, y and n, that lead to them; those after a whole tree by number."""
    found: dict[str, _Node] = {}
    open_places = [""]
    whole = True
    for number, node in enumerate(nodes):
        whole = whole and bool(open_places)
        place = open_places.pop() if open_places else f"after {number}"
        found[place] = node
        if node.role == "condition" and whole:
            open_places += [place + "n", place + "y"]
    return _Placed(found, whole and not open_places)


def _edits(gold: _Placed, answer: _Placed) -> int:
    """Return how many roles, logics and triples have to be changed, added or taken away, node by node."""
    places = gold.nodes.keys() | answer.nodes.keys()
    return sum(_differences(gold.nodes.get(place), answer.nodes.get(place)) for place in places)


def _differences(one: _Node | None, other: _Node | None) -> int:
    if one is None or other is None:
        node = one or other
        return 0 if node is None else 1 + (node.logic != "null") + len(node.triples)
    return (one.role != other.role) + (one.logic != other.logic) + len(one.triples ^ other.triples)


def _paths(tree: _Placed) -> list[str]:
    return [place for place, node in tree.nodes.items() if node.role == "decision"]


def _num_right(paths: Sequence[Sequence[str]], trees: Sequence[_Placed]) -> int:
    """Return how many paths of the answer are the gold's, with all nodes on them."""
    gold, answer = (tree.nodes for tree in trees)
    if not trees[1].whole:
        return 0
    same = {place for place, node in answer.items() if gold.get(place) == node}
    return sum(all(path[:end] in same for end in range(len(path) + 1)) for path in paths[1] if path in paths[0])
