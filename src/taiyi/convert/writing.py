"""Records are written as a format once it is proved that they are read back as they are."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from taiyi.convert.carries import REFUSED, Losses, Target
from taiyi.convert.fitting import fit
from taiyi.errors import TaiyiError
from taiyi.schema import Lang, Record, Reject

_BATCH_RECORDS = 256
_replace = msgspec.structs.replace


def convert(items: Iterable[Record | Reject], path: Path, to: Target, losses: Losses) -> int:
    """Write records as a format to a file or folder, and return how many; what they lose is added to `losses`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0

    def counted() -> Iterator[Record]:
        nonlocal written
        for record in accepted(items, to, losses):
            written += 1
            yield record

    to.write(counted(), path)
    return written


def accepted(items: Iterable[Record | Reject], to: Target, losses: Losses) -> Iterator[Record]:
    """Yield records as a format carries them: fitted to it, and proved to be read back as they are."""
    fitted = (found for item in items if not isinstance(item, Reject) and (found := fit(item, to, losses)) is not None)
    with tempfile.TemporaryDirectory() as scratch:
        number = 0
        while batch := list(islice(fitted, _BATCH_RECORDS)):
            for record in _survivors(batch, to, Path(scratch), losses):
                number += 1
                yield record


def _survivors(batch: list[Record], to: Target, scratch: Path, losses: Losses) -> list[Record]:
    """Return those of a batch that are read back as they are; halves it until the others stand alone."""
    if not batch or (fault := _fault(batch, to, scratch)) is None:
        return batch
    if len(batch) == 1:
        losses.add(f"{REFUSED}: {fault}", batch[0].id)
        return []
    middle = len(batch) // 2
    return [*_survivors(batch[:middle], to, scratch, losses), *_survivors(batch[middle:], to, scratch, losses)]


def _fault(batch: list[Record], to: Target, scratch: Path) -> str | None:
    """Return why records cannot be written and read back."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        path = Path(folder) / f"trial{to.suffix}"
        first = batch[0]
        try:
            to.write(batch, path)
            again = [
                _comparable(item, to) for item in to.read(path, corpus=first.corpus, split=first.split, lang=first.lang)
            ]
        except TaiyiError as error:
            return error.what
    # The language of a file is that of its reader.
    return (
        None
        if again == [_comparable(record, to, lang=first.lang) for record in batch]
        else "it is not read back as it is"
    )


def _comparable(item: Record | Reject, to: Target, lang: Lang | None = None) -> Record | Reject:
    if isinstance(item, Reject) or to.carries is None:
        return item
    changes: dict[str, Any] = {} if lang is None else {"lang": lang}
    return _replace(item, **changes, **({} if to.carries.document_ids else {"document_ids": ()}))
