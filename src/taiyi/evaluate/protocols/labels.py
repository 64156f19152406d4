"""How the field scores labels of texts: by label, by document, by text, and as CBLUE and PromptCBLUE do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from taiyi.evaluate.protocols.protocol import F1S, Protocol, counted, score_of
from taiyi.metrics.measures import ACCURACY, MACRO_F1, MICRO_F1, WEIGHTED_F1, f1_of
from taiyi.schema import Answer, Choice, Labels, Score

if TYPE_CHECKING:
    from taiyi.evaluate.run import Answered

_TEXTS = frozenset({"tc"})
_PAIRS = frozenset({"tp_ss", "tp_te"})
_NONE = "none"
_POSITIVE = "positive"
_FIRST: Mapping[str, str] = MappingProxyType(
    {
        "kuake_qic": "其他",
        "demo_qic": "其他",
        "chip_ctc": "非上述类型",
        "imcs_v2_dac": "Other",
        "imcs21_derived_dac": "Other",
        "chip_sts": "1",
        "kuake_qqr": "2",
        "kuake_qtr": "0",
        "kuake_ir": "1",
    }
)
"""By corpus: which label PromptCBLUE's scorer lists first, and so takes an empty answer for."""
_ACCURACY = frozenset({"kuake_qic", "demo_qic", "imcs_v2_dac", "imcs21_derived_dac"})
_INSTANCES = f1_of("instance_f1", "instance-based F1", 0, 2, 1, 2)


def _labels(answer: Answer | None) -> tuple[str, ...]:
    match answer:
        case Labels():
            return answer.items
        case Choice():
            return (answer.key,)
        case _:
            return ()


def _given(answered: Answered) -> list[str]:
    """Return the labels of an answer that the set has: benchmarks take tables with a column for each of these."""
    known = {shown.name for shown in answered.examples[0].types}
    return [label for label in _labels(answered.answer) if label in known]


def _by_label(answered: Answered) -> Score:
    gold, given = ([(label, "") for label in _labels(a)] for a in (answered.gold, answered.answer))
    return score_of(answered, counts=counted(gold, given), value=_same(answered))


def _same(answered: Answered) -> float:
    return float(answered.answer is not None and set(_labels(answered.answer)) == set(_labels(answered.gold)))


def _of_the_set(answered: Answered) -> Score:
    """Count as `_by_label`, but no label that the set does not have: the gold is missed, and no class is added."""
    gold, given = ([(label, "") for label in labels] for labels in (_labels(answered.gold), _given(answered)))
    return score_of(answered, counts=counted(gold, given), value=_same(answered))


def _instances(answered: Answered) -> Score:
    """Return the precision and recall of one text, and a 1; both are 1 where there is nothing to find or found."""
    gold, given = set(_labels(answered.gold)), set(_given(answered))
    shared = len(gold & given)
    counts = counted([(label, "") for label in gold], [(label, "") for label in given])
    rates = (shared / len(given), shared / len(gold)) if shared else (float(not gold | given),) * 2
    return score_of(answered, counts=counts, sums=(*rates, 1.0))


def _promptcblue(answered: Answered) -> Score:
    """Read the answer as PromptCBLUE does: all of its text is a label, and no text at all the first of the list."""
    example = answered.examples[0]
    names = {shown.shown: shown.name for shown in reversed(example.types)}
    text = answered.predictions[0].text.strip()
    read = names.get(text, text) or _FIRST[example.corpus]
    return score_of(
        answered,
        counts=counted([(label, "") for label in _labels(answered.gold)], [(read, "")]),
        value=float((read,) == _labels(answered.gold)),
    )


# --- documents of which each sentence is asked about -----------------------------------------------------------------


def _documents(answered: Sequence[Answered]) -> list[Answered]:
    """Put the sentences of each document together: its labels are those of any of them."""
    groups: dict[str, list[Answered]] = {}
    for record in answered:
        groups.setdefault(record.cluster, []).append(record)
    return [_joined(name, group) for name, group in groups.items()]


def _joined(name: str, group: Sequence[Answered]) -> Answered:
    first = group[0]
    given = [label for record in group for label in _labels(record.answer)]
    unparsable: dict[str, int] = {}
    for record in group:
        for reason, count in record.unparsable.items():
            unparsable[reason] = unparsable.get(reason, 0) + count
    return type(first)(
        record=name,
        examples=tuple(example for record in group for example in record.examples),
        predictions=tuple(prediction for record in group for prediction in record.predictions),
        answers=tuple(answer for record in group for answer in record.answers),
        gold=_union([label for record in group for label in _labels(record.gold)]),
        answer=_union(given) if any(record.answer is not None for record in group) else None,
        unparsable=unparsable,
    )


def _union(labels: Sequence[str]) -> Labels:
    return Labels(items=tuple(dict.fromkeys(labels)))


def _without_none(answered: Answered) -> Score:
    gold, given = (
        [(label, "") for label in labels if label != _NONE] for labels in (_labels(answered.gold), _given(answered))
    )
    return score_of(answered, counts=counted(gold, given))


def _positive(answered: Answered) -> Score:
    """Count the label of related pairs alone, as the F1 of a binary classification."""
    gold, given = (
        [(label, "") for label in _labels(a) if label == _POSITIVE] for a in (answered.gold, answered.answer)
    )
    return score_of(answered, counts=counted(gold, given))


PROTOCOLS = (
    Protocol(
        name="exact",
        title="whole sets",
        about="A text is right where all of its labels are, and no others: subset accuracy, which is accuracy where a "
        "text has one label.",
        tasks=_TEXTS,
        measures=(ACCURACY,),
        score=_by_label,
    ),
    Protocol(
        name="blurb",
        title="by document (BLURB)",
        about="The labels of all sentences of a document are its labels, none is no label: micro-F1 over documents "
        "and the ten hallmarks, as BLURB scores HoC.",
        tasks=_TEXTS,
        corpora=frozenset({"hallmarks_of_cancer", "demo_hoc"}),
        measures=F1S,
        score=_without_none,
        unit="document",
        together=_documents,
    ),
    Protocol(
        name="blurb",
        title="related pairs (BLURB)",
        about="F1 of the pairs that are related, as BLURB scores GAD.",
        tasks=_TEXTS,
        corpora=frozenset({"gad"}),
        measures=(MICRO_F1,),
        score=_positive,
    ),
    Protocol(
        name="litcovid",
        title="BioCreative VII",
        about="The scorer of the LitCovid track: label-based micro- and macro-F1, and instance-based F1, that of the "
        "mean precision and the mean recall of the articles.",
        tasks=_TEXTS,
        corpora=frozenset({"bc7_litcovid", "demo_litcovid"}),
        measures=(MICRO_F1, MACRO_F1, _INSTANCES),
        score=_instances,
    ),
    Protocol(
        name="cblue",
        title="CBLUE",
        about="Accuracy, as CBLUE's leaderboard has for KUAKE-QIC and IMCS-V2-DAC.",
        tasks=_TEXTS,
        corpora=_ACCURACY,
        measures=(ACCURACY,),
        score=_by_label,
    ),
    Protocol(
        name="cblue",
        title="CBLUE",
        about="Macro-F1 over the labels of the set, as CBLUE's leaderboard has for CHIP-CTC; an answer that names "
        "none of them is wrong, and adds no class.",
        tasks=_TEXTS,
        corpora=frozenset({"chip_ctc"}),
        measures=(MACRO_F1,),
        score=_of_the_set,
    ),
    Protocol(
        name="promptcblue",
        title="PromptCBLUE",
        about="The whole answer is taken for a label: an empty one for the first of PromptCBLUE's list, whatever else "
        "it says is a class of its own. Macro-F1 over all classes.",
        tasks=_TEXTS,
        corpora=_ACCURACY | {"chip_ctc"},
        measures=(MACRO_F1,),
        score=_promptcblue,
    ),
    # Pairs of texts.
    Protocol(
        name="labels",
        title="by label",
        about="F1 of each label, and their mean with every label alike (macro) or as often as it is gold (weighted); "
        "accuracy says nothing of rare labels.",
        tasks=_PAIRS | {"qa_yesno"},
        graded=False,
        measures=(MACRO_F1, WEIGHTED_F1),
        score=_by_label,
    ),
    Protocol(
        name="cblue",
        title="CBLUE",
        about="Accuracy, as CBLUE's leaderboard has for KUAKE-QQR and KUAKE-QTR.",
        tasks=_PAIRS,
        corpora=frozenset({"kuake_qqr", "kuake_qtr"}),
        measures=(ACCURACY,),
        score=_by_label,
    ),
    Protocol(
        name="cblue",
        title="CBLUE",
        about="Macro-F1 over the labels of the set, as CBLUE's leaderboard has for CHIP-STS.",
        tasks=_PAIRS,
        corpora=frozenset({"chip_sts"}),
        measures=(MACRO_F1,),
        score=_of_the_set,
    ),
    Protocol(
        name="promptcblue",
        title="PromptCBLUE",
        about="The whole answer is taken for a label: an empty one for the first of PromptCBLUE's list, whatever else "
        "it says is a class of its own. Weighted F1, which PromptCBLUE calls micro.",
        tasks=_PAIRS,
        corpora=frozenset({"chip_sts", "kuake_qqr", "kuake_qtr", "kuake_ir"}),
        measures=(WEIGHTED_F1,),
        score=_promptcblue,
    ),
)
