"""Unknown terms in Han characters, and the known names that they are near.

Chinese has no spaces: a term is looked for around a junction, two neighbouring characters that neither texts nor
names of the terminology have side by side. Where nothing of the kind stands in a text, nothing is flagged: a made-up
term all of whose neighbours are usual ones is not seen. Where a term begins is told by which of its neighbours its
first character is more often beside.
"""

from __future__ import annotations

from taiyi.knowledge.results import Flag
from taiyi.knowledge.terms import forms
from taiyi.knowledge.terms.alike import distance, nearest, similarity
from taiyi.knowledge.terms.forms import Run
from taiyi.knowledge.terms.index import Ending, Index, Unit

# So many junctions of a question are looked into; others are let pass.
MOST_JUNCTIONS = 50
_RARE = 0
_BEFORE, _AFTER = 6, 8
_SHORTEST_NAME = 4
_LONG_NAME = 8
_LONGEST_START = 4
# For an ending of so many characters to be that of a class: of how many names.
_CLASS = {"drug": 3, "disease": 5}
_ENDINGS = (3, 2)
# A character belongs to what is before it where it stands beside that so many times as often.
_TIED = 3


def flags(text: str, index: Index) -> list[Flag]:
    """Return the flags of the Han characters of a text, in order."""
    found: list[Flag] = []
    left = MOST_JUNCTIONS
    for run in forms.runs(text):
        counts = _Counts(run.folded, index)
        known: list[tuple[int, int]] | None = None
        for place in counts.rare():
            if (left := left - 1) < 0:
                return found
            if known is None:
                known = _names(run.folded, index)
            end = run.starts[place] if place < len(run.starts) else 0
            if _explained(run.folded, place, known):
                continue
            if found and found[-1].span.end > end:
                continue
            if flag := _judge(text, run, place, counts, known, index):
                found.append(flag)
    return found


class _Counts:
    """How often the neighbours of a run stand side by side elsewhere."""

    def __init__(self, folded: str, index: Index) -> None:
        self._folded = folded
        pairs = [folded[i : i + 2] for i in range(len(folded) - 1)]
        known = index.pairs(pairs)
        self.counts = [known.get(pair, 0) for pair in pairs]

    def rare(self) -> list[int]:
        """Return the places of the first characters of pairs in Han characters that hardly occur."""
        folded = self._folded
        return [
            place
            for place, count in enumerate(self.counts)
            if count <= _RARE and all(map(forms.HAN.match, folded[place : place + 2]))
        ]

    def num_rare(self, start: int, end: int) -> int:
        """Return how many of the pairs of a part hardly occur."""
        return sum(count <= _RARE for count in self.counts[start : end - 1])

    def at(self, place: int) -> int:
        return self.counts[place] if 0 <= place < len(self.counts) else 0


def _names(folded: str, index: Index) -> list[tuple[int, int]]:
    """Return where known names stand in a run."""
    places: dict[str, list[int]] = {}
    for start in range(len(folded)):
        for end in range(start + 2, min(len(folded), start + 24) + 1):
            places.setdefault(forms.stem(folded[start:end]), []).append(start)
    known = index.known(places)
    # The end of a class, such as 他汀, may be a name itself; what stands before it is part of a longer one.
    classes = index.endings(known)
    alone = (key for key in known if key not in classes or not _is_class(classes[key]))
    return [(start, start + len(key)) for key in alone for start in places[key]]


def _explained(folded: str, place: int, known: list[tuple[int, int]]) -> bool:
    """Whether a junction stands within a known name, or where one begins or ends, as any word may stand beside it."""
    return any(start - 1 <= place < stop for start, stop in known)


def _judge(text: str, run: Run, place: int, counts: _Counts, known: list[tuple[int, int]], index: Index) -> Flag | None:
    """Return the flag of the term around a junction, if there is one."""
    if slip := _slip(run.folded, place, counts, index):
        start, end, unit = slip
        keys = {unit.key: similarity(run.folded[start:end], unit.text)}
        return _flag(text, run, start, end, "misspelling", keys, "", index)
    ending = _class(run.folded, place, known, index)
    if ending is None:
        return None
    begin, class_ = ending
    start = _start(run.folded, begin, counts)
    end = begin + len(class_.text)
    term = run.folded[start:end]
    members = {
        unit.key: similarity(term, unit.text)
        for unit in index.near(term)
        if unit.named == 2 and unit.text.endswith(class_.text)
    }
    return _flag(text, run, start, end, "unknown", members, class_.text, index) if members else None


def _flag(
    text: str, run: Run, start: int, end: int, kind: str, keys: dict[str, float], ending: str, index: Index
) -> Flag:
    span = run.span(start, end)
    return Flag(
        span=span, text=text[span.start : span.end], kind=kind, nearest=nearest(index, keys), ending=ending  # pyright: ignore[reportArgumentType]
    )  # fmt: skip


def _slip(folded: str, place: int, counts: _Counts, index: Index) -> tuple[int, int, Unit] | None:
    """Return where a name stands around a junction but for a slip, and the name; of several the longest."""
    best: tuple[int, int, Unit] | None = None
    for unit in index.within(folded[max(0, place - _BEFORE) : place + 2 + _AFTER], _SHORTEST_NAME):
        if unit.named == 2 and (best is None or len(unit.text) > len(best[2].text)):
            found = _place(folded, place, unit, counts)
            best = (*found, unit) if found else best
    return best


def _place(folded: str, place: int, unit: Unit, counts: _Counts) -> tuple[int, int] | None:
    """Return where a name stands around a junction but for a character, or two of a long name."""
    name = unit.text
    most = 1 if len(name) < _LONG_NAME else 2
    for size in (len(name), len(name) - 1, len(name) + 1):
        for start in range(max(0, place + 2 - size), min(place, len(folded) - size) + 1):
            found = folded[start : start + size]
            if distance(found, name, most) <= most and _is_slip(found, unit, counts.num_rare(start, start + size)):
                return start, start + size
    return None


def _is_slip(found: str, unit: Unit, num_rare: int) -> bool:
    """Whether what differs from a name is a slip, and not another word beside or within it.

    A wrong character makes two rare pairs, one that is left out makes one. At the edge of a name the next word may
    begin: that is taken for a slip in a drug only, whose syllables mean nothing by themselves.
    """
    name = unit.text
    if len(found) < len(name):
        return num_rare > 0
    at_edge = len(found) == len(name) and (found[0] != name[0] or found[-1] != name[-1])
    return (unit.kind == "drug") if at_edge else num_rare > 1


def _class(folded: str, place: int, known: list[tuple[int, int]], index: Index) -> tuple[int, Ending] | None:
    """Return the ending of a class that follows a junction, and where it begins; the nearest, of them the longest."""
    begins = range(place + 1, min(len(folded), place + 1 + _LONGEST_START))
    endings = index.endings(folded[b : b + size] for b in begins for size in _ENDINGS)
    for begin in begins:
        for size in _ENDINGS:
            found = endings.get(folded[begin : begin + size]) if begin + size <= len(folded) else None
            if not found or not _is_class(found):
                continue
            # What is the end of a known name is no ending of an unknown one.
            if not any(start < begin and stop == begin + size for start, stop in known):
                return begin, found
    return None


def _is_class(ending: Ending) -> bool:
    return ending.names >= _CLASS[ending.kind]


def _start(folded: str, begin: int, counts: _Counts) -> int:
    """Return where a term begins whose ending does so at `begin`: one character before it, and more that hold to it."""
    start = begin - 1
    while start > 0 and begin - start < _LONGEST_START and forms.HAN.match(folded[start - 1]):
        left, right = counts.at(start - 2), counts.at(start - 1)
        if left > _TIED * right:
            break
        start -= 1
    return start
