"""Runs of characters of texts in their normal form, as 64-bit hashes: how much of two texts is the same.

The unit is the character of `text.normalise`, which knows no spaces and no punctuation, so that it is right for Chinese
and blind to how a text was tokenised. Two of the runs that a million texts have share a hash by chance about once in
ten thousand times.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from taiyi.text import normalise

Points = NDArray[np.uint32]
Hashes = NDArray[np.uint64]

_NOT_ASCII_WORD = bytes(code for code in range(128) if not chr(code).isalnum())
_SHORT = 4000
_FACTOR = 0x9E3779B97F4A7C15


def points(text: str) -> Points:
    """Return the code points of a text in its normal form, in an array that is not to be written to."""
    return _kept(text) if len(text) <= _SHORT else _points(text)


def _points(text: str) -> Points:
    if text.isascii():
        # The same as below, at least twice as fast.
        letters = text.lower().encode("ascii").translate(None, _NOT_ASCII_WORD)
        return np.frombuffer(letters, dtype=np.uint8).astype(np.uint32)
    return np.frombuffer(normalise(text).encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint32)


@lru_cache(maxsize=2048)
def _kept(text: str) -> Points:
    """Filters, digests, signatures and guards ask for the letters of the same texts, a few hundred at a time."""
    found = _points(text)
    found.flags.writeable = False
    return found


def han(points: Points) -> float:
    """Return the share of Chinese characters."""
    if not len(points) or points.max() < 0x3400:
        return 0.0
    found = ((points >= 0x3400) & (points < 0xA000)) | ((points >= 0x20000) & (points < 0x34000))
    return float(found.mean())


def runs(points: Points, length: int) -> Hashes:
    """Return the hash of every run of so many code points, in the order in which they begin."""
    if len(points) < length:
        return np.empty(0, dtype=np.uint64)
    letters = points.astype(np.uint64)
    hashes, covered = letters, 1
    # A polynomial, its length doubled at every step: h(xy) = h(x) f^|y| + h(y), modulo 2^64.
    for bit in bin(length)[3:]:
        factor = np.array(_FACTOR, dtype=np.uint64) ** np.uint64(covered)
        hashes = hashes[:-covered] * factor + hashes[covered:]
        covered *= 2
        if bit == "1":
            hashes = hashes[:-1] * np.uint64(_FACTOR) + letters[covered:]
            covered += 1
    return mixed(hashes)


def mixed(hashes: Hashes) -> Hashes:
    """Spread the bits of hashes over the whole of them (the last step of SplitMix64), one to one."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def runs_of_all(texts: Sequence[Points], length: int) -> tuple[Hashes, NDArray[np.uint64]]:
    """Return the runs of several texts one after another, and where those of each text begin, with the end."""
    sizes = np.fromiter((len(text) for text in texts), dtype=np.int64, count=len(texts))
    counts = np.maximum(sizes - length + 1, 0)
    bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.uint64)
    if not len(texts) or not bounds[-1]:
        return np.empty(0, dtype=np.uint64), bounds
    hashes = runs(np.concatenate(texts), length)
    # Runs that begin in one text and end in another go.
    within = np.arange(int(sizes.sum()), dtype=np.int64) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    whole = within < np.repeat(counts, sizes)
    return hashes[whole[: len(hashes)]], bounds


def jaccard(first: Hashes, second: Hashes) -> float:
    """Return the share of runs in common of all runs of two texts, each sorted and without repeats."""
    if not len(first) or not len(second):
        return 0.0
    common = len(np.intersect1d(first, second, assume_unique=True))
    return common / (len(first) + len(second) - common)


def covered(text: Points, other: Points, length: int) -> int:
    """Return how many code points of a text stand in runs of so many that another text has too."""
    shared = np.isin(runs(text, length), runs(other, length))
    if not shared.any():
        return 0
    edges = np.zeros(len(text) + 1, dtype=np.int32)
    edges[: len(shared)] += shared
    edges[length : length + len(shared)] -= shared
    return int((np.cumsum(edges) > 0).sum())
