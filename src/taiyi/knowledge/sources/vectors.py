"""Vectors of passages, in a graph of near neighbours (HNSW, Malkov and Yashunin, 2018) that is mapped into memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec
import numpy as np

from taiyi.errors import SourceError
from taiyi.knowledge.sources import words

if TYPE_CHECKING:
    from taiyi.generate.embedding import Embedder

FILE = "vectors.usearch"
_PROBE = "Aspirin can cause asthma. 阿司匹林可引起哮喘。"
_ALIKE = 0.99
_BATCH = 64


class Embedding(msgspec.Struct, frozen=True, kw_only=True):
    """The model that vectors come from: its name, how wide they are, and what it says of a certain text."""

    model: str
    width: int
    probe: list[float]


class VectorWriter:
    """Writes the vectors of passages as they come."""

    def __init__(self, model: str, embedder: Embedder) -> None:
        self._embedder = embedder
        probe = embedder.embed([_PROBE])[0]
        self.embedding = Embedding(model=model, width=len(probe), probe=[round(float(x), 4) for x in probe])
        self._held: list[str] = []
        self._graph: Any = words.library("usearch.index").Index(ndim=len(probe), metric="cos", dtype="f16")

    @classmethod
    def load(cls, model: str, *, device: str) -> Self:
        """Load the model; ModelError where it cannot be had."""
        from taiyi.generate.embedding import Embedder

        return cls(model, Embedder.load(model, device=device))

    def add(self, text: str) -> None:
        """Take the text of one more passage."""
        self._held.append(text)
        if len(self._held) == _BATCH:
            self._flush()

    def close(self, folder: Path) -> None:
        """Write all of them."""
        self._flush()
        self._graph.save(folder / FILE)

    def _flush(self) -> None:
        if self._held:
            numbers = np.arange(len(self._graph), len(self._graph) + len(self._held))
            # One thread, so that the same passages make the same graph.
            self._graph.add(numbers, self._embedder.embed(self._held), threads=1)
            self._held = []


class Vectors:
    """The vectors of an index; the model is loaded when it is first asked."""

    def __init__(self, graph: Any, embedding: Embedding, device: str) -> None:
        self._graph, self._embedding, self._device = graph, embedding, device
        self._embedder: Embedder | None = None

    @classmethod
    def open(cls, folder: Path, embedding: Embedding, rows: int, *, device: str) -> Self:
        """Map the vectors of so many passages; ValueError where the file has others."""
        graph = words.library("usearch.index").Index.restore(folder / FILE, view=True)
        if graph is None or (len(graph), graph.ndim) != (rows, embedding.width):
            raise ValueError(f"no graph of {rows:,} vectors of width {embedding.width}")
        return cls(graph, embedding, device)

    def search(self, question: str, limit: int) -> list[int]:
        """Return the numbers of the passages whose vectors are nearest to a question's, the nearest first."""
        asked = self._model().embed([question], query=True)[0]
        return [int(number) for number in self._graph.search(asked, limit, threads=1).keys]

    def _model(self) -> Embedder:
        if self._embedder is None:
            from taiyi.generate.embedding import Embedder

            embedder = Embedder.load(self._embedding.model, device=self._device)
            probe = embedder.embed([_PROBE])[0]
            known = np.array(self._embedding.probe, np.float32)
            if probe.shape != known.shape or float(probe @ known) < _ALIKE:
                raise SourceError(
                    "the model has changed since the index was made",
                    where=self._embedding.model,
                    mend="make the index again, or search by words alone",
                )
            self._embedder = embedder
        return self._embedder
