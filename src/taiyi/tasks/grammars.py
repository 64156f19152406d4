r"""Grammars of answers: pieces that the tasks put theirs together from.

A grammar is text in llguidance's dialect of Lark (docs/syntax.md of guidance-ai/llguidance). Its terminals, in
capitals, are regular expressions, and one takes the longest stretch that it can: what stands between two marks that may
also occur within a mention, such as the commas of a triple, is therefore one terminal together with the marks.

A mention is a stretch of the source in the spelling of its form: where the source has `;`, a list has `\;`. It begins
and ends at pieces of the source, as tags do (`text.pieces`): of 457,498 mentions of the corpora at hand 1,050 do not,
and 597 of these stand so nowhere in their text. Which stretches there are is a suffix automaton, which llguidance
builds (`substring_chunks`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from taiyi.schema import Lang
from taiyi.tagged import MAX_DEPTH, close_tag, open_tag
from taiyi.templates import words
from taiyi.text import pieces

Spelling = Callable[[str], str]
"""How a form spells a text; what it makes of a character follows from it and the next one."""

# White space as `str.strip` has it.
_SPACE = r"\s\x1c-\x1f"
# A mention neither begins nor ends with white space, and holds something else. In lists a backslash stands before what
# it takes out of the marks, and before the n of a line break.
_IN_LIST = (rf"(?:[^{_SPACE}\\]|\\[^n])", r"(?:[^\\]|\\.)")
_IN_JSON = (
    rf'(?:[^{_SPACE}\x00-\x1f"\\]|\\["\\b]|\\u00(?:0[0-8ef]|1[0-9ab]))',
    r'(?:[^\x00-\x1f"\\]|\\["\\bfnrt]|\\u00[01][0-9a-f])',
)


def grammar(start: str, **terminals: str) -> str:
    """Return the text of a grammar; its first line tells llama.cpp whose dialect it is."""
    # The option is as it is by default. vLLM would try to make grammars of xgrammar's dialect of those that are nearly
    # so, such as labels, and holds all requests to the first engine that it takes; what has options it leaves alone.
    lines = [
        '%llguidance {"no_forcing": false}',
        f"start: {start}",
        *(f"{name}: {body}" for name, body in terminals.items()),
    ]
    return "\n".join(lines) + "\n"


def literal(text: str) -> str:
    """Return what stands for a text in a grammar."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def either(texts: Iterable[str]) -> str:
    """Return what stands for one of some texts, each once."""
    return f"({' | '.join(map(literal, dict.fromkeys(texts)))})"


def labels(names: Iterable[str], lang: Lang) -> str:
    """Return the grammar of one or more of some labels, no more than there are, or of the word for none; empty where
    there are none."""
    each = list(dict.fromkeys(names))
    if not each:
        return ""
    marks = words(lang)
    more = f"({literal(marks.semicolon)} LABEL){{0,{len(each) - 1}}}" if len(each) > 1 else ""
    return grammar(f"{literal(marks.none)} | LABEL {more}", LABEL=either(each))


def several(item: str, mark: str, *, or_none: Lang | None = None) -> str:
    """Return what stands for one or more items with a text between them; or for the word for none of a language."""
    found = f" {item} ({literal(mark)} {item})*"
    return found if or_none is None else f"{literal(words(or_none).none)} |{found}"


def array(item: str, brackets: str = "[]", least: int = 0) -> str:
    """Return what stands for an array of JSON of no, one or more items, or for an object of entries."""
    items = f'{item} (", " {item})*'
    if not least:
        items = f"({items})?"
    else:
        items += "".join(f' ", " {item}' for _ in range(least - 1))
    return f' "{brackets[0]}" {items} "{brackets[1]}"'


def mentions(source: str, spelling: Spelling) -> dict[str, str]:
    """Return terminals, MENTION for the mentions that a source holds in the spelling of a list."""
    return _mentions(source, spelling, _IN_LIST)


def quoted_mentions(source: str) -> dict[str, str]:
    """Return terminals, MENTION for the mentions that a source holds as strings of JSON, with their quotes."""
    found = _mentions(source, lambda text: in_json(text)[1:-1], _IN_JSON)
    return found | {"MENTION": f'"\\"" ({found["MENTION"]}) "\\""'}


def in_json(text: str) -> str:
    """Return a text as the tasks write it in JSON."""
    return json.dumps(text, ensure_ascii=False)


STRING = rf'/"{_IN_JSON[0]}(?:{_IN_JSON[1]}*{_IN_JSON[0]})?"/'
"""Any string of JSON that neither begins nor ends with white space."""

LINE = rf"/{_IN_LIST[0]}(?:(?:[^\\\n]|\\.)*{_IN_LIST[0]})?/"
"""Any text in the spelling of a list, on one line, that neither begins nor ends with white space."""


# The parameter of a rule, of 64 bits, says where a tagged answer stands: whether a tag is open that holds nothing yet,
# how many pieces are copied, and which tag is open at each depth, by its number from 1.
_EMPTY, _COPIED, _OPEN = 0, 1, 17
_BITS = 8
MOST_COPIED = 1500
"""How many pieces a source has at most: llguidance counts the steps of such a rule, tags included, up to 2,000."""


def tagged(source: str, tags: Sequence[str]) -> str:
    """Return the grammar of a source with tags in place, for engines that have no rules of their own for it.

    It is empty where the source is longer than they can hold, or there are more tags than numbers for them.
    """
    parts = pieces(source)
    solid = len(pieces(source.rstrip()))
    if len(parts) > MOST_COPIED or len(tags) >= 2**_BITS:
        return ""
    ends = [_OPEN + _BITS * depth for depth in range(MAX_DEPTH + 1)]
    steps: list[str] = []
    for at, part in enumerate(parts):
        if part.isspace():
            steps.append(f"{literal(part)} s::incr([{_COPIED}:{_OPEN}]) %if eq([{_COPIED}:{_OPEN}], {at})")
            continue
        # One more piece, and no tag that holds nothing: of a number whose lowest bit is set, that is one more.
        steps.append(f"{literal(part)} s::incr([{_COPIED}:{_OPEN}]) %if eq([{_EMPTY}:{_OPEN}], {2 * at})")
        steps.append(f"{literal(part)} s::incr([{_EMPTY}:{_OPEN}]) %if eq([{_EMPTY}:{_OPEN}], {2 * at + 1})")
    for depth, (low, high) in enumerate(pairwise(ends)):
        outer = f"not(is_zeros([{ends[depth - 1]}:{low}]))" if depth else "true"
        inner = f"is_zeros([{high}:{high + _BITS}])" if depth + 1 < MAX_DEPTH else "true"
        for number, tag in enumerate(tags, start=1):
            opens = f"and(is_zeros([{low}:{high}]), and({outer}, lt([{_COPIED}:{_OPEN}], {solid})))"
            closes = f"and(eq([{low}:{high}], {number}), and({inner}, bit_clear({_EMPTY})))"
            held = 2**64 - 1 - ((2**_BITS - 1) << low)
            steps.append(f"{literal(open_tag(tag))} s::bit_or({hex(number << low | 1)}) %if {opens}")
            steps.append(f"{literal(close_tag(tag))} s::bit_and({hex(held)}) %if {closes}")
    steps.append(f'"" %if eq([{_EMPTY}:{ends[-1]}], {2 * len(parts)})')
    return grammar("s::0x0") + "s::_: " + "\n | ".join(steps) + "\n"


def _mentions(source: str, spelling: Spelling, units: tuple[str, str]) -> dict[str, str]:
    solid, any = units
    return {
        "MENTION": "STRETCH & EDGES",
        "STRETCH": f"%regex {json.dumps({'substring_chunks': _spelled(source, spelling)}, ensure_ascii=False)}",
        "EDGES": f"/(?s:{solid}(?:{any}*{solid})?)/",
    }


def _spelled(source: str, spelling: Spelling) -> list[str]:
    """Return how each piece of a source is spelled where all of it is, the space before a piece apart."""
    parts: list[str] = []
    for piece in pieces(source):
        parts += [" ", piece[1:]] if piece[0] == " " and len(piece) > 1 else [piece]
    known: dict[tuple[str, str], str] = {}
    found: list[str] = []
    for pair in zip(parts, (*(part[0] for part in parts[1:]), ""), strict=True):
        if pair not in known:
            both = spelling("".join(pair))
            known[pair] = both[: len(both) - len(spelling(pair[1]))]
        found.append(known[pair])
    return found
