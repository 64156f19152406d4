"""The baseline that one would use if it were not for generative models: an encoder with a head, fine-tuned.

What its head says follows from the gold of the examples:

- entities: BIO tags of words, apart for each type (`features`), so that types may nest in one another;
- labels: any number of them, or one where every training example has one, of a text or of a pair of texts;
- yes, no or maybe: one of these, of question and context as a pair;
- options: the one that goes best with the question, each read after it;
- grades: a number.

Relations are found from end to end, in two steps: an encoder of its own finds the entities, then every pair of names
whose types are related in training is marked in the text, at all their mentions, and classified into the types of the
corpus or none (Baldini Soares et al., Matching the Blanks, ACL 2019). Where a corpus has no entities apart from its
relations, heads and tails of relations are what is found first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import regex

from taiyi.features import Found, Head, Item
from taiyi.schema import (
    Answer,
    Choice,
    Example,
    Labels,
    Mention,
    Mentions,
    Shown,
    Span,
    Triple,
    Triples,
    Value,
)
from taiyi.tasks.marked import mark
from taiyi.tasks.material import material
from taiyi.tasks.relations import canonical, symmetric
from taiyi.text import pieces

if TYPE_CHECKING:
    from taiyi.generate.encoder import Classifier

MARKS = ("<e1>", "</e1>", "<e2>", "</e2>")
"""What stands around the two names of a pair; each is one token."""

_ORDER = ("question", "first", "text", "second", "context")
_HEAD, _TAIL = "head", "tail"


# --- texts, labels, options, grades, entities ------------------------------------------------------------------------


def head_of(train: Sequence[Example]) -> Head:
    """Return what an encoder has to say to answer examples, of any task but relations (`mention_head`, `pair_head`)."""
    first = train[0]
    names = tuple(shown.name for shown in first.types)
    match first.gold:
        case Mentions():
            return Head(kind="spans", names=names)
        case Value():
            return Head(kind="value")
        case Choice() if first.types:
            return Head(kind="option")
        case Choice():
            return Head(kind="label", names=tuple(sorted({e.gold.key for e in train if isinstance(e.gold, Choice)})))
        case _:
            counts = {len(example.gold.items) for example in train if isinstance(example.gold, Labels)}
            return Head(kind="label" if counts == {1} else "labels", names=names, at_least_one=0 not in counts)


def item_of(example: Example, head: Head) -> Item:
    """Return what an encoder reads of an example, and what it should say."""
    texts = material(example)
    ordered = tuple(texts[slot] for slot in _ORDER if slot in texts)
    gold = example.gold
    match gold:
        case Mentions(items=items):
            spans = tuple((m.span, m.type) for m in items if m.span is not None)
            return Item(texts=ordered, gold=Found(spans=spans))
        case Value(value=value, scale=scale):
            return Item(texts=ordered, gold=Found(value=(value - scale.lowest) / (scale.highest - scale.lowest)))
        case Choice(key=key) if head.kind == "option":
            keys = [shown.name for shown in example.types]
            options = tuple(shown.shown or shown.name for shown in example.types)
            return Item(texts=ordered, options=options, gold=Found(option=keys.index(key)))
        case Choice(key=key):
            return Item(texts=ordered, gold=Found(labels=(key,)))
        case Labels(items=items):
            return Item(texts=ordered, gold=Found(labels=tuple(name for name in head.names if name in items)))
        case _:
            return Item(texts=ordered)


def answer_of(found: Found, example: Example, head: Head) -> Answer:
    """Return what an encoder says of an example as an answer."""
    match head.kind:
        case "spans":
            return _placed(found.spans, material(example)["text"])
        case "value":
            scale = example.types[0].scale
            assert scale is not None
            return Value(value=scale.lowest + found.value * (scale.highest - scale.lowest), scale=scale)
        case "option":
            return Choice(key=example.types[found.option].name)
        case "label" if isinstance(example.gold, Choice):
            return Choice(key=found.labels[0])
        case _:
            return Labels(items=found.labels)


def _placed(spans: Iterable[tuple[Span, str]], source: str) -> Mentions:
    found = (Mention(type=type, text=source[span.start : span.end], span=span) for span, type in spans)
    return Mentions(items=tuple(found))


class EncoderBaseline:
    """Answers with one encoder."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    def answers(self, examples: Sequence[Example]) -> Iterator[Answer]:
        head = self._classifier.head
        found = self._classifier.predict([item_of(example, head) for example in examples])
        return (answer_of(one, example, head) for one, example in zip(found, examples, strict=True))


# --- relations -------------------------------------------------------------------------------------------------------


class Joined(msgspec.Struct, frozen=True):
    """Which types of names are related in training: those of head and tail."""

    types: tuple[tuple[str, str], ...]


class Related(NamedTuple):
    """A text with names, each with its type, and where each stands; and the relations between them, if known."""

    text: str
    names: Mapping[tuple[str, str], Sequence[Span]]
    triples: frozenset[Triple]


def related(example: Example, entities: Example | None) -> Related:
    """Return what an example about relations has of names: those of an example about the entities of the same text,
    else the heads and tails of its relations."""
    assert isinstance(example.gold, Triples)
    text = material(example)["text"]
    names: dict[tuple[str, str], list[Span]] = {}
    if entities is not None and isinstance(entities.gold, Mentions):
        for mention in entities.gold.items:
            if mention.span is not None:
                names.setdefault((mention.text, mention.type), []).append(mention.span)
    else:
        for triple in example.gold.items:
            for name, role in ((triple.head, _HEAD), (triple.tail, _TAIL)):
                if (name, role) not in names and (found := _occurrences(text, name)):
                    names[name, role] = found
    return Related(text, names, frozenset(example.gold.items))


def _occurrences(text: str, name: str) -> list[Span]:
    """Return where a name stands in a text, outside of other words where it does at all."""
    edges = {0}
    at = 0
    for piece in pieces(text):
        edges |= {at, at + len(piece) - len(piece.lstrip()), at + len(piece)}
        at += len(piece)
    found = [Span(*match.span()) for match in regex.finditer(regex.escape(name), text)] if name else []
    return [span for span in found if span.start in edges and span.end in edges] or found


def mention_head(texts: Iterable[Related]) -> Head:
    """Return what the encoder of the first step says: which names there are."""
    return Head(kind="spans", names=tuple(sorted({type for text in texts for _, type in text.names})))


def mention_item(text: Related) -> Item:
    spans = sorted((span, type) for (_, type), places in text.names.items() for span in places)
    return Item(texts=(text.text,), gold=Found(spans=tuple(spans)))


def joined(texts: Iterable[Related]) -> Joined:
    """Return which types of names are related in training."""
    found: set[tuple[str, str]] = set()
    for text in texts:
        types: dict[str, list[str]] = {}
        for name, type in text.names:
            types.setdefault(name, []).append(type)
        for triple in text.triples:
            found.update(product(types.get(triple.head, ()), types.get(triple.tail, ())))
    return Joined(tuple(sorted(found)))


def pair_head(types: Sequence[Shown]) -> Head:
    """Return what the encoder of the second step says: how a marked pair is related, in no way or in several."""
    return Head(kind="labels", names=tuple(shown.name for shown in types))


def pair_items(text: Related, joined: Joined, types: Sequence[Shown]) -> Iterator[tuple[tuple[str, str], Item]]:
    """Yield the pairs of names that may be related, with the text in which they are marked."""
    undirected = symmetric(types)
    seen: set[tuple[str, str]] = set()
    for (one, head), (other, tail) in product(text.names, text.names):
        if (head, tail) not in joined.types or one == other or (one, other) in seen:
            continue
        seen.add((one, other))
        marked = mark(
            text.text,
            (Span(0, len(text.text)),),
            [(one, (span,)) for span in text.names[one, head]],
            [(other, (span,)) for span in text.names[other, tail]],
        )
        told = (Triple(head=one, tail=other, type=shown.name) for shown in types)
        labels = tuple(triple.type for triple in told if canonical(triple, undirected) in text.triples)
        yield (one, other), Item(texts=(marked,), gold=Found(labels=labels))


class PairBaseline:
    """Answers with an encoder that finds names and one that relates them."""

    def __init__(self, mentions: Classifier, pairs: Classifier, joined: Joined) -> None:
        self._mentions, self._pairs, self._joined = mentions, pairs, joined

    def answers(self, examples: Sequence[Example]) -> Iterator[Triples]:
        sources = [material(example)["text"] for example in examples]
        named = self._mentions.predict([Item(texts=(source,)) for source in sources])
        for example, source, found in zip(examples, sources, named, strict=True):
            names: dict[tuple[str, str], list[Span]] = {}
            for span, type in found.spans:
                names.setdefault((source[span.start : span.end], type), []).append(span)
            pairs = list(pair_items(Related(source, names, frozenset()), self._joined, example.types))
            said = self._pairs.predict([item for _, item in pairs])
            triples = (
                Triple(head=head, tail=tail, type=type)
                for ((head, tail), _), one in zip(pairs, said, strict=True)
                for type in one.labels
            )
            undirected = symmetric(example.types)
            yield Triples(items=tuple(dict.fromkeys(canonical(triple, undirected) for triple in triples)))
