"""The baseline that knows what it has seen: longest matches of what training names, and the pairs that it relates.

A text is matched in the pieces that mentions begin and end at (`text.pieces`), so that nothing is found inside a word,
and what is found has exact offsets. Of nested mentions the longest is found. What is ambiguous, such as the gene "WAS",
is left to a threshold: of an entry's matches in training, a share has to be annotated. It is chosen on dev examples,
like whether upper and lower case are told apart, and how short a mention may be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import accumulate, product
from typing import Literal, NamedTuple, TypeVar

import msgspec

from taiyi import tasks
from taiyi.metrics import f1
from taiyi.schema import Answer, Example, Mention, Mentions, Span, Triple, Triples
from taiyi.tasks.material import material
from taiyi.tasks.relations import canonical, symmetric
from taiyi.text import pieces, sentences

SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9)
"""Thresholds that are tried: which share of its matches in training an entry is right about at least."""
SHORTEST = (1, 2, 3, 4)
"""How many characters a mention has at least, as tried."""

Scope = Literal["sentence", "document"]
_T = TypeVar("_T", "Dictionary", "PairDictionary")


@dataclass(slots=True)
class _Node:
    """A place in a tree of texts by their pieces; `key` is that of the text that ends there."""

    next: dict[str, _Node] = field(default_factory=dict[str, "_Node"])
    key: str = ""


class Matcher:
    """Finds texts in a source: from left to right, the longest of those that begin at a piece."""

    def __init__(self, texts: Iterable[str], *, fold: bool) -> None:
        """`fold` is whether upper and lower case are the same."""
        self._fold = fold
        self._root = _Node()
        for text in texts:
            node = self._root
            for piece in (read := self._read(text.strip())):
                node = node.next.setdefault(piece, _Node())
            node.key = "".join(read)

    def key(self, text: str) -> str:
        """Return what texts have in common that are matched alike."""
        return "".join(self._read(text.strip()))

    def find(self, source: str) -> Iterator[tuple[Span, str]]:
        """Yield where texts stand in a source, with their keys; none overlaps another."""
        read, bare, starts, ends = _pieces(source, self._fold)
        first, at = self._root.next, 0
        while at < len(read):
            node = first.get(bare[at])
            here, last, key = at, at, ""
            while node is not None:
                if node.key:
                    last, key = here, node.key
                here += 1
                node = node.next.get(read[here]) if here < len(read) else None
            if key:
                yield Span(starts[at], ends[last]), key
            at = last + 1

    def _read(self, text: str) -> Sequence[str]:
        return _pieces(text, self._fold).read


class _Pieces(NamedTuple):
    """The pieces of a text as they are compared, with the space before them and without; where each begins, without
    it, and ends."""

    read: Sequence[str]
    bare: Sequence[str]
    starts: Sequence[int]
    ends: Sequence[int]


@lru_cache(maxsize=4096)
def _pieces(text: str, fold: bool) -> _Pieces:
    found = pieces(text)
    ends = [*accumulate(map(len, found))]
    starts = [end - len(piece.lstrip()) for piece, end in zip(found, ends, strict=True)]
    read = [piece.casefold() for piece in found] if fold else found
    return _Pieces(read, [piece.lstrip() for piece in read], starts, ends)


# --- mentions --------------------------------------------------------------------------------------------------------


class Dictionary(msgspec.Struct, frozen=True, tag="dictionary", dict=True):
    """Names with their types.

    Attributes:
        types: the type of each name.
        fold: whether upper and lower case are the same.
        share: which share of its matches in training a name is right about at least.
        shortest: how many characters a name has at least.
    """

    types: dict[str, str]
    fold: bool
    share: float
    shortest: int

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher(self.types, fold=self.fold)

    def answers(self, examples: Sequence[Example]) -> Iterator[Mentions]:
        for example in examples:
            source = material(example)["text"]
            asked = {shown.name for shown in example.types}
            found = ((span, self.types[key]) for span, key in self._matcher.find(source))
            yield Mentions(
                items=tuple(
                    Mention(type=type, text=source[span.start : span.end], span=span)
                    for span, type in found
                    if type in asked
                )
            )


class _Name(NamedTuple):
    """A name of training: its type, how often it is matched there, and how often that is a mention."""

    type: str
    matches: int
    right: int


def learn_mentions(train: Sequence[Example], dev: Sequence[Example]) -> Dictionary:
    """Collect the mentions of training; a text of several types has that of most of its mentions."""

    def candidates() -> Iterator[Dictionary]:
        for fold in (False, True):
            known = _names(train, fold)
            for share, shortest in product(SHARES, SHORTEST):
                chosen = {
                    key: name.type
                    for key, name in known.items()
                    if len(key) >= shortest and name.right >= share * name.matches
                }
                yield Dictionary(types=chosen, fold=fold, share=share, shortest=shortest)

    return _best(candidates(), dev)


def _names(train: Sequence[Example], fold: bool) -> dict[str, _Name]:
    golds = [(material(example)["text"], _mentions(example.gold)) for example in train]
    matcher = Matcher((m.text for _, gold in golds for m in gold), fold=fold)
    types: dict[str, Counter[str]] = {}
    for _, gold in golds:
        for mention in gold:
            types.setdefault(matcher.key(mention.text), Counter())[mention.type] += 1
    usual = {key: counts.most_common(1)[0][0] for key, counts in types.items()}
    matches, right = Counter[str](), Counter[str]()
    for source, gold in golds:
        # In some forms the gold has no places.
        there = {(m.type, m.span or m.text) for m in gold}
        for span, key in matcher.find(source):
            matches[key] += 1
            right[key] += not there.isdisjoint({(usual[key], span), (usual[key], source[span.start : span.end])})
    return {key: _Name(type, matches[key], right[key]) for key, type in usual.items()}


def _mentions(gold: Answer) -> Sequence[Mention]:
    assert isinstance(gold, Mentions)
    return gold.items


# --- pairs -----------------------------------------------------------------------------------------------------------


class PairDictionary(msgspec.Struct, frozen=True, tag="pairs", dict=True):
    """Pairs of names that are related.

    Attributes:
        triples: head, tail and type of each.
        fold: whether upper and lower case are the same.
        scope: where both have to stand: in one sentence, or in the text.
        share: of the texts of training that have both there, which share relates them at least.
    """

    triples: tuple[tuple[str, str, str], ...]
    fold: bool
    scope: Scope
    share: float

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher((name for head, tail, _ in self.triples for name in (head, tail)), fold=self.fold)

    @cached_property
    def _types(self) -> Mapping[tuple[str, str], Sequence[str]]:
        found: dict[tuple[str, str], list[str]] = {}
        for head, tail, type in self.triples:
            found.setdefault((head, tail), []).append(type)
        return found

    def answers(self, examples: Sequence[Example]) -> Iterator[Triples]:
        for example in examples:
            asked, undirected = {shown.name for shown in example.types}, symmetric(example.types)
            found: dict[Triple, None] = {}
            for names in _together(material(example)["text"], self._matcher, self.scope):
                for head, tail in product(names, names):
                    for type in self._types.get((head, tail), ()):
                        for one, other in product(names[head], names[tail]):
                            if type in asked and (head != tail or one == other):
                                found[canonical(Triple(head=one, tail=other, type=type), undirected)] = None
            yield Triples(items=tuple(found))


def learn_pairs(train: Sequence[Example], dev: Sequence[Example]) -> PairDictionary:
    """Collect the triples of training; case, scope and threshold are chosen on dev examples."""

    def candidates() -> Iterator[PairDictionary]:
        scopes: tuple[Scope, ...] = ("sentence", "document")
        for fold, scope in product((False, True), scopes):
            known = _related(train, fold, scope)
            for share in SHARES:
                chosen = tuple(sorted(triple for triple, found in known.items() if found >= share))
                yield PairDictionary(triples=chosen, fold=fold, scope=scope, share=share)

    return _best(candidates(), dev)


def _related(train: Sequence[Example], fold: bool, scope: Scope) -> dict[tuple[str, str, str], float]:
    """Return the triples of training with the share of the texts with both names in which they are related."""
    golds = [(material(example)["text"], _triples(example.gold)) for example in train]
    matcher = Matcher((name for _, gold in golds for t in gold for name in (t.head, t.tail)), fold=fold)
    keyed = [(source, {(matcher.key(t.head), matcher.key(t.tail), t.type) for t in gold}) for source, gold in golds]
    pairs = {triple[:2] for _, gold in keyed for triple in gold}
    together, right = Counter[tuple[str, str]](), Counter[tuple[str, str, str]]()
    for source, gold in keyed:
        units = _together(source, matcher, scope)
        here = {pair for names in units for pair in product(names, names) if pair in pairs}
        together.update(here)
        right.update(triple for triple in gold if triple[:2] in here)
    return {triple: count / together[triple[:2]] for triple, count in right.items()}


def _together(source: str, matcher: Matcher, scope: Scope) -> Iterator[dict[str, list[str]]]:
    """Yield the names that are found in each part of a text, each with the forms that it has there."""
    ends = [end for _, end in sentences(source)] if scope == "sentence" else []
    names: dict[str, list[str]] = {}
    for span, key in matcher.find(source):
        while ends and span.start >= ends[0]:
            del ends[0]
            if names:
                yield names
            names = {}
        forms = names.setdefault(key, [])
        if (form := source[span.start : span.end]) not in forms:
            forms.append(form)
    if names:
        yield names


def _triples(gold: Answer) -> Sequence[Triple]:
    assert isinstance(gold, Triples)
    return gold.items


# --- choosing --------------------------------------------------------------------------------------------------------


def _best(candidates: Iterator[_T], dev: Sequence[Example]) -> _T:
    """Return the candidate with the best micro-F1 on dev examples; of equal ones the first."""
    return max(candidates, key=_scorer(dev))


def _scorer(dev: Sequence[Example]) -> Callable[[Dictionary | PairDictionary], float]:
    def score(candidate: Dictionary | PairDictionary) -> float:
        scores = (
            tasks.get(example.task).score(example.gold, answer, record=example.id)
            for example, answer in zip(dev, candidate.answers(dev), strict=True)
        )
        return f1.f1(f1.total(count for score in scores for count in score.counts.values())) or 0.0

    return score
