"""Instruction examples from records: sub-tasks, windows, and templates drawn by the seed and the record's id alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import xxhash

from taiyi import catalogue, tasks, templates
from taiyi.build.settings import Selection
from taiyi.build.windows import windows
from taiyi.catalogue import Corpus, TypeName
from taiyi.errors import RecipeError, Unparsable, suggestion
from taiyi.schema import Document, Example, Lang, Record, Reject, Shown
from taiyi.tasks import Task
from taiyi.templates import Template

REPEATED = "record id is used twice"
INAPPLICABLE = "not a record for this task"
NOT_DRAWN = "over max_records"
UNDECLARED = "type that the catalogue does not have"


def instructions(selection: Selection, root: Path, *, seed: int, training: bool) -> Iterator[Example | Reject]:
    """Render the records that a selection names, from raw corpora under `root`.

    For training, an example whose answer does not parse back to its gold is rejected; for evaluation it stays, since
    what the form cannot express must count as missed.
    """
    corpus = catalogue.get(selection.corpus)
    task = tasks.get(selection.task)
    form = _form(task, selection)
    for split in selection.splits:
        for item in _drawn(_unique(catalogue.load(corpus, split, root)), selection.max_records, seed):
            if isinstance(item, Reject):
                yield item
                continue
            if not task.applies(item):
                yield Reject(where=_place(item), reason=INAPPLICABLE, detail=task.name)
                continue
            yield from _undeclared(item, task, corpus)
            for example in render(item, task, corpus, selection, form=form, seed=seed):
                yield _checked(example, task) if training and isinstance(example, Example) else example


def render(
    record: Record, task: Task, corpus: Corpus, selection: Selection, *, form: str, seed: int
) -> Iterator[Example | Reject]:
    """Render one record: each sub-task, window and chosen template."""
    if isinstance(record, Document) and selection.merge_types:
        record = relabel(record, selection.merge_types)
    asked = _asked(task, corpus, selection, record.lang)
    spans = windows(record.text, selection.window_chars) if isinstance(record, Document) else [None]
    whole = isinstance(record, Document) and (selection.window_chars == 0 or task.kind != "entities")
    wordings = templates.choose(tasks.load_templates(task, record.lang), selection.templates)
    for types in asked:
        for span in [None] if whole else spans:
            key = f"{record.id}/{'+'.join(t.name for t in types)}@{span.start if span else 0}"
            for template in _some(wordings, selection.templates_per_record, f"{seed}/{key}"):
                yield task.render(record, template, form=form, types=types, window=span)


def relabel(document: Document, names: dict[str, str]) -> Document:
    """Return the document with entity types renamed."""
    entities = tuple(msgspec.structs.replace(e, type=names.get(e.type, e.type)) for e in document.entities)
    return msgspec.structs.replace(document, entities=entities)


def _undeclared(record: Record, task: Task, corpus: Corpus) -> Iterator[Reject]:
    """Yield the mentions and relations that no prompt asks for, because the corpus's entry does not have their type."""
    if isinstance(record, Document) and task.kind in ("entities", "relations"):
        found, known = (
            (record.entities, corpus.entity_types)
            if task.kind == "entities"
            else (record.relations, corpus.relation_types)
        )
        for item in found:
            if item.type not in known:
                yield Reject(where=f"{_place(record)}/{item.id}", reason=UNDECLARED, detail=item.type)


def check_types(selection: Selection) -> None:
    """Raise RecipeError where a selection asks for or merges types that its corpus does not have."""
    corpus = catalogue.get(selection.corpus)
    _asked(tasks.get(selection.task), corpus, selection, corpus.langs[0])


def _form(task: Task, selection: Selection) -> str:
    form = selection.form or task.forms[0]
    if form not in task.forms:
        raise RecipeError(
            f"the task {task.name} has no such form",
            where=selection.corpus,
            got=form,
            mend=suggestion(form, task.forms),
        )
    return form


def _asked(task: Task, corpus: Corpus, selection: Selection, lang: Lang) -> list[tuple[Shown, ...]]:
    """Return the sets of types to ask for, under the names that a prompt in this language shows."""
    if task.kind is None:
        return [()]
    names: dict[str, TypeName] = dict(
        {"entities": corpus.entity_types, "relations": corpus.relation_types, "labels": corpus.labels}[task.kind]
    )
    if task.kind == "entities":
        for old, new in selection.merge_types.items():
            if old not in names:
                raise RecipeError(
                    "unknown type", where=f"{corpus.name}: merge_types", got=old, mend=suggestion(old, names)
                )
            names.setdefault(new, TypeName(en=new.lower(), zh=new))
        for old in selection.merge_types:
            if old not in selection.merge_types.values():
                del names[old]
    if not names:
        raise RecipeError(
            f"the corpus has nothing to ask for in {task.name}", where=corpus.name, expected=f"{task.kind} in its entry"
        )
    for name in (name for subtask in selection.subtasks for name in subtask):
        if name not in names:
            raise RecipeError("unknown type", where=f"{corpus.name}: subtasks", got=name, mend=suggestion(name, names))
    subtasks = selection.subtasks or (tuple(names),)
    return [tuple(Shown(name=name, shown=names[name].shown(lang)) for name in subtask) for subtask in subtasks]


def _checked(example: Example, task: Task) -> Example | Reject:
    try:
        parsed = task.parse(example.answer, example)
    except Unparsable as error:
        return Reject(where=example.id, reason="the answer cannot be parsed", detail=str(error))
    if parsed != example.gold:
        return Reject(where=example.id, reason="the answer does not hold all of the gold", detail=example.answer)
    return example


def _drawn(items: Iterable[Record | Reject], most: int | None, seed: int) -> Iterator[Record | Reject]:
    """Yield all items, or the `most` records that the seed draws, in their order."""
    if most is None:
        yield from items
        return
    everything = list(items)
    ranked = sorted(
        (i for i, item in enumerate(everything) if not isinstance(item, Reject)), key=lambda i: _rank(seed, i)
    )
    kept = set(ranked[:most])
    for index, item in enumerate(everything):
        if index in kept or isinstance(item, Reject):
            yield item
        else:
            yield Reject(where=_place(item), reason=NOT_DRAWN)


def sample(examples: Sequence[Example], most: int | None, seed: int) -> tuple[list[Example], list[Reject]]:
    """Return the examples of all records, or of the `most` that the seed draws, and a reject for each other record."""
    records = list(dict.fromkeys((e.corpus, e.split, e.record) for e in examples))
    ranked = sorted(range(len(records)), key=lambda i: _rank(seed, i))
    kept = {records[i] for i in ranked[:most]}
    rejects = [Reject(where="/".join(record), reason=NOT_DRAWN) for record in records if record not in kept]
    return [e for e in examples if (e.corpus, e.split, e.record) in kept], rejects


def _unique(items: Iterable[Record | Reject]) -> Iterator[Record | Reject]:
    """Reject records whose id an earlier one has: windows are put together, and answers found again, by it."""
    seen: set[str] = set()
    for item in items:
        if not isinstance(item, Reject):
            if item.id in seen:
                yield Reject(where=_place(item), reason=REPEATED, detail="the first is kept")
                continue
            seen.add(item.id)
        yield item


def _place(record: Record) -> str:
    return f"{record.corpus}/{record.split}/{record.id}"


def _some(things: Sequence[Template], most: int, key: str) -> list[Template]:
    ranked = sorted(range(len(things)), key=lambda i: _rank(key, i))
    return [things[i] for i in sorted(ranked[:most])]


def _rank(key: object, index: int) -> int:
    return xxhash.xxh3_64_intdigest(f"{key}/{index}".encode())
