"""Calibration: confidences beside what is right, as an independent implementation has it."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve  # pyright: ignore[reportUnknownVariableType]

from taiyi import tasks
from taiyi.evaluate import run
from taiyi.evaluate.calibration import Sure, calibration, of_records
from taiyi.generate.likelihood import shares
from taiyi.schema import Document, Entity, Example, Mentions, Option, Prediction, Question, Shown, Span

SURE = st.builds(Sure, st.floats(0, 1), st.booleans())


@given(st.lists(SURE, min_size=1, max_size=60))
def test_bins_are_those_of_scikit_learn_and_the_error_follows_from_them(found: list[Sure]) -> None:
    made = calibration(found)
    assert made is not None
    assert sum(b.num for b in made.bins) == made.num == len(found)
    assert 0 <= made.error <= 1
    assert made.error >= abs(made.confidence - made.right) - 1e-9
    # A confidence on the edge of two bins is in the upper one here, and there in the lower.
    if all((10 * one.confidence) % 1 for one in found):
        right = [one.right for one in found]
        shares_right, means = calibration_curve(right, [one.confidence for one in found], n_bins=10, pos_label=True)
        assert np.allclose([b.right for b in made.bins], shares_right)
        assert np.allclose([b.confidence for b in made.bins], means)


def test_what_is_right_as_often_as_it_is_sure_has_no_error() -> None:
    found = [Sure(0.75, right) for right in (True, True, True, False)] + [Sure(0.25, n == 0) for n in range(4)]
    made = calibration(found)
    assert made is not None and made.error == 0
    over = calibration([Sure(1.0, n % 2 == 0) for n in range(10)])
    assert over is not None and over.error == 0.5
    assert calibration([]) is None


@given(st.lists(st.floats(-500, 0), min_size=1, max_size=8))
def test_shares_add_up_to_one_and_keep_the_order(scores: list[float]) -> None:
    made = shares(scores)
    assert math.isclose(sum(made), 1)
    assert made[scores.index(max(scores))] == max(made)


TYPES = (Shown(name="Chemical", shown="chemical"), Shown(name="Disease", shown="disease"))
TEXT = "Aspirin can cause asthma. Asthma hurts."


def tagged_examples() -> list[Example]:
    entities = tuple(
        Entity(id=f"T{n}", type=kind, text=TEXT[start:end], spans=(Span(start, end),))
        for n, (start, end, kind) in enumerate([(0, 7, "Chemical"), (18, 24, "Disease")])
    )
    document = Document(id="1", corpus="c", split="test", lang="en", text=TEXT, entities=entities)
    task = tasks.get("ner")
    template = tasks.load_templates(task, "en")[0]
    windows = (Span(0, 25), Span(18, 39))
    made = [task.render(document, template, form="tagged", types=TYPES, window=window) for window in windows]
    assert all(isinstance(one, Example) for one in made)
    return [one for one in made if isinstance(one, Example)]


def test_a_mention_counts_once_with_its_best_confidence_and_is_right_by_type_and_place() -> None:
    first, second = tagged_examples()
    answers = {
        first.id: ("<chemical>Aspirin</chemical> can cause <chemical>asthma</chemical>.", (0.9, 0.3)),
        # The same place again, more surely; and one that the gold does not have.
        second.id: ("<chemical>asthma</chemical>. <disease>Asthma</disease> hurts.", (0.4, 0.6)),
    }
    predictions = {
        id: Prediction(example=id, text=text, finish="stop", confidences=sure) for id, (text, sure) in answers.items()
    }
    records = run.answered([first, second], predictions)
    assert isinstance(records[0].gold, Mentions)
    assert sorted(of_records(records)) == [Sure(0.4, False), Sure(0.6, False), Sure(0.9, True)]
    without = {id: msgspec.structs.replace(one, confidences=()) for id, one in predictions.items()}
    assert not list(of_records(run.answered([first, second], without)))


@pytest.mark.parametrize(("answer", "right"), [("A", False), ("B", True)])
def test_a_choice_is_right_where_it_is_the_gold(answer: str, right: bool) -> None:
    options = (Option(key="A", text="insulin"), Option(key="B", text="paracetamol"))
    question = Question(
        id="1", corpus="c", split="test", lang="en", kind="choice", question="Which lowers fever?", answers=("B",),
        options=options,
    )  # fmt: skip
    task = tasks.get("qa_mc")
    example = task.render(question, tasks.load_templates(task, "en")[0], form=task.forms[0], types=())
    assert isinstance(example, Example)
    prediction = Prediction(example=example.id, text=answer, finish="stop", confidences=(0.7,))
    assert list(of_records(run.answered([example], {example.id: prediction}))) == [Sure(0.7, right)]
