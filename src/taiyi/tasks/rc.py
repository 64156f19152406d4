"""Relation classification (RC): how two things that are marked in a text are related, one pair an example.

The pair is marked in the text, `<e1>aspirin</e1>`, because a name alone does not say which of several mentions is
meant, and models that see marked pairs classify them better than those that do not (Baldini Soares et al., Matching the
Blanks, ACL 2019). Of a concept every mention is marked; a later part of a discontinuous mention is `<e1+>so</e1+>`. A
concept is what has one id or, `by_name`, one name (`tasks.names`), as in a text that nobody has annotated.

Which pairs are asked about follows from the corpus as a whole, never from the gold of the record: all pairs of distinct
nodes whose types are joined by an asked type of relation somewhere in the corpus, mentions no further apart than any
related ones of the corpus. Where the types of the two ends always stand in one order, so do the marks; else e1 is what
comes first, and a relation that runs from e2 to e1 is answered with `(e2, e1)` after its name. Symmetric relations run
neither way: they say nothing of the order of the marks, and are answered with their name alone.

In a window of a document a pair is asked about where both have a mention in it, and only mentions in it are marked.
`near` shows less of it: its first sentence, which is the title of an abstract, and the sentences that have both of the
pair or, where none has, those in which they are nearest. `fitting` names fewer relations: those that join the types of
the pair somewhere in the corpus, and any that the pair has beside them.

The gold is the triples that the pair adds to the relation extraction of its document, so that the answers about all
pairs, put together, are scored as `re` is; of names that are not shown nothing is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Literal, Self

import regex

from taiyi.errors import Unparsable
from taiyi.schema import Answer, Document, Example, Record, Reject, Relation, Score, Shown, Span, Triple, Triples
from taiyi.tasks import facts, grammars, listing, marked, relations
from taiyi.tasks.facts import End, Facts, Node
from taiyi.tasks.names import by_name
from taiyi.tasks.task import AboutDocuments, Kind, example, example_id
from taiyi.tasks.windowed import lies, narrowed, text_of
from taiyi.templates import Template, words

BACKWARDS = "(e2, e1)"
NOT_MARKED = "a relation is not between two things that can be marked"
_BACKWARDS = regex.compile(r"\s*[(（]\s*e2\s*[,，]\s*e1\s*[)）]$")


@dataclass(frozen=True, slots=True)
class _Graph:
    """The nodes of a document, its relations by the two that they join, and those that join something else."""

    document: Document
    nodes: dict[tuple[str, str], Node]
    relations: dict[frozenset[tuple[str, str]], list[tuple[Relation, Node, Node]]]
    others: list[Relation]


class RelationClassification(AboutDocuments):
    """The relations of a marked pair, of the asked types.

    Args:
        known: what is known of the corpus; without it all pairs of distinct mentions are asked about.
        by_name: whether concepts are names.
        near: whether prompts show the sentences in which the pair is nearest, and the first one, alone.
        fitting: whether prompts name those relations alone that join the types of the pair in the corpus, of which it
            must be known.
    """

    name = "rc"
    forms: tuple[str, ...] = ("label",)
    slots = frozenset({"types", "text"})
    kind: Kind | None = "relations"
    metric: Literal["micro_f1", "accuracy", "chrf"] = "micro_f1"
    generative = False
    marks = marked.TAGS

    def __init__(
        self, known: Facts | None = None, *, by_name: bool = False, near: bool = False, fitting: bool = False
    ) -> None:
        self.known = known
        self.by_name = by_name
        self.near = near
        self.fitting = fitting
        self.last: _Graph | None = None

    def informed(self, facts: Facts) -> Self:
        return type(self)(facts, by_name=self.by_name, near=self.near, fitting=self.fitting)

    def pairing(self, *, by_name: bool, near: bool, fitting: bool) -> Self:
        return type(self)(self.known, by_name=by_name, near=near, fitting=fitting)

    def focuses(self, record: Record, types: Sequence[Shown], window: Span | None = None) -> Sequence[tuple[str, ...]]:
        """Return the pairs to ask about; one empty focus, which is rejected, where pairs cannot hold the relations."""
        assert isinstance(record, Document)
        asked = frozenset(shown.name for shown in types)
        undirected = relations.symmetric(types)
        graph = self._graph(record)
        if any(relation.type in asked for relation in graph.others):
            return ((),)
        part = _only(narrowed(record, window))
        here = {name: node for name, node in graph.nodes.items() if _mentions(node, part)}
        return tuple((*_name(one), *_name(other)) for one, other in _pairs(here, self.known, asked, undirected))

    def across(self, record: Record, types: Sequence[Shown], windows: Sequence[Span]) -> Sequence[Answer]:
        assert isinstance(record, Document)
        graph, undirected = self._graph(record), relations.symmetric(types)
        asked = {shown.name for shown in types}
        parts = [_only(narrowed(record, window)) for window in windows]
        missing: dict[Triple, None] = {}
        held: set[Triple] = set()
        for focus in self.focuses(record, types):
            if not focus:
                return ()
            for relation, head, tail in graph.relations.get(
                frozenset(((focus[0], focus[1]), (focus[2], focus[3]))), ()
            ):
                if relation.type in asked:
                    missing.update(dict.fromkeys(_told(relation, head, tail, None, undirected)))
                    held.update(t for part in parts for t in _told(relation, head, tail, part, undirected))
        return [Triples(items=(triple,)) for triple in missing if triple not in held]

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
        assert isinstance(record, Document)
        identifier = example_id(record, template, form, types, window, focus)
        graph = self._graph(record)
        if not focus:
            return Reject(where=identifier, reason=NOT_MARKED, detail=", ".join(r.id for r in graph.others[:1]))
        if marked.TAG.search(text_of(record, window)):
            return Reject(where=identifier, reason="the text contains a tag", detail="e1, e2")
        one, other = graph.nodes[focus[0], focus[1]], graph.nodes[focus[2], focus[3]]
        part, whole = _only(narrowed(record, window)), window or Span(0, len(record.text))
        if self.near:
            part = marked.near(record.text, whole, _mentions(one, part), _mentions(other, part))
        undirected = relations.symmetric(types)
        labels: dict[str, None] = {}
        triples: dict[Triple, None] = {}
        there = graph.relations.get(frozenset((_name(one), _name(other))), ())
        if self.fitting:
            fit = {type.name for type, _ in self.labels(record, focus, types).values()} | {r.type for r, *_ in there}
            types = tuple(type for type in types if type.name in fit)
        shown = {t.name: t.shown for t in types}
        for relation, head, tail in there:
            if relation.type in shown:
                backwards = head is not one and relation.type not in undirected
                labels[_label(shown[relation.type], backwards)] = None
                triples.update(dict.fromkeys(_told(relation, head, tail, part, undirected)))
        marks = words(template.lang)
        text = marked.mark(record.text, part or (whole,), _mentions(one, part), _mentions(other, part))
        return example(
            record,
            template,
            form,
            prompt=template.fill(types=marks.comma.join(dict.fromkeys(shown.values())), text=text),
            answer=marks.semicolon.join(labels) or marks.none,
            gold=Triples(items=tuple(sorted(triples, key=_order))),
            identifier=identifier,
            types=types,
            offset=window.start if window else 0,
        )

    def labels(
        self, record: Document, focus: tuple[str, ...], types: Sequence[Shown]
    ) -> Mapping[str, tuple[Shown, bool]]:
        """Return the answers about a pair that say one relation: those that join its types in the corpus, each with
        whether it runs from e2 to e1."""
        assert self.known is not None
        nodes = self._graph(record).nodes
        one, other = nodes[focus[0], focus[1]], nodes[focus[2], focus[3]]
        found: dict[str, tuple[Shown, bool]] = {}
        for type in types:
            joined, loops = _joined(self.known, frozenset((type.name,)))
            forwards = not joined.isdisjoint(product(_ends(one), _ends(other)))
            backwards = not joined.isdisjoint(product(_ends(other), _ends(one)))
            if one is other:
                forwards, backwards = not loops.isdisjoint(_ends(one)), False
            elif type.symmetric:
                forwards, backwards = forwards or backwards, False
            for way in [False] * forwards + [True] * backwards:
                found[_label(type.shown, way)] = (type, way)
        return found

    def triples(self, record: Document, focus: tuple[str, ...], type: Shown, *, backwards: bool) -> tuple[Triple, ...]:
        """Return what a relation of a pair is in triples, of all the names that both have in the document."""
        nodes = self._graph(record).nodes
        one, other = (_names(nodes[kind, id], None) for kind, id in (focus[:2], focus[2:]))
        heads, tails = (other, one) if backwards else (one, other)
        return tuple(dict.fromkeys(_triples(heads, tails, type.name, relations.symmetric((type,)))))

    def _graph(self, document: Document) -> _Graph:
        """Return what a document has in nodes and relations; those of the last are kept, for its many pairs."""
        last = self.last
        if last is None or last.document is not document:
            last = self.last = _graph(document, by_name(document) if self.by_name else document)
        return last

    def parse(self, text: str, example: Example) -> Triples:
        if not text.strip():
            raise Unparsable("the answer is empty", where=example.id, expected="relations, or the word for none")
        names = {shown.shown: shown.name for shown in reversed(example.types)}
        undirected = relations.symmetric(example.types)
        one, other = marked.pair(example.messages[-1].content)
        none = words(example.lang).none
        found: dict[Triple, None] = {}
        for item in (item for line in text.split("\n") for item in listing.split(line)):
            backwards = _BACKWARDS.search(item)
            label = listing.unescape((item[: backwards.start()] if backwards else item).strip())
            if label not in names and label.strip(" .。") in ("", none):
                continue
            ends = (other, one) if backwards else (one, other)
            found.update(dict.fromkeys(_triples(*ends, names.get(label, label), undirected)))
        if found and not {triple.type for triple in found} & set(names.values()):
            raise Unparsable("the answer names no relation of the set", got=repr(text[:60]), expected=", ".join(names))
        return Triples(items=tuple(sorted(found, key=_order)))

    def grammar(self, example: Example) -> str:
        forwards = [_label(t.shown, False) for t in example.types]
        backwards = [_label(t.shown, True) for t in example.types if not t.symmetric]
        return grammars.labels([*forwards, *backwards], example.lang)

    def cut(self, text: str, example: Example) -> str:
        return listing.cut(text)

    def merge(self, answers: Sequence[tuple[Example, Answer]]) -> Triples:
        return relations.merge(answers)

    def score(self, gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
        return relations.score(gold, predicted, record=record, reason=reason)


def _label(shown: str, backwards: bool) -> str:
    return listing.escape(shown) + (f" {BACKWARDS}" if backwards else "")


def _graph(document: Document, told: Document) -> _Graph:
    """Return the graph of a document; `told` is the same with the concepts that count."""
    nodes = facts.nodes(told)
    relations: dict[frozenset[tuple[str, str]], list[tuple[Relation, Node, Node]]] = {}
    others: list[Relation] = []
    for relation in told.relations:
        if ends := facts.between(relation, nodes):
            relations.setdefault(frozenset(map(_name, ends)), []).append((relation, *ends))
        else:
            others.append(relation)
    return _Graph(document, nodes, relations, others)


def _order(triple: Triple) -> tuple[str, str, str]:
    return (triple.type, triple.head, triple.tail)


def _name(node: Node) -> tuple[str, str]:
    return (node.kind, node.id)


_Parts = tuple[Span, ...] | None
"""Parts of a document, in order; all of it where it is None."""


def _only(window: Span | None) -> _Parts:
    return None if window is None else (window,)


def _mentions(node: Node, parts: _Parts) -> marked.Mentions:
    """Return the mentions of a node that lie in one of the parts of a document."""
    return [m for m in node.mentions if parts is None or any(lies(*m, part) for part in parts)]


def _names(node: Node, parts: _Parts) -> list[str]:
    return list(dict.fromkeys(text.strip() for text, _ in _mentions(node, parts)))


def _told(relation: Relation, head: Node, tail: Node, parts: _Parts, undirected: frozenset[str]) -> Iterator[Triple]:
    """Yield the triples that a relation stands for in parts of a document."""
    return _triples(_names(head, parts), _names(tail, parts), relation.type, undirected)


def _triples(heads: Sequence[str], tails: Sequence[str], type: str, undirected: frozenset[str]) -> Iterator[Triple]:
    pairs = product(heads, tails)
    return (relations.canonical(Triple(head=head, tail=tail, type=type), undirected) for head, tail in pairs)


def _place(node: Node) -> tuple[int, int, str, str]:
    spans = node.mentions[0][1]
    return (spans[0].start, -spans[-1].end, node.kind, node.id)


# --- which pairs -----------------------------------------------------------------------------------------------------


def _pairs(
    known: dict[tuple[str, str], Node], corpus: Facts | None, asked: frozenset[str], undirected: frozenset[str]
) -> Iterator[tuple[Node, Node]]:
    if corpus is None:
        mentions = sorted((node for node in known.values() if node.kind == "entity"), key=_place)
        yield from ((one, other) for n, one in enumerate(mentions) for other in mentions[n + 1 :])
        return
    joined, loops = _joined(corpus, asked - undirected)
    either, own = _joined(corpus, asked & undirected)
    loops |= own
    taking_part = {end for ends in joined | either for end in ends} | loops
    placed = sorted(known.values(), key=_place)
    found = [(node, ends) for node in placed if not taking_part.isdisjoint(ends := _ends(node))]
    for n, (one, ours) in enumerate(found):
        if not loops.isdisjoint(ours):
            yield one, one
        for other, theirs in found[n + 1 :]:
            if "concept" not in (one.kind, other.kind) and facts.gap(one, other) > corpus.reach:
                continue
            if not joined.isdisjoint(product(ours, theirs)):
                yield one, other
            elif not joined.isdisjoint(product(theirs, ours)):
                yield other, one
            elif not either.isdisjoint((*product(ours, theirs), *product(theirs, ours))):
                yield one, other


@lru_cache(maxsize=64)
def _joined(corpus: Facts, asked: frozenset[str]) -> tuple[frozenset[tuple[End, End]], frozenset[End]]:
    return (
        frozenset((head, tail) for type, head, tail in corpus.joins if type in asked),
        frozenset(end for type, end in corpus.loops if type in asked),
    )


def _ends(node: Node) -> list[End]:
    return [End(node.kind, type) for type in node.types]
