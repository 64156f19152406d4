"""How the field scores relations: as triples of texts, by pair without type, by pair that is asked about, loosely."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from taiyi.evaluate.protocols.protocol import F1S, Protocol, counted, score_of
from taiyi.metrics.measures import MICRO_F1, f1_of
from taiyi.schema import Answer, Counts, Score, Triple, Triples
from taiyi.text import squeeze

if TYPE_CHECKING:
    from taiyi.evaluate.run import Answered

_TRIPLES = frozenset({"re", "rc"})
_CBLUE = frozenset({"cmeie_v2", "demo_cmeie"})
_LOOSE_F1 = f1_of("loose_f1", "F1", 0, 1, 2, 3)


def _triples(answer: Answer | None) -> tuple[Triple, ...]:
    assert answer is None or isinstance(answer, Triples)
    return answer.items if answer is not None else ()


def cmeie(text: str) -> str:
    """Return an end of a triple as CMeIE's scorer compares it: in small letters, without the marks of a title."""
    text = text.lower()
    return text[1:-1] if text.startswith("《") and text.endswith("》") else text


def _cblue(answered: Answered) -> Score:
    gold, given = (
        [(t.type, (cmeie(t.head), cmeie(t.tail))) for t in _triples(answer)]
        for answer in (answered.gold, answered.answer)
    )
    return score_of(answered, counts=counted(gold, given))


def _exact(answered: Answered) -> Score:
    gold, given = (
        [(t.type, (t.head, t.tail)) for t in _triples(answer)] for answer in (answered.gold, answered.answer)
    )
    return score_of(answered, counts=counted(gold, given))


def _ends(answered: Answered) -> Score:
    gold, given = (
        [("pair", (t.head, t.tail)) for t in _triples(answer)] for answer in (answered.gold, answered.answer)
    )
    return score_of(answered, counts=counted(gold, given))


def _loose(answered: Answered) -> Score:
    gold, given = (_by_type(_triples(answer)) for answer in (answered.gold, answered.answer))
    right = sum(any(_alike(t, g) for g in gold.get(type, ())) for type, ours in given.items() for t in ours)
    found = sum(any(_alike(g, t) for t in given.get(type, ())) for type, theirs in gold.items() for g in theirs)
    sizes = [sum(map(len, triples.values())) for triples in (given, gold)]
    return score_of(answered, sums=(float(right), float(sizes[0]), float(found), float(sizes[1])))


def _by_type(triples: Iterable[Triple]) -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for triple in triples:
        ends = (squeeze(triple.head).casefold(), squeeze(triple.tail).casefold())
        found.setdefault(triple.type, set()).add(ends)
    return found


def _alike(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether both ends share their text: one stands in the other. Nothing stands in everything, and is not alike."""
    return all(a and b and (a in b or b in a) for a, b in zip(one, other, strict=True))


def _by_pair(answered: Answered) -> Score:
    """Count the types of each pair that was asked about; a type is right with its direction."""
    totals: dict[str, list[int]] = {}
    for example, answer in zip(answered.examples, answered.answers, strict=True):
        gold, given = (_directed(_triples(found)) for found in (example.gold, answer))
        for type, counts in counted(gold, given).items():
            total = totals.setdefault(type, [0, 0, 0])
            total[:] = [total[0] + counts.tp, total[1] + counts.fp, total[2] + counts.fn]
    return score_of(answered, counts={type: Counts(*total) for type, total in sorted(totals.items())})


def _directed(triples: Iterable[Triple]) -> list[tuple[str, frozenset[tuple[str, str]]]]:
    """Return each type with all pairs of names that it is said of: those of a pair that runs the other way are
    others."""
    found: dict[str, set[tuple[str, str]]] = {}
    for triple in triples:
        found.setdefault(triple.type, set()).add((triple.head, triple.tail))
    return [(type, frozenset(pairs)) for type, pairs in found.items()]


PROTOCOLS = (
    Protocol(
        name="cblue",
        title="CBLUE",
        about="As the scorer of CMeIE: the set of (subject, predicate, object) of each text, subject and object in "
        "small letters and without 《》, micro-F1.",
        tasks=frozenset({"re"}),
        corpora=_CBLUE,
        measures=F1S,
        score=_cblue,
    ),
    Protocol(
        name="promptcblue",
        title="PromptCBLUE",
        about="The set of {subject, predicate, object} of each sample, micro-F1, texts as they are: the paper's own "
        "triples, which differ in how answers are written and read.",
        tasks=frozenset({"re"}),
        corpora=_CBLUE,
        measures=F1S,
        score=_exact,
    ),
    Protocol(
        name="blurb",
        title="by pair (BLURB)",
        about="Each pair that is asked about is an item, as in BLURB's ChemProt and DDI: micro-F1 over the types of "
        "relations, of which none is no type.",
        tasks=frozenset({"rc"}),
        measures=F1S,
        score=_by_pair,
    ),
    Protocol(
        name="ends",
        title="ends only",
        about="The two ends of each triple, whatever their relation: what is lost against the own score is lost to "
        "wrong types (boundaries of Taillé et al. 2020, over texts).",
        tasks=_TRIPLES | {"cre"},
        measures=(MICRO_F1,),
        score=_ends,
    ),
    Protocol(
        name="relaxed",
        title="ends that overlap",
        about="A triple is right where one of the gold has its type and ends of which one stands in the other, "
        "whatever their case; gold is found the same way.",
        tasks=_TRIPLES | {"cre"},
        measures=(_LOOSE_F1,),
        score=_loose,
    ),
)
