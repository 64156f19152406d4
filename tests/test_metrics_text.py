from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taiyi.metrics.text import chrf


def test_best_reference_counts() -> None:
    assert chrf("多喝水", ["注意休息", "多喝水"]) == pytest.approx(1.0)


def test_texts_without_anything_in_common_score_0() -> None:
    assert chrf("", ["多喝水"]) == 0.0
    assert chrf("发热", ["多喝水"]) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("references", ["a", []])
def test_references_are_not_one_string(references: list[str]) -> None:
    with pytest.raises(ValueError, match="sequence"):
        chrf("a", references)


@given(st.text("发热头痛 fever, 。1", max_size=30), st.text("发热头痛 fever, 。1", max_size=30))
@settings(max_examples=60, deadline=None)
def test_within_0_and_1_and_1_on_gold(text: str, reference: str) -> None:
    assert 0 <= chrf(text, [reference]) <= 1 + 1e-9
    if reference.strip():
        assert chrf(reference, [reference]) == pytest.approx(1.0)
