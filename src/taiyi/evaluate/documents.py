"""The page of documents: every record of the test sets with gold and answer beside each other, to be filtered.

`documents.html` needs no network. Its data is JSON in compressed chunks, which the page unpacks as it needs them; where
they are too much for one file, they lie beside it as scripts, which a page may load from a disk too. Records have
offsets in UTF-16 units, as JavaScript counts characters.
"""

from __future__ import annotations

import base64
import gzip
import shutil
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import msgspec
from markupsafe import Markup

from taiyi.evaluate.aggregate import verdict
from taiyi.evaluate.differences import KINDS, TITLES, Difference, Item, differences
from taiyi.evaluate.places import Source, locate, source
from taiyi.evaluate.run import Answered, worth
from taiyi.schema import (
    Answer,
    Choice,
    Example,
    FreeText,
    Happenings,
    Mentions,
    Normalisations,
    Score,
    Span,
    Tree,
    Triples,
    Value,
)
from taiyi.text import legible

PAGE = "documents.html"
FOLDER = "documents"
MOST_INLINE = 24_000_000
"""More bytes of compressed data than this lie in files beside the page."""
_CHUNK = 400_000
_PAGE_SIZE = 20
_PLACED = (Mentions, Normalisations, Happenings)
"""Answers whose items are marked in the text: of others, such as relations, a list says more."""
_JOINED = (Triples, Tree)
_OWN_PLACE, _SEARCHED, _NOT_FOUND = range(3)
"""How it is known where an item stands: from its offsets, or by a search, which may be in vain."""
_WRONG, _UNPARSABLE = len(KINDS), len(KINDS) + 1
_FILTERS = (*(TITLES[kind] for kind in KINDS), "wrong", "unparsable")
"""Kinds by number: those of items, then those of answers that are right or wrong as a whole."""


class Shown(NamedTuple):
    """A test set as the page shows it."""

    name: str
    title: str
    records: Sequence[tuple[Answered, Score]]


class _Record(msgspec.Struct, frozen=True, array_like=True):
    """A record as the page reads it: the order of its fields is known to `documents.js`, that of an item's to
    `documents_drawing.js`.

    Attributes:
        id: `corpus/split/record`.
        lang: of the record.
        text: its source, or the first prompt about it.
        prompts: how many prompts there are where the text is one; else 0.
        verdict: how it was scored, in words.
        items: the differences of its answer: kind, type of gold and of answer (numbers, or -1), texts of both (empty
            where a text is that of its place), places of both in UTF-16 units, and how these are known.
        gold: of an answer without items, its gold as text; so is `answer` what was answered.
        unparsable: why answers could not be parsed.
        written: what was written where it could not be parsed.
    """

    id: str
    lang: str
    text: str
    prompts: int
    verdict: str
    items: list[list[Any]] = []
    gold: str = ""
    answer: str = ""
    unparsable: list[str] = []
    written: list[str] = []


class _Index(msgspec.Struct, frozen=True):
    """What the page filters and sorts by, and how many records each chunk has; lists are parallel over records.

    `codes` are pairs of a type and a kind as one number, `type * 16 + kind`; type 0 has no name.
    """

    sets: list[list[str]]
    types: list[str]
    kinds: list[str]
    chunks: list[int]
    set: list[int]
    errors: list[float]
    codes: list[list[int]]


def write(title: str, sets: Sequence[Shown], folder: Path, *, most_inline: int = MOST_INLINE) -> Path:
    """Write the page of documents into the folder of a report and return it."""
    index, chunks = pack(sets)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    names: list[str] = []
    if sum(map(len, chunks)) > most_inline:
        (folder / FOLDER).mkdir(parents=True)
        for number, chunk in enumerate(chunks):
            names.append(f"{FOLDER}/{number}.js")
            (folder / names[-1]).write_text(f'taiyiChunk({number}, "{chunk}");\n', encoding="ascii")
    path = folder / PAGE
    path.write_text(_html(title, index, [] if names else chunks, names), encoding="utf-8", newline="\n")
    return path


def pack(sets: Sequence[Shown]) -> tuple[str, list[str]]:
    """Return the index and the chunks of records, each as JSON, compressed, in base 64."""
    types: dict[str, int] = {"": 0}
    index = _Index(
        sets=[[shown.name, shown.title] for shown in sets],
        types=[],
        kinds=list(_FILTERS),
        chunks=[],
        set=[],
        errors=[],
        codes=[],
    )
    chunks: list[str] = []
    waiting: list[bytes] = []

    def close() -> None:
        if waiting:
            index.chunks.append(len(waiting))
            chunks.append(_packed(b"[" + b",".join(waiting) + b"]"))
            waiting.clear()

    for number, shown in enumerate(sets):
        for answered, score in shown.records:
            record, errors, codes = _record(answered, score, types)
            index.set.append(number)
            index.errors.append(errors)
            index.codes.append(codes)
            waiting.append(msgspec.json.encode(record))
            if sum(map(len, waiting)) > _CHUNK:
                close()
    close()
    index.types.extend(types)
    return _packed(msgspec.json.encode(index)), chunks


def unpack(packed: str) -> Any:
    """Return what `pack` packed into a text."""
    return msgspec.json.decode(gzip.decompress(base64.b64decode(packed)))


def _packed(data: bytes) -> str:
    # Without a time, the same records give the same bytes.
    return base64.b64encode(gzip.compress(data, 6, mtime=0)).decode("ascii")


def _html(title: str, index: str, chunks: Sequence[str], names: Sequence[str]) -> str:
    def file(name: str) -> str:
        return resources.files("taiyi.evaluate").joinpath(name).read_text(encoding="utf-8")

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(file("documents.html.jinja")).render(
        title=legible(title),
        style=Markup(file("documents.css")),
        script=Markup(file("documents_drawing.js") + file("documents.js")),
        index=index,
        chunks=chunks,
        names=names,
        page_size=_PAGE_SIZE,
    )


def _record(answered: Answered, score: Score, types: dict[str, int]) -> tuple[_Record, float, list[int]]:
    """Return a record as the page has it, how many errors it has, and what it is filtered by."""
    found = differences(answered.gold, answered.answer)
    text = source(answered.examples)
    codes: set[int] = set()
    gold = answer = ""
    if found is None:
        first = answered.examples[0]
        gold, answer = _told(answered.gold, first), _told(answered.answer, first) if answered.answer else ""
        errors = 1 - worth(first, score)
        if errors in (0.0, 1.0):
            codes.add(_WRONG if errors else 0)
    else:
        errors = sum(difference.kind != "right" for difference in found)
        codes.update(
            types.setdefault(item.type, len(types)) * 16 + KINDS.index(difference.kind)
            for difference in found
            for item in (difference.gold, difference.answer)
            if item is not None
        )
    if answered.unparsable:
        codes.add(_UNPARSABLE)
    record = _Record(
        id=legible(answered.record),
        lang=answered.examples[0].lang,
        text=legible(text.text),
        prompts=text.prompts,
        verdict=legible(verdict(score)),
        items=_items(found or [], answered.gold, text, types),
        gold=legible(gold),
        answer=legible(answer),
        unparsable=[
            legible(f"{count} × {reason}" if count > 1 else reason) for reason, count in answered.unparsable.items()
        ],
        written=[legible(p.text) for p in answered.predictions] if answered.answer is None else [],
    )
    return record, round(errors, 4), sorted(codes)


def _items(found: Sequence[Difference], gold: Answer, text: Source, types: Mapping[str, int]) -> list[list[Any]]:
    """Return differences as the page has them: kind, types, texts, places, and how these are known."""
    placed: dict[Item, tuple[list[list[int]], int]] = {}
    if isinstance(gold, _PLACED):
        units = _Units(legible(text.text))
        for side in ([d.gold for d in found if d.gold], [d.answer for d in found if d.answer]):
            for item, (spans, known) in _places(text, side).items():
                placed[item] = [[units.at(start), units.at(end)] for start, end in spans], known
    between = " → " if isinstance(gold, _JOINED) else " · "

    def parts(item: Item | None) -> tuple[int, str, list[list[int]], int]:
        if item is None:
            return -1, "", [], _OWN_PLACE
        places, known = placed.get(item, ([], _OWN_PLACE))
        # What stands at its own place is read from the text.
        written = "" if places and known == _OWN_PLACE else legible(between.join(item.texts))
        return types[item.type], written, places, known

    rows: list[list[Any]] = []
    for difference in found:
        sides = parts(difference.gold), parts(difference.answer)
        *columns, searched = zip(*sides, strict=True)
        rows.append([KINDS.index(difference.kind), *(part for column in columns for part in column), max(searched)])
    return rows


def _places(text: Source, found: Sequence[Item]) -> dict[Item, tuple[tuple[Span, ...], int]]:
    """Return where items stand in the text that is shown, and how that is known; those are searched that have no place,
    or not one in this text."""
    placed: dict[Item, tuple[tuple[Span, ...], int]] = {}
    for item in found:
        if item.span is not None:
            span = Span(item.span.start - text.begin, item.span.end - text.begin)
            if text.text[span.start : span.end] == item.texts[0]:
                placed[item] = (span,), _OWN_PLACE
    searched = {item: item._replace(span=None) for item in found if item not in placed}
    located = locate(text.text, searched.values())
    for item, bare in searched.items():
        spans = located.get(bare, ())
        placed[item] = spans, _SEARCHED if spans else _NOT_FOUND
    return placed


class _Units:
    """Offsets in code points as offsets in UTF-16 units: characters beyond the first plane are two of these."""

    def __init__(self, text: str) -> None:
        self._wide = [place for place, character in enumerate(text) if ord(character) > 0xFFFF]

    def at(self, offset: int) -> int:
        return offset + bisect_left(self._wide, offset)


def _told(answer: Answer, example: Example) -> str:
    """Return an answer without items as a reader takes it in."""
    match answer:
        case Choice():
            option = next((t.shown for t in example.types if t.name == answer.key), "")
            return f"{answer.key}. {option}" if option and option != answer.key else answer.key
        case FreeText():
            return answer.text
        case Value():
            return f"{answer.value:g}"
        case _:
            return str(answer)
