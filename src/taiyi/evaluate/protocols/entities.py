"""How the field scores named entities: exact spans, flat ones, overlaps, the schemes of SemEval, and sets of texts."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import regex

from taiyi.evaluate.protocols.protocol import F1S, Protocol, counted, score_of
from taiyi.metrics import spans
from taiyi.metrics.spans import Typed
from taiyi.schema import Example, Mention, Mentions, Score
from taiyi.text import squeeze

if TYPE_CHECKING:
    from taiyi.evaluate.run import Answered

_TASKS = frozenset({"ner"})
_CBLUE = frozenset(
    {"cmeee_v2", "cmeee_chip2020", "imcs_v2_ner", "imcs21_derived_ner", "demo_cmeee"},
)
_ARTICLE = regex.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_AROUND_MARKS = regex.compile(r"\s*([,:().;_'-])\s*")
_REPEATED = regex.compile(r"([,.;])\1+")

NO_OFFSETS = "the form of the answers gives no offsets"


def _gold(answered: Answered) -> tuple[Mention, ...]:
    assert isinstance(answered.gold, Mentions)
    return answered.gold.items


def _given(answered: Answered) -> tuple[Mention, ...]:
    assert answered.answer is None or isinstance(answered.answer, Mentions)
    return answered.answer.items if answered.answer is not None else ()


def _typed(mentions: Iterable[Mention]) -> set[Typed]:
    return {Typed(*m.span, m.type) for m in mentions if m.span is not None}


def without_offsets(answered: Sequence[Answered]) -> str:
    """Say that mentions have no offsets: those of answers, or, where these have none, those of the gold.

    The gold of an example has what its form can say; of tagged answers that is all but mentions of several parts.
    """
    if any(mention.span is None for record in answered for mention in _given(record)):
        return NO_OFFSETS
    gold = [mention for record in answered for mention in _gold(record)]
    tagged = any(example.tagging is not None for record in answered for example in record.examples)
    return NO_OFFSETS if gold and not tagged and all(mention.span is None for mention in gold) else ""


def unplaced(answered: Answered) -> set[tuple[str, str]]:
    """Return the gold mentions, by type and text, that no answer can have: those of several parts, and those that no
    window holds whole."""
    found: set[tuple[str, str]] = set()
    for example in answered.examples:
        assert isinstance(example.gold, Mentions)
        end = example.offset + len(_source(example))
        found.update(
            (mention.type, mention.text)
            for mention in example.gold.items
            if mention.span is None and not _is_cut(mention, example, end, answered.examples)
        )
    return found


def _is_cut(mention: Mention, example: Example, end: int, others: Sequence[Example]) -> bool:
    """Whether a mention that begins in a window and ends after it is whole in another window."""
    for other in others:
        assert isinstance(other.gold, Mentions)
        if other is example or not example.offset <= other.offset <= end:
            continue
        for same in other.gold.items:
            if same.span is not None and (same.type, same.text) == (mention.type, mention.text):
                start, stop = same.span.start + other.offset, same.span.end + other.offset
                if example.offset <= start < end < stop:
                    return True
    return False


def _source(example: Example) -> str:
    return example.tagging.source if example.tagging is not None else example.source_text


# --- exact spans -----------------------------------------------------------------------------------------------------


def _strict(answered: Answered) -> Score:
    gold = [(span.type, span) for span in _typed(_gold(answered))]
    missed = [(type, ("unplaced", text)) for type, text in unplaced(answered)]
    return score_of(
        answered, counts=counted([*gold, *missed], [(span.type, span) for span in _typed(_given(answered))])
    )


def _flat(answered: Answered) -> Score:
    gold, given = (spans.flat([*_typed(mentions)]) for mentions in (_gold(answered), _given(answered)))
    return score_of(answered, counts=counted([(s.type, s) for s in gold], [(s.type, s) for s in given]))


def _cblue(answered: Answered) -> Score:
    """Count as CMeEE's scorer does, whose ends are inclusive."""
    gold, given = (
        [(span.type, (span.start, span.end - 1)) for span in _typed(mentions)]
        for mentions in (_gold(answered), _given(answered))
    )
    missed = [(type, ("unplaced", text)) for type, text in unplaced(answered)]
    return score_of(answered, counts=counted([*gold, *missed], given))


# --- overlaps --------------------------------------------------------------------------------------------------------


def _overlapping(answered: Answered) -> Score:
    gold, given = [*_typed(_gold(answered))], [*_typed(_given(answered))]
    right, found = spans.overlapping(gold, given)
    num_gold = len(gold) + len(unplaced(answered))
    return score_of(answered, sums=tuple(map(float, (right, len(given), found, num_gold))))


def _semeval(answered: Answered) -> Score:
    *right, num_given, num_gold = spans.semeval([*_typed(_gold(answered))], [*_typed(_given(answered))])
    return score_of(answered, sums=(*right, num_given, num_gold + len(unplaced(answered))))


# --- texts -----------------------------------------------------------------------------------------------------------


def _texts(answered: Answered) -> Score:
    return score_of(
        answered,
        counts=counted([(m.type, m.text) for m in _gold(answered)], [(m.type, m.text) for m in _given(answered)]),
    )


def uniner(text: str) -> str:
    """Return a mention as UniNER compares it: in small letters, without ASCII punctuation and English articles."""
    return " ".join(_ARTICLE.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def instructuie(text: str) -> str:
    """Return a mention as InstructUIE compares it: in small letters, without white space around marks, marks once."""
    plain = _AROUND_MARKS.sub(r"\1", squeeze(text)).lower().replace("{", "").replace("}", "").replace("’", "'")
    return _REPEATED.sub(r"\1", plain)


def _uniner(answered: Answered) -> Score:
    gold, given = ([(m.type, uniner(m.text)) for m in found] for found in (_gold(answered), _given(answered)))
    return score_of(answered, counts=counted(gold, given))


def _instructuie(answered: Answered) -> Score:
    gold, given = ([(m.type, instructuie(m.text)) for m in found] for found in (_gold(answered), _given(answered)))
    return score_of(answered, counts=counted(gold, given))


PROTOCOLS = (
    Protocol(
        name="strict",
        title="strict spans",
        about="Each mention by itself: right where start, end and type are those of the gold. Gold mentions of "
        "several parts, which no answer can give, count as missed.",
        tasks=_TASKS,
        measures=F1S,
        score=_strict,
        unfit=without_offsets,
    ),
    Protocol(
        name="blurb",
        title="flat spans (BLURB)",
        about="Entity-level F1 of seqeval over BIO tags, as BLURB scores: as strict, after nested and overlapping "
        "mentions are reduced to the outermost in gold and answers; mentions of several parts are left out.",
        tasks=_TASKS,
        measures=F1S,
        score=_flat,
        unfit=without_offsets,
    ),
    Protocol(
        name="cblue",
        title="CBLUE",
        about="As the scorer of CMeEE: the set of (start, inclusive end, type) of each text, micro-F1.",
        tasks=_TASKS,
        corpora=_CBLUE,
        measures=F1S,
        score=_cblue,
        unfit=without_offsets,
    ),
    Protocol(
        name="promptcblue",
        title="PromptCBLUE",
        about="The set of {entity, type} of each sample, micro-F1: the same pairs as the paper's own, which differs "
        "in how answers are written and read.",
        tasks=_TASKS,
        corpora=_CBLUE,
        measures=F1S,
        score=_texts,
    ),
    Protocol(
        name="relaxed",
        title="overlap",
        about="An answer is right where it overlaps gold of its type, and gold is found where an answer of its type "
        "overlaps it (lenient matching of i2b2 and n2c2; AnatEM's evalso --overlap).",
        tasks=_TASKS,
        measures=(spans.LENIENT_F1,),
        score=_overlapping,
        unfit=without_offsets,
    ),
    Protocol(
        name="semeval",
        title="SemEval-2013 (nervaluate)",
        about="The four schemes of nervaluate: strict (span and type), exact (span), partial (span, or half for an "
        "overlap) and type (an overlap of the same type); each gold mention answers for one answer.",
        tasks=_TASKS,
        measures=spans.SEMEVAL,
        score=_semeval,
        unfit=without_offsets,
    ),
    Protocol(
        name="uniner",
        title="UniNER",
        about="The set of (type, text) of each record in small letters, without punctuation and articles, as UniNER's "
        "scorer compares texts.",
        tasks=_TASKS,
        measures=F1S,
        score=_uniner,
    ),
    Protocol(
        name="instructuie",
        title="InstructUIE",
        about="The set of type:text of each record in small letters, without white space around marks, as "
        "InstructUIE's scorer compares texts.",
        tasks=_TASKS,
        measures=F1S,
        score=_instructuie,
    ),
)
