"""What is known of a corpus as a whole: which types its relations join, and which terminologies its concepts are from.

Some prompts need it: the pairs that relations are asked for (`rc`), the terminology that mentions are normalised to
(`nen`). It is gathered from the records of a split, as a rule the training one, and never from the record that is asked
about alone: an example then says no more of its gold than every example of the corpus does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self, runtime_checkable

import regex

from taiyi.schema import Argument, Concept, Document, Record, Relation, Span

_IDENTIFIER = regex.compile(r"[!-~]+")


class End(NamedTuple):
    """What one end of a relation is: an entity, an event or a concept, and of which type."""

    kind: str
    type: str


@dataclass(frozen=True, slots=True)
class Node:
    """What can be at an end of a relation: a mention, the trigger of an event, or a concept with all its mentions.

    `mentions` are the texts and spans of each.
    """

    kind: str
    id: str
    types: frozenset[str]
    mentions: tuple[tuple[str, tuple[Span, ...]], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a corpus.

    Attributes:
        joins: the types of relations with the ends that they join, head and tail.
        loops: the types of relations with the end that they join with itself, as proteins that bind their own kind.
        reach: how many characters lie at most between two mentions that are related; concepts have no place.
        terminologies: what concepts are from.
        named: those of them whose concepts go by a standard name rather than by an identifier.
    """

    joins: tuple[tuple[str, End, End], ...] = ()
    loops: tuple[tuple[str, End], ...] = ()
    reach: int = 0
    terminologies: tuple[str, ...] = ()
    named: tuple[str, ...] = ()


@runtime_checkable
class Informed(Protocol):
    """A task whose prompts need facts of the corpus."""

    def informed(self, facts: Facts) -> Self:
        """Return the task for the corpus that the facts are of."""
        ...


def gather(records: Iterable[Record]) -> Facts:
    """Return the facts of a corpus, whatever the order of its records."""
    joins: set[tuple[str, End, End]] = set()
    loops: set[tuple[str, End]] = set()
    terminologies: set[str] = set()
    named: set[str] = set()
    reach = 0
    for record in records:
        if not isinstance(record, Document):
            continue
        for entity in record.entities:
            for concept in entity.concepts:
                terminologies.add(concept.db)
                if concept.db not in named and is_name(concept):
                    named.add(concept.db)
        known = nodes(record) if record.relations else {}
        for relation in record.relations:
            ends = between(relation, known)
            if ends is None:
                continue
            head, tail = ends
            if head is tail:
                loops.update((relation.type, end) for end in _ends(head))
                continue
            joins.update((relation.type, one, other) for one in _ends(head) for other in _ends(tail))
            if "concept" not in (head.kind, tail.kind):
                reach = max(reach, gap(head, tail))
    return Facts(
        joins=tuple(sorted(joins)),
        loops=tuple(sorted(loops)),
        reach=reach,
        terminologies=tuple(sorted(terminologies)),
        named=tuple(sorted(named)),
    )


def is_name(concept: Concept) -> bool:
    """Whether a concept goes by a name, which has spaces or other letters than ASCII's, rather than an identifier."""
    return _IDENTIFIER.fullmatch(concept.id) is None


def nodes(document: Document) -> dict[tuple[str, str], Node]:
    """Return what relations of a document can join, by kind and id."""
    found: dict[tuple[str, str], Node] = {}
    types: dict[str, set[str]] = {}
    mentions: dict[str, list[tuple[str, tuple[Span, ...]]]] = {}
    for entity in document.entities:
        mention = (entity.text, entity.spans)
        found["entity", entity.id] = Node("entity", entity.id, frozenset((entity.type,)), (mention,))
        for concept in dict.fromkeys(concept.id for concept in entity.concepts):
            types.setdefault(concept, set()).add(entity.type)
            mentions.setdefault(concept, []).append(mention)
    for event in document.events:
        if event.trigger_spans:
            mention = (event.trigger, event.trigger_spans)
            found["event", event.id] = Node("event", event.id, frozenset((event.type,)), (mention,))
    for concept, kinds in types.items():
        found["concept", concept] = Node("concept", concept, frozenset(kinds), tuple(mentions[concept]))
    return found


def between(relation: Relation, known: dict[tuple[str, str], Node]) -> tuple[Node, Node] | None:
    """Return what a relation joins; None where it is not two of the nodes."""
    match relation.arguments:
        case (Argument() as head, Argument() as tail):
            one, other = known.get((head.kind, head.ref)), known.get((tail.kind, tail.ref))
            return None if one is None or other is None else (one, other)
        case _:
            return None


def gap(one: Node, other: Node) -> int:
    """Return how many characters lie between the first mentions of two nodes; 0 where they overlap."""
    (_, a), (_, b) = one.mentions[0], other.mentions[0]
    return max(0, max(a[0].start, b[0].start) - min(a[-1].end, b[-1].end))


def _ends(node: Node) -> Iterator[End]:
    return (End(node.kind, type) for type in node.types)
