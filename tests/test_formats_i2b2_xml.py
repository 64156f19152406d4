"""XML of the i2b2 and n2c2 challenges: inline tags, tags with offsets, labels, and judgments in files of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taiyi.errors import FormatError
from taiyi.formats import i2b2_obesity, i2b2_xml
from taiyi.schema import Document, Labelled, Record, Reject, Span

HEAD: dict[str, Any] = {"corpus": "c", "split": "train", "lang": "en"}


def read(path: Path, reader: Callable[..., Iterator[Record | Reject]], text: str) -> list[Any]:
    (path / "7.xml").write_text(text)
    return list(reader(path / "7.xml", **HEAD))


def test_inline_tags_become_mentions_of_the_text_without_them(tmp_path: Path) -> None:
    text = (
        '<ROOT>\n<RECORD ID="1">\n<TEXT>\nMr. <PHI TYPE="PATIENT">A &amp; B</PHI> of <PHI TYPE="LOCATION">X</PHI>\n'
        '</TEXT>\n</RECORD>\n<RECORD ID="2"><TEXT><PHI TYPE="DATE">1/2<PHI TYPE="DATE"></TEXT></RECORD>\n'
        '<RECORD ID="3"><TEXT>&x;</TEXT></RECORD>\n<RECORD><TEXT>x</TEXT></RECORD>\n'
        '<RECORD ID="4"><TEXT>Well .</TEXT></RECORD>\n<RECORD ID="5">\n'
    )
    first, *rejects, last, unended = read(tmp_path, i2b2_xml.read_inline, text)
    assert isinstance(first, Document)
    assert first.text == "\nMr. A & B of X\n"
    assert [(e.type, e.text, e.spans) for e in first.entities] == [
        ("PATIENT", "A & B", (Span(5, 10),)),
        ("LOCATION", "X", (Span(14, 15),)),
    ]
    assert [(reject.where, reject.reason) for reject in rejects] == [
        ("7.xml:7", "malformed record"),
        ("7.xml:8", "malformed record"),
        ("7.xml:9", "malformed record"),
    ]
    assert last.text == "Well ."
    assert (unended.where, unended.reason) == ("7.xml:11", "malformed record")


@pytest.mark.parametrize("text", ["", "<ROOT></ROOT>"])
def test_a_file_without_records_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormatError, match="the file holds no record"):
        read(tmp_path, i2b2_xml.read_inline, text)


def test_tags_with_offsets(tmp_path: Path) -> None:
    tags = (
        '<NAME id="P0" start="4" end="8" text="Orla" TYPE="PATIENT" comment=""/><DATE start="9" end="13" text="2091"/>'
        '<NAME id="P2" start="4" end="8" text="Olra" TYPE="PATIENT"/><AGE id="P3" start="x" end="8"/>'
        '<ID id="P4" start="4" end="99" TYPE="IDNUM"/>'
    )
    *rejects, document = read(
        tmp_path, i2b2_xml.read_tags, f"<deIdi2b2><TEXT><![CDATA[Ms. Orla 2091]]></TEXT><TAGS>{tags}</TAGS></deIdi2b2>"
    )
    assert [reject.reason for reject in rejects] == [
        "mention does not match the text",
        "malformed line",
        "span outside the text",
    ]
    assert document.id == "7"
    assert [(e.id, e.type, e.text, e.attributes) for e in document.entities] == [
        ("P0", "PATIENT", "Orla", {"category": "NAME"}),
        ("T2", "DATE", "2091", {}),
    ]


def test_labels(tmp_path: Path) -> None:
    smoking = '<ROOT><RECORD ID="1"><SMOKING STATUS="SMOKER"/><TEXT>Smokes .</TEXT></RECORD><RECORD ID="2"/></ROOT>'
    record, reject = read(tmp_path, i2b2_xml.read_smoking, smoking)
    assert record == Labelled(id="1", **HEAD, text="Smokes .", labels=("SMOKER",))
    assert reject.reason == "malformed record"
    tags = '<TAGS><ENGLISH met="met"/><HBA1C met="not met"/></TAGS>'
    patient = f"<PatientMatching><TEXT><![CDATA[K < 4]]></TEXT>{tags}</PatientMatching>"
    assert read(tmp_path, i2b2_xml.read_criteria, patient) == [
        Labelled(id="7", **HEAD, text="K < 4", labels=("ENGLISH",))
    ]
    (reject,) = read(tmp_path, i2b2_xml.read_criteria, patient.replace('"not met"', '"maybe"'))
    assert reject.reason == "malformed record"


def test_judgments_of_several_files(tmp_path: Path) -> None:
    def judged(source: str, *docs: str) -> str:
        disease = f'<disease name="Gout">{"".join(docs)}</disease>'
        return f'<diseaseset><diseases source="{source}">{disease}</diseases></diseaseset>'

    (tmp_path / "one.xml").write_text(judged("textual", '<doc id="1" judgment="U"/>', '<doc id="2" judgment="Q"/>'))
    (tmp_path / "two.xml").write_text(
        judged("intuitive", *(f'<doc id="{i}" judgment="{j}"/>' for i, j in ((1, "Y"), (1, "N"), (1, "?"), (9, "?"))))
    )
    docs = "".join(f'<doc id="{key}"><text>Text {key}.</text></doc>' for key in (1, 2, 3))
    (tmp_path / "records.xml").write_text(f"<root><docs>{docs}</docs></root>")
    path, judgments = tmp_path / "records.xml", ("one.xml", "two.xml")
    first, second, *rejects = i2b2_obesity.read(path, **HEAD, judgments=judgments)
    assert first == Labelled(id="1", **HEAD, text="Text 1.", labels=("intuitive: Gout: present",))
    assert second == Labelled(id="2", **HEAD, text="Text 2.", labels=("textual: Gout: questionable",))
    assert [reject.reason for reject in rejects if isinstance(reject, Reject)] == [
        "record without a judgment",
        "second judgment of a disease",
        "malformed line",
    ]
    with pytest.raises(FormatError, match=r"three.xml: the judgments are missing"):
        list(i2b2_obesity.read(path, **HEAD, judgments=("three.xml",)))
