"""What users are told for their own safety: the limit of use, and a notice where his text speaks of an emergency."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

from taiyi.schema import Lang
from taiyi.text import language

# A clause: what is negated in one is not in the next. The comma of Chinese lists (、) ends none.
_CLAUSE = re.compile(r"[.,!?;:。，！？；：\n]+|\bbut\b|但|可是")
_APOSTROPHE = re.compile("['\u2019\u02bc`]")
# What is neither a letter nor a digit, nor ends a clause, stands between words; brackets are those of exams' blanks.
_BETWEEN = re.compile(r"[^\w.,!?;:。，！？；：、\n()]+")
_GAP = "…"
# What a gap may be; and what may stand between a negator and what it negates, also in a list: 无发热、咳嗽、胸痛.
_WORDS, _CHARACTERS = r"(?:\s\w+){0,4}\s", r".{0,6}?"
_NEAR = r"(?:(?:\s\w+){0,3}\s|.{0,3}|.{0,30}[、或和及与])"


class Notice(NamedTuple):
    """What a user is told: of which kind (`emergency`, `poisoning`, `suicide`), and the words."""

    kind: str
    text: str


class _Rule(NamedTuple):
    kind: str
    any: re.Pattern[str]
    beside: re.Pattern[str] | None
    unless: re.Pattern[str] | None


class _Care(NamedTuple):
    limit: Mapping[Lang, str]
    notices: Mapping[str, Mapping[Lang, str]]
    rules: Sequence[_Rule]
    negated: re.Pattern[str]
    reported: re.Pattern[str]


def limit(lang: Lang) -> str:
    """Return what the use of a model is limited to: told once, before it is talked with."""
    return _care().limit[lang]


def notices(text: str, lang: Lang | None = None) -> list[Notice]:
    """Return what is to be told to who wrote a text, in a language; else in that of the text."""
    spoken = lang or language(text)
    return [Notice(kind, _care().notices[kind][spoken]) for kind in kinds(text)]


def kinds(text: str) -> list[str]:
    """Return the kinds of emergencies that a text speaks of, unless it is an exam's, a record's or a study's."""
    care, plain = _care(), _plain(text)
    if care.reported.search(plain):
        return []
    clauses = _CLAUSE.split(plain)

    def said(phrases: re.Pattern[str]) -> bool:
        return any(not care.negated.search(c[: found.start()]) for c in clauses for found in phrases.finditer(c))

    def met(rule: _Rule) -> bool:
        if rule.unless is not None and rule.unless.search(plain):
            return False
        return said(rule.any) and (rule.beside is None or said(rule.beside))

    return list(dict.fromkeys(rule.kind for rule in care.rules if met(rule)))


def _plain(text: str) -> str:
    """Return a text as phrases are compared with it."""
    return _BETWEEN.sub(" ", _APOSTROPHE.sub("", unicodedata.normalize("NFKC", text).casefold()))


@cache
def _care() -> _Care:
    told = tomllib.loads(resources.files("taiyi.use").joinpath("care.toml").read_text(encoding="utf-8"))
    near = rf"(?!\s?(?:{_any(told['unaware']).pattern})){_NEAR}"
    negators = (_phrase(one.removesuffix(_GAP)) + near * one.endswith(_GAP) for one in told["negators"])
    return _Care(
        limit=told["limit"],
        notices=told["notices"],
        rules=[
            _Rule(
                one["kind"],
                _any(one["any"]),
                beside=_any(one["with"]) if "with" in one else None,
                unless=_any(one["unless"]) if "unless" in one else None,
            )
            for one in told["phrases"]
        ],
        negated=re.compile(f"(?:{'|'.join(negators)})$"),
        reported=_any(told["reported"]),
    )


def _any(phrases: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(_phrase, phrases)))


def _phrase(phrase: str) -> str:
    """Return the pattern of a phrase of `care.toml`."""
    parts = phrase.split(_GAP)
    if not phrase.replace(_GAP, "").isascii():
        return _CHARACTERS.join(map(re.escape, parts))
    worded = _WORDS.join(r"\s".join(map(_word, part.split())) for part in parts)
    # Chinese has no spaces: "overdose了" ends a word, too.
    return rf"(?<![a-z0-9]){worded}(?![a-z0-9])"


def _word(word: str) -> str:
    return f"(?:{'|'.join(map(re.escape, word.split('/')))})"
