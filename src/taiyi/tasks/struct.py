"""A text as the decision tree that it states (text to structure, Text2DT of CHIP-2022): its nodes in pre-order.

A condition has two branches, the first taken where it holds; a decision ends one. The list form is a node in square
brackets a line, in the order of Text2DT's own files: `[condition, and: (head, tail, relation); (...)]`.

Scored as micro-F1 over the nodes of each tree with their places, as the node F1 of Text2DT's scorer is: a node is right
where its place, role, logic and triples are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, cast

import regex

from taiyi.errors import Unparsable
from taiyi.schema import Answer, Example, Lang, Record, Reject, Score, Shown, Span, TextToStruct, Tree, TreeNode, Triple
from taiyi.tasks import fields, json_answer, listing, relations
from taiyi.tasks.task import Kind, Whole, example, example_id, set_score
from taiyi.templates import Template, words

Role = Literal["condition", "decision"]
Logic = Literal["and", "or", "null"]

_ROLES: dict[Lang, dict[Role, str]] = {
    "en": {"condition": "condition", "decision": "decision"},
    "zh": {"condition": "条件", "decision": "决策"},
}
_LOGIC: dict[Lang, dict[Logic, str]] = {"en": {"and": "and", "or": "or"}, "zh": {"and": "且", "or": "或"}}
_ROLE_OF: dict[str, Role] = {name: role for names in _ROLES.values() for role, name in names.items()}
_LOGIC_OF: dict[str, Logic] = {"null": "null", "": "null", "and": "and", "or": "or", "且": "and", "或": "or"}
_NODE = regex.compile(r"[\[【]\s*(\w+)\s*(?:[,，]\s*(\w+)\s*)?(?:[:：](.*))?[\]】]", regex.DOTALL)


class DecisionTree(Whole):
    """The decision tree of a text."""

    name = "struct"
    forms: tuple[str, ...] = ("list", "json")
    slots = frozenset({"types", "text"})
    kind: Kind | None = "relations"
    metric: Literal["micro_f1", "accuracy", "chrf"] = "micro_f1"
    generative = False

    def applies(self, record: Record) -> bool:
        return isinstance(record, TextToStruct)

    def texts(self, record: Record) -> tuple[str, ...]:
        assert isinstance(record, TextToStruct)
        return (record.source,)

    def render(
        self,
        record: Record,
        template: Template,
        *,
        form: str,
        types: Sequence[Shown] = (),
        window: Span | None = None,
        focus: tuple[str, ...] = (),
    ) -> Example | Reject:
        assert isinstance(record, TextToStruct)
        identifier = example_id(record, template, form, types)
        shown = {t.name: t.shown for t in types}
        if unknown := {triple.type for node in record.nodes for triple in node.triples} - set(shown):
            reason = "a relation of the tree is not asked for"
            return Reject(where=identifier, reason=reason, detail=", ".join(sorted(unknown)))
        nodes = [_stripped(node) for node in record.nodes]
        marks = words(template.lang)
        if form == "json":
            answer = json_answer.write([_object(node, shown) for node in nodes])
        else:
            answer = "\n".join(_line(node, shown, template.lang) for node in nodes)
        return example(
            record,
            template,
            form,
            prompt=template.fill(types=marks.comma.join(dict.fromkeys(shown.values())), text=record.source),
            answer=answer,
            gold=Tree(nodes=tuple(nodes)),
            identifier=identifier,
            types=types,
        )

    def parse(self, text: str, example: Example) -> Tree:
        names = {shown.shown: shown.name for shown in reversed(example.types)}
        if example.form == "json":
            rows = json_answer.rows(json_answer.read(text, example.lang))
            return Tree(nodes=tuple(_of_object(row, names) for row in rows))
        if not text.strip():
            raise Unparsable("the answer is empty", where=example.id, expected="nodes in square brackets")
        lines = (line.strip() for line in text.split("\n"))
        return Tree(nodes=tuple(_of_line(line, names) for line in lines if line))

    def cut(self, text: str, example: Example) -> str:
        return json_answer.cut(text) if example.form == "json" else listing.cut_lines(text)

    def merge(self, answers: Sequence[tuple[Example, Answer]]) -> Tree:
        nodes: list[TreeNode] = []
        for _, answer in answers:
            assert isinstance(answer, Tree)
            nodes.extend(answer.nodes)
        return Tree(nodes=tuple(nodes))

    def score(self, gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
        assert isinstance(gold, Tree)
        assert predicted is None or isinstance(predicted, Tree)
        theirs = None if predicted is None else set(_places(predicted))
        return set_score(set(_places(gold)), theirs, record=record, reason=reason)


def _stripped(node: TreeNode) -> TreeNode:
    triples = (Triple(head=t.head.strip(), tail=t.tail.strip(), type=t.type) for t in node.triples)
    return TreeNode(role=node.role, triples=tuple(triples), logic=node.logic)


def _places(tree: Tree) -> Iterator[tuple[str, str]]:
    """Yield the role of each node with its place, as the branches to it, and all that it says.

    Nodes that come after the tree is whole have a place of their own.
    """
    open_places = [""]
    for number, node in enumerate(tree.nodes):
        place = open_places.pop() if open_places else f"after {number}"
        if node.role == "condition":
            open_places += [place + "n", place + "y"]
        triples = sorted({(t.head, t.tail, t.type) for t in node.triples})
        yield node.role, repr((place, node.logic, triples))


def _line(node: TreeNode, shown: Mapping[str, str], lang: Lang) -> str:
    marks = words(lang)
    logic = "" if node.logic == "null" else marks.comma + _LOGIC[lang][node.logic]
    rows = [(fields.escape(t.head), fields.escape(t.tail), shown[t.type]) for t in node.triples]
    triples = marks.semicolon.join(f"({', '.join(row)})" for row in rows)
    return f"[{_ROLES[lang][node.role]}{logic}{marks.colon + triples if triples else ''}]"


def _object(node: TreeNode, shown: Mapping[str, str]) -> dict[str, Any]:
    triples = [{"head": t.head, "tail": t.tail, "relation": shown[t.type]} for t in node.triples]
    return {"role": node.role, "logic": node.logic, "triples": triples}


def _of_line(line: str, names: dict[str, str]) -> TreeNode:
    match = _NODE.fullmatch(line)
    if match is None:
        raise Unparsable("a node is not in square brackets", got=repr(line[:60]), expected="[condition: (...)]")
    triples = (relations.read_triple(item, names) for item in listing.split(match[3] or ""))
    return _node(match[1], match[2] or "", triples)


def _of_object(row: dict[str, Any], names: dict[str, str]) -> TreeNode:
    logic = json_answer.text_of(row, "logic") if row.get("logic") is not None else ""
    triples: Any = row.get("triples", [])
    if not isinstance(triples, list):
        raise Unparsable("triples are no array", got=json_answer.shown(triples))
    found: list[Triple] = []
    for triple in json_answer.rows(cast("list[Any]", triples)):
        head, tail = json_answer.text_of(triple, "head"), json_answer.text_of(triple, "tail")
        type = json_answer.text_of(triple, "relation", "type")
        found.append(Triple(head=head, tail=tail, type=names.get(type, type)))
    return _node(json_answer.text_of(row, "role"), logic, iter(found))


def _node(role: str, logic: str, triples: Iterator[Triple]) -> TreeNode:
    if role not in _ROLE_OF:
        raise Unparsable("a node has no such role", got=repr(role[:60]), expected=", ".join(_ROLE_OF))
    if logic not in _LOGIC_OF:
        raise Unparsable("a node has no such logic", got=repr(logic[:60]), expected=", ".join(_LOGIC_OF))
    return TreeNode(role=_ROLE_OF[role], triples=tuple(triples), logic=_LOGIC_OF[logic])
