"""Medical passage retrieval as in KUAKE-IR (CBLUE): passages, queries, and which passage answers which query.

Three files of lines of two cells between tabs: id and passage, id and query, id of a query and id of its passage.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path

from taiyi.errors import FormatError
from taiyi.formats import checked, lines
from taiyi.schema import Lang, Pair, Record, Reject, Split

RELEVANT = "1"
UNKNOWN = "unknown query or passage"


def read(
    path: Path, *, corpus: str, split: Split, lang: Lang, queries: str, passages: str
) -> Iterator[Record | Reject]:
    """Read the pairs of a file of relevant ones; each is named by the ids of its query and passage.

    All are labelled as relevant.

    Args:
        queries: name of the file of queries, beside `path`.
        passages: name of the file of passages, beside `path`; only those that are asked for are held.

    Raises:
        FormatError: one of the files is missing.
    """
    faults: list[Reject] = []
    relevant = [(where, query, passage) for where, query, passage in _cells(path, faults)]
    query_texts = _texts(path, queries, {query for _, query, _ in relevant}, faults)
    passage_texts = _texts(path, passages, {passage for _, _, passage in relevant}, faults)
    yield from faults
    for where, query, passage in relevant:
        if query not in query_texts or passage not in passage_texts:
            detail = f"query {query!r} or passage {passage!r} is not in the files"
            yield Reject(where=where, reason=UNKNOWN, detail=detail)
            continue
        yield checked.record(
            Pair,
            where,
            id=f"{query}-{passage}",
            corpus=corpus,
            split=split,
            lang=lang,
            first=query_texts[query],
            second=passage_texts[passage],
            label=RELEVANT,
        )


def _texts(path: Path, name: str, wanted: Container[str], faults: list[Reject]) -> dict[str, str]:
    file = path.parent / name
    if not file.is_file():
        raise FormatError("a file that the pairs refer to is missing", where=file)
    return {key: text for _, key, text in _cells(file, faults) if key in wanted}


def _cells(path: Path, faults: list[Reject]) -> Iterator[tuple[str, str, str]]:
    """Yield two cells of each line with where it stands; lines of other forms are faults."""
    for number, line in lines.numbered(path):
        if not line.strip():
            continue
        where = f"{path.name}:{number}"
        key, tab, value = line.partition("\t")
        if tab and key.strip() and value.strip():
            yield where, key.strip(), value.strip()
        else:
            detail = f"two cells between a tab were expected, not {checked.shown(line)}"
            faults.append(Reject(where=where, reason=checked.MALFORMED, detail=detail))
