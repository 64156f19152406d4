"""Small models of Qwen3's architecture in NumPy, behind the interface of decoding.

The tokens of all rows lie one behind another, without padding; attention alone is padded to rows. Rows are computed in
groups of some hundred tokens, which stay in the caches of a core, and each group on one thread: threads that share the
product of small matrices wait for one another more than they compute, most of all where others use the machine.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from taiyi.generate import sampling
from taiyi.generate.model import Place
from taiyi.generate.qwen3 import Floats, Shape, Weights

_PASS_TOKENS = 16
_GROUP_TOKENS = 384
_LEAST_TOKENS = 48
"""Fewer tokens are not worth a thread of their own."""


class NumpyModel:
    """A causal language model of Qwen3's architecture.

    Args:
        shape: of the model.
        weights: of the model.
        threads: how many threads compute it; those that this process may use if not given.
    """

    architecture = "qwen3"
    device = "cpu"
    pass_tokens = _PASS_TOKENS

    def __init__(self, shape: Shape, weights: Weights, *, threads: int | None = None) -> None:
        self.shape, self.weights = shape, weights
        self.context = shape.context
        self.ends: Collection[int] = shape.ends
        self.num_parameters = weights.num_parameters
        self.num_logits = len(weights.head)
        self.threads = threads or _threads()
        self._pool = ThreadPoolExecutor(self.threads)
        self._libraries = ThreadpoolController()

    @classmethod
    def load(cls, folder: Path, *, threads: int | None = None) -> Self:
        """Load a model from its folder; ModelError where it cannot be, or is of another architecture."""
        shape = Shape.read(folder)
        return cls(shape, Weights.load(folder, shape), threads=threads)

    def begin(self, rows: int, capacity: int) -> NumpyRows:
        return NumpyRows(self, rows, capacity)

    def product(self, left: Floats, right: Floats) -> Floats:
        """Return a product of matrices, computed on this thread."""
        with self._libraries.limit(limits=1, user_api="blas"):
            return left @ right

    def in_groups(self, step: Sequence[_Group], rows: NumpyRows) -> list[Floats]:
        """Return the hidden states of groups of rows, each computed on one thread."""
        with self._libraries.limit(limits=1, user_api="blas"):
            return list((self._pool.map if len(step) > 1 else map)(rows.compute, step))


def _threads() -> int:
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdecimal() and int(given):
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class NumpyRows:
    """A batch of rows in the making.

    Values are held as [layer, row, head, column, width], keys as [layer, row, head, width, column]: products of small
    matrices take half the time where neither is to be transposed.
    """

    def __init__(self, model: NumpyModel, rows: int, capacity: int) -> None:
        self._model = model
        self.lengths = [0] * rows
        held = (model.shape.layers, rows, model.shape.key_heads)
        self._keys = np.zeros((*held, model.shape.head_dim, capacity), np.float32)
        self._values = np.zeros((*held, capacity, model.shape.head_dim), np.float32)

    def feed(self, tokens: Sequence[Sequence[int]], positions: Sequence[Sequence[int]]) -> NumpyStates:
        counts = [len(row) for row in tokens]
        after = [length + count for length, count in zip(self.lengths, counts, strict=True)]
        capacity = self._keys.shape[-1]
        if (end := max(after)) > capacity:
            self._resize(range(len(counts)), max(end, capacity * 3 // 2))
        groups = [_Group(part, tokens[part], positions[part], self.lengths[part]) for part in self._parts(counts)]
        hidden = np.concatenate(self._model.in_groups(groups, self))
        self.lengths = after
        return NumpyStates(self._model, hidden, np.cumsum([0, *counts]))

    def take_back(self, row: int, count: int) -> None:
        self.lengths[row] -= count

    def keep(self, rows: Sequence[int]) -> None:
        self._resize(rows, self._keys.shape[-1])
        self.lengths = [self.lengths[row] for row in rows]

    def _resize(self, rows: Sequence[int], capacity: int) -> None:
        """Go on with some of the rows, and room for so many tokens in each."""
        layers, _, heads, width, _ = self._keys.shape
        end, index = max(self.lengths), np.array(rows)
        keys = np.zeros((layers, len(rows), heads, width, capacity), np.float32)
        values = np.zeros((layers, len(rows), heads, capacity, width), np.float32)
        keys[..., :end], values[..., :end, :] = self._keys[:, index, ..., :end], self._values[:, index, :, :end]
        self._keys, self._values = keys, values

    def _parts(self, counts: Sequence[int]) -> list[slice]:
        """Cut rows into parts that are fed about as many tokens each."""
        ends = np.cumsum(counts)
        total, threads = int(ends[-1]), self._model.threads
        wanted = -(-total // _GROUP_TOKENS)
        if total >= _LEAST_TOKENS * threads:
            wanted = -(-wanted // threads) * threads
        cuts = np.searchsorted(ends, np.arange(1, wanted) * total / wanted) + 1
        edges = sorted({0, *cuts.tolist(), len(counts)})
        # Rows that are fed nothing may be left over at the end.
        return [slice(begin, end) for begin, end in pairwise(edges) if any(counts[begin:end])]

    def compute(self, group: _Group) -> Floats:
        """Return the hidden states over what a group is fed, as [token, width]."""
        shape, weights = self._model.shape, self._model.weights
        angles = np.array(group.positions, np.float32)[:, None, None] * weights.turns
        cosines, sines = np.cos(angles), np.sin(angles)
        split = [shape.heads, shape.heads + shape.key_heads]
        found = weights.embedding[group.tokens]
        for layer, keys, values in zip(
            weights.layers, self._keys[:, group.part], self._values[:, group.part], strict=True
        ):
            qkv = (_normed(found, shape.eps) @ layer.qkv).reshape(len(found), -1, shape.head_dim)
            turned = _turned(_normed(qkv[:, : split[1]], shape.eps) * layer.norms, cosines, sines)
            keys[group.rows, :, :, group.columns] = turned[:, split[0] :]
            values[group.rows, :, group.columns] = qkv[:, split[1] :]
            heard = _attention(group, turned[:, : split[0]], keys[..., : group.end], values[:, :, : group.end])
            found += heard @ layer.out
            gate, up = np.split(_normed(found, shape.eps) @ layer.gate_up, 2, axis=1)
            # x sigmoid(x) is half of x times 1 + tanh(half of x).
            opened = np.tanh(gate)
            opened += 1
            opened *= gate
            opened *= up
            found += opened @ layer.down
        return _normed(found, shape.eps) * weights.norm


class _Group:
    """Rows that lie one behind another, and what they are fed in a step.

    Args:
        part: which rows of the batch they are.
        tokens, positions: what each is fed.
        lengths: how many tokens each has.

    Attributes:
        rows, places, columns: of each token that is fed its row among these, which one it is there, and its place in
            the row.
        size: how many rows there are, and the most tokens that one is fed.
        begin, end: the place behind the shortest row without them, and behind the longest row with them.
        hidden: minus infinity where a token does not see a column, else 0, as [row, place, column from `begin` on].
    """

    def __init__(
        self,
        part: slice,
        tokens: Sequence[Sequence[int]],
        positions: Sequence[Sequence[int]],
        lengths: Sequence[int],
    ) -> None:
        self.part = part
        self.tokens = [token for row in tokens for token in row]
        self.positions = [position for row in positions for position in row]
        fed, had = np.array([len(row) for row in tokens]), np.array(lengths)
        self.size = (len(tokens), int(fed.max()))
        self.rows = np.repeat(np.arange(len(fed)), fed)
        self.places = np.arange(len(self.rows)) - np.repeat(fed.cumsum() - fed, fed)
        self.columns = had[self.rows] + self.places
        self.begin, self.end = int(had.min()), int((had + fed).max())
        last = had[:, None] + np.arange(self.size[1])
        seen = np.arange(self.begin, self.end) <= last[:, :, None]
        self.hidden = np.where(seen, np.float32(0), np.float32(-np.inf))

    def padded(self, tokens: Floats) -> Floats:
        """Return tokens, as [token, ...], as [row, place, ...]; what is not fed is zero."""
        if len(tokens) == self.size[0] * self.size[1]:
            return tokens.reshape(*self.size, *tokens.shape[1:])
        held = np.zeros((*self.size, *tokens.shape[1:]), np.float32)
        held[self.rows, self.places] = tokens
        return held


def _normed(values: Floats, eps: float) -> Floats:
    """Divide vectors by the root of their mean square."""
    squares: Floats = np.einsum("...d,...d->...", values, values)
    found: Floats = values / np.sqrt(squares / values.shape[-1] + np.float32(eps))[..., None]
    return found


def _turned(heads: Floats, cosines: Floats, sines: Floats) -> Floats:
    """Turn queries and keys by their positions: the first half of each is one side of pairs, the second the other."""
    half = heads.shape[-1] // 2
    left, right = heads[..., :half], heads[..., half:]
    found = np.empty_like(heads)
    found[..., :half] = left * cosines - right * sines
    found[..., half:] = right * cosines + left * sines
    return found


def _attention(group: _Group, queries: Floats, keys: Floats, values: Floats) -> Floats:
    """Return what tokens find in their rows, as [token, width].

    Args:
        group: says which tokens they are.
        queries: as [token, head, width].
        keys, values: as [row, head, width, column] and [row, head, column, width]; heads of queries share them.
    """
    rows, places = group.size
    _, heads, width = queries.shape
    shared = keys.shape[1]
    # Of each row, the queries of heads that share keys are one matrix.
    asked = group.padded(queries).reshape(rows, places, shared, heads // shared, width).swapaxes(1, 2)
    scores = asked.reshape(rows, shared, -1, width) @ keys
    late = scores.reshape(rows, shared, places, heads // shared, -1)[..., group.begin :]
    late += group.hidden[:, None, :, None]
    scores -= scores.max(-1, keepdims=True)
    np.exp(scores, out=scores)
    found = (scores @ values) / scores.sum(-1, keepdims=True)
    found = found.reshape(rows, shared, places, heads // shared, width).swapaxes(1, 2)
    return found[group.rows, group.places].reshape(len(queries), -1)


@dataclass(frozen=True, slots=True)
class NumpyStates:
    """Hidden states over the tokens of one step, as [token, width], one row behind another.

    Attributes:
        begins: which token is the first of each row.
    """

    model: NumpyModel
    hidden: Floats
    begins: NDArray[np.int64]

    def logits(self, at: Sequence[Place]) -> NumpyLogits:
        return NumpyLogits(self.model.product(self._at(at), self.model.weights.head.T))

    def logits_among(self, at: Sequence[Place], tokens: NDArray[np.int64]) -> Floats:
        weights = self.model.weights.head[np.maximum(tokens, 0)]
        found = (weights @ self._at(at)[:, :, None])[:, :, 0]
        found[tokens < 0] = -np.inf
        return found

    def _at(self, at: Sequence[Place]) -> Floats:
        rows, places = np.array(at).T
        return self.hidden[self.begins[rows] + places]


@dataclass(frozen=True, slots=True)
class NumpyLogits:
    """Logits of the whole vocabulary, as [row, token]."""

    values: Floats

    def __getitem__(self, rows: Sequence[int]) -> NumpyLogits:
        return NumpyLogits(self.values[list(rows)])

    def best(self) -> list[int]:
        return self.values.argmax(-1).tolist()

    def likeliest(self, count: int) -> list[list[int]]:
        return np.argsort(-self.values, axis=-1, kind="stable")[:, :count].tolist()

    def best_of(self, allowed: NDArray[np.bool_]) -> list[int]:
        return np.where(allowed, self.values, -np.inf).argmax(-1).tolist()

    def drawn(self, numbers: Sequence[float], temperature: float) -> list[int]:
        return sampling.drawn(self.values, numbers, temperature)

    def log_probs(self, tokens: Sequence[int]) -> list[float]:
        highest = self.values.max(-1)
        sums = np.log(np.exp(self.values - highest[:, None]).sum(-1)) + highest
        return cast(list[float], (self.values[np.arange(len(tokens)), tokens] - sums).tolist())
