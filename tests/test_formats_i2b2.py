"""Files of the i2b2 challenges of 2009 and 2010, whose positions are lines and tokens."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taiyi.formats import i2b2, i2b2_medication
from taiyi.formats.i2b2_tokens import Tokens
from taiyi.schema import Argument, Document, Reject, Span

TEXT = "He had no Chest  pain\nafter\tan aspirin .\r\nDaily, as needed\n"


def read(path: Path, **files: str) -> tuple[Document, list[Reject]]:
    for name, text in {"txt": TEXT, **files}.items():
        folder = path / {"con": "concept"}.get(name, name)
        folder.mkdir(exist_ok=True)
        (folder / f"r-1.{name}").write_bytes(text.encode())
    ends = {"TrAP": ("treatment", "problem")}
    items = list(i2b2.read(path / "txt" / "r-1.txt", corpus="c", split="train", lang="en", ends=ends))
    (document,) = [item for item in items if isinstance(item, Document)]
    return document, [item for item in items if isinstance(item, Reject)]


def medications(path: Path, *entries: str) -> tuple[Document, list[Reject]]:
    (path / "texts").mkdir()
    (path / "texts" / "7").write_bytes(TEXT.encode())
    (path / "7_gold.entries").write_text("".join(f"{entry}\n" for entry in entries))
    items = list(i2b2_medication.read(path / "7_gold.entries", corpus="c", split="train", lang="en", texts="texts"))
    (document,) = [item for item in items if isinstance(item, Document)]
    return document, [item for item in items if isinstance(item, Reject)]


@pytest.mark.parametrize(
    ("positions", "found"),
    [
        ("1:3 1:4", ["Chest  pain"]),
        ("1:4 2:0", ["pain\nafter"]),
        ("2:1 2:2", ["an aspirin"]),
        ("3:0 3:0,1:0 1:0", ["Daily,", "He"]),
        ("3:0 3:0 1:0 1:0", ["Daily,", "He"]),
        ("0:0 0:0", None),
        ("1:5 1:5", None),
        ("2:0 1:0", None),
        ("9:0 9:0", None),
        ("1:0", None),
        ("1:0 1:0 ,", None),
        (f"1:0 1:{'9' * 5000}", None),
    ],
)
def test_positions(positions: str, found: list[str] | None) -> None:
    spans = Tokens(TEXT).spans(positions)
    assert (spans and [TEXT[start:end] for start, end in spans]) == found


@given(lines=st.lists(st.lists(st.text("ab.é😀", min_size=1, max_size=3), max_size=4), min_size=1, max_size=4))
def test_each_token_is_where_it_stands(lines: list[list[str]]) -> None:
    text = "\n".join("  ".join(line) for line in lines)
    for number, line in enumerate(lines, start=1):
        for index, token in enumerate(line):
            span = Tokens(text).span((number, index), (number, index))
            assert span is not None
            assert text[span.start : span.end] == token


def test_concepts_assertions_and_relations(tmp_path: Path) -> None:
    document, rejects = read(
        tmp_path,
        con='c="chest pain" 1:3 1:4||t="problem"\nc="chest pain" 1:3 1:4||t="test"\n'
        'c="an aspirin" 2:1 2:2||t="treatment"\n',
        ast='c="chest pain" 1:3 1:4||t="problem"||a="absent"\n',
        rel='c="an aspirin" 2:1 2:2||r="TrAP"||c="chest pain" 1:3 1:4\n',
    )
    assert rejects == []
    assert document.text == TEXT
    assert [(e.id, e.type, e.text, e.attributes) for e in document.entities] == [
        ("T1", "problem", "Chest  pain", {"assertion": "absent"}),
        ("T2", "test", "Chest  pain", {}),
        ("T3", "treatment", "an aspirin", {}),
    ]
    assert document.relations[0].arguments == (
        Argument(role="treatment", kind="entity", ref="T3"),
        Argument(role="problem", kind="entity", ref="T1"),
    )


CON = 'c="chest pain" 1:3 1:4||t="problem"\n'
AST = 'c="chest pain" 1:3 1:4||t="problem"||a="absent"\n'


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"con": CON + "some line\n"}, "malformed line"),
        ({"con": CON + CON}, "repeated line"),
        ({"con": 'c="back pain" 1:3 1:4||t="problem"\n'}, "mention does not match the text"),
        ({"con": 'c="" 1:3 1:4||t="problem"\n'}, "mention does not match the text"),
        ({"con": 'c="pain" 8:3 8:4||t="problem"\n'}, "span outside the text"),
        ({"con": "", "ast": AST}, "reference to a mention that is not there"),
        ({"con": CON, "ast": AST + AST.replace("absent", "present")}, "repeated line"),
        ({"con": CON, "rel": 'c="chest pain" 1:3 1:4||r="PIP"||c="after" 2:0 2:0\n'}, "reference to a mention that is"),
        ({"con": CON, "rel": 'c="chest pain" 1:3 1:4||r="PIP"||c="chest pain" 1:3 1:4\n' * 2}, "repeated line"),
    ],
)
def test_faults_are_rejected(tmp_path: Path, files: dict[str, str], reason: str) -> None:
    _, (reject,) = read(tmp_path, **files)
    assert reject.reason.startswith(reason)


def test_a_record_without_concepts_is_none(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text(TEXT)
    (reject,) = i2b2.read(tmp_path / "r.txt", corpus="c", split="train", lang="en")
    assert isinstance(reject, Reject)
    assert reject.reason == "record without a concept file"


def test_medication_entries(tmp_path: Path) -> None:
    document, rejects = medications(
        tmp_path,
        'm="an aspirin" 2:1 2:2||do="nm"||f="daily...as needed" 3:0 3:0,3:1 3:2|||'
        'r="chest pain" 1:3 1:4||e="start"||c="nm"',
        'm="aspirin" 2:2 2:2||f="daily as needed" 3:0 3:0 3:1 3:2||r="pain" 3:0 3:0||ln="list"',
    )
    assert [reject.reason for reject in rejects] == ["mention does not match the text"]
    assert [(e.id, e.type, e.text) for e in document.entities] == [
        ("T1", "m", "an aspirin"),
        ("T2", "f", "Daily as needed"),
        ("T3", "r", "Chest  pain"),
        ("T4", "m", "aspirin"),
    ]
    assert document.entities[1].spans == (Span(42, 47), Span(49, 58))
    first, second = document.events
    assert (first.trigger, first.attributes) == ("an aspirin", {"e": "start"})
    assert [(a.role, a.ref) for a in first.arguments] == [("m", "T1"), ("f", "T2"), ("r", "T3")]
    assert [(a.role, a.ref) for a in second.arguments] == [("m", "T4"), ("f", "T2")]
    assert second.attributes == {"ln": "list"}


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ('do="81 mg" 1:0 1:0', "malformed line"),
        ('m="aspirin" 2:2 2:2||x="1" 1:0 1:0', "malformed line"),
        ("aspirin", "malformed line"),
        ('m="aspirin" 2:9 2:9', "span outside the text"),
        ('m="aspirin"', "span outside the text"),
        ('m="gold" 2:2 2:2', "mention does not match the text"),
    ],
)
def test_entries_without_a_medication_are_rejected(tmp_path: Path, entry: str, reason: str) -> None:
    document, (reject,) = medications(tmp_path, entry)
    assert (document.events, reject.reason) == ((), reason)


def test_a_repeated_entry_counts_once_and_entries_need_a_text(tmp_path: Path) -> None:
    document, (reject,) = medications(tmp_path, *['m="aspirin" 2:2 2:2'] * 2)
    assert (len(document.events), reject.reason) == (1, "repeated line")
    (missing,) = i2b2_medication.read(tmp_path / "7_gold.entries", corpus="c", split="train", lang="en")
    assert isinstance(missing, Reject)
    assert missing.reason == "annotations without a text"
