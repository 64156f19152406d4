"""How an answer differs from its gold, item by item: what is right, of a wrong type, cut wrongly, missed or spurious.

The kinds are those by which MUC-5 (Chinchor and Sundheim 1993) and SemEval-2013 task 9 tell errors apart, as nervaluate
does. Where gold and answer have offsets, items are compared by place, else by their texts. Scores do not come from
here: each protocol says by itself what counts as right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, get_args

import regex

from taiyi.schema import Answer, Chains, Happenings, Labels, Mentions, Normalisations, Span, Tree, Triples

Kind = Literal["right", "type", "boundary", "both", "missed", "spurious"]
"""How an item of the gold and one of the answer go together.

`right` is the same item, `type` the same place under another type, `boundary` the same type at a place that overlaps,
`both` another type at a place that overlaps. `missed` is gold that nothing answers to, `spurious` the reverse.
"""

KINDS: tuple[Kind, ...] = get_args(Kind)
ERRORS: tuple[Kind, ...] = KINDS[1:]
TITLES: Mapping[Kind, str] = {
    "right": "right",
    "type": "wrong type",
    "boundary": "wrong boundary",
    "both": "wrong type and boundary",
    "missed": "missed",
    "spurious": "spurious",
}


class Item(NamedTuple):
    """One of the things that an answer lists: its type, its text or texts, and its place where that is known."""

    type: str
    texts: tuple[str, ...]
    span: Span | None = None


class Difference(NamedTuple):
    """An item of the gold beside the one of the answer that it goes with; where there is none, one of them is None."""

    kind: Kind
    gold: Item | None
    answer: Item | None

    @property
    def type(self) -> str:
        """The type under which it is counted: that of the gold where there is any."""
        found = self.gold or self.answer
        return found.type if found else ""


def items(answer: Answer) -> list[Item] | None:
    """Return the items of an answer, each once; None where an answer of its kind has none, such as a choice or text."""
    match answer:
        case Mentions():
            found = [Item(m.type, (m.text,), m.span) for m in answer.items]
        case Triples():
            found = [Item(t.type, (t.head, t.tail)) for t in answer.items]
        case Labels():
            found = [Item(label, ()) for label in answer.items]
        case Normalisations():
            found = [Item(n.concept, (n.text,)) for n in answer.items]
        case Happenings():
            found = [
                Item(event.type, (event.trigger, *(f"{filler.role}: {filler.text}" for filler in event.fillers)))
                for event in answer.items
            ]
        case Chains():
            found = [Item("chain", chain) for chain in answer.items]
        case Tree():
            found = [Item(t.type, (t.head, t.tail)) for node in answer.nodes for t in node.triples]
        case _:
            return None
    return list(dict.fromkeys(found))


def differences(gold: Answer, answer: Answer | None) -> list[Difference] | None:
    """Compare an answer with its gold; None where they have no items. Of an answer that is None all gold is missed."""
    expected = items(gold)
    if expected is None:
        return None
    return align(expected, (items(answer) or []) if answer is not None else [])


def align(gold: Sequence[Item], answer: Sequence[Item]) -> list[Difference]:
    """Put items of the gold and of an answer together, each with one of the other side at most.

    Equal items go together first, then those of equal places, then those that overlap: of the same type before those
    of another one, and the more they overlap the earlier. The result is in the order of the places, else of the gold
    with what is spurious at the end.
    """
    ours, theirs = dict(enumerate(gold)), dict(enumerate(answer))
    found: list[tuple[int, int, Kind]] = []

    def join(one: int, other: int, kind: Kind) -> None:
        if one in ours and other in theirs:
            del ours[one], theirs[other]
            found.append((one, other, kind))

    # Most items are right, and need no comparison with every other one.
    places = {item: number for number, item in reversed(theirs.items())}
    for number, item in enumerate(gold):
        if item in places:
            join(number, places[item], "right")
    pairs = [
        (KINDS.index(kind), -overlap, one, other)
        for one, item in ours.items()
        for other, candidate in theirs.items()
        if (overlap := _overlap(item, candidate)) > 0.0
        for kind in [_kind(item, candidate, overlap)]
    ]
    for rank, _, one, other in sorted(pairs):
        join(one, other, KINDS[rank])
    told = [(_order(gold[one], one), Difference(kind, gold[one], answer[other])) for one, other, kind in found]
    told += [(_order(item, number), Difference("missed", item, None)) for number, item in ours.items()]
    told += [(_order(item, len(gold) + n), Difference("spurious", None, item)) for n, item in theirs.items()]
    return [difference for _, difference in sorted(told, key=lambda pair: pair[0])]


def tally(found: Iterable[Difference]) -> dict[str, dict[Kind, int]]:
    """Count differences by type and kind."""
    counts: dict[str, dict[Kind, int]] = {}
    for difference in found:
        of_type = counts.setdefault(difference.type, {})
        of_type[difference.kind] = of_type.get(difference.kind, 0) + 1
    return counts


def whole_word(text: str) -> regex.Pattern[str]:
    """Return a pattern of a text where it is no part of a word; Chinese has no spaces, so there any place will do."""
    before, after = (r"(?<!\w)" if _LETTER.match(text[0]) else ""), (r"(?!\w)" if _LETTER.match(text[-1]) else "")
    return regex.compile(before + regex.escape(text) + after)


_LETTER = regex.compile(r"[\p{L}\p{N}--\p{Han}]", regex.VERSION1)


def _order(item: Item, number: int) -> tuple[int, int, int]:
    return (item.span.start, -item.span.end, number) if item.span else (-1, 0, number)


def _kind(gold: Item, answer: Item, overlap: float) -> Kind:
    if overlap == 1.0:
        return "right" if gold.type == answer.type else "type"
    return "boundary" if gold.type == answer.type else "both"


def _overlap(one: Item, other: Item) -> float:
    """Return what share of two items they have in common: 1 for the same place, or the same texts without one."""
    if one.span and other.span:
        shared = min(one.span.end, other.span.end) - max(one.span.start, other.span.start)
        covered = max(one.span.end, other.span.end) - min(one.span.start, other.span.start)
        return max(0, shared) / covered
    if len(one.texts) != len(other.texts) or not one.texts:
        # Labels have no texts: one is as far from another as any.
        return 0.0
    shares = [_common(a, b) for a, b in zip(one.texts, other.texts, strict=True)]
    return sum(shares) / len(shares) if all(shares) else 0.0


def _common(one: str, other: str) -> float:
    """Return the length of the shorter of two texts in parts of the longer, where that holds it as whole words."""
    if one == other:
        return 1.0
    shorter, longer = sorted((one, other), key=len)
    held = shorter and shorter in longer and whole_word(shorter).search(longer)
    return len(shorter) / len(longer) if held else 0.0
