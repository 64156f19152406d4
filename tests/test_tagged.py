"""The tagged form: what is written is read back, and taking the tags away gives the source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi import tagged
from taiyi.errors import Unparsable
from taiyi.schema import Mention, Span, Tagging

TAGS = ("Disease", "药物", "Gene or protein")
ALPHABET = [
    "a",
    "b",
    "Z",
    "7",
    " ",
    "  ",
    "\n",
    "-",
    "<",
    "</",
    ">",
    ",",
    "。",
    "肝",
    "癌",
    "é",
    "e\u0301",
    "👩‍⚕️",
    "🧬",
    "\u3000",
    "\x1c",
]

texts = st.lists(st.sampled_from(ALPHABET), min_size=1, max_size=40).map("".join).filter(lambda t: t.strip())


@st.composite
def tagged_texts(draw: st.DrawFn) -> tuple[Tagging, list[Mention]]:
    """A source with mentions that nest; a mention begins and ends with something that is not blank."""
    source = draw(texts)
    found: list[Mention] = []
    for _ in range(draw(st.integers(0, 8))):
        start = draw(st.integers(0, len(source) - 1))
        end = draw(st.integers(start + 1, len(source)))
        text = source[start:end]
        if text == text.strip():
            found.append(Mention(type=draw(st.sampled_from(TAGS)), text=text, span=Span(start, end)))
    return Tagging(source=source, tags=TAGS, at=0), tagged.nest(found)[0]


def untagged(answer: str) -> str:
    for tag in TAGS:
        answer = answer.replace(tagged.open_tag(tag), "").replace(tagged.close_tag(tag), "")
    return answer


@given(tagged_texts())
def test_what_is_written_is_read_back(case: tuple[Tagging, list[Mention]]) -> None:
    tagging, mentions = case
    answer = tagged.write(tagging.source, mentions)
    assert untagged(answer) == tagging.source
    read = tagged.read(answer, tagging)
    assert read == sorted(mentions, key=lambda m: (m.span.start, -m.span.end, m.type))  # pyright: ignore
    assert all(m.text == tagging.source[m.span.start : m.span.end] for m in read if m.span)
    assert tagged.write(tagging.source, read) == answer


@given(tagged_texts(), st.randoms())
def test_nothing_is_lost_between_placed_and_left(case: tuple[Tagging, list[Mention]], random: object) -> None:
    _, mentions = case
    crossing = [*mentions, *mentions[:1]]
    placed, left = tagged.nest(crossing)
    assert len(placed) + len(left) == len(crossing)
    assert tagged.nest(placed) == (placed, [])


def test_tags_stand_before_the_space_of_their_mention() -> None:
    mention = Mention(type="Disease", text="epilepsy", span=Span(4, 12))
    assert tagged.write("has epilepsy.", [mention]) == "has<Disease> epilepsy</Disease>."


def test_crossing_mentions_keep_the_first() -> None:
    first = Mention(type="Disease", text="ab", span=Span(0, 2))
    second = Mention(type="药物", text="bc", span=Span(1, 3))
    assert tagged.nest([second, first]) == ([first], [second])


def test_tags_deeper_than_the_limit_are_left_out() -> None:
    mentions = [Mention(type="Disease", text="a" * n, span=Span(0, n)) for n in range(1, 7)]
    placed, left = tagged.nest(mentions)
    assert len(placed) == tagged.MAX_DEPTH
    assert {len(m.text) for m in left} == {1, 2}


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("no <Disease>flu</Disease>!", "departs from its source"),
        ("no <Disease>flu</Disease>", "ends before its source"),
        ("no <Disease>flu.", "never closed"),
        ("no flu</Disease>.", "matches no open one"),
        ("no <Disease><药物>flu</Disease></药物>.", "matches no open one"),
        ("no<Disease> </Disease>flu.", "marks nothing"),
        ("no <Unknown>flu</Unknown>.", "departs from its source"),
        ("", "ends before its source"),
    ],
)
def test_an_answer_that_is_no_tagged_source_is_refused(answer: str, fault: str) -> None:
    with pytest.raises(Unparsable, match=fault):
        tagged.read(answer, Tagging(source="no flu.", tags=TAGS, at=0))


def test_clashes() -> None:
    assert tagged.clashes("a <Disease> b", TAGS)
    assert tagged.clashes("a </药物> b", TAGS)
    assert not tagged.clashes("p < 0.05 > Disease", TAGS)
