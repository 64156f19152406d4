"""What the page offers of a model: tasks, in which languages, and with which types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

import msgspec

from taiyi import catalogue
from taiyi.catalogue import Corpus
from taiyi.checkpoint import Checkpoint
from taiyi.schema import Lang
from taiyi.use.asking import Model

ASKS: Mapping[str, Mapping[str, str]] = {
    "entities": {"entities": "ner"},
    "relations": {"relations": "re"},
    "events": {"events": "ee"},
    "labels": {"labels": "tc"},
    "pairs": {"similarity": "tp_ss", "entailment": "tp_te"},
    "choice": {"choice": "qa_mc"},
    "yes_no": {"yes_no": "qa_yesno"},
    "question": {"simple": "qa_sqa", "context": "qa_cqa"},
    "translation": {"translation": "mt"},
    "summary": {"summary": "summary"},
    "title": {"title": "title"},
    "report": {"report": "report"},
}
"""What the page asks, each in one way or several, and the task that each way is."""
_LABELLED = ("labels", "pairs")
_TYPED = ("entities", "relations", "events")
_LANGS: tuple[Lang, ...] = get_args(Lang)
# What finds relations by a cascade learned to answer about pairs.
_CASCADE = {"re": "rc"}


class TypeSet(msgspec.Struct, frozen=True):
    """Types or labels to choose from: those of a corpus that the model learned, or (without one) all that it has.

    Attributes:
        corpus: its name; empty where none is meant.
        title: its title.
        lang: of the prompts that have them; None for either.
        types: as prompts show them.
    """

    corpus: str
    title: str
    lang: Lang | None
    types: tuple[str, ...]


class Offer(msgspec.Struct, frozen=True):
    """Something to be asked.

    Attributes:
        name: among `ASKS`.
        langs: in which it can be; none where the model cannot do it.
        asks: each way of asking it, with its languages.
        sets: types to choose from.
    """

    name: str
    langs: list[Lang]
    asks: dict[str, list[Lang]]
    sets: tuple[TypeSet, ...]


def offers(model: Model) -> list[Offer]:
    """Return all that the page knows to ask, and what of it a model can do."""
    made: list[Offer] = []
    for name, ways in ASKS.items():
        asks = {way: able(model.known, task) for way, task in ways.items()}
        langs: list[Lang] = [lang for lang in _LANGS if any(lang in found for found in asks.values())]
        sets = tuple(_sets(model, name, list(ways.values()))) if langs else ()
        made.append(Offer(name, langs, asks, sets))
    return made


def able(known: Checkpoint, task: str) -> list[Lang]:
    """Return the languages in which a model may do a task."""
    asked = task if known.relations == "written" else _CASCADE.get(task, task)
    return [lang for lang in _LANGS if known.knows(asked, lang)]


def _sets(model: Model, name: str, tasks: Sequence[str]) -> Iterator[TypeSet]:
    known = model.known
    titles = {corpus.name: corpus.title for corpus in catalogue.all_corpora()}
    learned = [
        TypeSet(one.corpus, one.title or titles.get(one.corpus, one.corpus), one.lang, one.types)
        for one in known.learned
        if one.task in tasks and one.types
    ]
    if name in _TYPED:
        yield from learned or _unlearned(model, name)
    elif name in _LABELLED:
        # Labels of a corpus are asked for by its name, which the catalogue has to know.
        here = [one for one in learned if one.corpus in titles]
        yield from here if known.confined else _labelled(tasks)


def _unlearned(model: Model, name: str) -> Iterator[TypeSet]:
    """Yield the types that a model has without saying of which corpus: those of its cascade, or its tags."""
    for lang in _LANGS:
        there = [one for one in model.known.joined if one.lang == lang]
        joined = dict.fromkeys(kind for one in there for kind, *_ in (*one.joins, *one.loops))
        if name == "relations" and joined:
            yield TypeSet("", "", lang, tuple(joined))
    if name == "entities" and model.tags:
        yield TypeSet("", "", None, tuple(sorted(model.tags)))


def _labelled(tasks: Sequence[str]) -> Iterator[TypeSet]:
    for corpus in catalogue.all_corpora():
        if corpus.labels and any(task in tasks for task in corpus.tasks):
            for lang in corpus.langs:
                yield TypeSet(corpus.name, corpus.title, lang, _shown(corpus, lang))


def _shown(corpus: Corpus, lang: Lang) -> tuple[str, ...]:
    return tuple(kind.shown(lang) for kind in corpus.labels.values())


def told(engine: Any) -> str:
    """Return what an engine says of its model; nothing where it does not tell."""
    about = getattr(engine, "about", None)
    return str(about()).rstrip(" ,") if callable(about) else ""
