"""Relation classification (RC): how two things that are marked in a text are related, one pair an example.

The pair is marked in the text, `<e1>aspirin</e1>`, because a name alone does not say which of several mentions is
meant, and models that see marked pairs classify them better than those that do not (Baldini Soares et al., Matching the
Blanks, ACL 2019). Of a concept every mention is marked; a later part of a discontinuous mention is `<e1+>so</e1+>`.

Which pairs are asked about follows from the corpus as a whole, never from the gold of the record: all pairs of distinct
nodes whose types are joined by an asked type of relation somewhere in the corpus, mentions no further apart than any
related ones of the corpus. Where the types of the two ends always stand in one order, so do the marks; else e1 is what
comes first, and a relation that runs from e2 to e1 is answered with `(e2, e1)` after its name.

The gold is the triples that the pair adds to the relation extraction of its document, so that the answers about all
pairs, put together, are scored as `re` is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Literal, Self

import regex
import xxhash

from taiyi.errors import Unparsable
from taiyi.schema import Answer, Document, Example, Record, Reject, Relation, Score, Shown, Span, Triple, Triples
from taiyi.tasks import facts, listing, relations
from taiyi.tasks.facts import End, Facts, Node
from taiyi.tasks.task import Kind, example, example_id
from taiyi.templates import Template, words
from taiyi.text import fingerprints

BACKWARDS = "(e2, e1)"
NOT_MARKED = "a relation is not between two things that can be marked"
_TAG = regex.compile(r"<(/?)e([12])(\+?)>")
_BACKWARDS = regex.compile(r"\s*[(（]\s*e2\s*[,，]\s*e1\s*[)）]$")


@dataclass(frozen=True, slots=True)
class _Graph:
    """The nodes of a document, its relations by the two that they join, and those that join something else."""

    document: Document
    nodes: dict[tuple[str, str], Node]
    relations: dict[frozenset[tuple[str, str]], list[tuple[Relation, Node, Node]]]
    others: list[Relation]
    tagged: bool


class RelationClassification:
    """The relations of a marked pair, of the asked types.

    Not informed, it asks about all pairs of distinct mentions.
    """

    name = "rc"
    forms: tuple[str, ...] = ("label",)
    slots = frozenset({"types", "text"})
    kind: Kind | None = "relations"
    metric: Literal["micro_f1", "accuracy", "chrf"] = "micro_f1"
    generative = False

    def __init__(self, known: Facts | None = None) -> None:
        self.known = known
        self.last: _Graph | None = None

    def informed(self, facts: Facts) -> Self:
        return type(self)(facts)

    def applies(self, record: Record) -> bool:
        return isinstance(record, Document)

    def texts(self, record: Record) -> tuple[str, ...]:
        assert isinstance(record, Document)
        return (record.text,)

    def focuses(self, record: Record, types: Sequence[Shown]) -> Sequence[tuple[str, ...]]:
        """Return the pairs to ask about; one empty focus, which is rejected, where pairs cannot hold the relations."""
        assert isinstance(record, Document)
        asked = frozenset(shown.name for shown in types)
        graph = self._graph(record)
        if any(relation.type in asked for relation in graph.others):
            return ((),)
        return tuple((*_name(one), *_name(other)) for one, other in _pairs(graph.nodes, self.known, asked))

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
        if graph.tagged:
            return Reject(where=identifier, reason="the text contains a tag", detail="e1, e2")
        one, other = graph.nodes[focus[0], focus[1]], graph.nodes[focus[2], focus[3]]
        shown = {t.name: t.shown for t in types}
        labels: dict[str, None] = {}
        triples: dict[Triple, None] = {}
        for relation, head, tail in graph.relations.get(frozenset((_name(one), _name(other))), ()):
            if relation.type in shown:
                backwards = head is not one
                labels[listing.escape(shown[relation.type]) + (f" {BACKWARDS}" if backwards else "")] = None
                triples.update(dict.fromkeys(_triples(_names(head), _names(tail), relation.type)))
        marks = words(template.lang)
        source = _marked(record.text, one, other)
        return example(
            record,
            template,
            form,
            prompt=template.fill(types=marks.comma.join(dict.fromkeys(shown.values())), text=source),
            answer=marks.semicolon.join(labels) or marks.none,
            gold=Triples(items=tuple(sorted(triples, key=_order))),
            content=_content(record.text, one, other),
            identifier=identifier,
            types=types,
        )

    def _graph(self, document: Document) -> _Graph:
        """Return what a document has in nodes and relations; those of the last are kept, for its many pairs."""
        last = self.last
        if last is None or last.document is not document:
            last = self.last = _graph(document)
        return last

    def parse(self, text: str, example: Example) -> Triples:
        if not text.strip():
            raise Unparsable("the answer is empty", where=example.id, expected="relations, or the word for none")
        names = {shown.shown: shown.name for shown in reversed(example.types)}
        one, other = _pair(example.messages[-1].content)
        none = words(example.lang).none
        found: dict[Triple, None] = {}
        for item in (item for line in text.split("\n") for item in listing.split(line)):
            backwards = _BACKWARDS.search(item)
            label = listing.unescape((item[: backwards.start()] if backwards else item).strip())
            if label not in names and label.strip(" .。") in ("", none):
                continue
            ends = (other, one) if backwards else (one, other)
            found.update(dict.fromkeys(_triples(*ends, names.get(label, label))))
        if found and not {triple.type for triple in found} & set(names.values()):
            raise Unparsable("the answer names no relation of the set", got=repr(text[:60]), expected=", ".join(names))
        return Triples(items=tuple(sorted(found, key=_order)))

    def cut(self, text: str, example: Example) -> str:
        return listing.cut(text)

    def merge(self, answers: Sequence[tuple[Example, Answer]]) -> Triples:
        return relations.merge(answers)

    def score(self, gold: Answer, predicted: Answer | None, *, record: str, reason: str = "") -> Score:
        return relations.score(gold, predicted, record=record, reason=reason)


def _graph(document: Document) -> _Graph:
    nodes = facts.nodes(document)
    relations: dict[frozenset[tuple[str, str]], list[tuple[Relation, Node, Node]]] = {}
    others: list[Relation] = []
    for relation in document.relations:
        if ends := facts.between(relation, nodes):
            relations.setdefault(frozenset(map(_name, ends)), []).append((relation, *ends))
        else:
            others.append(relation)
    return _Graph(document, nodes, relations, others, _TAG.search(document.text) is not None)


def _order(triple: Triple) -> tuple[str, str, str]:
    return (triple.type, triple.head, triple.tail)


def _name(node: Node) -> tuple[str, str]:
    return (node.kind, node.id)


def _names(node: Node) -> list[str]:
    return list(dict.fromkeys(text.strip() for text, _ in node.mentions))


def _triples(heads: Sequence[str], tails: Sequence[str], type: str) -> Iterator[Triple]:
    return (Triple(head=head, tail=tail, type=type) for head, tail in product(heads, tails))


def _place(node: Node) -> tuple[int, int, str, str]:
    spans = node.mentions[0][1]
    return (spans[0].start, -spans[-1].end, node.kind, node.id)


# --- which pairs -----------------------------------------------------------------------------------------------------


def _pairs(
    known: dict[tuple[str, str], Node], corpus: Facts | None, asked: frozenset[str]
) -> Iterator[tuple[Node, Node]]:
    if corpus is None:
        mentions = sorted((node for node in known.values() if node.kind == "entity"), key=_place)
        yield from ((one, other) for n, one in enumerate(mentions) for other in mentions[n + 1 :])
        return
    joined, loops = _joined(corpus, asked)
    taking_part = {end for ends in joined for end in ends} | loops
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


@lru_cache(maxsize=64)
def _joined(corpus: Facts, asked: frozenset[str]) -> tuple[frozenset[tuple[End, End]], frozenset[End]]:
    return (
        frozenset((head, tail) for type, head, tail in corpus.joins if type in asked),
        frozenset(end for type, end in corpus.loops if type in asked),
    )


def _ends(node: Node) -> list[End]:
    return [End(node.kind, type) for type in node.types]


# --- marks -----------------------------------------------------------------------------------------------------------


def _marked(text: str, one: Node, other: Node) -> str:
    """Return a text with the mentions of a pair between tags, those that begin first or are longer outside."""
    marks: list[tuple[int, int, int, str]] = []
    for tag, node in (("e1", one), ("e2", other)):
        for mention, spans in node.mentions:
            for part, (start, end) in enumerate(spans):
                start += len(mention) - len(mention.lstrip()) if part == 0 else 0
                end -= len(mention) - len(mention.rstrip()) if part == len(spans) - 1 else 0
                name = tag + ("+" if part else "")
                marks.append((start, 1, -end, f"<{name}>"))
                marks.append((end, 0, -start, f"</{name}>"))
    written: list[str] = []
    done = 0
    for at, _, _, tag in sorted(marks, key=lambda mark: mark[:3]):
        written += [text[done:at], tag]
        done = at
    return "".join((*written, text[done:]))


def _pair(prompt: str) -> tuple[list[str], list[str]]:
    """Return the names of the marked pair of a prompt: of each the texts of its mentions, each once."""
    found: dict[str, dict[int, list[str]]] = {"1": {}, "2": {}}
    opened: dict[tuple[str, str], list[tuple[int, int]]] = {}
    plain = ""
    done = 0
    for order, match in enumerate(_TAG.finditer(prompt)):
        plain += prompt[done : match.start()]
        done = match.end()
        key = (match[2], match[3])
        if not match[1]:
            opened.setdefault(key, []).append((order, len(plain)))
        elif opened.get(key):
            begun, start = opened[key].pop()
            mentions = found[match[2]]
            if not match[3]:
                mentions[begun] = [plain[start:]]
            elif earlier := [place for place in mentions if place < begun]:
                mentions[max(earlier)].append(plain[start:])
    names = [list(dict.fromkeys(" ".join(mentions[n]) for n in sorted(mentions))) for mentions in found.values()]
    return names[0], names[1]


def _content(text: str, one: Node, other: Node) -> tuple[str, ...]:
    """Return the fingerprint of the text, and one of the pair in it: pairs of a text are no duplicates."""
    whole = _whole(text)
    pair = repr((whole, *([spans for _, spans in node.mentions] for node in (one, other))))
    return (*whole, xxhash.xxh3_128_hexdigest(pair.encode()))


@lru_cache(maxsize=16)
def _whole(text: str) -> tuple[str, ...]:
    return fingerprints(text)
