"""Answers about files, folders and tables: what is read, what is written, and that a run that was cut goes on."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taiyi import convert
from taiyi.errors import FormatError, TaiyiError
from taiyi.formats import lines
from taiyi.schema import Document, Reject
from taiyi.use import reading, writing
from taiyi.use.reading import Given, read
from taiyi.use.results import Entity, Extraction, Label, Relation, Said

ROWS = [{"id": "a", "text": "Aspirin.", "more": "x"}, {"id": "b", "text": "肝损伤 😀", "more": "y"}]


def put_rows(folder: Path, suffix: str, rows: list[dict[str, Any]]) -> Path:
    path = folder / f"rows{suffix}"
    if suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif suffix in (".csv", ".tsv"):
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, rows[0], delimiter="\t" if suffix == ".tsv" else ",")
            table.writeheader()
            table.writerows(rows)
    else:
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv", ".parquet"])
def test_columns_of_tables_are_read(tmp_path: Path, suffix: str) -> None:
    path = put_rows(tmp_path, suffix, ROWS)
    assert reading.is_table(path)
    assert list(read(path)) == [Given("a", ("Aspirin.",)), Given("b", ("肝损伤 😀",))]
    assert list(read(path, ("text", "more"))) == [Given("a", ("Aspirin.", "x")), Given("b", ("肝损伤 😀", "y"))]
    assert [item.id for item in read(path, id_column="more") if isinstance(item, Given)] == ["x", "y"]
    with pytest.raises(FormatError, match=r"no such column; got txt; expected id, text, more\. Did you mean 'text'"):
        list(read(path, ("txt",)))
    with pytest.raises(FormatError, match=r"got abstract; expected id, text, more\. Name it with --column"):
        list(read(path, ("abstract",)))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_is_read_by_the_delimiter_and_with_the_line_ends_that_it_has(
    tmp_path: Path, delimiter: str, end: str
) -> None:
    """A break within a cell is a part of its text, whose offsets count it."""
    path = tmp_path / "rows.csv"
    rows = [["id", "text", "dose"], ["a", f"Severe{end}asthma; 1,5 mg\t.", "1,5"], ["b", '"So"', ""]]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(rows)
    assert list(read(path, ("text", "dose"))) == [Given(row[0], tuple(row[1:])) for row in rows[1:]]
    with pytest.raises(FormatError, match="no such column; got txt"):
        list(read(path, ("txt",)))


def test_a_folder_is_all_its_files_and_says_what_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "n.txt").write_text("One.", encoding="utf-8")
    (folder / "a.md").write_text("Two.", encoding="utf-8")
    (folder / "p.png").write_bytes(b"\x89PNG")
    (folder / "bad.txt").write_bytes(b"\xff\xfe\xff")
    (folder / ".hidden.txt").write_text("x", encoding="utf-8")
    put_rows(folder, ".jsonl", ROWS)
    found = list(read(folder))
    assert [item.id for item in found if isinstance(item, Given)] == [
        "a.md",
        "below/n.txt",
        "rows.jsonl#a",
        "rows.jsonl#b",
    ]
    rejects = {item.where: item.reason for item in found if isinstance(item, Reject)}
    assert rejects.keys() == {"p.png", "bad.txt"}
    assert rejects["p.png"] == "not a kind of file that is read"


def test_what_cannot_be_opened_in_a_folder_keeps_nothing_else_from_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.txt", "closed.txt", "z.txt"):
        (tmp_path / name).write_text("One.", encoding="utf-8")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere.txt")
    whole, scandir = lines.whole, os.scandir

    def closed(path: Path) -> str:
        if path.name == "closed.txt":
            raise PermissionError(13, "Permission denied", str(path))
        return whole(path)

    def scanned(path: Any) -> Any:
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    (tmp_path / "shut").mkdir()
    monkeypatch.setattr(lines, "whole", closed)
    monkeypatch.setattr(os, "scandir", scanned)
    found = list(read(tmp_path))
    assert [item.id for item in found if isinstance(item, Given)] == ["a.txt", "z.txt"]
    assert [item.where for item in found if isinstance(item, Reject)] == ["closed.txt", "gone.txt", "shut"]


def test_rows_without_a_text_are_rejects(tmp_path: Path) -> None:
    path = put_rows(tmp_path, ".jsonl", [{"text": "One."}, {"text": 3}, {"text": None}, {"other": 1}])
    found = list(read(path))
    assert [type(item) for item in found] == [Given, Reject, Given, Given]
    assert found[0] == Given("rows.jsonl:1", ("One.",))
    assert [item.texts for item in found[2:] if isinstance(item, Given)] == [("",), ("",)]


# --- writing ---------------------------------------------------------------------------------------------------------


def extraction(text: str) -> Extraction:
    """What a model would find: each word with an a in it."""
    found: list[Entity] = []
    at = 0
    for word in text.split():
        at = text.index(word, at)
        if "a" in word:
            found.append(Entity(start=at, end=at + len(word), text=word, type="thing", confidence=0.5))
        at += len(word)
    fault = "" if text.strip() else "the text is empty"
    return Extraction(text=text, lang="en", entities=tuple(found), fault=fault)


def answered(items: Iterable[Given]) -> Iterator[Extraction]:
    return (extraction(item.texts[0]) for item in items)


ITEMS = [
    Given("1", ("a cat sat",)),
    Reject(where="x:2", reason="malformed line"),
    Given("3", ("",)),
    Given("4", ("no",)),
]


def test_each_item_has_a_line_in_order(tmp_path: Path) -> None:
    tally = writing.write(ITEMS, answered, tmp_path / "out.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert [line["id"] for line in lines] == ["1", "x:2", "3", "4"]
    assert [e["text"] for e in lines[0]["entities"]] == ["a", "cat", "sat"]
    assert [line.get("fault") for line in lines] == [None, "malformed line", "the text is empty", None]
    assert lines[3]["entities"] == []
    assert (tally.items, tally.earlier, sum(tally.faults.values())) == (4, 0, 2)
    with pytest.raises(TaiyiError, match="there is a file already"):
        writing.write(ITEMS, answered, tmp_path / "out.jsonl")


def test_a_table_has_a_row_for_each_mention_and_none_is_without(tmp_path: Path) -> None:
    writing.write(ITEMS, answered, tmp_path / "out.csv", "csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["start"], row["text"], row["fault"]) for row in rows] == [
        ("1", "0", "a", ""),
        ("1", "2", "cat", ""),
        ("1", "6", "sat", ""),
        ("x:2", "", "", "malformed line"),
        ("3", "", "", "the text is empty"),
        ("4", "", "", ""),
    ]


@pytest.mark.parametrize("to", ["bioc", "pubtator", "brat", "conll"])
def test_other_tools_read_what_is_written(tmp_path: Path, to: Any) -> None:
    items = [Given("10", ("a cat sat",)), Given("11", ("no one",)), Given("12", ("",))]
    tally = writing.write(items, answered, tmp_path / "out", to)
    target = convert.target(to)
    found = list(target.read(tmp_path / "out", corpus="taiyi", split="test", lang="en"))
    assert all(isinstance(item, Document) for item in found)
    first = found[0]
    assert isinstance(first, Document)
    assert [(e.type, e.text, tuple(e.spans[0])) for e in first.entities] == [
        ("thing", "a", (0, 1)), ("thing", "cat", (2, 5)), ("thing", "sat", (6, 9)),
    ]  # fmt: skip
    assert (len(found), tally.items) == (2, 3)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from([*ITEMS, Given("5", ("a b a",))]), max_size=12),
    st.integers(0, 14),
    st.binary(max_size=9).filter(lambda raw: b"\n" not in raw),
)
def test_a_run_that_was_cut_goes_on_to_the_same_file(
    tmp_path_factory: pytest.TempPathFactory, items: list[Any], count: int, torn: bytes
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    writing.write(items, answered, folder / "whole.jsonl")
    asked: list[str] = []

    def stops(given_items: Iterable[Given]) -> Iterator[Extraction]:
        for number, item in enumerate(given_items):
            if number == count:
                raise KeyboardInterrupt
            yield extraction(item.texts[0])

    def counted(given_items: Iterable[Given]) -> Iterator[Extraction]:
        for item in given_items:
            asked.append(item.id)
            yield extraction(item.texts[0])

    num_given = sum(isinstance(item, Given) for item in items)
    try:
        writing.write(items, stops, folder / "out.jsonl")
    except KeyboardInterrupt:
        assert not (folder / "out.jsonl").exists()
        with (folder / "out.jsonl.partial").open("ab") as file:
            file.write(torn)
        tally = writing.write(items, counted, folder / "out.jsonl")
        assert len(asked) == num_given - count
        assert tally.items == len(items)
    assert (folder / "out.jsonl").read_bytes() == (folder / "whole.jsonl").read_bytes()
    assert sorted(path.name for path in folder.iterdir()) == ["out.jsonl", "whole.jsonl"]


def test_a_run_goes_on_from_one_that_asked_the_same_of_the_same_items(tmp_path: Path) -> None:
    def stops(given_items: Iterable[Given]) -> Iterator[Extraction]:
        yield next(answered(given_items))
        raise KeyboardInterrupt

    out = tmp_path / "out.jsonl"
    with pytest.raises(KeyboardInterrupt):
        writing.write(ITEMS, stops, out, asked={"--types": "a", "--lang": "en"})
    for asked, got in (
        ({"--types": "b", "--lang": "en"}, "--types: an earlier run that was cut asked otherwise; got b; expected a"),
        ({"--types": "a"}, "--lang: an earlier run"),
        ({"--types": "a", "--lang": "en", "--like": "x"}, "--like: an earlier run .* remove .*out.jsonl.partial"),
    ):
        with pytest.raises(TaiyiError, match=got):
            writing.write(ITEMS, answered, out, asked=asked)
    for items, got in (
        ([ITEMS[2], *ITEMS], "got 3; expected 1"),
        ([], "item 1: an earlier run that was cut had other"),
    ):
        with pytest.raises(TaiyiError, match=got):
            writing.write(items, answered, out, asked={"--types": "a", "--lang": "en"})
    tally = writing.write(ITEMS, answered, out, "csv", asked={"--lang": "en", "--types": "a"})
    assert (tally.items, tally.earlier) == (4, 1), "the format is no matter of what is asked"


def test_two_processes_do_not_write_one_file(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"

    def meanwhile(given_items: Iterable[Given]) -> Iterator[Extraction]:
        yield next(answered(given_items))
        with pytest.raises(TaiyiError, match=r"out\.jsonl\.partial: another process writes this"):
            writing.write(ITEMS, answered, out)
        yield from answered(given_items)

    assert writing.write(ITEMS, meanwhile, out).items == len(ITEMS)
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def as_json(id: str, found: Extraction | Said) -> Any:
    return json.loads(json.dumps(writing.row(id, found)))


def test_rows_hold_what_was_asked_for_and_nothing_else() -> None:
    related = Extraction(text="x", lang="en", relations=(Relation(head="a", tail="b", type="t", confidence=0.123456),))
    assert as_json("1", related) == {
        "id": "1",
        "relations": [{"head": "a", "tail": "b", "type": "t", "confidence": 0.1235}],
    }
    assert as_json("1", Said(labels=(Label(name="y"),))) == {"id": "1", "labels": [{"name": "y"}]}
    assert as_json("1", Said(text="哮喘")) == {"id": "1", "text": "哮喘"}
    assert as_json("1", Said()) == {"id": "1", "labels": []}
    assert as_json("1", Said(fault="x")) == {"id": "1", "fault": "x"}
