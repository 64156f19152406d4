"""Vectors of passages: the graph finds what comparing with all of them finds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from taiyi.generate.embedding import Embedder
from taiyi.knowledge.sources import vectors
from taiyi.knowledge.sources.vectors import Vectors, VectorWriter

WIDTH = 32


class Fake:
    """Gives each text a vector of its own, of length 1; those of texts with the same beginning are alike."""

    def embed(self, texts: Sequence[str], *, query: bool = False) -> NDArray[np.float32]:
        rows = [self._random(text.split()[0]) + 0.5 * self._random(text) for text in texts]
        found = np.stack(rows)
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)

    def _random(self, text: str) -> NDArray[np.float64]:
        return np.random.default_rng(list(text.encode())).standard_normal(WIDTH)


def made(texts: Sequence[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Vectors:
    writer = VectorWriter("fake", cast(Embedder, Fake()))
    for text in texts:
        writer.add(text)
    writer.close(folder)

    def load(*_: Any, **__: Any) -> Fake:
        return Fake()

    monkeypatch.setattr(Embedder, "load", load)
    return Vectors.open(folder, writer.embedding, len(texts), device="cpu")


@pytest.mark.parametrize("num", [1, 2, 63, 64, 65, 700])
def test_the_nearest_are_those_of_comparing_with_all(num: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"g{number % 7} {number}" for number in range(num)]
    opened = made(texts, tmp_path, monkeypatch)
    every = Fake().embed(texts)
    for number in range(0, num, 1 + num // 20):
        found = opened.search(texts[number], 5)
        assert found[0] == number
        exact = np.argsort(-(every @ every[number]), kind="stable")[:5]
        assert len(found) == min(5, num)
        assert len(set(found) & set(exact.tolist())) >= len(found) - 1
    assert sorted(opened.search(texts[0], num + 3)) == list(range(num))


def test_the_same_passages_make_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
        made([f"g {number}" for number in range(200)], folder, monkeypatch)
    first, second = ((folder / vectors.FILE).read_bytes() for folder in folders)
    assert first == second


def test_a_file_of_others_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = made(["a 1", "a 2"], tmp_path, monkeypatch)
    assert opened.search("a 2", 1) == [1]
    embedding = VectorWriter("fake", cast(Embedder, Fake())).embedding
    with pytest.raises(ValueError, match="no graph of 3 vectors"):
        Vectors.open(tmp_path, embedding, 3, device="cpu")
