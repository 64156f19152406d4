"""Protocols: the ways in which the field scores the answers to a test set, one file for each family of tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from taiyi import tasks
from taiyi.errors import RecipeError, suggestion
from taiyi.evaluate.protocols import choices, entities, labels, relations, structures, texts
from taiyi.evaluate.protocols.protocol import F1S, OWN, Protocol, Scores
from taiyi.evaluate.suites import TestSet
from taiyi.metrics.measures import ACCURACY, CHRF, PEARSON, SPEARMAN, Measure

PROTOCOLS: tuple[Protocol, ...] = (
    *entities.PROTOCOLS,
    *relations.PROTOCOLS,
    *labels.PROTOCOLS,
    *choices.PROTOCOLS,
    *texts.PROTOCOLS,
    *structures.PROTOCOLS,
)

_PAPERS = "the paper's own: "
_ABOUT: Mapping[str, str] = MappingProxyType(
    {
        "ner": _PAPERS + "unique (text, type) pairs of a record, as they are written, without offsets; micro-F1.",
        "re": _PAPERS + "unique (head, tail, type) triples of a record, micro-F1.",
        "tc": _PAPERS + "the labels of each text, micro-F1.",
        "qa_mc": _PAPERS + "accuracy; an answer that names no option is wrong.",
        "qa_yesno": _PAPERS + "accuracy; an answer that is neither yes, no nor maybe is wrong.",
        "rc": "the triples of all pairs of a document together, as relation extraction is scored; micro-F1.",
        "cre": "unique triples of a record, those in others as part of them; micro-F1.",
        "nen": "unique (mention, concept) pairs of a record, micro-F1.",
        "ee": "whole events: type, trigger and all fillers, those of events in them too; micro-F1.",
        "coref": "links: unique pairs of texts in one chain, micro-F1.",
        "struct": "nodes with their places: role, logic and triples; micro-F1.",
        "tp_te": "accuracy; an answer that names no label of the set is wrong.",
        "tp_ss": "accuracy of labels; of grades their correlation, an answer that is no grade counting as the middle.",
    }
)
_OF_TEXTS = "sacrebleu's chrF of each text with its reference, from 0 to 100 in %; the mean over texts."
_OWN_MEASURES: Mapping[str, tuple[Measure, ...]] = MappingProxyType(
    {"micro_f1": F1S, "accuracy": (ACCURACY,), "chrf": (CHRF,)}
)
_OF_GRADES = (PEARSON, SPEARMAN)


def own(test_set: TestSet) -> Protocol:
    """Return the protocol of what the task of a test set counts by itself."""
    task = tasks.get(test_set.task)
    about = _ABOUT.get(task.name, _OF_TEXTS)
    return Protocol(
        name=OWN,
        title="own",
        about=about[:1].upper() + about[1:],
        tasks=frozenset({task.name}),
        measures=_OF_GRADES if test_set.graded else _OWN_MEASURES[task.metric],
        score=lambda answered: answered.score(),
    )


def of(test_set: TestSet) -> tuple[Protocol, ...]:
    """Return the protocols that a test set is scored under; the first, and its first measure, are the set's score.

    Raises:
        RecipeError: its protocol does not apply to it, or has no such measure.
    """
    found = (own(test_set), *(protocol for protocol in PROTOCOLS if protocol.applies(test_set)))
    names = [protocol.name for protocol in found]
    wanted = test_set.protocol or OWN
    if wanted not in names:
        raise RecipeError(
            "no such protocol for this test set", where=test_set.name, got=wanted, mend=suggestion(wanted, names)
        )
    first = found[names.index(wanted)]
    measures = {measure.name: measure for measure in first.measures}
    if test_set.metric not in measures:
        raise RecipeError(
            f"the protocol {wanted} has no such metric",
            where=test_set.name,
            got=test_set.metric,
            mend=suggestion(test_set.metric, measures),
        )
    ordered = (measures.pop(test_set.metric), *measures.values())
    return (replace(first, measures=ordered), *(protocol for protocol in found if protocol is not first))


def get(test_set: TestSet, name: str) -> Protocol:
    """Return a protocol of a test set by name.

    Raises:
        RecipeError: it has none of that name.
    """
    found = {protocol.name: protocol for protocol in of(test_set)}
    if name not in found:
        raise RecipeError(
            "no such protocol for this test set", where=test_set.name, got=name, mend=suggestion(name, found)
        )
    return found[name]


__all__ = ["OWN", "PROTOCOLS", "Protocol", "Scores", "get", "of", "own"]
