"""LINNAEUS: texts in a folder, and one table of mentions."""

from __future__ import annotations

from pathlib import Path

import pytest

from taiyi.errors import FormatError
from taiyi.formats import linnaeus
from taiyi.schema import Concept, Document, Reject

TAGS = (
    "#species id\tdocument\tstart\tend\ttext\tcode\n"
    "species:ncbi:4577\tpmcA12\t0\t5\tMaize\t4\n"
    "species:ncbi:1|species:ncbi:2\tpmcA12\t10\t14\trust\n"
    "species:ncbi:0\tpmcA12\t15\t20\tmules\t\n"
)


def read(tmp_path: Path, tags: str = TAGS) -> tuple[list[Document], list[Reject]]:
    (tmp_path / "txt").mkdir(exist_ok=True)
    (tmp_path / "txt" / "pmcA12.txt").write_bytes(b"Maize and\nrust\nmules\r\n")
    (tmp_path / "txt" / "note.txt").write_bytes(b"No species.\n")
    (tmp_path / "txt" / "._pmcA12.txt").write_bytes(b"\x00\x05")
    (tmp_path / "tags.tsv").write_bytes(tags.encode())
    options = {"tags": "../tags.tsv", "databases": {"ncbi": "NCBITaxon"}}
    items = list(linnaeus.read(tmp_path / "txt", corpus="c", split="train", lang="en", **options))  # pyright: ignore[reportArgumentType]
    return [i for i in items if isinstance(i, Document)], [i for i in items if isinstance(i, Reject)]


def test_texts_with_and_without_mentions(tmp_path: Path) -> None:
    (note, article), rejects = read(tmp_path)
    assert rejects == []
    assert (note.entities, note.document_ids) == ((), ())
    assert (article.text, article.document_ids) == ("Maize and\nrust\nmules\r\n", ("pmcid:PMC12",))
    maize, rust, mules = article.entities
    assert (maize.type, maize.attributes) == ("species", {"code": "4"})
    assert rust.concepts == (Concept(db="NCBITaxon", id="1"), Concept(db="NCBITaxon", id="2"))
    assert (mules.text, mules.concepts, mules.attributes) == ("mules", (), {})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("species:ncbi:1\tpmcA12\t0\t5\tMaise", "mention does not match the text"),
        ("species:ncbi:1\tpmcA12\t0\t500\tMaize", "span outside the text"),
        ("species:ncbi\tpmcA12\t0\t5\tMaize", "malformed line"),
        ("species:ncbi:1\tpmcA12\t0", "malformed line"),
        ("species:ncbi:1\tpmcA13\t0\t5\tMaize", "row of a document that is not there"),
    ],
)
def test_a_bad_row_is_rejected_and_the_rest_is_read(tmp_path: Path, row: str, reason: str) -> None:
    (_, article), (reject,) = read(tmp_path, f"{TAGS}{row}\n")
    assert (reject.where, reject.reason) == ("tags.tsv:5", reason)
    assert len(article.entities) == 3


def test_a_table_without_a_header_keeps_its_first_row(tmp_path: Path) -> None:
    (_, article), _ = read(tmp_path, TAGS.partition("\n")[2])
    assert len(article.entities) == 3


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no mentions"):
        read(tmp_path, "")
    (tmp_path / "tags.tsv").unlink()
    with pytest.raises(FormatError, match="table of mentions is missing"):
        list(linnaeus.read(tmp_path / "txt", corpus="c", split="train", lang="en", tags="../tags.tsv"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "tags.tsv").write_text(TAGS, encoding="utf-8")
    with pytest.raises(FormatError, match="no texts"):
        list(linnaeus.read(tmp_path / "empty", corpus="c", split="train", lang="en", tags="../tags.tsv"))
