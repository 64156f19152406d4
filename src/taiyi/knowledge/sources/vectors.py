"""Vectors of passages: rows of a file that is mapped into memory, compared with a question block by block."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from taiyi.errors import SourceError

if TYPE_CHECKING:
    from taiyi.generate.embedding import Embedder

FILE = "vectors.f16"
_PROBE = "Aspirin can cause asthma. 阿司匹林可引起哮喘。"
_ALIKE = 0.99
_BATCH = 64
_BLOCK_ROWS = 1 << 16


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
        self._file: IO[bytes] | None = None

    @classmethod
    def load(cls, model: str, *, device: str) -> Self:
        """Load the model; ModelError where it cannot be had."""
        from taiyi.generate.embedding import Embedder

        return cls(model, Embedder.load(model, device=device))

    def add(self, text: str, folder: Path) -> None:
        """Take the text of one more passage."""
        self._held.append(text)
        if len(self._held) == _BATCH:
            self._flush(folder)

    def close(self, folder: Path) -> None:
        """Write what is left."""
        self._flush(folder)
        if self._file:
            self._file.close()

    def _flush(self, folder: Path) -> None:
        self._file = self._file or (folder / FILE).open("wb")
        if self._held:
            self._file.write(self._embedder.embed(self._held).astype(np.float16).tobytes())
            self._held = []


class Vectors:
    """The vectors of an index; the model is loaded when it is first asked."""

    def __init__(self, rows: NDArray[np.float16], embedding: Embedding, device: str) -> None:
        self._rows, self._embedding, self._device = rows, embedding, device
        self._embedder: Embedder | None = None

    @classmethod
    def open(cls, folder: Path, embedding: Embedding, rows: int, *, device: str) -> Self:
        """Map the vectors of so many passages; ValueError where the file has another size."""
        shape = (rows, embedding.width)
        return cls(np.memmap(folder / FILE, np.float16, "r", shape=shape), embedding, device)

    def search(self, question: str, limit: int) -> list[int]:
        """Return the numbers of the passages whose vectors are nearest to a question's, the nearest first."""
        asked = self._model().embed([question], query=True)[0]
        scores = np.empty(len(self._rows), np.float32)
        for begin in range(0, len(scores), _BLOCK_ROWS):
            scores[begin : begin + _BLOCK_ROWS] = self._rows[begin : begin + _BLOCK_ROWS].astype(np.float32) @ asked
        nearest = np.argpartition(-scores, min(limit, len(scores)) - 1)[:limit]
        return [int(number) for number in nearest[np.lexsort((nearest, -scores[nearest]))]]

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
