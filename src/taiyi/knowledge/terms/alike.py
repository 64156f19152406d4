"""How alike words are, and which names are near to one."""

from __future__ import annotations

from taiyi.knowledge.results import Nearest
from taiyi.knowledge.terms.index import Ending, Index, TermsError

try:
    from rapidfuzz.distance import OSA
except ModuleNotFoundError as error:
    raise TermsError("rapidfuzz is not installed", mend="install the extra: pip install 'taiyi[terms]'") from error

_MOST_NEAREST = 3
_LONG = 8


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
