"""A pair that is marked in a text: of both ends every mention with all its parts, `<e1>left</e1> and right
<e1+>lung</e1+>`."""

from __future__ import annotations

from collections.abc import Sequence

import regex

from taiyi.schema import Span

TAG = regex.compile(r"<(/?)e([12])(\+?)>")


def mark(text: str, window: Span, *ends: Sequence[tuple[str, tuple[Span, ...]]]) -> str:
    """Return a window of a text with the mentions of a pair in it between tags, those that begin first or are longer
    outside."""
    marks: list[tuple[int, int, int, str]] = []
    for tag, mentions in zip(("e1", "e2"), ends, strict=True):
        for mention, spans in mentions:
            for part, (start, end) in enumerate(spans):
                start += len(mention) - len(mention.lstrip()) if part == 0 else 0
                end -= len(mention) - len(mention.rstrip()) if part == len(spans) - 1 else 0
                name = tag + ("+" if part else "")
                marks.append((start, 1, -end, f"<{name}>"))
                marks.append((end, 0, -start, f"</{name}>"))
    written: list[str] = []
    done = window.start
    for at, _, _, tag in sorted(marks, key=lambda mark: mark[:3]):
        written += [text[done:at], tag]
        done = max(done, at)
    return "".join((*written, text[done : window.end]))


def pair(prompt: str) -> tuple[list[str], list[str]]:
    """Return the names of the marked pair of a prompt: of each the texts of its mentions, each once."""
    found: dict[str, dict[int, list[str]]] = {"1": {}, "2": {}}
    opened: dict[tuple[str, str], list[tuple[int, int]]] = {}
    plain = ""
    done = 0
    for order, match in enumerate(TAG.finditer(prompt)):
        plain += prompt[done : match.start()]
        done = match.end()
        key = (match[2], match[3])
        if not match[1]:
            opened.setdefault(key, []).append((order, len(plain)))
        elif opened.get(key):
            begun, start = opened[key].pop()
            mentions = found[match[2]]
            if not match[3]:
                mentions[begun] = [plain[start:]]
            elif earlier := [place for place in mentions if place < begun]:
                mentions[max(earlier)].append(plain[start:])
    names = [list(dict.fromkeys(" ".join(mentions[n]) for n in sorted(mentions))) for mentions in found.values()]
    return names[0], names[1]
