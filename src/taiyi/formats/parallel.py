"""Texts and their translations: items of any kind (`formats.rows`), or two files of which the lines correspond."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from taiyi.errors import FormatError
from taiyi.formats import checked, json_lines, lines, rows
from taiyi.schema import Lang, Parallel, Record, Reject, Split

UNTRANSLATED = "one side is empty"


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    target_lang: Lang,
    source_key: str = "source",
    target_key: str = "target",
    id_key: str = "id",
    **source: Any,
) -> Iterator[Record | Reject]:
    """Read items with a text and its translation; items without an id are named by their position from 0.

    Args:
        source: options of `rows.items`.
    """
    for index, (where, item) in enumerate(rows.items(path, **source)):
        if isinstance(item, Reject):
            yield item
            continue
        one, other = rows.value(item, source_key), rows.value(item, target_key)
        key = rows.key_of(item, id_key, index)
        if not isinstance(one, str) or not isinstance(other, str) or key is None:
            detail = f"a text under {source_key} and one under {target_key} were expected"
            yield Reject(where=where, reason=checked.MALFORMED, detail=detail)
            continue
        yield _record(where, one, other, id=key, corpus=corpus, split=split, lang=lang, target_lang=target_lang)


def read_lines(
    path: Path, *, corpus: str, split: Split, lang: Lang, target: str, target_lang: Lang
) -> Iterator[Record | Reject]:
    """Read two files of which the lines correspond; records are named by their line from 1.

    Lines that are empty on both sides are passed over, those that are on one side are rejected.

    Args:
        path: the file of the sources.
        target: name of the file of the translations, in the same folder.

    Raises:
        FormatError: a file is missing, or has more lines than the other, so that it cannot be said which correspond.
    """
    other_path = path.parent / target
    if not other_path.is_file():
        raise FormatError("the file of the translations is missing", where=other_path)
    counts = [sum(1 for _ in lines.numbered(one)) for one in (path, other_path)]
    if counts[0] != counts[1]:
        raise FormatError(
            "the lines of the two files do not correspond",
            where=path,
            got=f"{counts[0]} lines",
            expected=f"{counts[1]}, as many as {target}",
        )
    both = zip(lines.numbered(path), lines.numbered(other_path), strict=True)
    for (number, one), (_, other) in both:
        if one.strip() or other.strip():
            where = f"{path.name}:{number}"
            head = {"id": str(number), "corpus": corpus, "split": split, "lang": lang, "target_lang": target_lang}
            yield _record(where, one, other, **head)


def _record(where: str, source: str, target: str, **head: Any) -> Record | Reject:
    if not source.strip() or not target.strip():
        return Reject(where=where, reason=UNTRANSLATED, detail=checked.shown(source.strip() or target.strip()))
    return checked.record(Parallel, where, source=source, target=target, **head)


def write(records: Iterable[Record], path: Path, *, layout: json_lines.Layout = "lines") -> None:
    """Write texts and translations as `{"id", "source", "target"}`.

    Raises:
        FormatError: a record is of another form.
    """
    items = ({"id": r.id, "source": r.source, "target": r.target} for r in map(_checked, records))
    json_lines.write(items, path, layout=layout)


def write_lines(records: Iterable[Record], path: Path, *, target: str) -> None:
    """Write two files of which the lines correspond; ids become the numbers of the lines.

    Raises:
        FormatError: a record is of another form, or a text of it would not be one line.
    """
    texts = [(_line(record, record.source), _line(record, record.target)) for record in map(_checked, records)]
    lines.write((one for one, _ in texts), path)
    lines.write((other for _, other in texts), path.parent / target)


def _checked(record: Record) -> Parallel:
    if not isinstance(record, Parallel):
        raise FormatError("only translations can be written", where=record.id, got=type(record).__name__)
    return record


def _line(record: Parallel, text: str) -> str:
    # A byte order mark would be taken for that of the file.
    if "\n" in text or text.endswith("\r") or text.startswith("\ufeff"):
        raise FormatError("the text cannot be one line of a file", where=record.id, got=repr(text[:40]))
    return text
