"""What the data step leaves out: written in order as it is found, and counted by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from taiyi import storage
from taiyi.schema import Reject


class Rejects:
    """What was left out, by what it was left out of: written in order, counted, and of some held."""

    def __init__(self, lines: storage.Lines, held: frozenset[str]) -> None:
        self._lines = lines
        self._reasons: dict[str, Counter[str]] = {}
        self._held: dict[str, list[Reject]] = {name: [] for name in held}

    def add(self, where: str, rejects: Iterable[Reject]) -> None:
        for reject in rejects:
            self._lines.append({"for": where, **msgspec.to_builtins(reject)})
            self._reasons.setdefault(where, Counter())[reject.reason] += 1
            if where in self._held:
                self._held[where].append(reject)

    def of(self, where: str) -> list[Reject]:
        return self._held[where]

    def reasons(self, where: str) -> dict[str, int]:
        return dict(self._reasons.get(where, Counter()).most_common())

    def counts(self) -> dict[str, dict[str, int]]:
        return {where: self.reasons(where) for where in self._reasons}
