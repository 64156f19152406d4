"""GENETAG: tokenised sentences, the names in them by numbers of tokens, and other names that count as right.

The format of Tanabe et al. (BMC Bioinformatics 2005, 6(S1):S3), that of BioCreAtIvE task 1A: `TOKENIZED_CORPUS` has a
sentence a line, `@@id token/TAG token/TAG …`; `Gold.format` and `Correct.Data` have a name a line,
`@@id|first last|name`, with the first and last token counted from 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from taiyi.errors import FormatError
from taiyi.formats import checked, lines
from taiyi.schema import Document, Entity, Lang, Record, Reject, Span, Split

CASE = "mention differs from the text in case or white space"
NO_SENTENCE = "mention of a sentence that is not there"
UNRELATED = "alternative that overlaps no mention"
ALTERNATIVES = "alternatives"
_ID = re.compile(r"@@(\d+)")
_NAME = re.compile(r"@@(\d+)\|(\d{1,9}) (\d{1,9})\|(.+)")


@dataclass(frozen=True, slots=True)
class _Name:
    """A line of a file of names."""

    where: str
    first: int
    last: int
    text: str


def read(
    path: Path,
    *,
    corpus: str,
    split: Split,
    lang: Lang,
    gold: str = "Gold.format",
    alternatives: str = "Correct.Data",
    type: str = "gene",
) -> Iterator[Record | Reject]:
    """Read sentences with their names; `path` is the file of tokens, the others stand beside it.

    The text is the tokens with one space between them. A name is where its tokens are, so that one that occurs twice
    keeps its own place. Alternatives are an attribute of each mention that they overlap, as character spans in the form
    `start-end;start-end`.

    Args:
        gold: the file of names.
        alternatives: the file of other names that the official evaluation counts as right; not read if empty.
        type: the type of the mentions.

    Raises:
        FormatError: a file is not UTF-8, or the file of tokens holds no sentence.
    """
    faults: list[Reject] = []
    names = _names(path.with_name(gold), faults)
    others = _names(path.with_name(alternatives), faults) if alternatives else {}
    yield from faults
    found = False
    for number, line in lines.numbered(path):
        if not line.strip():
            continue
        where = f"{path.name}:{number}"
        id, *tagged = line.split(" ")
        match = _ID.fullmatch(id)
        tokens = [token.rpartition("/")[0] for token in tagged]
        if not match or not tokens or not all(tokens):
            yield Reject(where=where, reason=checked.MALFORMED, detail=f"@@id token/TAG … was expected: {line[:60]!r}")
            continue
        found = True
        sentence = _Sentence(tokens, type)
        for name in names.pop(match[1], ()):
            yield from sentence.add(name)
        for name in others.pop(match[1], ()):
            yield from sentence.add_alternative(name)
        yield checked.record(
            Document,
            where,
            id=match[1],
            corpus=corpus,
            split=split,
            lang=lang,
            text=sentence.text,
            entities=sentence.entities(),
        )
    if not found:
        raise FormatError("the file holds no sentence", where=path, expected="@@id token/TAG token/TAG …")
    for key, left in (*names.items(), *others.items()):
        yield from (Reject(where=name.where, reason=NO_SENTENCE, detail=f"@@{key}: {name.text!r}") for name in left)


def _names(path: Path, faults: list[Reject]) -> dict[str, list[_Name]]:
    """Return the names of each sentence; lines that hold no name, or two, are added to the faults."""
    names: dict[str, list[_Name]] = {}
    for number, line in lines.numbered(path):
        where = f"{path.name}:{number}"
        match = _NAME.fullmatch(line)
        if match and "@@" not in match[4]:
            names.setdefault(match[1], []).append(_Name(where, int(match[2]), int(match[3]), match[4]))
        elif line.strip():
            detail = f"@@id|first last|name was expected: {line[:120]!r}"
            faults.append(Reject(where=where, reason=checked.MALFORMED, detail=detail))
    return names


class _Sentence:
    """A sentence, and what is said of its tokens."""

    def __init__(self, tokens: list[str], type: str) -> None:
        self.text = " ".join(tokens)
        self._type = type
        self._tokens: list[Span] = []
        at = 0
        for token in tokens:
            self._tokens.append(Span(at, at + len(token)))
            at += len(token) + 1
        self._mentions: dict[Span, list[Span]] = {}

    def add(self, name: _Name) -> Iterator[Reject]:
        span, fault = self._place(name)
        if fault is not None:
            yield fault
        if span is not None:
            self._mentions.setdefault(span, [])

    def add_alternative(self, name: _Name) -> Iterator[Reject]:
        """Note an alternative at the mentions that it overlaps, and yield what is wrong with it."""
        span, fault = self._place(name)
        if fault is not None:
            yield fault
        if span is None:
            return
        overlapped = [mention for mention in self._mentions if mention.start < span.end and span.start < mention.end]
        if not overlapped:
            yield Reject(where=name.where, reason=UNRELATED, detail=f"{name.text!r}")
        for mention in overlapped:
            # Some alternatives are the mention itself.
            if mention != span and span not in self._mentions[mention]:
                self._mentions[mention].append(span)

    def _place(self, name: _Name) -> tuple[Span | None, Reject | None]:
        """Return where a name stands, and what is wrong with it; its tokens decide if it is written otherwise."""
        if not 0 <= name.first <= name.last < len(self._tokens):
            detail = f"{name.text!r} from token {name.first} to {name.last} of {len(self._tokens)}"
            return None, Reject(where=name.where, reason=checked.OUTSIDE, detail=detail)
        span = Span(self._tokens[name.first].start, self._tokens[name.last].end)
        found = self.text[span.start : span.end]
        if found == name.text:
            return span, None
        detail = f"tokens {name.first} to {name.last} are {found!r}, the mention {name.text!r}"
        if found.casefold().split() == name.text.casefold().split():
            return span, Reject(where=name.where, reason=CASE, detail=f"{detail}; the text's is kept")
        return None, Reject(where=name.where, reason=checked.MISMATCH, detail=detail)

    def entities(self) -> tuple[Entity, ...]:
        return tuple(
            Entity(
                id=f"T{number}",
                type=self._type,
                text=self.text[span.start : span.end],
                spans=(span,),
                attributes={ALTERNATIVES: ";".join(f"{s.start}-{s.end}" for s in sorted(others))} if others else {},
            )
            for number, (span, others) in enumerate(sorted(self._mentions.items()), start=1)
        )
