"""The Hallmarks of Cancer corpus: `text/PMID.txt`, one sentence a line, and `labels/PMID.txt`, its labels in order.

Each sentence's labels follow a `<`; several are separated by ` AND`, the levels of one by `--` (Baker et al., 2016).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from taiyi.errors import FormatError
from taiyi.formats import checked, lines
from taiyi.schema import SPLITS, Labelled, Lang, Record, Reject, Split

NONE = "none"
_UNLABELLED = frozenset({"", "NULL"})


def split_lists(split_dir: str, ending: str = ".tsv") -> tuple[str, ...]:
    """Return the files that list the documents of each split, relative to the folder of the corpus."""
    return tuple(f"{split_dir}/{split}{ending}" for split in SPLITS)


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    split_dir: str = "",
    split_ending: str = ".tsv",
    others: Split | None = "train",
) -> Iterator[Record | Reject]:
    """Read sentences with the top level of their labels; a sentence without any is labelled `none`.

    Args:
        path: the folder that holds `text` and `labels`.
        split_dir: a folder with a list of documents for each split: tables with a header whose first column is the
            document's id, or, as BLURB has them, the names of the files with commas between. Without it all documents
            are read.
        split_ending: what follows the name of the split in the name of its list.
        others: the split of documents that no list names; they are in none if not given.
    """
    texts = sorted((path / "text").glob("*.txt"))
    if not texts:
        raise FormatError("no documents in the folder", where=path / "text", expected="text/ID.txt and labels/ID.txt")
    splits = _splits(path, split_lists(split_dir, split_ending)) if split_dir else {}
    for text_path in texts:
        key = text_path.stem
        if split_dir and splits.get(key, others) != split:
            continue
        label_path = path / "labels" / text_path.name
        if not label_path.is_file():
            yield Reject(where=text_path.name, reason="document without labels", detail=f"{label_path.name} is missing")
            continue
        yield from _document(key, text_path, label_path, corpus, split, lang)


def _document(
    key: str, text_path: Path, label_path: Path, corpus: str, split: Split, lang: Lang
) -> Iterator[Record | Reject]:
    sentences = [line for _, line in lines.numbered(text_path) if line.strip()]
    joined = "\n".join(line for _, line in lines.numbered(label_path))
    before, *marks = joined.split("<")
    if before.strip() or len(marks) != len(sentences):
        detail = f"{len(sentences)} sentences, labels for {len(marks)}"
        yield Reject(where=text_path.name, reason="sentences and labels differ in number", detail=detail)
        return
    for index, (sentence, mark) in enumerate(zip(sentences, marks, strict=True)):
        tops = (label.partition("--")[0].strip() for label in mark.split(" AND"))
        labels = tuple(dict.fromkeys(top for top in tops if top not in _UNLABELLED)) or (NONE,)
        yield checked.record(
            Labelled,
            f"{text_path.name}:{index + 1}",
            id=f"{key}_{index}",
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"pmid:{key}",),
            text=sentence,
            labels=labels,
        )


def _splits(folder: Path, names: tuple[str, ...]) -> dict[str, Split]:
    """Return the split of each document that the lists name."""
    splits: dict[str, Split] = {}
    for split, name in zip(SPLITS, names, strict=True):
        path = folder / name
        if not path.is_file():
            raise FormatError(
                "the list of a split is missing", where=path, expected="a TSV with the document's id first"
            )
        for number, key in _listed(path):
            if splits.setdefault(key, split) != split:
                raise FormatError(f"document {key} is in two splits", where=f"{path}:{number}", got=splits[key])
    return splits


def _listed(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the ids that a list names, with their lines; it is a table if its first line has a tab."""
    table = False
    for number, line in lines.numbered(path):
        if number == 1 and "\t" in line:
            table = True
            continue
        cells = [line.partition("\t")[0]] if table else line.split(",")
        for cell in cells:
            if key := cell.strip().removesuffix(".txt"):
                yield number, key
