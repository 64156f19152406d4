"""Quotations: what is in a text is found at its place, and what is not is not."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from taiyi.knowledge.sources import quotes
from taiyi.schema import Span

# Words that share no letter with ABSENT.
WORDS = (
    "Aspirin",
    "TNF-α",
    "5",
    "mg/kg",
    "(p",
    "<",
    "0.05),",
    "naïve",
    "“dose”",
    "哮喘",
    "患者，",
    "用药。",
    "10⁵",
    "😀",
    "ﬁve",
    "Straße",
)
ABSENT = ("warfarin", "99", "中毒")
SPACES = (" ", "\n", "  ", "\t", "\u00a0", "\u3000")
texts = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(SPACES)), min_size=1, max_size=12)


@given(texts, st.data())
def test_what_is_in_a_text_is_found_where_it_stands(parts: list[tuple[str, str]], data: st.DataObject) -> None:
    text = "".join(word + space for word, space in parts)
    first = data.draw(st.integers(0, len(parts) - 1))
    last = data.draw(st.integers(first, len(parts) - 1))
    chosen = parts[first : last + 1]
    spaced = "".join(word + data.draw(st.sampled_from(SPACES)) for word, _ in chosen)
    recased = data.draw(st.sampled_from([spaced, spaced.upper(), spaced.casefold(), spaced.replace("“", '"')]))
    # Marks alone are no quotation.
    assume(any(letter.isalnum() for letter in spaced))
    span = quotes.find(recased, text)
    assert span is not None
    found = text[slice(*span)]
    # Another place may have the same words; its words are those that were asked for.
    assert _bare(found) == _bare(spaced)
    begin = len("".join(word + space for word, space in parts[:first]))
    assert span.start <= begin + len(chosen[0][0])


def _bare(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


@given(texts, st.sampled_from(ABSENT), st.data())
def test_what_is_not_in_a_text_is_not_found(parts: list[tuple[str, str]], absent: str, data: st.DataObject) -> None:
    text = "".join(word + space for word, space in parts)
    words = [word for word, _ in parts]
    words.insert(data.draw(st.integers(0, len(words))), absent)
    assert quotes.find(" ".join(words), text) is None
    assert quotes.find(absent, text) is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_has_offsets_within_it(quote: str, text: str) -> None:
    span = quotes.find(quote, text)
    assert span is None or 0 <= span.start < span.end <= len(text)


@pytest.mark.parametrize(
    ("quote", "text", "found"),
    [
        ("p<0.05", "so (p < 0.05) it", "p < 0.05"),
        ("“in vitro”", "shown in\n vitro only", "in\n vitro"),
        ("TNF–α rose.", "The TNF-α rose, then", "TNF-α rose"),
        ("高血压 患者", "对高血压患者，", "高血压患者"),
        ("剂量(5mg)", "剂量（5mg）为", "剂量（5mg）"),
        ("don't", "They don’t know", "don’t"),
        ("ends in 2010. 5 mg", "ends in 2010. 5 mg was", "ends in 2010. 5 mg"),
        ("soft", "so\u00adft tissue", "so\u00adft"),
    ],
)
def test_what_is_alike(quote: str, text: str, found: str) -> None:
    span = quotes.find(quote, text)
    assert span is not None
    assert text[slice(*span)] == found


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("5 mg", "got 15 mg"),
        ("5 mg", "got 0.5 mg"),
        ("5 mg", "got .5 mg"),
        ("15", "was 15.5 units"),
        ("1", "was 1,000"),
        ("p > 0.05", "so p < 0.05"),
        ("105 cells", "with 10⁵ cells"),
        ("invitro", "in vitro"),
        ("therapist", "the rapist"),
        ("art", "the heart of"),
        ("effect", "effects of"),
        ("naive", "naïve cells"),
        ("", "text"),
        ("...", "text ... more"),
        ("高血压", "高血糖"),
    ],
)
def test_what_is_not_alike(quote: str, text: str) -> None:
    assert quotes.find(quote, text) is None


def test_the_first_place_that_is_whole_is_taken() -> None:
    assert quotes.find("5 mg", "15 mg and 5 mg") == Span(10, 14)
