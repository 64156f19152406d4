"""Names from terminologies that users have, on files written by hand in their formats."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from damage import damaged
from taiyi.errors import FormatError, TaiyiError
from taiyi.knowledge.terms import files
from taiyi.knowledge.terms.name import Name
from taiyi.schema import Reject

FILES = Path(__file__).parent / "terms"
SPECS = {
    "desc.xml": "mesh", "supp.xml": "mesh", "d.bin": "mesh", "c.bin": "mesh", "MRCONSO.RRF": "umls",
    "claml.xml": "icd10", "codes.txt": "icd10", "icd10cm.txt": "icd10", "order.txt": "icd10", "names.txt": "list",
}  # fmt: skip


def read(spec: str) -> tuple[list[Name], Counter[str]]:
    items = [*files.names(spec)]
    names = [item for item in items if isinstance(item, Name)]
    return names, Counter(item.reason for item in items if isinstance(item, Reject))


def told(names: list[Name]) -> set[tuple[str, str, str]]:
    return {(name.name, name.concept, name.kind) for name in names}


def test_mesh_descriptors() -> None:
    names, rejects = read(f"mesh:{FILES}/desc.xml")
    assert told(names) == {
        ("Tetracycline", "MESH:D013752", "drug"),
        ("Achromycin", "MESH:D013752", "drug"),
        ("Mucocutaneous Lymph Node Syndrome", "MESH:D009080", "disease"),
        ("Kawasaki Disease", "MESH:D009080", "disease"),
    }
    assert rejects == {files.NO_NAME: 1}


def test_mesh_supplementary_records() -> None:
    names, rejects = read(f"mesh:{FILES}/supp.xml")
    assert told(names) == {
        ("bevonium", "MESH:C000002", "drug"),
        ("bevonium metilsulfate", "MESH:C000002", "drug"),
        ("Laurin-Sandrow syndrome", "MESH:C535572", "disease"),
    }
    assert not rejects


def test_mesh_in_ascii() -> None:
    names, rejects = read(f"mesh:{FILES}/d.bin")
    assert told(names) == {
        ("Doxycycline", "MESH:D004318", "drug"),
        ("Vibramycin", "MESH:D004318", "drug"),
        ("Doxycycline Hyclate", "MESH:D004318", "drug"),
        ("BU-3839T", "MESH:D004318", "drug"),
        ("Asthma", "MESH:D001249", "disease"),
    }
    assert rejects == {files.NO_ID: 1}
    names, _ = read(f"mesh:{FILES}/c.bin")
    assert told(names) == {("insulin, zinc", "MESH:C000099", "drug"), ("zinc insulin", "MESH:C000099", "drug")}


def test_umls_takes_kinds_from_the_types_beside_it() -> None:
    names, rejects = read(f"umls:{FILES}/MRCONSO.RRF")
    assert told(names) == {
        ("Tetracycline", "UMLS:C0039644", "drug"),
        ("四环素", "UMLS:C0039644", "drug"),
        ("Asthma", "UMLS:C0004096", "disease"),
        ("Motion", "UMLS:C0026700", "other"),
    }
    assert {name.lang for name in names if name.name == "四环素"} == {"zh"}
    assert rejects == {files.SHORT: 1, files.OTHER_LANGUAGE: 1, files.SUPPRESSED: 1}


def test_umls_without_types(tmp_path: Path) -> None:
    (tmp_path / "MRCONSO.RRF").write_bytes((FILES / "MRCONSO.RRF").read_bytes())
    names, _ = read(f"umls:{tmp_path}/MRCONSO.RRF")
    assert {name.kind for name in names} == {"other"}


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            "claml.xml",
            {
                ("Cholera", "ICD10:A00"),
                ("Cholera due to Vibrio cholerae 01, biovar eltor", "ICD10:A00.1"),
                ("Cholera eltor", "ICD10:A00.1"),
            },
        ),
        (
            "codes.txt",
            {("Cholera", "ICD10:A00"), ("Cholera due to Vibrio cholerae 01, biovar cholerae", "ICD10:A00.0")},
        ),
        (
            "icd10cm.txt",
            {
                ("Cholera due to Vibrio cholerae 01, biovar cholerae", "ICD10:A000"),
                ("Unspecified asthma with (acute) exacerbation", "ICD10:J45901"),
            },
        ),
        ("order.txt", {("Cholera", "ICD10:A00"), ("Cholera due to Vibrio cholerae 01, biovar cholerae", "ICD10:A000")}),
    ],
)
def test_icd10(file: str, expected: set[tuple[str, str]]) -> None:
    names, _ = read(f"icd10:{FILES}/{file}")
    assert {(name.name, name.concept) for name in names} == expected


def test_icd10_counts_what_it_cannot_read() -> None:
    assert read(f"icd10:{FILES}/codes.txt")[1] == {files.NOT_A_CODE: 1}
    assert read(f"icd10:{FILES}/claml.xml")[1] == {files.NO_NAME: 1}


def test_a_column_of_a_table() -> None:
    names, rejects = read(f"table:{FILES}/drugs.tsv#name=drug&id=code&vocabulary=ATC")
    assert told(names) == {("Minocycline", "ATC:J01AA08", "drug"), ("Tigecycline", "ATC:J01AA12", "drug")}
    assert rejects == {files.NO_NAME: 1}
    names, _ = read(f"table:{FILES}/drugs.tsv#name=brands&separator=;&kind=other&lang=en")
    assert told(names) == {("Minocin", "", "other"), ("Solodyn", "", "other")}


def test_a_list_of_names() -> None:
    names, _ = read(f"list:{FILES}/names.txt#kind=drug")
    assert [(name.name, name.lang) for name in names] == [("Lymecycline", "en"), ("四环素", "zh")]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("mash:desc.xml", "Did you mean 'mesh'?"),
        ("desc.xml", "FORMAT:PATH"),
        ("mesh:nowhere.xml", "no such file"),
        (f"list:{FILES}/names.txt#column=x", "unknown setting"),
        (f"list:{FILES}/names.txt#lang=fr", "unknown language"),
        (f"list:{FILES}/names.txt#kind=gene", "unknown kind"),
        (f"table:{FILES}/drugs.tsv#name=title", "no such column"),
        (f"mesh:{FILES}/claml.xml", "outermost element"),
    ],
)
def test_faults_are_said(spec: str, said: str) -> None:
    with pytest.raises(FormatError) as error:
        list(files.names(spec))
    assert said in str(error.value)


@given(data=st.data(), file=st.sampled_from(sorted(SPECS)))
def test_damaged_files_give_names_rejects_or_an_error(data: st.DataObject, file: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file
        path.write_bytes(data.draw(damaged((FILES / file).read_bytes())))
        try:
            items = [*files.names(f"{SPECS[file]}:{path}")]
        except TaiyiError:
            return
        assert all(isinstance(item, Name | Reject) for item in items)
        assert all(item.name for item in items if isinstance(item, Name))
