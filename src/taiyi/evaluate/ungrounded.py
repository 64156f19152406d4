"""What answers say that nobody gave them to say: mentions that are not in the source, names that were not asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from taiyi.schema import Answer, Chains, Example, Happenings, Labels, Mentions, Normalisations, Triples

if TYPE_CHECKING:
    from taiyi.evaluate.run import Answered


class Mentioned(NamedTuple):
    """How many distinct texts of the records' answers, or of their gold, should stand in the source, and how many do
    not."""

    num_mentions: int
    num_ungrounded: int


def mentioned(answered: Sequence[Answered]) -> tuple[Mentioned, Mentioned]:
    """Count the texts that the answers, and those that the gold, take from the source, and those that are not there.

    The source of a record is that of all that was asked about it; of questions and the like, which have none, nothing
    is counted. Texts of several parts, which the gold of some corpora has, do not stand in it as they are.
    """
    totals = [[0, 0], [0, 0]]
    for record in answered:
        sources = [source(example) for example in record.examples]
        if not all(sources):
            continue
        for total, answer in zip(totals, (record.answer, record.gold), strict=True):
            texts = set(_mentions(answer))
            total[0] += len(texts)
            total[1] += sum(not any(text in part for part in sources) for text in texts)
    return Mentioned(*totals[0]), Mentioned(*totals[1])


def outside(answered: Sequence[Answered]) -> dict[str, int]:
    """Count the types and labels of answers that were not asked for, each once a record, the most first."""
    found: dict[str, int] = {}
    for record in answered:
        asked = {shown.name for example in record.examples for shown in example.types}
        for name in set(_names(record.answer)) - asked if asked else ():
            found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def source(example: Example) -> str:
    """Return the text that an answer is taken from; empty where it is taken from none."""
    return example.source_text or (example.tagging.source if example.tagging is not None else "")


def _mentions(answer: Answer | None) -> Iterator[str]:
    match answer:
        case Mentions():
            yield from (mention.text for mention in answer.items)
        case Triples():
            yield from _ends(end for triple in answer.items for end in (triple.head, triple.tail))
        case Happenings():
            yield from (event.trigger for event in answer.items if event.trigger)
            yield from (filler.text for event in answer.items for filler in event.fillers)
        case Chains():
            yield from (text for chain in answer.items for text in chain)
        case Normalisations():
            yield from (item.text for item in answer.items)
        case _:
            return


def _ends(ends: Iterable[str]) -> Iterator[str]:
    """Yield ends of triples, but those that are triples themselves, whose own ends have their own triples."""
    return (end for end in ends if not (end.startswith("(") and end.endswith(")")))


def _names(answer: Answer | None) -> Iterator[str]:
    match answer:
        case Mentions() | Triples() | Happenings():
            yield from (item.type for item in answer.items)
        case Labels():
            yield from answer.items
        case _:
            return
