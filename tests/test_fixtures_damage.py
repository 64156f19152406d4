"""Whatever happens to the files of a corpus, reading them ends in records, rejects or an error of ours.

Every reader, with all the options that the catalogue uses it with, reads its fixture after one of its files was
damaged.
"""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from damage import damaged
from taiyi import catalogue
from taiyi.catalogue import Corpus
from taiyi.errors import FormatError, TaiyiError
from taiyi.schema import Record, Reject, Split

RECORD = msgspec.json.Decoder(Record)


class Case(NamedTuple):
    corpus: Corpus
    layout: str
    split: Split


def cases() -> dict[str, Case]:
    """One split of each reader with each set of options."""
    found: dict[str, Case] = {}
    for corpus in catalogue.all_corpora():
        if corpus.bundled:
            continue
        for layout in corpus.layouts:
            for split, sources in layout.files.items():
                for source in sources:
                    options = ",".join(f"{key}={value}" for key, value in sorted(source.options.items()))
                    key = f"{source.read.__module__}.{source.read.__qualname__}({options})"
                    alone = {split: (source,)}
                    found.setdefault(key, Case(_only(corpus, alone), layout.name, split))
    return found


def _only(corpus: Corpus, files: object) -> Corpus:
    return dataclasses.replace(corpus, files=files, copies=())  # pyright: ignore[reportArgumentType]


CASES = cases()


@pytest.mark.parametrize(
    "name", CASES, ids=[f"{case.corpus.name}-{case.layout}-{n}" for n, case in enumerate(CASES.values())]
)
@settings(max_examples=settings.default.max_examples // 4)
@given(data=st.data())
def test_damage_gives_records_rejects_or_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    corpus, layout, split = CASES[name]
    root = tmp_path_factory.mktemp("damage")
    original = catalogue.fixtures_dir(layout) / corpus.folder
    folder = root / corpus.folder
    try:
        shutil.copytree(original, folder)
        (source,) = corpus.files[split]
        files = sorted(
            file
            for path in source.find(folder)
            for file in ([path] if path.is_file() else path.rglob("*"))
            if file.is_file()
        )
        victim = data.draw(st.sampled_from(files))
        if data.draw(st.integers(0, 9)):
            victim.write_bytes(data.draw(damaged(victim.read_bytes())))
        else:
            victim.unlink()
        read(corpus, split, root, {file.name for file in files})
    finally:
        shutil.rmtree(root)


def read(corpus: Corpus, split: Split, root: Path, names: set[str]) -> None:
    try:
        for item in catalogue.load(corpus, split, root):
            written = msgspec.json.encode(item)
            if isinstance(item, Reject):
                assert any(name in item.where for name in names | {Path(name).stem for name in names}), item
                assert item.reason
            else:
                assert RECORD.decode(written) == item
    except FormatError as error:
        assert error.where is not None
        assert error.where.startswith(str(root)), error
    except TaiyiError as error:
        assert "missing" in str(error), error
