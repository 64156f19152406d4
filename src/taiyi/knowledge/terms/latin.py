"""Unknown words in Latin letters, and the known names that they are near.

A word is looked into where neither names nor texts of the terminology have it, nor any name that it is part of.
"""

from __future__ import annotations

from collections.abc import Sequence

from taiyi.knowledge.results import Flag
from taiyi.knowledge.terms import forms
from taiyi.knowledge.terms.alike import distance, nearest, share, similarity, slips
from taiyi.knowledge.terms.forms import Word
from taiyi.knowledge.terms.index import Ending, Index, Unit
from taiyi.schema import Span

# So many words of a question are looked into; others are let pass.
MOST_WORDS = 100
_SHORTEST = 6
_SHORTEST_CAPITALS = 8
_LONGEST_RUN = 5
# For an ending of so many letters to be that of a class: of how many names, and which share of the words with it.
_CLASS = {3: (20, 0.9), 4: (10, 0.85), 5: (5, 0.8), 6: (3, 0.6), 7: (3, 0.5), 8: (3, 0.5), 9: (3, 0.5)}
# An ending of so many letters is not one by chance.
_TELLING = 5
_LEAST_ALIKE = 0.3
_LEAST_ALIKE_RUN = 0.6
_SAME_STEM = 0.6
_PREFIXES = (
    "anti", "auto", "co", "counter", "de", "dis", "extra", "hyper", "hypo", "inter", "intra", "macro", "mega", "meta",
    "micro", "mid", "mini", "mis", "mono", "multi", "neo", "non", "out", "over", "para", "peri", "poly", "post", "pre",
    "pro", "pseudo", "re", "self", "semi", "sub", "super", "supra", "tele", "trans", "ultra", "un", "under",
)  # fmt: skip
_SUFFIXES = (
    "able", "al", "ally", "ant", "ation", "ative", "ed", "er", "ful", "ian", "ible", "ic", "ical", "ing", "ion", "ish",
    "ism", "ist", "ity", "ive", "ization", "ize", "ized", "izing", "less", "like", "ly", "man", "ment", "ness", "or",
    "ous", "ship", "wise",
)  # fmt: skip


def flags(text: str, index: Index) -> list[Flag]:
    """Return the flags of the words of a text in Latin letters, in order."""
    words = forms.words(text)
    stems = [forms.stem(word.folded) for word in words]
    units = index.units(stems)
    places = [i for i, word in enumerate(words) if stems[i] not in units and _may_be_term(word, stems[i])]
    found: list[Flag] = []
    judged: dict[str, tuple[str, dict[str, float], str] | None] = {}
    for place in places:
        stem = stems[place]
        if stem not in judged and len(judged) >= MOST_WORDS:
            break
        if _within_name(words, place, index):
            continue
        near: list[Unit] | None = None
        if stem not in judged:
            near = index.near(stem)
            judged[stem] = None if _derived(stem, index) else _judge(stem, near, index)
        if verdict := judged[stem]:
            kind, keys, ending = verdict
            found.append(_flag(text, words[place].span, kind, keys, ending, index))
        elif flag := _in_run(text, words, place, index.near(stem) if near is None else near, index):
            found.append(flag)
    return found


def _flag(text: str, span: Span, kind: str, keys: dict[str, float], ending: str, index: Index) -> Flag:
    start, end = span
    return Flag(span=span, text=text[start:end], kind=kind, nearest=nearest(index, keys), ending=ending)  # pyright: ignore[reportArgumentType]


def _may_be_term(word: Word, stem: str) -> bool:
    """Whether a word is long enough, and no abbreviation or name with digits."""
    if len(word.folded) < _SHORTEST or not (stem.isascii() and stem.isalpha()):
        return False
    inner = word.text[1:]
    return inner == inner.lower() or (word.text.isupper() and len(stem) >= _SHORTEST_CAPITALS)


def _within_name(words: Sequence[Word], place: int, index: Index) -> bool:
    """Whether a word is part of a known name, together with its neighbours."""
    keys: set[str] = set()
    for start in range(max(0, place - _LONGEST_RUN + 1), place + 1):
        for end in range(place + 1, min(len(words), start + _LONGEST_RUN) + 1):
            keys.add(forms.stem("".join(word.folded for word in words[start:end])))
    return bool(index.known(keys))


def _derived(stem: str, index: Index) -> bool:
    """Whether a word is a known one with a common prefix or suffix."""
    rests = {stem.removeprefix(p) for p in _PREFIXES if stem.startswith(p)}
    rests |= {rest.removesuffix(s) for s in _SUFFIXES for rest in (stem, *rests) if rest.endswith(s)}
    rests |= {stem.removesuffix(s) for s in ("i", "ed", "ing", "er") if stem.endswith(s)}
    rests = {rest for rest in rests if len(rest) >= 4}
    # A word may lose its last letter, or double it, before a suffix.
    rests |= {forms.stem(rest + end) for rest in rests for end in ("e", "y", "us", "um", "a")}
    rests |= {rest[:-1] for rest in rests if rest[-1] == rest[-2] and len(rest) > 4}
    return bool(index.units(rests - {stem}))


def _judge(stem: str, near: Sequence[Unit], index: Index) -> tuple[str, dict[str, float], str] | None:
    """Return the kind of a flag of an unknown word, the keys of the names near to it, and the ending of a class."""
    ending = _class(stem, index)
    most = slips(len(stem))
    by_distance = [(distance(stem, unit.text, most), unit) for unit in near]
    least = min((d for d, _ in by_distance), default=most + 1)
    slip = [u for d, u in by_distance if d == least] if least <= most else []
    # Two slips seldom spare the rest and take the first letter.
    slip = [unit for unit in slip if least < 2 or unit.text[0] == stem[0]]
    if slip and not all(unit.named == 2 for unit in slip):
        # A slip in an ordinary word is none in a name; two may as well be none, where the word ends like a class.
        if ending is None or (least == 1 and not all(unit.text.endswith(ending.text) for unit in slip)):
            return None
        slip = []
    if slip and not (ending and all(_other_stem(stem, unit.text, ending.text) for unit in slip)):
        return "misspelling", {unit.key: similarity(stem, unit.text) for unit in slip}, ""
    if ending is None:
        return None
    members = _members(stem, ending.text, near) or _members(stem, ending.text, index.near(ending.text))
    return ("unknown", members, ending.text) if members else None


def _members(stem: str, ending: str, units: Sequence[Unit]) -> dict[str, float]:
    """Return the keys of the names of a class among some units, with how like they are."""
    names = (unit for unit in units if unit.named == 2 and unit.text.endswith(ending))
    alike = ((unit.key, similarity(stem, unit.text)) for unit in names)
    return {key: likeness for key, likeness in alike if likeness >= _LEAST_ALIKE}


def _class(stem: str, index: Index) -> Ending | None:
    """Return the ending of a word that is the ending of a class of names: of long ones that of most names.

    A longer ending of fewer names is one by chance: `octacyclines` has `-cyclin-` in common with tetracyclines, and
    `-acyclin-` with some of them.
    """
    endings = index.endings(stem[-length:] for length in _CLASS if len(stem) >= length + 2)
    right = [
        found
        for text, found in endings.items()
        if found.names >= _CLASS[len(text)][0] and share(found) >= _CLASS[len(text)][1]
    ]
    return max(right, key=lambda found: (min(len(found.text), _TELLING), found.names, len(found.text)), default=None)


def _other_stem(word: str, name: str, ending: str) -> bool:
    """Whether a word and a name of one class begin in different ways, so that one is no slip of the other."""
    if not name.endswith(ending):
        return False
    return similarity(word.removesuffix(ending), name.removesuffix(ending)) < _SAME_STEM


def _in_run(text: str, words: Sequence[Word], place: int, near: Sequence[Unit], index: Index) -> Flag | None:
    """Return the flag of a known name of two words of which one was replaced by an unknown one."""
    word = words[place]
    stem = forms.stem(word.folded)
    alike = {unit: similarity(stem, unit.text) for unit in near if unit.named}
    alike = {unit: likeness for unit, likeness in alike.items() if likeness >= _LEAST_ALIKE_RUN}
    neighbours = [(place, place + 2)] if place + 1 < len(words) else []
    neighbours += [(place - 1, place + 1)] if place else []
    for start, end in neighbours:
        other = words[end - 1 if start == place else start].folded
        if len(other) < _SHORTEST:
            continue
        runs = {forms.stem(u.text + other if start == place else other + u.text): u for u in alike}
        known = {key: runs[key] for key in index.known(runs)}
        if known:
            span = Span(words[start].span.start, words[end - 1].span.end)
            most = slips(len(stem))
            slip = any(distance(stem, unit.text, most) <= most for unit in known.values())
            keys = {key: alike[unit] for key, unit in known.items()}
            return _flag(text, span, "misspelling" if slip else "unknown", keys, "", index)
    return None
