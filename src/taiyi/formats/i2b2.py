"""Concepts, assertions and relations of the i2b2/VA challenge of 2010 (Uzuner et al., JAMIA 2011).

A record `x.txt` has its concepts in `x.con`, their assertions in `x.ast` and the relations between them in `x.rel`,
each on a line of parts between `||`:

    c="chest pain" 12:3 12:4||t="problem"
    c="chest pain" 12:3 12:4||t="problem"||a="absent"
    c="an aspirin" 12:7 12:8||r="TrAP"||c="chest pain" 12:3 12:4

where `12:3 12:4` is from token 3 to token 4 of line 12 (see `i2b2_tokens`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from taiyi.formats import checked, i2b2_tokens, lines
from taiyi.formats.i2b2_tokens import POSITION, Tokens
from taiyi.schema import Argument, Document, Entity, Lang, Record, Reject, Relation, Span, Split

_CONCEPT = rf'c="(.*?)" ({POSITION})'
_CONCEPT_LINE = re.compile(rf'{_CONCEPT}\|\|t="(.+?)"')
_ASSERTION_LINE = re.compile(rf'{_CONCEPT}\|\|t="(.+?)"\|\|a="(.+?)"')
_RELATION_LINE = re.compile(rf'{_CONCEPT}\|\|r="(.+?)"\|\|{_CONCEPT}')
_NO_ENDS: Mapping[str, tuple[str, str]] = MappingProxyType({})
NO_CONCEPTS = "record without a concept file"
_ABSENT = "reference to a mention that is not there"
_REPEATED = "repeated line"


@dataclass(slots=True)
class _Found:
    """What has been read of a record; mentions by where they stand and their type."""

    tokens: Tokens
    mentions: dict[tuple[Span, str], str] = field(default_factory=dict[tuple[Span, str], str])
    assertions: dict[str, str] = field(default_factory=dict[str, str])
    relations: dict[tuple[str, str, str], None] = field(default_factory=dict[tuple[str, str, str], None])
    rejects: list[Reject] = field(default_factory=list[Reject])

    def reject(self, where: str, reason: str, detail: str) -> None:
        self.rejects.append(Reject(where=where, reason=reason, detail=detail))


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    concepts: str = "../concept",
    assertions: str = "../ast",
    relations: str = "../rel",
    ends: Mapping[str, tuple[str, str]] = _NO_ENDS,
) -> Iterator[Record | Reject]:
    """Read one record.

    Args:
        concepts: the folder of the concept files, given relative to that of the text; a record without one is dropped,
            since it would pass for one in which nothing was found.
        assertions: that of the assertion files, which a record may lack.
        relations: that of the relation files, which a record may lack.
        ends: the types of the two concepts of each type of relation, which are their roles too; head and tail if not
            given. They tell which concept is meant where several of different types are at one place.
    """
    folder, stem = path.parent, path.stem
    source = folder / concepts / f"{stem}.con"
    if not source.is_file():
        yield Reject(where=path.name, reason=NO_CONCEPTS, detail=f"{stem}.con is not there")
        return
    text = lines.whole(path)
    found = _Found(Tokens(text))
    for where, match in _matches(source, _CONCEPT_LINE, found):
        _concept(where, match, found)
    for where, match in _matches(folder / assertions / f"{stem}.ast", _ASSERTION_LINE, found):
        _assertion(where, match, found)
    for where, match in _matches(folder / relations / f"{stem}.rel", _RELATION_LINE, found):
        _relation(where, match, ends, found)
    yield from found.rejects
    yield checked.record(
        Document,
        path.name,
        id=stem,
        corpus=corpus,
        split=split,
        lang=lang,
        text=text,
        entities=tuple(
            Entity(
                id=id,
                type=type,
                text=text[span.start : span.end],
                spans=(span,),
                attributes={"assertion": found.assertions[id]} if id in found.assertions else {},
            )
            for (span, type), id in found.mentions.items()
        ),
        relations=tuple(
            Relation(
                id=f"R{number}",
                type=type,
                arguments=tuple(
                    Argument(role=role, kind="entity", ref=ref)
                    for role, ref in zip(ends.get(type, ("head", "tail")), refs, strict=True)
                ),
            )
            for number, (type, *refs) in enumerate(found.relations, start=1)
        ),
    )


def _matches(path: Path, pattern: re.Pattern[str], found: _Found) -> Iterator[tuple[str, re.Match[str]]]:
    """Yield the lines of a file that are as they should be; the others are rejected."""
    if not path.is_file():
        return
    for number, line in lines.numbered(path):
        if not line.strip():
            continue
        where = f"{path.name}:{number}"
        if match := pattern.fullmatch(line.strip()):
            yield where, match
        else:
            found.reject(where, checked.MALFORMED, repr(line[:80]))


def _span(where: str, given: str, positions: str, found: _Found) -> Span | None:
    """Return where a mention stands; None, and a Reject, where the text does not have it there."""
    spans = found.tokens.spans(positions)
    if not spans:
        found.reject(where, checked.OUTSIDE, f"{given!r} at {positions}")
        return None
    span = found.tokens.narrowed(spans[0], given)
    if span is None:
        start, end = spans[0]
        found.reject(where, checked.MISMATCH, i2b2_tokens.mismatch(found.tokens.text[start:end], given))
    return span


def _concept(where: str, match: re.Match[str], found: _Found) -> None:
    given, positions, type = match.groups()
    span = _span(where, given, positions, found)
    if span is None:
        return
    if (span, type) in found.mentions:
        found.reject(where, _REPEATED, f"{type} {given!r} at {positions}")
    else:
        found.mentions[span, type] = f"T{len(found.mentions) + 1}"


def _assertion(where: str, match: re.Match[str], found: _Found) -> None:
    given, positions, type, assertion = match.groups()
    span = _span(where, given, positions, found)
    if span is None:
        return
    id = found.mentions.get((span, type))
    if id is None:
        found.reject(where, _ABSENT, f"{type} {given!r} at {positions}")
    elif id in found.assertions:
        found.reject(
            where, _REPEATED, f"{assertion} of {type} {given!r} at {positions}; {found.assertions[id]} is kept"
        )
    else:
        found.assertions[id] = assertion


def _relation(where: str, match: re.Match[str], ends: Mapping[str, tuple[str, str]], found: _Found) -> None:
    first, first_at, type, second, second_at = match.groups()
    spans = _span(where, first, first_at, found), _span(where, second, second_at, found)
    if spans[0] is None or spans[1] is None:
        return
    wanted = ends.get(type, ("", ""))
    ids = [_mention_at(span, kind, found) for span, kind in zip(spans, wanted, strict=True) if span]
    refs = [id for id in ids if id]
    if len(refs) != 2:
        found.reject(where, _ABSENT, f"{type} between {first!r} at {first_at} and {second!r} at {second_at}")
    elif (type, refs[0], refs[1]) in found.relations:
        found.reject(where, _REPEATED, f"{type} between {first!r} and {second!r}")
    else:
        found.relations[type, refs[0], refs[1]] = None


def _mention_at(span: Span, type: str, found: _Found) -> str | None:
    """Return the mention at a place, of the type if there is one, else of another."""
    if id := found.mentions.get((span, type)):
        return id
    return next((id for (place, _), id in found.mentions.items() if place == span), None)
