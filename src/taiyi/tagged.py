"""The tagged form of an extraction answer: the source itself, with the tags of mentions in place.

`<Disease> epilepsy</Disease>` marks a mention; a tag stands before the space in front of its mention, so that tokens
of words keep their leading space. Taking the tags away gives the source back exactly, so every mention has exact
offsets and nothing can be invented. Text level only; `grounding` holds the same rules over tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from taiyi.errors import Unparsable
from taiyi.schema import Mention, Span, Tagging

MAX_DEPTH = 4
"""How deep tags may nest; the corpora nest two deep, rarely three."""


class Part(NamedTuple):
    """A part of a tagged answer: a stretch of the source, or an opening or closing tag."""

    kind: Literal["copy", "open", "close"]
    start: int
    end: int
    tag: str = ""


def open_tag(tag: str) -> str:
    return f"<{tag}>"


def close_tag(tag: str) -> str:
    return f"</{tag}>"


def clashes(source: str, tags: Iterable[str]) -> bool:
    """Whether the source contains a tag as text, so that a tagged answer could be read in two ways."""
    return any(open_tag(tag) in source or close_tag(tag) in source for tag in tags)


def nest(mentions: Iterable[Mention]) -> tuple[list[Mention], list[Mention]]:
    """Split mentions into those that nest properly, outermost first, and those that tags cannot hold beside them.

    Where two cross, the one that begins first (then the longer) stays: a tag opened inside another must close inside
    it. Repeated mentions and those more than MAX_DEPTH deep are left out too.
    """
    placed: list[Mention] = []
    left: list[Mention] = []
    stack: list[Span] = []
    seen: set[tuple[str, Span]] = set()
    for mention in sorted(mentions, key=_outermost_first):
        span = mention.span
        assert span is not None
        while stack and stack[-1].end <= span.start:
            stack.pop()
        if (mention.type, span) in seen or len(stack) >= MAX_DEPTH or (stack and span.end > stack[-1].end):
            left.append(mention)
            continue
        seen.add((mention.type, span))
        stack.append(span)
        placed.append(mention)
    return placed, left


def _outermost_first(mention: Mention) -> tuple[int, int, str]:
    assert mention.span is not None
    return (mention.span.start, -mention.span.end, mention.type)


def layout(mentions: Sequence[Mention]) -> list[Part]:
    """Return the tags of properly nested mentions in the order of writing, at the mentions' own offsets."""
    tags: list[Part] = []
    stack: list[Mention] = []

    def close(before: int | None) -> None:
        while stack and stack[-1].span is not None and (before is None or stack[-1].span.end <= before):
            mention = stack.pop()
            assert mention.span is not None
            tags.append(Part("close", mention.span.end, mention.span.end, mention.type))

    for mention in sorted(mentions, key=_outermost_first):
        assert mention.span is not None
        close(mention.span.start)
        tags.append(Part("open", mention.span.start, mention.span.start, mention.type))
        stack.append(mention)
    close(None)
    return tags


def write(source: str, mentions: Sequence[Mention]) -> str:
    """Return the source with the tags of properly nested mentions in place; `type` of a mention is its tag."""
    written: list[str] = []
    done = 0
    for part in layout(mentions):
        space = part.kind == "open" and part.start > done and source[part.start - 1] == " "
        at = max(done, part.start - 1 if space else part.start)
        written.append(source[done:at])
        written.append(open_tag(part.tag) if part.kind == "open" else close_tag(part.tag))
        done = at
    written.append(source[done:])
    return "".join(written)


def parts(answer: str, tagging: Tagging) -> Iterator[Part]:
    """Read a tagged answer as parts of its source and tags; raise Unparsable where it is neither."""
    opens = {open_tag(tag): tag for tag in tagging.tags}
    closes = {close_tag(tag): tag for tag in tagging.tags}
    source = tagging.source
    at = copied = 0  # position in the source; where the stretch being copied began
    i = 0
    while i < len(answer):
        if answer[i] == "<" and (text := next((t for t in (*opens, *closes) if answer.startswith(t, i)), None)):
            if copied < at:
                yield Part("copy", copied, at)
                copied = at
            kind = "open" if text in opens else "close"
            yield Part(kind, at, at, opens[text] if kind == "open" else closes[text])
            i += len(text)
            continue
        # What stands up to the next mark that may begin a tag is compared at once.
        end = answer.find("<", i + 1)
        stretch = answer[i : end if end > 0 else None]
        same = len(stretch)
        if not source.startswith(stretch, at):
            same = next(n for n in range(same) if not source.startswith(stretch[: n + 1], at))
        at += same
        i += same
        if same < len(stretch):
            expected = repr(source[at : at + 12]) if at < len(source) else "the end of the source, or a tag"
            raise Unparsable(
                "the tagged answer departs from its source",
                where=f"character {i}",
                got=repr(answer[i : i + 12]),
                expected=expected,
            )
    if copied < at:
        yield Part("copy", copied, at)
    if at < len(source):
        raise Unparsable("the tagged answer ends before its source", got=f"{at} of {len(source)} characters")


def read(answer: str, tagging: Tagging) -> list[Mention]:
    """Return the mentions of a tagged answer with exact spans into the source, in order of their opening tags.

    A closing tag closes the innermost open tag, which must be its own. Raises Unparsable otherwise.
    """
    return list(dict.fromkeys(marked(answer, tagging)))


def marked(answer: str, tagging: Tagging) -> list[Mention]:
    """Return what each opening tag of an answer marks, as `read` does, those that mark the same included."""
    found: list[tuple[int, Mention]] = []
    stack: list[tuple[int, str, int]] = []
    order = 0
    for part in parts(answer, tagging):
        if part.kind == "open":
            stack.append((order, part.tag, part.start))
            order += 1
        elif part.kind == "close":
            if not stack or stack[-1][1] != part.tag:
                raise Unparsable(
                    "a closing tag matches no open one", where=f"character {part.start} of the source", got=part.tag
                )
            opened, tag, start = stack.pop()
            text = tagging.source[start : part.end]
            start += len(text) - len(text.lstrip())
            if not text.strip():
                raise Unparsable("a tag marks nothing", where=f"character {start} of the source", got=part.tag)
            end = start + len(text.strip())
            found.append((opened, Mention(type=tag, text=text.strip(), span=Span(start, end))))
    if stack:
        raise Unparsable("a tag is never closed", got=stack[-1][1])
    return [mention for _, mention in sorted(found, key=lambda pair: pair[0])]
