"""Filters of quality: what makes a record unfit for training, each with a reason of its own.

After the rules of Gopher (Rae et al. 2021) and RefinedWeb (Penedo et al. 2023), for short annotated texts in English
and Chinese. The limits leave texts with a lost character or an odd bullet alone: of 400,000 real records 110 go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

import numpy as np
import regex

from taiyi.build.items import Item
from taiyi.build.settings import FilterSettings
from taiyi.build.shingles import Points, han, points, runs
from taiyi.schema import Dialogue, Parallel, Question, Record, Reject, TextToText
from taiyi.text import squeeze

Filter = Callable[[Record, Item, FilterSettings], str | None]
"""Returns what is wrong with a record, in a few words, or None."""

_RUN, _LONG = 10, 100
_FEW = 3
_WORD = regex.compile(r"[\p{L}\p{N}]")
# Replacement characters, halves of surrogate pairs, and what other encodings leave: NUL, controls of the upper half.
# Other controls are found between the parts of real diagnoses, and characters of private use are bullets.
_BROKEN = regex.compile(r"[\x00\uD800-\uDFFF\uFFFD\x80-\x84\x86-\x9F]")
# UTF-8 read as Latin-1 or Windows-1252 ("Ã©", "â€™"), with what Windows-1252 makes of its bytes 80 to BF.
_AS_LATIN = regex.compile(r"[Â-ß][\x80-¿]|[à-ï][\x80-¿Œœ\u0160\u0161Ÿ\u017D\u017Eƒˆ˜\u2013-\u203A€™]{2}")
# Punctuation and common characters in UTF-8 read as GBK, and what replacement characters look like then.
_AS_GBK = regex.compile("[锛銆鈥鐨锟]|斤拷|烫烫烫|屯屯屯")
# GBK read as Latin-1 ("ÖÐ¹ú"): nothing but letters and marks of the upper half.
_UPPER = regex.compile(r"[¡-ÿ]{4,}")
_WRONG = regex.compile("|".join(pattern.pattern for pattern in (_AS_LATIN, _AS_GBK, _UPPER)))
_LINK = regex.compile(r"\s*(?:https?://|www\.)\S+\s*", regex.I)
_NO_ANSWER = regex.compile(
    r"\W*(?:(?:see|as|same as) (?:above|below)|see (?:the )?(?:answer|text|explanation|attachment|image|figure)"
    r"|no answers?(?: found)?|n/a|null|nan|undefined|todo|同上|见上|如上|如上所述|见上文|略|如题|见图|如图|见附件)\W*",
    regex.I,
)


def too_short(record: Record, item: Item, settings: FilterSettings) -> str | None:
    if settings.shortest_chars is None:
        return None
    size = len(_form(item))
    return f"{size} letters and digits" if size < settings.shortest_chars else None


def too_long(record: Record, item: Item, settings: FilterSettings) -> str | None:
    size = sum(map(len, item.texts))
    return f"{size} characters" if settings.longest_chars is not None and size > settings.longest_chars else None


def garbled(record: Record, item: Item, settings: FilterSettings) -> str | None:
    if settings.garbled_share is None:
        return None
    for text in (*item.texts[:1], *_answers(record)):
        # Cheaper than to look for what hardly any text has.
        clean = "\ufffd" not in text and "".join(text.split()).isprintable()
        broken = 0 if clean else len(_BROKEN.findall(text))
        wrong = 0 if text.isascii() else sum(len(match[0]) for match in _WRONG.finditer(text))
        if broken + wrong >= _FEW and broken + wrong > settings.garbled_share * len(text):
            return f"{broken} broken and {wrong} wrongly decoded of {len(text)} characters"
    return None


def few_letters(record: Record, item: Item, settings: FilterSettings) -> str | None:
    if settings.letter_share is None or not item.texts:
        return None
    seen, letters = sum(map(len, item.texts[0].split())), len(_form(item))
    return f"{letters} of {seen} characters" if letters < settings.letter_share * seen else None


def wrong_language(record: Record, item: Item, settings: FilterSettings) -> str | None:
    form = _form(item)
    if settings.language_share is None or len(form) < settings.language_chars:
        return None
    share = han(form)
    fits = share >= settings.language_share if item.lang == "zh" else share <= 1 - settings.language_share
    return None if fits else f"{share:.0%} Han, in {item.lang}"


def repetitive(record: Record, item: Item, settings: FilterSettings) -> str | None:
    form = _form(item)
    if settings.repeated_share is None or len(form) < _LONG:
        return None
    found = runs(form, _RUN)
    found.sort()
    share = np.count_nonzero(found[1:] == found[:-1]) / len(found)
    return f"{share:.0%} of its runs of {_RUN} characters are repetitions" if share > settings.repeated_share else None


def unanswerable(record: Record, item: Item, settings: FilterSettings) -> str | None:
    if not settings.unanswerable:
        return None
    if isinstance(record, Question) and record.kind == "choice":
        texts = [squeeze(option.text) for option in record.options]
        right = {squeeze(option.text) for option in record.options if option.key in record.answers}
        if any(texts.count(text) > 1 for text in right):
            return "another option is the same as the right one"
        return "the right option is empty" if "" in right else None
    if isinstance(record, Parallel | TextToText) and squeeze(record.source) == squeeze(record.target):
        return "the answer is the text"
    for answer in _answers(record):
        if not _WORD.search(answer):
            return "the answer has no letter or digit"
        if _LINK.fullmatch(answer):
            return "the answer is a link"
        if _NO_ANSWER.fullmatch(answer):
            return f"the answer is {squeeze(answer)!r}"
    return None


def long_answer(record: Record, item: Item, settings: FilterSettings) -> str | None:
    size = max(map(len, _answers(record)), default=0)
    limit = settings.longest_answer_chars
    return f"{size} characters" if limit is not None and size > limit else None


FILTERS: Mapping[str, Filter] = {
    "the text is too short": too_short,
    "the text is too long": too_long,
    "the text is garbled": garbled,
    "the text has few letters": few_letters,
    "the text is in another language": wrong_language,
    "the text repeats itself": repetitive,
    "the question cannot be answered": unanswerable,
    "the answer is too long": long_answer,
}
"""Filters by the reason that they give."""


def reject(record: Record, item: Item, settings: FilterSettings) -> Reject | None:
    """Return why a record is unfit for training, by the first filter that says so, or None."""
    for reason, wrong in FILTERS.items():
        if (detail := wrong(record, item, settings)) is not None:
            return Reject(where=item.place, reason=reason, detail=detail)
    return None


@lru_cache(maxsize=1)
def _form(item: Item) -> Points:
    """Return the letters of the main text of an item, which one filter after another asks for."""
    return points(item.texts[0] if item.texts else "")


def _answers(record: Record) -> Iterator[str]:
    """Yield the answers of a record that are texts of their own, of which the first is learned."""
    if isinstance(record, Question) and record.kind in ("simple", "context"):
        yield record.answers[0]
    elif isinstance(record, Dialogue):
        yield from (turn.text for turn in record.turns if turn.role == "assistant")
    elif isinstance(record, Parallel | TextToText):
        yield record.target
