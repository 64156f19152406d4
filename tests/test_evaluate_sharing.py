"""A report to hand on has the scores of the report, and no text that only an answer has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from typer.testing import CliRunner

from taiyi import cli
from taiyi.evaluate import report, suites
from taiyi.evaluate.aggregate import SetResult, TypeResult
from taiyi.evaluate.details import details
from taiyi.evaluate.report import RunResult, Sample
from taiyi.evaluate.run import Answered, answered
from taiyi.evaluate.scoring import score_set
from taiyi.evaluate.sharing import NOT_IN_SET, shared
from taiyi.metrics.measures import MICRO_F1
from taiyi.schema import Answer, Example, Labels, Mention, Mentions, Message, Prediction, Shown, Span

SECRETS = ("患者咳嗽三天", "咳嗽")


def example(number: int, task: str, corpus: str, form: str, gold: Answer, types: Sequence[str]) -> Example:
    return Example(
        id=f"{corpus}/test/{number}#x",
        corpus=corpus,
        task=task,
        lang="zh",
        split="test",
        template=f"{task}.zh.01",
        form=form,
        record=str(number),
        messages=(Message(role="user", content=SECRETS[0]),),
        answer="x",
        gold=gold,
        types=tuple(Shown(name=name, shown=name) for name in types),
        source=Span(0, len(SECRETS[0])),
    )


def records(texts: Sequence[str], examples: Sequence[Example]) -> list[Answered]:
    given = {e.id: Prediction(example=e.id, text=t, finish="stop") for e, t in zip(examples, texts, strict=True)}
    return answered(examples, given)


def run() -> RunResult:
    """Labels of which one is gold, one only answered and two not the set's; entities of a type that is not the set's.

    PromptCBLUE takes an answer that is no label for a class of its own.
    """
    kinds = ("病情诊断", "治疗方案", "其他")
    labels = [example(n, "tc", "demo_qic", "labels", Labels(items=("病情诊断",)), kinds) for n in range(4)]
    gold = Mentions(items=(Mention(type="sym", text="咳嗽"),))
    names = [example(n, "ner", "demo_cmeee", "list", gold, ("sym", "dis")) for n in range(2)]
    sets = {
        "demo_qic_tc": records(("病情诊断", "治疗方案", *SECRETS), labels),
        "demo_cmeee_ner": records(("sym：咳嗽", "dis：咳嗽"), names),
    }
    results: list[SetResult] = []
    for name, found in sets.items():
        results.append(score_set(suites.test_set(name), found, resamples=20).result)
    of_names = results[1]
    results[1] = msgspec.structs.replace(
        of_names,
        outside={SECRETS[1]: 2, SECRETS[0]: 1},
        per_type=of_names.per_type | {s: TypeResult(precision=0, recall=None, f1=0, tp=0, fp=1, fn=0) for s in SECRETS},
    )
    told = [details(name, found, [r.score() for r in found], MICRO_F1) for name, found in sets.items()]
    told[1] = msgspec.structs.replace(
        told[1], errors=told[1].errors | {SECRETS[0]: {"spurious": 1}, SECRETS[1]: {"spurious": 2}}
    )
    sample = Sample(task="tc", set="QIC", prompt=SECRETS[0], gold="x", answer=SECRETS[1], verdict="wrong")
    return RunResult(
        name="r",
        title="r",
        description="d",
        results=tuple(results),
        details=tuple(told),
        samples=(sample,),
        documents="documents.html",
    )


def test_names_that_only_answers_have_are_one() -> None:
    labels, names = shared(run()).results
    [promptcblue] = [protocol.per_type for protocol in labels.protocols if protocol.name == "promptcblue"]
    assert list(promptcblue) == ["病情诊断", "治疗方案", NOT_IN_SET]
    assert promptcblue["治疗方案"] == TypeResult(precision=0.0, recall=None, f1=0.0, tp=0, fp=1, fn=0)
    assert promptcblue[NOT_IN_SET] == TypeResult(precision=0.0, recall=None, f1=0.0, tp=0, fp=2, fn=0)
    assert names.per_type[NOT_IN_SET].fp == 2 and sum(names.outside.values()) == 3
    errors = shared(run()).details[1].errors
    assert errors[NOT_IN_SET] == {"spurious": 3}


def test_scores_stay_as_they_are() -> None:
    whole = run()
    for before, after in zip(whole.results, shared(whole).results, strict=True):
        bare = [
            msgspec.structs.replace(
                result,
                per_type={},
                outside={},
                protocols=tuple(msgspec.structs.replace(p, per_type={}) for p in result.protocols),
            )
            for result in (before, after)
        ]
        assert bare[0] == bare[1]
        sums = [
            [sum(getattr(t, of) for t in r.per_type.values()) for of in ("tp", "fp", "fn")] for r in (before, after)
        ]
        assert sums[0] == sums[1]
    assert shared(shared(whole)) == shared(whole)


def test_an_older_report_that_does_not_tell_types_keeps_those_of_its_gold() -> None:
    whole = run()
    older = msgspec.structs.replace(whole, details=tuple(msgspec.structs.replace(of, types=()) for of in whole.details))
    assert list(shared(older).results[0].protocols[-1].per_type) == ["病情诊断", NOT_IN_SET]


def test_the_files_to_hand_on_have_no_text_of_an_answer(tmp_path: Path) -> None:
    paths = report.write(run(), tmp_path / "report")
    result = CliRunner().invoke(cli.app, ["report", str(tmp_path / "report"), "--share", str(tmp_path / "share")])
    assert result.exit_code == 0, result.output
    for path in paths:
        assert any(secret in path.read_text(encoding="utf-8") for secret in SECRETS)
        copy = (tmp_path / "share" / path.name).read_text(encoding="utf-8")
        assert not any(secret in copy for secret in SECRETS)
        assert copy.count(f"{NOT_IN_SET} {NOT_IN_SET}") == 0
