"""Documents of users as they lie on disk: PubMed's XML, BioC, JSON lines, texts, and folders of these."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import regex

from taiyi.errors import FormatError, SourceError
from taiyi.formats import bioc, bioc_json, json_lines, lines, pubmed, xml
from taiyi.schema import Document, Reject
from taiyi.text import squeeze

TEXTS = (".txt", ".text", ".md", ".markdown")
JSON = (".json", ".jsonl", ".ndjson")
UNREADABLE = "file that cannot be read"
UNKNOWN = "file of another kind"
NO_TEXT = "document without a text"
_ID_KEYS = ("id", "_id", "pmid")
_TEXT_KEYS = ("text", "abstract", "contents", "content")
_HEADING = regex.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", regex.MULTILINE)


class Source(NamedTuple):
    """A document: its text is what offsets count in; its title is empty where it has none."""

    id: str
    title: str
    text: str


def files(paths: Iterable[Path]) -> list[Path]:
    """Return the files that paths name, those of a folder in order of name; hidden ones are not among them.

    Raises:
        SourceError: a path does not exist.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inner = (file for file in path.rglob("*") if file.is_file())
            found += sorted(file for file in inner if not any(p.startswith(".") for p in file.relative_to(path).parts))
        elif path.exists():
            found.append(path)
        else:
            raise SourceError("there is no such file or folder", where=path)
    return list(dict.fromkeys(found))


def read(path: Path) -> Iterator[Source | Reject]:
    """Read the documents of a file; what of it cannot be read comes as a Reject, after what could be.

    Texts have their path as id, and Markdown its first heading as title. JSON has an object for each document, with its
    text under `text`, `abstract`, `contents` or `content`, and an id and a title where it has them. `.gz` is unpacked.
    """
    # A name of a file may be none that can be written.
    name = str(path).encode(errors="replace").decode()
    try:
        with _unpacked(path) as file:
            for found in _read(file, name):
                if isinstance(found, Source) and not found.text.strip():
                    yield Reject(where=f"{name}: {found.id}", reason=NO_TEXT)
                else:
                    yield found
    except (FormatError, OSError, EOFError, zlib.error) as error:
        yield Reject(where=name, reason=UNREADABLE, detail=str(error))


@contextmanager
def _unpacked(path: Path) -> Generator[Path]:
    """Give the file, unpacked into a place of its own meanwhile where it is packed."""
    if path.suffix.lower() != ".gz":
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / path.stem
        with gzip.open(path) as packed, file.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked, 1 << 20)
        yield file


def _read(file: Path, name: str) -> Iterator[Source | Reject]:
    suffix = file.suffix.lower()
    if suffix in TEXTS:
        yield _text(file, name)
    elif suffix in JSON:
        yield from _json(file, name)
    elif suffix == ".xml":
        yield from _xml(file, name)
    else:
        yield Reject(where=name, reason=UNKNOWN, detail=f"it ends in {suffix!r}")


def _text(file: Path, name: str) -> Source:
    text = lines.whole(file)
    heading = _HEADING.search(text) if file.suffix.lower() in (".md", ".markdown") else None
    return Source(name, heading[1] if heading else file.stem, text)


def _xml(file: Path, name: str) -> Iterator[Source | Reject]:
    root = xml.outermost(file)
    if root in pubmed.ROOTS:
        for article in pubmed.read(file):
            # A citation without an abstract is found by its title, and has nothing else to quote.
            yield (
                article
                if isinstance(article, Reject)
                else Source(article.id, article.title, article.abstract or article.title)
            )
    elif root == "collection":
        yield from _bioc(bioc.read(file, corpus="sources", split="train", lang="en"))
    else:
        yield Reject(where=name, reason=UNKNOWN, detail=f"XML whose outermost element is <{root}>")


def _bioc(records: Iterable[Any]) -> Iterator[Source | Reject]:
    """Return the texts of records; what was left out of their annotations concerns no text."""
    held: list[Reject] = []
    for record in records:
        if isinstance(record, Reject):
            held.append(record)
        elif isinstance(record, Document):
            yield from (reject for reject in held if record.id not in reject.where)
            held = []
            first = record.passages[0] if record.passages else None
            titled = first is not None and first.type in ("title", "front")
            yield Source(record.id, squeeze(record.text[slice(*first.span)]) if first and titled else "", record.text)
    yield from held


def _json(file: Path, name: str) -> Iterator[Source | Reject]:
    nothing: dict[str, Any] = {}
    first = next((item for _, item in json_lines.items(file) if not isinstance(item, Reject)), nothing)
    if isinstance(first.get("documents"), list) or isinstance(first.get("passages"), list):
        yield from _bioc(bioc_json.read(file, corpus="sources", split="train", lang="en"))
        return
    for number, (where, item) in enumerate(json_lines.items(file), 1):
        yield item if isinstance(item, Reject) else _item(item, where, f"{name}:{number}")


def _item(item: dict[str, Any], where: str, place: str) -> Source | Reject:
    key = next((key for key in _TEXT_KEYS if key in item), None)
    if key is None:
        expected = f"no {' or '.join(_TEXT_KEYS)} among {', '.join(list(item)[:8])}"
        return Reject(where=where, reason=NO_TEXT, detail=expected)
    id = next((item[key] for key in _ID_KEYS if key in item), place)
    title = item.get("title") or ""
    if isinstance(id, bool) or not isinstance(id, str | int) or not isinstance(title, str):
        return Reject(where=where, reason="malformed document", detail="an id is a text or number, a title a text")
    if not isinstance(item[key], str):
        return Reject(where=where, reason="malformed document", detail=f"{key} is no text")
    return Source(str(id) or place, title, item[key])
