"""Decision trees as answers."""

from __future__ import annotations

import pytest

from extraction import HEAD, made, render
from taiyi import tasks
from taiyi.errors import Unparsable
from taiyi.schema import Counts, Reject, Shown, TextToStruct, Tree, TreeNode, Triple


def test_trees_are_nodes_in_brackets() -> None:
    types = (Shown(name="药", shown="治疗药物"),)
    one, other = Triple(head="甲", tail="乙", type="药"), Triple(head="丙", tail="丁", type="药")
    nodes = (
        TreeNode(role="condition", triples=(one, other), logic="or"),
        TreeNode(role="decision", triples=(one,)),
        TreeNode(role="decision"),
    )
    record = TextToStruct(**(HEAD | {"lang": "zh"}), source="文", nodes=nodes)
    example = made("struct", record, types=types)
    assert example.answer == "[条件，或：(甲, 乙, 治疗药物)；(丙, 丁, 治疗药物)]\n[决策：(甲, 乙, 治疗药物)]\n[决策]"
    task = tasks.get("struct")
    swapped = Tree(nodes=(nodes[0], nodes[2], nodes[1]))
    assert task.score(example.gold, swapped, record="r").counts == {
        "condition": Counts(tp=1),
        "decision": Counts(fp=2, fn=2),
    }
    assert task.parse("【condition, or: (甲, 乙, 治疗药物)】", example) == Tree(
        nodes=(TreeNode(role="condition", triples=(one,), logic="or"),)
    )
    for wrong in ("", "条件", "[分支]", "[条件，非]", "[条件：甲]"):
        with pytest.raises(Unparsable):
            task.parse(wrong, example)
    refused = render("struct", record, types=())
    assert isinstance(refused, Reject)
    assert refused.reason == "a relation of the tree is not asked for"
