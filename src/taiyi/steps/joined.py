"""Which pairs of entities a model can be asked about: what the relations join of the corpora whose pairs it learned."""

from __future__ import annotations

from collections.abc import Sequence

from taiyi import catalogue, tasks
from taiyi.build.instructions import task_of
from taiyi.build.queries import fixed, names_of
from taiyi.build.settings import Selection
from taiyi.catalogue import Corpus
from taiyi.checkpoint import Joined
from taiyi.schema import Lang
from taiyi.steps.run import Run
from taiyi.steps.shards import there
from taiyi.tasks import Pairing
from taiyi.tasks.facts import End, Facts
from taiyi.tasks.rc import RelationClassification

FILE = "joined.json"


def joined(run: Run) -> list[Joined]:
    """Return what the relations join of each corpus whose pairs the stages of a recipe ask about, by language; of
    relations between events, which no cascade finds, nothing."""
    selections = [s for stage in run.recipe.stages for s in stage.data if there(run, s) is not None]
    entities = [s for s in selections if tasks.get(s.task).name == "ner"]
    found: dict[tuple[str, Lang], Joined] = {}
    for selection in selections:
        if not isinstance(tasks.get(selection.task), Pairing):
            continue
        corpus = catalogue.get(selection.corpus)
        task = task_of(selection.task, corpus, run.corpora, selection.pairs)
        if isinstance(task, RelationClassification) and task.known is not None:
            own = [s for s in entities if s.corpus == corpus.name]
            for lang in corpus.langs:
                found[corpus.name, lang] = _joined(corpus, lang, selection, task.known, own)
    return list(found.values())


def _joined(corpus: Corpus, lang: Lang, selection: Selection, facts: Facts, entities: Sequence[Selection]) -> Joined:
    """Return what the relations of a corpus join in the names of a language; `entities` are the selections that teach
    to find its entities."""
    task = tasks.get("ner")
    merged = {old: new for s in entities for old, new in s.merge_types.items()}
    shown = {name: type.shown(lang) for name, type in names_of(task, corpus, merged).items()}
    relations = {name: type.shown(lang) for name, type in corpus.relation_types.items()}

    def name(end: End) -> str:
        return "" if end.kind == "event" else shown.get(merged.get(end.type, end.type), "")

    sets = (types for s in entities for types in fixed(task, corpus, s, lang))
    joins = {
        (relations[relation], head.kind, name(head), tail.kind, name(tail)): None
        for relation, head, tail in facts.joins
        if relation in relations and name(head) and name(tail)
    }
    loops = {
        (relations[relation], end.kind, name(end)): None
        for relation, end in facts.loops
        if relation in relations and name(end)
    }
    return Joined(
        corpus=corpus.name,
        lang=lang,
        entities=tuple(dict.fromkeys(tuple(dict.fromkeys(t.shown for t in types)) for types in sets)),
        joins=tuple(joins),
        loops=tuple(loops),
        symmetric=tuple(type.shown(lang) for type in corpus.relation_types.values() if type.symmetric),
        reach=facts.reach,
        near=selection.pairs.near,
        fitting=selection.pairs.fitting,
    )
