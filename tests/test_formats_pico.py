"""PICO: marks of several annotators by sentence, and labels by token in a file for each element."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from taiyi.errors import FormatError
from taiyi.formats import checked, ebm_nlp, pico_extraction
from taiyi.schema import Document, Record, Reject, Span

HERE: Any = {"corpus": "c", "split": "train", "lang": "en"}
TWO: Any = {"participants": ("P",), "outcomes": ("O",)}


def documents(items: list[Record | Reject]) -> list[Document]:
    return [item for item in items if isinstance(item, Document)]


def rejects(items: list[Record | Reject]) -> list[tuple[str, str]]:
    return [(item.where, item.reason) for item in items if isinstance(item, Reject)]


def marked(folder: Path, sentences: Any, votes: Any, layer: str = "expert") -> list[Record | Reject]:
    (folder / "annotations").mkdir(exist_ok=True)
    (folder / "sentences.json").write_text(json.dumps(sentences), encoding="utf-8")
    (folder / f"annotations/outcomes_{layer}.json").write_text(json.dumps(votes), encoding="utf-8")
    path, elements = folder / "sentences.json", {"outcomes": "O"}
    return list(pico_extraction.read(path, **HERE, elements=elements, layer=layer))  # pyright: ignore[reportArgumentType]


def rows(*marks: str) -> Any:
    return {"annotations": [[int(mark) for mark in row] for row in marks], "wids": [1, 2, 3]}


def test_tokens_that_more_than_half_marked_are_mentions(tmp_path: Path) -> None:
    items = marked(tmp_path, {"91:0": "pain and pain fell"}, {"91:0": rows("1010", "1011", "0011")})
    (document,) = documents(items)
    assert (document.id, document.document_ids) == ("91:0", ("pmid:91",))
    assert [(e.text, e.spans) for e in document.entities] == [("pain", (Span(0, 4),)), ("pain fell", (Span(9, 18),))]


def test_half_is_not_enough(tmp_path: Path) -> None:
    (document,) = documents(marked(tmp_path, {"91:0": "a b"}, {"91:0": rows("10", "00")}))
    assert not document.entities


def test_a_layer_is_an_option(tmp_path: Path) -> None:
    (document,) = documents(marked(tmp_path, {"91:0": "a b"}, {"91:0": rows("10")}, layer="senbase"))
    assert [e.text for e in document.entities] == ["a"]


def test_the_first_sentences_are_read_too(tmp_path: Path) -> None:
    items = marked(tmp_path, {f"9{n}:0": "a" for n in range(4)}, {f"9{n}:0": rows("1") for n in range(4)})
    assert [d.id for d in documents(items)] == ["90:0", "91:0", "92:0", "93:0"]


@pytest.mark.parametrize(
    ("votes", "where", "reason"),
    [
        ({}, "outcomes_expert.json:91:0", pico_extraction.NO_ANNOTATION),
        ({"91:0": rows("1")}, "outcomes_expert.json:91:0", pico_extraction.MISCOUNTED),
        ({"91:0": {"annotations": [[1, 2]]}}, "outcomes_expert.json:91:0", checked.MALFORMED),
        ({"91:0": {"annotations": [[1, True]]}}, "outcomes_expert.json:91:0", checked.MALFORMED),
        ({"91:0": {"annotations": []}}, "outcomes_expert.json:91:0", checked.MALFORMED),
        ({"91:0": rows("00"), "92:0": rows("0")}, "outcomes_expert.json:92:0", pico_extraction.NO_SENTENCE),
    ],
)
def test_faulty_marks_are_rejected_and_the_sentence_kept(tmp_path: Path, votes: Any, where: str, reason: str) -> None:
    items = marked(tmp_path, {"91:0": "a b"}, votes)
    assert rejects(items) == [(where, reason)]
    assert len(documents(items)) == 1


def test_a_sentence_that_is_no_text_is_rejected(tmp_path: Path) -> None:
    items = marked(tmp_path, {"91:0": 7, "92:0": "a"}, {"91:0": rows("1"), "92:0": rows("1")})
    assert ("sentences.json:91:0", checked.MALFORMED) in rejects(items)
    assert [d.id for d in documents(items)] == ["92:0"]


def release(folder: Path, tokens: dict[str, str], labels: dict[str, str], phase: str = "starting_spans") -> Path:
    (folder / "documents").mkdir()
    for pmid, words in tokens.items():
        (folder / f"documents/{pmid}.tokens").write_text("\n".join(words.split()) + "\n", encoding="utf-8")
    for name, marks in labels.items():
        element, pmid = name.split("/")
        file = folder / "annotations/aggregated" / phase / element / "train" / f"{pmid}.AGGREGATED.ann"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(marks, encoding="utf-8")
    return folder


def test_elements_are_read_together_and_may_overlap(tmp_path: Path) -> None:
    labels = {"participants/9": "1\n1\n0\n0\n", "outcomes/9": "0\n1\n0\n1\n"}
    items = list(ebm_nlp.read(release(tmp_path, {"9": "old men had pain"}, labels), **HERE, part="train", elements=TWO))
    (document,) = documents(items)
    assert (document.id, document.text, document.document_ids) == ("9", "old men had pain", ("pmid:9",))
    assert [(e.type, e.text) for e in document.entities] == [("P", "old men"), ("O", "men"), ("O", "pain")]


def test_finer_labels_are_types_of_their_own(tmp_path: Path) -> None:
    folder = release(tmp_path, {"9": "old men men"}, {"participants/9": "1,2,2"}, phase="hierarchical_labels")
    elements = {"participants": ("Age", "Sex")}
    items = ebm_nlp.read(folder, **HERE, part="train", elements=elements, phase="hierarchical_labels")
    assert [(e.type, e.text) for d in documents(list(items)) for e in d.entities] == [
        ("Age", "old"),
        ("Sex", "men men"),
    ]


@pytest.mark.parametrize(
    ("labels", "where", "reason"),
    [
        ({}, "9.tokens", ebm_nlp.NO_ELEMENT),
        ({"outcomes/9": "0\n"}, "9.AGGREGATED.ann", ebm_nlp.MISCOUNTED),
        ({"outcomes/9": "0\n2\n"}, "9.AGGREGATED.ann", checked.MALFORMED),
        ({"outcomes/9": "0\nx\n"}, "9.AGGREGATED.ann", checked.MALFORMED),
        ({"outcomes/9": "0\n0\n", "outcomes/8": "0\n"}, "8.AGGREGATED.ann", ebm_nlp.NO_DOCUMENT),
    ],
)
def test_what_is_missing_is_rejected(tmp_path: Path, labels: dict[str, str], where: str, reason: str) -> None:
    folder = release(tmp_path, {"9": "a b"}, {"participants/9": "1\n0\n"} | labels)
    items = list(ebm_nlp.read(folder, **HERE, part="train", elements=TWO))
    assert rejects(items) == [(where, reason)]
    assert [[e.text for e in d.entities] for d in documents(items)] == [["a"]]


def test_a_part_without_annotation_is_refused(tmp_path: Path) -> None:
    folder = release(tmp_path, {"9": "a"}, {"outcomes/9": "1\n"})
    with pytest.raises(FormatError, match="no abstract is annotated"):
        list(ebm_nlp.read(folder, **HERE, part="test/gold", elements=TWO))
