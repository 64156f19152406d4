"""What cleaning works on: what a task makes of a record, before any template."""

from __future__ import annotations

import msgspec

from taiyi.schema import Lang


class Item(msgspec.Struct, frozen=True):
    """A record under a task.

    Attributes:
        place: where it comes from, `corpus/split/record`.
        texts: what its examples are made of (`Task.texts`), the text that they are about first.
        gold: its answer in canonical JSON: items of equal texts and unequal gold contradict one another.
    """

    place: str
    task: str
    lang: Lang
    document_ids: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    gold: str = ""

    @property
    def corpus(self) -> str:
        return self.place.partition("/")[0]
