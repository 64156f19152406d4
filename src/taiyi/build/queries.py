"""What is asked of a record: all types, fixed sub-tasks, or some types that the text has and some that it has not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from taiyi.build.mixture import rank
from taiyi.build.settings import Selection
from taiyi.catalogue import Corpus, TypeName
from taiyi.errors import RecipeError, suggestion
from taiyi.schema import Document, Lang, Record, Shown
from taiyi.tasks import Task
from taiyi.templates import words

Types = tuple[Shown, ...]


def queries(record: Record, task: Task, sets: Sequence[Types], selection: Selection, seed: int) -> Sequence[Types]:
    """Return the sets of types that a record is asked about, given those that `fixed` returns for its language."""
    if (
        selection.query is None
        or selection.subtasks
        or task.kind in (None, "labels")
        or not isinstance(record, Document)
    ):
        return sets
    (everything,) = sets
    key = f"{seed}/{record.corpus}/{record.split}/{record.id}"
    held = _types(record, task)
    order = {shown.name: (rank(seed, f"{key}/{shown.name}"), shown.name) for shown in everything}
    present = sorted((s for s in everything if s.name in held), key=lambda s: order[s.name])
    others = sorted((s for s in everything if s.name not in held), key=lambda s: order[s.name])
    num_absent = round(selection.query.absent * len(present)) if present else 1
    chosen = sorted([*present, *others[:num_absent]], key=lambda s: order[s.name])
    found: list[Types] = []
    while chosen:
        size = 1 + rank(seed, f"{key}#{len(found)}") % selection.query.max_types
        asked = {shown.name for shown in chosen[:size]}
        # In the order of the catalogue, in which all types are asked for too.
        found.append(tuple(shown for shown in everything if shown.name in asked))
        chosen = chosen[size:]
    return found


def _types(document: Document, task: Task) -> set[str]:
    if task.kind == "entities":
        return {entity.type for entity in document.entities}
    return {item.type for item in (document.events if task.kind == "events" else document.relations)}


def fixed(task: Task, corpus: Corpus, selection: Selection, lang: Lang) -> list[Types]:
    """Return the sub-tasks that a selection names, else all types as one, under the names that a language shows; of
    graded pairs, what is graded.

    Raises:
        RecipeError: a type is unknown, or the corpus has none to ask for.
    """
    if task.kind is None:
        return [()]
    names = names_of(task, corpus, selection.merge_types)
    # Pairs have grades where they have no labels.
    if task.kind == "labels" and not names and (scale := corpus.scale):
        return [(Shown(name=scale.measure, shown=getattr(words(lang), scale.measure), scale=scale),)]
    if not names:
        raise RecipeError(
            f"the corpus has nothing to ask for in {task.name}",
            where=corpus.name,
            expected="labels, or a scale of grades, in its entry"
            if task.kind == "labels"
            else f"{task.kind} in its entry",
        )
    for name in (name for subtask in selection.subtasks for name in subtask):
        if name not in names:
            raise RecipeError("unknown type", where=f"{corpus.name}: subtasks", got=name, mend=suggestion(name, names))
    subtasks: Sequence[Sequence[str]] = selection.subtasks or (tuple(names),)
    return [tuple(_shown(name, names[name], lang) for name in subtask) for subtask in subtasks]


def _shown(name: str, type: TypeName, lang: Lang) -> Shown:
    return Shown(name=name, shown=type.shown(lang), symmetric=type.symmetric)


def type_names(task: Task, corpus: Corpus) -> dict[str, TypeName]:
    """Return the types of a corpus's entry that a task asks for."""
    by_kind: dict[str, Mapping[str, TypeName]] = {
        "entities": corpus.entity_types,
        "relations": corpus.relation_types,
        "events": corpus.event_types,
        "labels": corpus.labels,
    }
    return dict(by_kind[task.kind]) if task.kind else {}


def names_of(task: Task, corpus: Corpus, merge_types: Mapping[str, str]) -> dict[str, TypeName]:
    """Return the types that a task asks of a corpus for, some of its entity types merged.

    What they are merged into is shown by its own names where it is a type of the corpus, else as it is given in both
    languages; but capitalised words (`Disease`, not `DNA`) have small letters in English prompts, as all types have.

    Raises:
        RecipeError: one that is to be merged is unknown.
    """
    names = type_names(task, corpus)
    if task.kind == "entities":
        _merge(names, corpus, merge_types)
    return names


def _merge(names: dict[str, TypeName], corpus: Corpus, merged: Mapping[str, str]) -> None:
    for old, new in merged.items():
        if old not in names:
            raise RecipeError("unknown type", where=f"{corpus.name}: merge_types", got=old, mend=suggestion(old, names))
        names.setdefault(new, TypeName(en=new.lower() if new.istitle() else new, zh=new))
    for old in merged:
        if old not in merged.values():
            del names[old]
