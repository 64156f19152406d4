"""Coreference: MUC, B³ and CEAF of chains, and their mean, as in the shared tasks of CoNLL 2011 and 2012.

As Pradhan et al. define them for mentions that a system has to find itself (Scoring Coreference Partitions of Predicted
Mentions, ACL 2014). Sums over documents make the score of a test set, as in the reference scorer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence, Set
from importlib import import_module
from itertools import zip_longest
from typing import Any

import numpy as np

from taiyi.metrics.measures import Array, f1_of

Chain = Set[Hashable]
"""Mentions that refer to the same thing; a mention is in one chain at most."""

CONLL = (
    f1_of("conll_f1", "CoNLL F1", *range(12)),
    f1_of("muc_f1", "MUC F1", 0, 1, 2, 3),
    f1_of("b_cubed_f1", "B³ F1", 4, 5, 6, 7),
    f1_of("ceaf_e_f1", "CEAF-e F1", 8, 9, 10, 11),
)
"""F1s of what `sums` returns."""


def mentions(
    gold: Sequence[Sequence[str]], answers: Sequence[Sequence[str]]
) -> tuple[list[set[Hashable]], list[set[Hashable]]]:
    """Return chains of texts as chains of mentions, where several mentions may have one text.

    Which mention of the gold one of the answers is, is decided in favour of the answers: those of chains that go
    together under the best alignment are the same, then those that are left over, one after the other.
    """
    ours, theirs = ([Counter(chain) for chain in sorted(map(sorted, chains))] for chains in (gold, answers))
    found: list[list[set[Hashable]]] = [[set() for _ in ours], [set() for _ in theirs]]
    numbers: Counter[str] = Counter()

    def add(texts: Iterable[str], *chains: set[Hashable]) -> None:
        for text in texts:
            for chain in chains:
                chain.add((text, numbers[text]))
            numbers[text] += 1

    for one, other in _best(_alike(ours, theirs)):
        shared = ours[one] & theirs[other]
        add(shared.elements(), found[0][one], found[1][other])
        ours[one], theirs[other] = ours[one] - shared, theirs[other] - shared
    left = [[(text, n) for n, chain in enumerate(side) for text in chain.elements()] for side in (ours, theirs)]
    for text in sorted({text for side in left for text, _ in side}):
        places = [[n for name, n in side if name == text] for side in left]
        for one, other in zip_longest(*places):
            add([text], *(found[side][n] for side, n in enumerate((one, other)) if n is not None))
    return found[0], found[1]


def sums(gold: Sequence[Chain], answers: Sequence[Chain]) -> tuple[float, ...]:
    """Return for MUC, B³ and CEAF-e, in turn, what is right of the answers, all answers, what is found, and all
    gold."""
    aligned = _aligned(gold, answers)
    return (
        *(_links(answers, gold), sum(len(chain) - 1 for chain in answers)),
        *(_links(gold, answers), sum(len(chain) - 1 for chain in gold)),
        *(_shares(answers, gold), sum(map(len, answers))),
        *(_shares(gold, answers), sum(map(len, gold))),
        *(aligned, len(answers), aligned, len(gold)),
    )


def _links(chains: Sequence[Chain], others: Sequence[Chain]) -> float:
    """Return how many links of chains the others have: of each chain its size less the parts that they cut it into."""
    places = {mention: place for place, chain in enumerate(others) for mention in chain}
    return float(sum(len(chain) - _num_parts(chain, places) for chain in chains))


def _num_parts(chain: Iterable[Hashable], places: dict[Hashable, int]) -> int:
    found = [places.get(mention) for mention in chain]
    # A mention that no other chain has is a part of its own.
    return len(set(found) - {None}) + found.count(None)


def _shares(chains: Sequence[Chain], others: Sequence[Chain]) -> float:
    """Return the sum over the mentions of chains of which share of their chain stands with them in the others too."""
    return sum(len(chain & other) ** 2 / len(chain) for chain in chains for other in others)


def _aligned(gold: Sequence[Chain], answers: Sequence[Chain]) -> float:
    """Return how alike chains are under the best one-to-one alignment (φ4; Luo 2005)."""
    alike = _alike(gold, answers)
    return float(sum(alike[one, other] for one, other in _best(alike)))


def _alike(gold: Sequence[Chain] | Sequence[Counter[str]], answers: Sequence[Chain] | Sequence[Counter[str]]) -> Array:
    """Return 2|K ∩ R| / (|K| + |R|) of each gold chain K with each chain R of the answers, as [gold, answer]."""
    found = np.zeros((len(gold), len(answers)))
    for row, ours in enumerate(gold):
        for column, theirs in enumerate(answers):
            found[row, column] = 2 * _size(ours & theirs) / (_size(ours) + _size(theirs))  # pyright: ignore
    return found


def _size(chain: Chain | Counter[str]) -> int:
    return chain.total() if isinstance(chain, Counter) else len(chain)


def _best(alike: Array) -> list[tuple[int, int]]:
    """Return which rows and columns go together, each with one other at most, so that they are most alike in all."""
    if not alike.size:
        return []
    # Imported where it is used: it takes a third of a second; and it has no types.
    optimize: Any = import_module("scipy.optimize")
    rows, columns = optimize.linear_sum_assignment(alike, maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if alike[row, column] > 0]
