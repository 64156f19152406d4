"""Terms of a question that do not exist, as the paper's "octacyclines": unknown names that are near to known ones.

The paper's model made up what octacyclines are. A terminology (`taiyi terms build`) cannot say that a term does not
exist, but that it does not know it while it knows names that are like it; whoever answers can then say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from taiyi.knowledge.results import Flag
from taiyi.knowledge.terms import han, latin
from taiyi.knowledge.terms.index import Index, Manifest
from taiyi.schema import Lang

CHECKED_CHARS = 20_000
"""So many characters of a text are checked; what comes after them is not looked at."""


@dataclass(frozen=True)
class Terms:
    """An open terminology. Several threads may ask it."""

    index: Index

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open what `taiyi terms build` wrote.

        Raises:
            TermsError: there is none, or it is of another version.
        """
        return cls(Index.open(path))

    def close(self) -> None:
        """Let go of the file."""
        self.index.close()

    @property
    def manifest(self) -> Manifest:
        """What the terminology was made of."""
        return self.index.manifest

    def check(self, text: str, lang: Lang | None = None) -> list[Flag]:
        """Return the terms of a question that are unknown and near to known names, in order.

        Words in Latin letters and Han characters are each looked at in their own way, wherever they stand, so that
        `octacyclines` in a Chinese question is seen. Of a text longer than `CHECKED_CHARS` the beginning is checked.

        Args:
            text: the question.
            lang: `en` leaves Han characters alone, `zh` and None look at all.
        """
        head = text[:CHECKED_CHARS]
        found = latin.flags(head, self.index)
        if lang != "en":
            found += han.flags(head, self.index)
        return sorted(found, key=lambda flag: flag.span)


def notice(flags: Sequence[Flag], lang: Lang) -> str:
    """Return what a chat says of flagged terms before it answers, or instead; empty where nothing is flagged.

    A misspelling asks back; of an unknown term it says that it is not in the terminology, which names are near, and
    that nothing is said of it.
    """
    said: dict[str, str] = {}
    for flag in flags:
        said.setdefault(flag.text, _sentence(flag, lang))
    return (" " if lang == "en" else "").join(said.values())


def _sentence(flag: Flag, lang: Lang) -> str:
    names = [nearest.name for nearest in flag.nearest]
    if lang == "zh":
        known = "、".join(f"“{name}”" for name in names)
        if flag.kind == "misspelling":
            return f"“{flag.text}”可能有误，您是否想问{known}？"
        return f"术语库中没有“{flag.text}”，相近的已知名称有{known}；它可能并不存在，因此不对它作说明。"
    known = ", ".join(f"“{name}”" for name in names[:-1]) + (" or " if names[1:] else "") + f"“{names[-1]}”"
    if flag.kind == "misspelling":
        return f"“{flag.text}” may be misspelt: did you mean {known}?"
    return (
        f"“{flag.text}” is not in the terminology, which has {known.replace(' or ', ' and ')}; it may not exist, so "
        "nothing is said about it."
    )
