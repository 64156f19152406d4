"""Decontamination: training examples about a document of an evaluation set are taken out, with an audit of what
matched.

It takes the evaluation examples as an input, so that it cannot be forgotten. Overlap as in Brown et al. 2020 (runs of
13 words, here of as many characters) and Touvron et al. 2023 (by the share of a text that such runs cover).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import xxhash
from numpy.typing import NDArray

from taiyi.build import near
from taiyi.build.items import Item
from taiyi.build.settings import DecontaminateSettings
from taiyi.build.shingles import Hashes, Points, covered, han, jaccard, points, runs, runs_of_all
from taiyi.schema import Lang


class _Text(NamedTuple):
    """A text of an item, which is given by its number, and its letters."""

    item: int
    text: str
    letters: Points


_COMMON = 16
_CLOSEST = 8
_FILTER_BITS = 22
# Evaluation sets are small enough to look at more pairs: of those of a similarity of 0.6, 99 in 100.
_BANDS, _ROWS = 32, 4


class Match(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was taken out of training, what of an evaluation set it matched, by what, and both texts side by side.

    `value` is what they have in common: an id, the fingerprint of a text, or how much is the same. `similarity` is the
    share of one of the texts that the other covers ("overlap") or the Jaccard similarity ("near duplicate").
    """

    training: str
    evaluation: str
    by: str
    value: str
    training_text: str
    evaluation_text: str
    similarity: float = 1.0


class Guard:
    """All items of the evaluation sets, made to be asked whether an item of training shares material with one.

    It holds the texts once and their fingerprints in arrays, and can be pickled and sent to workers.
    """

    def __init__(self, items: Iterable[Item], settings: DecontaminateSettings) -> None:
        self._settings = settings
        self._documents: dict[str, tuple[str, int]] = {}
        self._texts: list[tuple[str, str]] = []
        self._of_fingerprint: dict[int, int] = {}
        letters: list[Points] = []
        for item in items:
            main = -1
            for text in item.texts:
                form = points(text)
                if not len(form):
                    continue
                index = self._of_fingerprint.setdefault(_fingerprint(form), len(self._texts))
                if index == len(self._texts):
                    self._texts.append((item.place, text))
                    letters.append(form)
                main = index if main < 0 else main
            for identifier in item.document_ids:
                self._documents.setdefault(identifier, (item.place, main))
        self._lengths: dict[Lang, int] = {"en": settings.overlap_chars_en, "zh": settings.overlap_chars_zh}
        self._shortest: dict[Lang, int] = {"en": settings.text_chars_en, "zh": settings.text_chars_zh}
        self._places = _Places(letters, self._lengths) if settings.by_overlap else None
        self._bands = _Bands(letters, settings.near_threshold) if settings.by_near_duplicate else None

    def match(self, item: Item) -> Match | None:
        """Return what an item has in common with the evaluation sets, or None."""
        return self.matches([item])[0]

    def matches(
        self, items: Sequence[Item], signatures: Mapping[str, near.Signature] | None = None
    ) -> list[Match | None]:
        """Return what `match` does of each item; many at a time are faster, and texts whose signatures are known."""
        found: dict[int, Match] = {}
        texts: list[_Text] = []
        for index, item in enumerate(items):
            letters = {text: points(text) for text in item.texts}
            if match := self._by_document(item) or self._by_text(item, letters):
                found[index] = match
            else:
                texts += [_Text(index, text, form) for text, form in letters.items()]
        for by, finder, score, least in (
            ("overlap", self._places, self._overlap, self._settings.overlap_share),
            ("near duplicate", self._bands, _similarity, self._settings.near_threshold),
        ):
            if finder is not None and (texts := [text for text in texts if text.item not in found]):
                candidates = finder.find(texts, signatures or {})
                for index, (share, known, text) in self._best(texts, candidates, score, least).items():
                    found[index] = _match(items[index], text, *self._texts[known], by, f"{share:.2f}", share)
        return [found.get(index) for index in range(len(items))]

    def _by_document(self, item: Item) -> Match | None:
        if self._settings.by_document_id:
            for identifier in item.document_ids:
                if (known := self._documents.get(identifier)) is not None:
                    place, text = known
                    other = self._texts[text][1] if text >= 0 else ""
                    return _match(item, item.texts[0] if item.texts else "", place, other, "document id", identifier)
        return None

    def _by_text(self, item: Item, letters: dict[str, Points]) -> Match | None:
        if self._settings.by_text:
            for text, form in letters.items():
                fingerprint = _fingerprint(form)
                known = self._of_fingerprint.get(fingerprint)
                if known is not None and len(form) >= self._shortest[language(form)]:
                    return _match(item, text, *self._texts[known], "text", f"{fingerprint:032x}")
        return None

    def _best(
        self,
        texts: Sequence[_Text],
        candidates: Sequence[Sequence[int]],
        score: Callable[[Points, Points], float],
        least: float,
    ) -> dict[int, tuple[float, int, str]]:
        """Return, by item, the known text that scores best with one of its own, with the score."""
        best: dict[int, tuple[float, int, str]] = {}
        for (index, text, form), likely in zip(texts, candidates, strict=True):
            for known in likely:
                share = score(form, points(self._texts[known][1]))
                if share >= least and (index not in best or (share, -known) > (best[index][0], -best[index][1])):
                    best[index] = (share, known, text)
        return best

    def _overlap(self, form: Points, other: Points) -> float:
        length = self._lengths[language(form)]
        return max(covered(form, other, length) / len(form), covered(other, form, length) / len(other))


class _Places:
    """Where the texts of the evaluation sets have which runs of characters.

    Of each text every `step`-th run of `size` is kept. What two texts have in common over size + step - 1 = `length`
    characters holds one of them, so that nothing as long is missed, at a fraction of the memory.
    """

    def __init__(self, letters: Sequence[Points], lengths: Mapping[Lang, int]) -> None:
        self._sizes = {lang: length - length // 3 for lang, length in lengths.items()}
        hashes: list[Hashes] = []
        owners: list[NDArray[np.int32]] = []
        for index, form in enumerate(letters):
            lang = language(form)
            found = np.unique(runs(form, self._sizes[lang])[:: lengths[lang] // 3 + 1])
            hashes.append(found)
            owners.append(np.full(len(found), index, dtype=np.int32))
        together = np.concatenate([np.empty(0, dtype=np.uint64), *hashes])
        order = np.argsort(together, kind="stable")
        together, of = together[order], np.concatenate([np.empty(0, dtype=np.int32), *owners])[order]
        # What stands in many texts is a phrase of the language or of the corpus.
        times = np.searchsorted(together, together, "right") - np.searchsorted(together, together, "left")
        self._hashes: Hashes = together[times <= _COMMON]
        self._owners: NDArray[np.int32] = of[times <= _COMMON]
        self._filter = np.zeros(1 << _FILTER_BITS, dtype=np.bool_)
        self._filter[self._hashes >> np.uint64(64 - _FILTER_BITS)] = True

    def find(self, texts: Sequence[_Text], signatures: Mapping[str, near.Signature]) -> list[list[int]]:
        """Return, for each of some texts, those that may have long runs in common with it, the likeliest first."""
        letters = [text.letters for text in texts]
        hits: list[Counter[int]] = [Counter() for _ in letters]
        of_language = [language(form) for form in letters]
        for lang, size in self._sizes.items():
            where = [index for index, other in enumerate(of_language) if other == lang]
            hashes, bounds = runs_of_all([letters[index] for index in where], size)
            at = np.flatnonzero(self._filter[hashes >> np.uint64(64 - _FILTER_BITS)])
            starts = np.searchsorted(self._hashes, hashes[at], "left")
            ends = np.searchsorted(self._hashes, hashes[at], "right")
            owned = np.searchsorted(bounds, at.astype(np.uint64), "right") - 1
            for place in np.flatnonzero(starts < ends).tolist():
                owners = self._owners[int(starts[place]) : int(ends[place])].tolist()
                hits[where[int(owned[place])]].update(owners)
        return [sorted(found, key=lambda known: (-found[known], known))[:_CLOSEST] for found in hits]


class _Bands:
    """The MinHash signatures of the texts of the evaluation sets, and for each band their order in it."""

    def __init__(self, letters: Sequence[Points], threshold: float) -> None:
        self._hopeful = near.hopeful(threshold)
        step = 1024
        parts = [near.signatures(letters[i : i + step]) for i in range(0, len(letters), step)]
        all_rows = np.concatenate([np.empty((0, near.PERMUTATIONS), dtype=np.uint32), *parts])
        self._texts = np.flatnonzero(near.signed(all_rows)).astype(np.int32)
        self._signatures = all_rows[self._texts]
        keys = [near.band_keys(self._signatures, band, _ROWS) for band in range(_BANDS)]
        self._orders = [np.argsort(of_band, kind="stable").astype(np.int32) for of_band in keys]
        self._keys = [of_band[order] for of_band, order in zip(keys, self._orders, strict=True)]

    def find(self, texts: Sequence[_Text], signatures: Mapping[str, near.Signature]) -> list[list[int]]:
        """Return, for each of some texts, those that agree with it in a band, the most alike ones first."""
        rows = np.empty((len(texts), near.PERMUTATIONS), dtype=np.uint32)
        others = [place for place, text in enumerate(texts) if text.text not in signatures]
        rows[others] = near.signatures([texts[place].letters for place in others])
        for place, text in enumerate(texts):
            if (known := signatures.get(text.text)) is not None:
                rows[place] = known if len(text.letters) >= near.SHORTEST else near.UNSIGNED
        found: list[set[int]] = [set() for _ in texts]
        present = np.flatnonzero(near.signed(rows))
        for band in range(_BANDS):
            keys = near.band_keys(rows[present], band, _ROWS)
            starts = np.searchsorted(self._keys[band], keys, "left")
            ends = np.searchsorted(self._keys[band], keys, "right")
            for at in np.flatnonzero(starts < ends).tolist():
                found[int(present[at])].update(self._orders[band][int(starts[at]) : int(ends[at])].tolist())
        return [self._closest(rows[i], sorted(candidates)) for i, candidates in enumerate(found)]

    def _closest(self, row: NDArray[np.uint32], candidates: list[int]) -> list[int]:
        if not candidates:
            return []
        alike = (self._signatures[candidates] == row).sum(axis=1)
        order = [i for i in np.argsort(-alike, kind="stable")[:_CLOSEST] if alike[i] >= self._hopeful]
        return [int(self._texts[candidates[i]]) for i in order]


def language(form: Points) -> Lang:
    """Return in whose script most of a text is, by which it is decided how many characters say something."""
    return "zh" if han(form) > 0.5 else "en"


def _similarity(form: Points, other: Points) -> float:
    return jaccard(np.unique(runs(form, near.SHINGLE)), np.unique(runs(other, near.SHINGLE)))


def _fingerprint(form: Points) -> int:
    return xxhash.xxh3_128_intdigest(form.tobytes())


def _match(item: Item, text: str, place: str, other: str, by: str, value: str, similarity: float = 1.0) -> Match:
    return Match(
        training=item.place,
        evaluation=place,
        by=by,
        value=value,
        training_text=text,
        evaluation_text=other,
        similarity=similarity,
    )
