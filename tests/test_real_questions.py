"""Facts of the real corpora of questions beyond their counts."""

from __future__ import annotations

import pytest

from taiyi import catalogue, text
from taiyi.schema import Question, Split

pytestmark = pytest.mark.real


def questions(name: str, split: Split) -> list[Question]:
    corpus = catalogue.get(name)
    return [item for item in catalogue.load(corpus, split, catalogue.corpora_dir()) if isinstance(item, Question)]


def test_liveqa_has_the_pairs_that_its_authors_count() -> None:
    # The first file names the request of a question, the second does not.
    train = questions("liveqa", "train")
    assert sum(len(question.answers) for question in train if question.document_ids) == 388
    assert sum(len(question.answers) for question in train if not question.document_ids) == 246


def test_liveqa_asks_twelve_questions_of_the_test_in_train() -> None:
    known = {mark for question in questions("liveqa", "train") for mark in text.fingerprints(question.question)}
    assert sum(bool(known & {*text.fingerprints(q.question)}) for q in questions("liveqa", "test")) == 12


def test_gsm8k_has_no_mark_for_a_calculator_left() -> None:
    for question in questions("gsm8k", "train"):
        assert "<<" not in question.long_answer
        assert question.long_answer
        assert "\n" not in question.answers[0]


def test_medmcqa_options_are_the_letters_of_the_examination() -> None:
    dev = questions("medmcqa", "dev")
    assert {tuple(option.key for option in question.options) for question in dev} == {("A", "B", "C", "D")}
    assert [sum(q.answers == (key,) for q in dev) for key in "ABCD"] == [1348, 1085, 925, 825]
