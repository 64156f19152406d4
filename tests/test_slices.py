"""Scores of parts of a test set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.evaluate import report, suites
from taiyi.evaluate.aggregate import missing
from taiyi.evaluate.details import Details, details, error_table, slice_table, type_error_table
from taiyi.evaluate.report import RunResult
from taiyi.evaluate.run import Answered, answered
from taiyi.evaluate.slices import FEWEST, RARE, Slice, mentions, slices
from taiyi.metrics.measures import ACCURACY, MICRO_F1
from taiyi.schema import Choice, Example, FreeText, Lang, Mention, Mentions, Message, Prediction, Shown, Span, Tagging

TYPES = (Shown(name="Drug", shown="drug"), Shown(name="Sign", shown="sign"))


def example(
    number: int, text: str, gold: Sequence[tuple[str, str]], lang: Lang = "en", *, spans: bool = True
) -> Example:
    """An example about a text in which each gold mention stands once; without spans it asks for a list."""
    found = [
        Mention(type=type, text=name, span=Span(text.index(name), text.index(name) + len(name)) if spans else None)
        for type, name in gold
    ]
    return Example(
        id=f"c/test/{number}#x",
        corpus="c",
        task="ner",
        lang=lang,
        split="test",
        template=f"ner.{lang}.01",
        form="tagged" if spans else "list",
        record=str(number),
        messages=(Message(role="user", content=text),),
        answer="x",
        gold=Mentions(items=tuple(found)),
        types=TYPES,
        source=Span(0, len(text)),
        tagging=Tagging(source=text, tags=("drug", "sign"), at=0) if spans else None,
    )


def scored(*pairs: tuple[Example, str]) -> list[Answered]:
    given = {e.id: Prediction(example=e.id, text=text, finish="stop") for e, text in pairs}
    return answered([e for e, _ in pairs], given)


def cut(records: Sequence[Answered], **more: object) -> dict[str, list[Slice]]:
    found: dict[str, list[Slice]] = {}
    every = slices(records, [r.score() for r in records], MICRO_F1, resamples=50, **more)  # pyright: ignore[reportArgumentType]
    for part in every:
        found.setdefault(part.by, []).append(part)
    return found


def told(parts: Sequence[Slice]) -> list[tuple[str, int, float | None]]:
    return [(p.name, p.num_records, None if p.value is None else round(p.value, 4)) for p in parts]


def test_length_by_quartiles() -> None:
    # 10 texts each of 10, 20, 30 and 40 characters; the model finds the drug in those of 10 and 30.
    pairs: list[tuple[Example, str]] = []
    for n in range(40):
        size = 10 * (1 + n % 4)
        text = "zinc" + "." * (size - 4)
        pairs.append(
            (example(n, text, [("Drug", "zinc")]), text.replace("zinc", "<drug>zinc</drug>") if n % 2 == 0 else text)
        )
    assert told(cut(scored(*pairs))["length of the text"]) == [
        ("10 to 10 characters", 10, 1.0),
        ("11 to 20 characters", 10, 0.0),
        ("21 to 30 characters", 10, 1.0),
        ("31 to 40 characters", 10, 0.0),
    ]


def test_one_part_is_no_slice() -> None:
    records = scored(*[(example(n, "zinc", [("Drug", "zinc")]), "zinc") for n in range(12)])
    assert cut(records) == {}


def test_languages_and_numbers_of_items() -> None:
    found = cut(
        scored(
            *[(example(n, "zinc", [("Drug", "zinc")]), "<drug>zinc</drug>") for n in range(10)],
            *[(example(n, "发热咳嗽", [("Sign", "发热"), ("Sign", "咳嗽")], "zh"), "发热咳嗽") for n in range(10, 20)],
            *[(example(n, "none", []), "<drug>none</drug>") for n in range(20, 30)],
        )
    )
    assert told(found["language"]) == [("en", 20, round(2 * 10 / (2 * 10 + 10), 4)), ("zh", 10, 0.0)]
    assert told(found["number of gold items"]) == [("none", 10, 0.0), ("1", 10, 1.0), ("2 to 4", 10, 0.0)]


def test_a_slice_of_few_records_shows_how_many_and_no_score() -> None:
    few = FEWEST - 1
    found = cut(
        scored(
            *[(example(n, "zinc", [("Drug", "zinc")]), "<drug>zinc</drug>") for n in range(few)],
            *[(example(n, "zinc", [("Drug", "zinc")], "zh"), "zinc") for n in range(few, few + FEWEST)],
        )
    )
    en, zh = found["language"]
    assert (en.num_records, en.value, en.ci_low, en.ci_high) == (few, None, None, None)
    assert (zh.num_records, zh.value) == (FEWEST, 0.0)
    rows = slice_table(Details(set="x", slices=(en, zh))).rows
    assert [row.cells[3:6] for row in rows] == [("–", "–", "9"), ("0.0", "0.0 to 0.0", "10")]


def test_rare_types_are_scored_apart() -> None:
    text = "zinc fever"
    gold = [("Drug", "zinc"), ("Sign", "fever")]
    pairs = [(example(n, text, gold if n < 10 else gold[:1]), "<drug>zinc</drug> fever") for n in range(RARE)]
    rare, others = cut(scored(*pairs))["how often the type occurs"]
    assert (rare.name, rare.num_records, rare.num_gold, rare.value) == (
        "rare: fewer than 20 in the gold (1)",
        10,
        10,
        0.0,
    )
    assert (others.name, others.num_records, others.num_gold, others.value) == ("others (1)", 20, 20, 1.0)


def test_mentions_that_training_has_seen() -> None:
    gold = Mentions(items=(Mention(type="D", text="Zinc"), Mention(type="S", text="fever")))
    seen = set(mentions(gold, (Shown(name="D", shown="Drug"), Shown(name="S", shown="sign"))))
    assert seen == {("drug", "zinc"), ("sign", "fever")}
    assert not set(mentions(FreeText(text="zinc"), ()))
    # Names of types differ between corpora: what the prompt shows is compared. Iron is new, and so is fever as a drug.
    text = "zinc iron fever"
    answer = "<drug>zinc</drug> iron<drug> fever</drug>"
    pairs = [(example(n, text, [("Drug", "zinc"), ("Drug", "iron"), ("Sign", "fever")]), answer) for n in range(10)]
    known, new = cut(scored(*pairs), seen=seen)["mentions of training data"]
    assert (known.name, known.num_gold, known.value) == ("seen in training", 20, pytest.approx(2 / 3))
    assert (new.name, new.num_gold, new.value) == ("not seen in training", 10, 0.0)
    assert "mentions of training data" not in cut(scored(*pairs))


def test_nested_mentions_are_recalled_apart() -> None:
    text = "lung cancer and fever"
    gold = [("Sign", "lung cancer"), ("Sign", "cancer"), ("Sign", "fever")]
    answer = "<sign>lung cancer</sign> and<sign> fever</sign>"
    records = scored(*[(example(n, text, gold), answer) for n in range(10)])
    flat, nested = cut(records)["nesting"]
    assert (flat.name, flat.measure, flat.num_gold, flat.value) == ("flat", "recall", 10, 1.0)
    assert (nested.name, nested.num_gold, nested.value) == ("nested", 20, 0.5)
    # A form without offsets does not tell which are nested.
    lists = scored(*[(example(n, text, gold, spans=False), "sign: fever") for n in range(10)])
    assert "nesting" not in cut(lists)


def test_other_answers_have_slices_of_records_alone() -> None:
    def choice(number: int) -> Example:
        return Example(
            id=f"c/test/{number}#x",
            corpus="c",
            task="qa_mc",
            lang="en",
            split="test",
            template="qa_mc.en.01",
            form="key",
            record=str(number),
            messages=(Message(role="user", content="?" * (1 + number)),),
            answer="A",
            gold=Choice(key="A"),
            types=(Shown(name="A", shown="a"), Shown(name="B", shown="b")),
        )

    records = scored(*[(choice(n), "A" if n < 20 else "B") for n in range(40)])
    found = slices(records, [r.score() for r in records], ACCURACY, seen=frozenset())
    assert {p.by for p in found} == {"length of the text"}
    assert [p.value for p in found] == [1.0, 1.0, 0.0, 0.0]


def test_no_records_have_no_slices() -> None:
    assert slices([], [], MICRO_F1) == ()


@given(st.lists(st.integers(1, 60), min_size=1, max_size=60))
def test_quartiles_hold_every_record_once(lengths: list[int]) -> None:
    records = scored(*[(example(n, "x" * size, []), "x" * size) for n, size in enumerate(lengths)])
    parts = cut(records).get("length of the text", [])
    assert sum(p.num_records for p in parts) == (len(lengths) if parts else 0)
    assert len(parts) <= 4
    if len(set(lengths)) == len(lengths) > 7:
        sizes = [p.num_records for p in parts]
        assert max(sizes) - min(sizes) <= 1


def test_errors_by_kind_add_up() -> None:
    text = "zinc fever"
    pairs = [(example(n, text, [("Drug", "zinc"), ("Sign", "fever")]), "<sign>zinc</sign> fever") for n in range(3)]
    records = scored(*pairs)
    found = details("set", records, [r.score() for r in records], MICRO_F1)
    assert found.errors == {"Drug": {"type": 3}, "Sign": {"missed": 3}}
    [row] = error_table([], [found]).rows
    assert row.cells == ("set", "0", "3", "0", "0", "3", "0")
    assert [r.cells for r in type_error_table(found).rows] == [
        ("Drug", "0", "3", "0", "0", "0", "0"),
        ("Sign", "0", "0", "0", "0", "3", "0"),
        ("All", "0", "3", "0", "0", "3", "0"),
    ]


def test_reports_show_errors_slices_and_the_page_of_documents(tmp_path: Path) -> None:
    text = "zinc fever"
    pairs = [(example(n, text, [("Drug", "zinc"), ("Sign", "fever")], ("en", "zh")[n % 2]), text) for n in range(24)]
    records = scored(*pairs)
    found = details("demo_cdr_ner", records, [r.score() for r in records], MICRO_F1)
    result = missing(suites.test_set("demo_cdr_ner"))
    run = RunResult(
        name="r", title="r", description="d", results=(result,), details=(found,), documents="documents.html"
    )
    page, told = report.html(run), report.markdown(run)
    for part in ("Errors by kind", "Wrong boundary", "Slices", "language", "0.0 to 0.0"):
        assert part in page and part in told
    assert "own protocol (own), also where" in page and "own protocol (own), also where" in told
    assert 'href="documents.html"' in page
    assert report.load(report.write(run, tmp_path).json) == run
    # A report to hand on has no page of documents to point to.
    bare = report.html(msgspec.structs.replace(run, details=(), documents=""))
    assert "href=" not in bare and "Slices" not in bare and "Errors by kind" not in bare
