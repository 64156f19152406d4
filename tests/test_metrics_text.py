from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taiyi.metrics.text import chrf, rouge_l, tokenize


def test_tokens_of_both_languages() -> None:
    assert tokenize("阿司匹林100mg，每日１次。") == ["阿", "司", "匹", "林", "100mg", "每", "日", "1", "次"]
    assert tokenize("IL-6 is raised, naïvely.") == ["il", "6", "is", "raised", "naïvely"]


def test_rouge_l_worked_by_hand() -> None:
    # 4 of 5 tokens of the text and 4 of 6 of the reference are in the longest common subsequence.
    assert rouge_l("take one tablet every day", ["take one tablet twice every week"]) == pytest.approx(8 / 11)
    # 患者 and 发热: 4 of 5 and 4 of 4 characters.
    assert rouge_l("患者有发热", ["患者发热"]) == pytest.approx(8 / 9)


def test_best_reference_counts() -> None:
    assert rouge_l("多喝水", ["注意休息", "多喝水"]) == 1.0
    assert chrf("多喝水", ["注意休息", "多喝水"]) == pytest.approx(1.0)


def test_texts_without_anything_in_common_score_0() -> None:
    assert rouge_l("", ["多喝水"]) == 0.0
    assert chrf("", ["多喝水"]) == 0.0
    assert rouge_l("发热", ["多喝水"]) == 0.0
    assert chrf("发热", ["多喝水"]) == pytest.approx(0.0, abs=1e-6)


def test_references_are_not_one_string() -> None:
    with pytest.raises(ValueError, match="sequence"):
        chrf("a", "a")
    with pytest.raises(ValueError, match="sequence"):
        rouge_l("a", [])


@given(st.text("发热头痛 fever, 。1", max_size=30), st.text("发热头痛 fever, 。1", max_size=30))
@settings(max_examples=60, deadline=None)
def test_within_0_and_1_and_1_on_gold(text: str, reference: str) -> None:
    for metric in (chrf, rouge_l):
        assert 0 <= metric(text, [reference]) <= 1 + 1e-9
    if tokenize(reference):
        assert rouge_l(reference, [reference]) == pytest.approx(1.0)
    if reference.strip():
        assert chrf(reference, [reference]) == pytest.approx(1.0)
