"""Questions in XML: LiveQA of TREC, MEDIQA's answers with their ranks, the Biology How/Why Corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from taiyi.errors import FormatError
from taiyi.formats import biology_how_why, liveqa, mediqa_qa
from taiyi.schema import Question, Reject

HERE: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "en"}


def put(tmp_path: Path, text: str, name: str = "some.xml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_liveqa_gathers_the_answers_to_all_sub_questions(tmp_path: Path) -> None:
    text = """<NLM-QUESTIONS>
<NLM-QUESTION questionid="Q1" fRef="1-99.xml"><SUBJECT></SUBJECT><MESSAGE>Cause &amp; cure?</MESSAGE>
<SUB-QUESTIONS><SUB-QUESTION><ANSWERS><ANSWER>One.</ANSWER><ANSWER/></ANSWERS></SUB-QUESTION>
<SUB-QUESTION><ANSWERS><ANSWER>Two.</ANSWER></ANSWERS></SUB-QUESTION></SUB-QUESTIONS></NLM-QUESTION>
<NLM-QUESTION qid="2.0"><SUBJECT>Gout</SUBJECT><MESSAGE>Why?</MESSAGE></NLM-QUESTION>
<NLM-QUESTION><MESSAGE>Who?</MESSAGE><ANSWER>I.</ANSWER></NLM-QUESTION>
</NLM-QUESTIONS>"""
    first, unanswered, unnamed = liveqa.read(put(tmp_path, text), **HERE)
    assert first == Question(
        id="Q1", kind="simple", question="Cause & cure?", answers=("One.", "Two."), document_ids=("nlm:1-99",), **HERE
    )
    assert isinstance(unanswered, Reject)
    assert unanswered.reason == "no answer"
    assert isinstance(unnamed, Reject)
    assert unnamed.reason == "malformed line"


@pytest.mark.parametrize("attribute", ["qfile", "qFile"])
def test_liveqa_test_questions_are_those_that_were_sent(tmp_path: Path, attribute: str) -> None:
    text = f"""<LiveQA2017-Medical-Test-Set-Full><NLM-QUESTION qid="TQ1">
<Original-Question {attribute}="71.txt"><SUBJECT>hay fever</SUBJECT><MESSAGE>Can it begin late</MESSAGE>
</Original-Question><NIST-PARAPHRASE>Can hay fever begin late?</NIST-PARAPHRASE><ReferenceAnswers>
<RefAnswer aid="TQ1A1"><ANSWER> It can begin
\t\t\t\tat any age. </ANSWER><AnswerURL>x</AnswerURL><COMMENT>y</COMMENT></RefAnswer></ReferenceAnswers></NLM-QUESTION>
</LiveQA2017-Medical-Test-Set-Full>"""
    (question,) = liveqa.read(put(tmp_path, text), **HERE)
    assert isinstance(question, Question)
    assert question.question == "hay fever\nCan it begin late"
    assert question.answers == ("It can begin at any age.",)
    assert question.document_ids == ("nlm:71",)


def test_liveqa_refuses_other_xml(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="outermost element"):
        list(liveqa.read(put(tmp_path, "<collection/>"), **HERE))


def answer(system: str, rank: str, score: str, text: str) -> str:
    attributes = f'AID="x" SystemRank="{system}" ReferenceRank="{rank}" ReferenceScore="{score}"'
    return f"<Answer {attributes}><AnswerURL>u</AnswerURL><AnswerText>{text}</AnswerText></Answer>"


def test_mediqa_answers_are_the_right_ones_by_rank(tmp_path: Path) -> None:
    answers = (
        answer("2", "1", "4", "b"),
        answer("1", "10", "3", "a"),
        answer("3", "2", "3", "c"),
        answer("4", "3", "2", "d"),
    )
    lists = (answers, [answer("1", "1", "2", "a")], [answer("1", "1", "?", "a")])
    questions = (
        f'<Question QID="{n}"><QuestionText>Why?</QuestionText><AnswerList>{"".join(of)}</AnswerList></Question>'
        for n, of in enumerate(lists, start=7)
    )
    text = f"<Any>{''.join(questions)}</Any>"
    first, wrong, malformed = mediqa_qa.read(put(tmp_path, text), id_prefix="alexa-", **HERE)
    assert first == Question(
        id="alexa-7", kind="context", question="Why?", contexts=("a", "b", "c", "d"), answers=("b", "c", "a"), **HERE
    )
    assert [r.reason for r in (wrong, malformed) if isinstance(r, Reject)] == [
        "no answer is judged right", "malformed line",
    ]  # fmt: skip


def test_biology_questions_have_all_their_passages(tmp_path: Path) -> None:
    passage = "<answer><justification>{}</justification><docid>d</docid><sentences>1, 2</sentences></answer>"
    text = f"""<questions><question><text>How?</text><answers>{passage.format("So.")}{passage.format("Thus.")}</answers>
</question><question><text>Why?</text><answers/></question></questions>"""
    first, malformed = biology_how_why.read(put(tmp_path, text, "all_how.gold.xml"), **HERE)
    assert first == Question(id="all_how.gold-0", kind="simple", question="How?", answers=("So.", "Thus."), **HERE)
    assert isinstance(malformed, Reject)
    with pytest.raises(FormatError, match="no <question>"):
        list(biology_how_why.read(put(tmp_path, "<questions/>"), **HERE))
