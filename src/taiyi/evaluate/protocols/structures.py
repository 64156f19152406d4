"""How the field scores events, chains, concepts and decision trees."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING

from taiyi.evaluate.protocols.protocol import Protocol, counted, score_of
from taiyi.metrics import coreference, trees
from taiyi.metrics.measures import MICRO_F1, f1_of, ratio_of
from taiyi.schema import Answer, Chains, Happening, Happenings, Normalisations, Score, Tree
from taiyi.tasks.coref import MOST_LINKED

if TYPE_CHECKING:
    from taiyi.evaluate.run import Answered

# --- events ----------------------------------------------------------------------------------------------------------

_EVENTS = (
    f1_of("argument_c_f1", "argument classification F1", 9, 10, 9, 11),
    f1_of("argument_i_f1", "argument identification F1", 6, 7, 6, 8),
    f1_of("trigger_c_f1", "trigger classification F1", 3, 4, 3, 5),
    f1_of("trigger_i_f1", "trigger identification F1", 0, 1, 0, 2),
)


def _events(answer: Answer | None) -> tuple[Happening, ...]:
    assert answer is None or isinstance(answer, Happenings)
    return answer.items if answer is not None else ()


def _parts(events: Sequence[Happening]) -> tuple[set[Hashable], ...]:
    """Return the triggers, those with types, the arguments with the types of their events, and those with roles."""
    arguments = [(event, filler) for event in events for filler in event.fillers]
    return (
        {event.trigger for event in events},
        {(event.trigger, event.type) for event in events},
        {(event.type, filler.text) for event, filler in arguments},
        {(event.type, filler.text, filler.role) for event, filler in arguments},
    )


def _event_parts(answered: Answered) -> Score:
    gold, given = (_parts(_events(answer)) for answer in (answered.gold, answered.answer))
    sums = ((len(ours & theirs), len(theirs), len(ours)) for ours, theirs in zip(gold, given, strict=True))
    return score_of(answered, sums=tuple(float(number) for three in sums for number in three))


# --- coreference -----------------------------------------------------------------------------------------------------


def _chains(answered: Answered) -> Score:
    gold, given = coreference.mentions(_texts(answered.gold), _texts(answered.answer))
    return score_of(answered, sums=coreference.sums(gold, given))


def _texts(answer: Answer | None) -> list[tuple[str, ...]]:
    """Return the texts of chains; a mention alone is none."""
    assert answer is None or isinstance(answer, Chains)
    return [texts[:MOST_LINKED] for texts in (answer.items if answer is not None else ()) if len(texts) > 1]


# --- concepts --------------------------------------------------------------------------------------------------------


def _concepts_by_mention(answer: Answer | None) -> dict[str, set[str]]:
    assert answer is None or isinstance(answer, Normalisations)
    found: dict[str, set[str]] = {}
    for item in answer.items if answer is not None else ():
        found.setdefault(item.text, set()).add(item.concept)
    return found


def _of_record(answered: Answered) -> Score:
    gold, given = (_all_concepts(_concepts_by_mention(a).values()) for a in (answered.gold, answered.answer))
    return score_of(answered, counts=counted([("concept", c) for c in gold], [("concept", c) for c in given]))


def _all_concepts(sets: Iterable[set[str]]) -> set[str]:
    return set[str]().union(*sets)


def _whole_mentions(answered: Answered) -> Score:
    gold, given = (_concepts_by_mention(answer) for answer in (answered.gold, answered.answer))
    right = sum(given.get(text) == concepts for text, concepts in gold.items())
    return score_of(answered, sums=(float(right), float(len(gold))))


# --- decision trees --------------------------------------------------------------------------------------------------


def _tree(answered: Answered) -> Score:
    assert isinstance(answered.gold, Tree)
    assert answered.answer is None or isinstance(answered.answer, Tree)
    found = trees.sums(answered.gold.nodes, answered.answer.nodes if answered.answer else ())
    # Of a tree that is not there less has to be edited than could have to be: what cannot be read gets nothing for it.
    return score_of(answered, sums=found if answered.answer is not None else (0.0, *found[1:]))


PROTOCOLS = (
    Protocol(
        name="parts",
        title="triggers and arguments",
        about="Unique triggers of a record, alone (identification) or with their type (classification), and unique "
        "arguments with the type of their event, without and with their role, as in ACE 2005, over texts.",
        tasks=frozenset({"ee"}),
        measures=_EVENTS,
        score=_event_parts,
    ),
    Protocol(
        name="conll",
        title="CoNLL 2012",
        about="MUC, B³ and CEAF-e, and their mean. Answers have no offsets: of a text that several chains have, which "
        "mention is which is decided in favour of the answer.",
        tasks=frozenset({"coref"}),
        measures=coreference.CONLL,
        score=_chains,
        unit="document",
    ),
    Protocol(
        name="concepts",
        title="concepts of a record",
        about="The set of concepts of each record, whatever mention they are given to, micro-F1: document-level "
        "normalisation, as in BioCreative V.",
        tasks=frozenset({"nen"}),
        measures=(MICRO_F1,),
        score=_of_record,
    ),
    Protocol(
        name="accuracy",
        title="gold mentions",
        about="Of the gold mentions, how many are given all of their concepts and no others.",
        tasks=frozenset({"nen"}),
        measures=(ratio_of("mention_accuracy", "accuracy", 0, 1),),
        score=_whole_mentions,
    ),
    Protocol(
        name="text2dt",
        title="Text2DT",
        about="The scorer of Text2DT, texts in small letters: how much of the trees need not be edited, whole trees, "
        "and F1 of triples, of paths from root to decision, and of nodes with triples. Nodes that are equal count as "
        "often as both trees have them, where the scorer counts their pairs.",
        tasks=frozenset({"struct"}),
        measures=trees.TREES,
        score=_tree,
    ),
)
