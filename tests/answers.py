"""Records of test sets with what was answered to them, for tests of protocols."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from taiyi.evaluate import protocols
from taiyi.evaluate.aggregate import MeasureResult, measured
from taiyi.evaluate.run import Answered
from taiyi.evaluate.test_set import TestSet
from taiyi.schema import Answer, Example, Mention, Mentions, Message, Prediction, Shown, Span, Tagging


def asked(
    number: int,
    task: str,
    gold: Answer,
    *,
    corpus: str = "c",
    types: Sequence[str | tuple[str, str]] = (),
    document: str = "",
    source: str = "",
    tagged: bool = False,
    offset: int = 0,
    part: int = 0,
) -> Example:
    shown = (t if isinstance(t, tuple) else (t, t) for t in types)
    return Example(
        id=f"{corpus}/test/{number}#{task}@{part}",
        corpus=corpus,
        task=task,
        lang="en",
        split="test",
        template="t",
        form="tagged" if tagged else "list",
        record=str(number),
        messages=(Message(role="user", content=source or "question"),),
        answer="answer",
        gold=gold,
        types=tuple(Shown(name=name, shown=text) for name, text in shown),
        source=Span(0, len(source)) if source else None,
        tagging=Tagging(source=source, tags=("t",), at=0) if tagged else None,
        offset=offset,
        document_ids=(document,) if document else (),
    )


def record(
    number: int,
    task: str,
    gold: Answer,
    answer: Answer | None,
    *,
    said: str = "said",
    corpus: str = "c",
    types: Sequence[str | tuple[str, str]] = (),
    document: str = "",
    source: str = "",
    tagged: bool = False,
) -> Answered:
    """A record that is asked about once; `answer` is None where what was said cannot be parsed."""
    example = asked(number, task, gold, corpus=corpus, types=types, document=document, source=source, tagged=tagged)
    return together([example], [answer], gold, answer, said=said)


def together(
    examples: Sequence[Example],
    answers: Sequence[Answer | None],
    gold: Answer,
    answer: Answer | None,
    *,
    said: str = "said",
) -> Answered:
    failed = sum(one is None for one in answers)
    return Answered(
        record=f"{examples[0].corpus}/test/{examples[0].record}",
        examples=tuple(examples),
        predictions=tuple(Prediction(example=example.id, text=said, finish="stop") for example in examples),
        answers=tuple(answers),
        gold=gold,
        answer=answer,
        unparsable={"empty": failed} if failed else {},
    )


def a_set(task: str, *, corpus: str = "c", metric: str = "micro_f1", protocol: str = "") -> TestSet:
    return TestSet(
        name="a_set",
        title="A set",
        corpus=corpus,
        split="test",
        task=task,
        metric=metric,
        protocol=protocol,
        langs=("en",),
    )


def values(test_set: TestSet, protocol: str, records: Sequence[Answered]) -> dict[str, MeasureResult]:
    """The measures of a protocol over records, by name."""
    found = protocols.get(test_set, protocol)
    assert not found.unfit(records), found.unfit(records)
    results, _ = measured(found.measures, *found.scores(records), resamples=10)
    return {result.name: result for result in results}


def value(test_set: TestSet, protocol: str, records: Sequence[Answered], measure: str = "") -> float | None:
    found = values(test_set, protocol, records)
    return found[measure].value if measure else next(iter(found.values())).value


def mentions(*items: tuple[str, str] | tuple[str, str, int], source: str = "") -> Mentions:
    """Mentions of (type, text) without place, or of (type, text, start)."""
    found = (
        Mention(type=item[0], text=item[1], span=Span(item[2], item[2] + len(item[1])) if len(item) == 3 else None)
        for item in items
    )
    return Mentions(items=tuple(found))


def spans(*items: tuple[str, int, int]) -> Mentions:
    """Mentions of (type, start, end), whose texts do not matter."""
    return Mentions(
        items=tuple(Mention(type=t, text=f"{start}-{end}", span=Span(start, end)) for t, start, end in items)
    )


def spaced(texts: Iterable[str]) -> str:
    return " ".join(texts)
