"""What the corpora of the catalogue give to a terminology: names, and the words that are used besides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import regex

from taiyi import catalogue
from taiyi.catalogue import Corpus
from taiyi.knowledge.terms import forms
from taiyi.knowledge.terms.name import Kind, Name
from taiyi.schema import (
    Dialogue,
    Document,
    Labelled,
    Pair,
    Parallel,
    Question,
    Record,
    Reject,
    TextToStruct,
    TextToText,
)

# Types are known by their English names in the catalogue; those of other things (genes, anatomy) name no terms here.
# Symptoms are described more than named: they are known, but nothing is a slip of one, or a member of its class.
_KINDS: tuple[tuple[Kind, regex.Pattern[str]], ...] = (
    ("drug", regex.compile(r"chemical|drug|compound|\bbrand\b|medicine|active substance|medication")),
    ("disease", regex.compile(r"disease|disorder|diagnosis|condition")),
    ("other", regex.compile(r"symptom|clinical manifestation|syndrome")),
)
_NOT_NAMES = regex.compile(r"amount|frequency|way of|dosage|taste|efficacy|level|label of|modifier|within another")
_LONGEST_NAME = 100


@dataclass
class Material:
    """What a terminology is made of: names with how often each occurs, and words and Han pairs with their records."""

    names: Counter[Name] = field(default_factory=Counter[Name])
    words: Counter[str] = field(default_factory=Counter[str])
    pairs: Counter[str] = field(default_factory=Counter[str])
    rejects: Counter[str] = field(default_factory=Counter[str])
    num_records: int = 0

    def add(self, other: Material) -> None:
        """Add what another corpus gives."""
        self.names.update(other.names)
        self.words.update(other.words)
        self.pairs.update(other.pairs)
        self.rejects.update(other.rejects)
        self.num_records += other.num_records


def kinds(corpus: Corpus) -> dict[str, Kind]:
    """Return the entity types of a corpus that name drugs, diseases or symptoms."""
    found: dict[str, Kind] = {}
    for name, shown in corpus.entity_types.items():
        matched: list[Kind] = [kind for kind, pattern in _KINDS if pattern.search(shown.en)]
        if matched and not _NOT_NAMES.search(shown.en):
            found[name] = matched[0]
    return found


def gather(corpus: Corpus, root: Path) -> Material:
    """Read all splits of a corpus that are under `root`; what a reader rejects is counted by reason."""
    made = Material()
    wanted = kinds(corpus)
    for split in corpus.splits:
        if corpus.layout(split, root) is None:
            continue
        for record in catalogue.load(corpus, split, root):
            if isinstance(record, Reject):
                made.rejects[f"{corpus.name}: {record.reason}"] += 1
                continue
            made.num_records += 1
            made.names.update(_names(record, wanted))
            add_text(made, "\n".join(texts(record)))
    return made


def add_text(made: Material, text: str) -> None:
    """Count the words and Han pairs of the text of one record, each once."""
    made.words.update({forms.stem(word.folded) for word in forms.words(text)})
    for run in forms.runs(text):
        made.pairs.update(han_pairs(run.folded))


def han_pairs(folded: str) -> Iterator[str]:
    """Yield each two neighbours of which one is a Han character."""
    for first, second in pairwise(folded):
        if first > "\u2e7f" or second > "\u2e7f":
            yield first + second


def texts(record: Record) -> tuple[str, ...]:
    """Return the texts of a record that people wrote."""
    match record:
        case Document() | Labelled():
            return (record.text,)
        case Pair():
            return (record.first, record.second)
        case Question():
            options = (option.text for option in record.options)
            return (record.question, *record.answers, *record.contexts, *options, record.long_answer)
        case Dialogue():
            return tuple(turn.text for turn in record.turns)
        case Parallel() | TextToText():
            return (record.source, record.target)
        case TextToStruct():
            return (record.source,)


def _names(record: Record, wanted: dict[str, Kind]) -> Iterator[Name]:
    if not isinstance(record, Document):
        return
    for entity in record.entities:
        if entity.type not in wanted or len(entity.spans) > 1 or len(entity.text) > _LONGEST_NAME:
            continue
        named = Name(
            name=entity.text, lang=record.lang, kind=wanted[entity.type], type=entity.type, source=record.corpus
        )
        if not entity.concepts:
            yield named
        for concept in entity.concepts:
            yield named.of(f"{concept.db}:{concept.id}")
            # Of a terminology whose ids are its names, these are names too.
            if forms.HAN.search(concept.id):
                yield named.of(f"{concept.db}:{concept.id}", name=concept.id)
