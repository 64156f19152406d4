"""What the check of a question says of a term: where it stands, why it is flagged, and which names are near."""

from __future__ import annotations

from typing import Literal

import msgspec

from taiyi.knowledge.terms.index import Ending, Index, TermsError
from taiyi.schema import Span

try:
    from rapidfuzz.distance import OSA
except ModuleNotFoundError as error:
    raise TermsError("rapidfuzz is not installed", mend="install the extra: pip install 'taiyi[terms]'") from error

FlagKind = Literal["misspelling", "unknown"]
_MOST_NEAREST = 3
_LONG = 8


class Nearest(msgspec.Struct, frozen=True, kw_only=True):
    """A known name near a flagged term; `similarity` is 1 for the same name and 0 for one without a letter of it."""

    name: str
    similarity: float
    concepts: tuple[str, ...] = ()


class Flag(msgspec.Struct, frozen=True, kw_only=True):
    """A term of a question that is no known name but near to some.

    A `misspelling` differs from a known name by a slip or two; what is `unknown` is built like known names (it ends
    like a class of them, or is a known name with another word in it), and may not exist. `span` counts characters
    of the question, `ending` is that of the class, empty where there is none.
    """

    span: Span
    text: str
    kind: FlagKind
    nearest: tuple[Nearest, ...]
    ending: str = ""


def slips(length: int) -> int:
    """Return how many letters of a word of some length may be wrong for it to be a slip."""
    return 1 if length < _LONG else 2


def distance(first: str, second: str, most: int) -> int:
    """Return how many letters are to be added, left out, replaced or swapped; `most` + 1 where it takes more."""
    return OSA.distance(first, second, score_cutoff=most)


def similarity(first: str, second: str) -> float:
    """Return how alike two words are: 1 less the share of letters that differ."""
    return OSA.normalized_similarity(first, second)


def nearest(index: Index, found: dict[str, float]) -> tuple[Nearest, ...]:
    """Return the names of keys with their similarities, the most similar first."""
    best = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:_MOST_NEAREST]
    known = [(index.name(key), alike) for key, alike in best]
    return tuple(
        Nearest(name=name.name, similarity=round(alike, 3), concepts=name.concepts) for name, alike in known if name
    )


def share(ending: Ending) -> float:
    """Return which share of the words with an ending are names."""
    return ending.names / (ending.names + ending.others)
