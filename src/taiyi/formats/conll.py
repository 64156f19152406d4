"""CoNLL columns: a token a line with its tag, a blank line after each sentence (Tjong Kim Sang and De Meulder, 2003).

Tags are IOB1, IOB2 (BIO), IOBES (BIOES, BILOU, BMES) or plain; which of them need not be said, since what a tag begins
or goes on with follows from the tag before it. Comments are those of CoNLL-U
(https://universaldependencies.org/format.html): `# newdoc id = …` begins a document and `# text = …` is a sentence as
it stood in the text, with the white space after it, from which offsets are exact; without it the tokens are joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from taiyi.errors import FormatError
from taiyi.formats import checked, conll_writing, lines
from taiyi.schema import Document, Entity, Lang, Record, Reject, Span, Split

write = conll_writing.write

UNALIGNED = "token that is not in the text of its sentence"
_OUTSIDE = frozenset({"O", "o", ""})
_BEGINS, _GOES_ON, _ENDS, _ALONE = "B", "IM", "EL", "SUW"
_TAG = re.compile(r"([BIMELSUW])[-_](.+)")
_COMMENT = re.compile(r"#\s*(newdoc id|newdoc|text|sent_id)\s*(?:= ?(.*))?")
_NEVER = re.compile(r"(?!)")
_AS_GIVEN: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class _Unit:
    """What becomes one record: its id and that of its document, its tokens with tags by sentence, and their texts."""

    id: str
    document: str
    line: int
    sentences: list[tuple[str | None, list[tuple[str, str]]]] = field(
        default_factory=list[tuple[str | None, list[tuple[str, str]]]]
    )


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    columns: int = 0,
    token_column: int = 0,
    tag_column: int = -1,
    separator: str | None = None,
    document_start: str = "",
    per_sentence: bool = False,
    token_joiner: str = " ",
    sentence_joiner: str = "\n",
    document_prefix: str = "",
    untyped: str = "",
    types: Mapping[str, str] = _AS_GIVEN,
    encodings: tuple[str, ...] = ("utf-8",),
) -> Iterator[Record | Reject]:
    """Read documents, or sentences where the file does not say where documents begin.

    Args:
        columns: how many there are; any number, but at least two, if not given.
        separator: what stands between columns; any white space if not given.
        document_start: regular expression of a whole line that begins a document; its first group, if any, is its id.
        per_sentence: each sentence is a record, with the id `document.number` where documents have ids.
        token_joiner: what is put between tokens of sentences without a `# text`; nothing for characters of Chinese.
        sentence_joiner: what is put between sentences of a document that have no `# text`.
        document_prefix: stands before the id of a document to make its document id, such as `pmid:`; none if empty.
        untyped: the type of mentions where tags are B, I and O alone.
        types: types by what stands for them in the tags; others stay as they are.

    Raises:
        FormatError: the file is in none of the encodings, or no line of it has the columns.
    """
    found = False
    starts = re.compile(document_start) if document_start else _NEVER
    for unit in _units(path, starts, columns, token_column, tag_column, separator, encodings, per_sentence):
        if isinstance(unit, Reject):
            yield unit
            continue
        found = True
        where = f"{path.name}:{unit.line}"
        assembled = _assembled(unit, token_joiner, sentence_joiner, untyped, types)
        if isinstance(assembled, str):
            yield Reject(where=where, reason=UNALIGNED, detail=assembled)
            continue
        text, entities = assembled
        yield checked.record(
            Document,
            where,
            id=unit.id,
            corpus=corpus,
            split=split,
            lang=lang,
            document_ids=(f"{document_prefix}{unit.document}",) if document_prefix and unit.document else (),
            text=text,
            entities=tuple(entities),
        )
    if not found:
        raise FormatError("the file is not in CoNLL columns", where=path, expected="a token and its tag a line")


def _units(
    path: Path,
    starts: re.Pattern[str],
    columns: int,
    token_column: int,
    tag_column: int,
    separator: str | None,
    encodings: tuple[str, ...],
    per_sentence: bool,
) -> Iterator[_Unit | Reject]:
    """Yield documents; sentences where no line begins one, or they are asked for."""
    unit: _Unit | None = None
    named = ""
    number = sentences = 0
    given: str | None = None
    fresh = True
    documents = False
    least = max(columns, 2, token_column + 1, tag_column + 1)
    for line_number, line in lines.numbered(path, encodings=encodings):
        if begun := starts.fullmatch(line):
            documents, fresh, given = True, True, None
            named = (begun[1] or "").strip() if begun.re.groups else ""
            sentences = 0
        elif (comment := _COMMENT.fullmatch(line)) and len(line.split(separator)) != max(columns, 2):
            if comment[1].startswith("newdoc"):
                documents, fresh, given = True, True, None
                named, sentences = (comment[2] or "").strip(), 0
            elif comment[1] == "text":
                given = comment[2] or ""
                fresh = fresh or per_sentence or not documents
                if unit is not None and not fresh:
                    unit.sentences.append((given, []))
        elif not line.strip():
            if unit is not None and not fresh:
                if per_sentence or not documents:
                    fresh = True
                elif unit.sentences[-1][1]:
                    unit.sentences.append((None, []))
            given = None if fresh else given
        else:
            cells = line.split(separator)
            if len(cells) < least or (columns and len(cells) != columns):
                detail = f"{len(cells)} columns: {line[:60]!r}"
                yield Reject(where=f"{path.name}:{line_number}", reason=checked.MALFORMED, detail=detail)
                continue
            if fresh:
                if unit is not None:
                    yield unit
                number += 1
                sentences += 1
                whole = documents and not per_sentence
                id = (named or str(number - 1)) if whole or not named else f"{named}.{sentences}"
                unit = _Unit(id, named, line_number, [(given, [])])
                fresh, given = False, None
            assert unit is not None
            unit.sentences[-1][1].append((cells[token_column], cells[tag_column]))
    if unit is not None:
        yield unit


def _assembled(
    unit: _Unit, token_joiner: str, sentence_joiner: str, untyped: str, types: Mapping[str, str]
) -> tuple[str, list[Entity]] | str:
    """Return the text of a unit and its mentions, or what is wrong with it."""
    text = ""
    entities: list[Entity] = []
    for given, rows in unit.sentences:
        if not rows and not given:
            continue
        if given is None and text:
            text += sentence_joiner
        start = len(text)
        spans: list[Span] = []
        if given is not None:
            text += given
            at = start
            for token, _ in rows:
                if (begin := text.find(token, at)) < 0:
                    return f"{token!r} after character {at}"
                at = begin + len(token)
                spans.append(Span(begin, at))
        else:
            for n, (token, _) in enumerate(rows):
                text += token_joiner if n else ""
                spans.append(Span(len(text), len(text) + len(token)))
                text += token
        for type, first, last in mentions([tag for _, tag in rows], untyped):
            span = Span(spans[first].start, spans[last].end)
            name, found = types.get(type, type), text[span.start : span.end]
            entities.append(Entity(id=f"T{len(entities) + 1}", type=name, text=found, spans=(span,)))
    return text, entities


def mentions(tags: Sequence[str], untyped: str = "") -> list[tuple[str, int, int]]:
    """Return the type, first and last token of each mention that tags of a sentence say, in any of the schemes.

    A tag that goes on with no mention of its type begins one, as in IOB1 and in the evaluation of CoNLL.
    """
    found: list[tuple[str, int, int]] = []
    open_type: str | None = None
    first = 0
    for index, tag in enumerate([*tags, "O"]):
        letter, type = _letter(tag, untyped)
        goes_on = letter in (*_GOES_ON, *_ENDS) and letter and type == open_type
        if open_type is not None and not goes_on:
            found.append((open_type, first, index - 1))
            open_type = None
        if letter and not goes_on:
            open_type, first = type, index
        if letter and letter in (*_ENDS, *_ALONE) and open_type is not None:
            found.append((open_type, first, index))
            open_type = None
    return found


def _letter(tag: str, untyped: str) -> tuple[str, str]:
    if tag in _OUTSIDE:
        return "", ""
    if match := _TAG.fullmatch(tag):
        return match[1], match[2]
    if tag in (*_BEGINS, *_GOES_ON, *_ENDS, *_ALONE) and untyped:
        return tag, untyped
    # Plain tags: neighbours of one type are one mention.
    return "I", tag
