"""Instruction examples from records: queries, windows, and wordings drawn by the seed and the record alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec
import xxhash

from taiyi import catalogue, tasks, templates
from taiyi.build.queries import fixed, queries, type_names
from taiyi.build.settings import Selection
from taiyi.build.windows import windows
from taiyi.catalogue import Corpus
from taiyi.errors import RecipeError, Unparsable, suggestion
from taiyi.schema import Answer, Document, Example, Record, Reject, Shown, Span, Split
from taiyi.tasks import Task
from taiyi.tasks.facts import Facts, Informed, gather
from taiyi.templates import Template, words

REPEATED = "record id is used twice"
INAPPLICABLE = "not a record for this task"
NOT_DRAWN = "over max_records"
UNDECLARED = "type that the catalogue does not have"
EMPTY = "nothing to answer, beyond the share that is kept"


def instructions(selection: Selection, root: Path, *, seed: int, training: bool) -> Iterator[Example | Reject]:
    """Render the records that a selection names, from raw corpora under `root`.

    For training, an example whose answer does not parse back to its gold is rejected; for evaluation it stays, since
    what the form cannot express must count as missed.
    """
    corpus = catalogue.get(selection.corpus)
    task = task_of(selection.task, corpus, root)
    for split in selection.splits:
        for item in _drawn(_unique(catalogue.load(corpus, split, root)), selection.max_records, seed):
            if isinstance(item, Reject):
                yield item
                continue
            if not task.applies(item):
                yield Reject(where=place(item), reason=INAPPLICABLE, detail=task.name)
                continue
            yield from undeclared(item, task, corpus)
            draws = selection.templates_per_record
            yield from render(item, task, corpus, selection, seed=seed, draws=draws, training=training)


def task_of(name: str, corpus: Corpus, root: Path) -> Task:
    """Return a task, told what it needs to know of a corpus as a whole: of its training split, if that is there."""
    task = tasks.get(name)
    if not isinstance(task, Informed):
        return task
    there = [split for split in corpus.splits if corpus.layout(split, root)]
    return task.informed(_facts(corpus.name, there[0], root)) if there else task


@lru_cache(maxsize=64)
def _facts(corpus: str, split: Split, root: Path) -> Facts:
    return gather(item for item in catalogue.load(catalogue.get(corpus), split, root) if not isinstance(item, Reject))


def render(
    record: Record, task: Task, corpus: Corpus, selection: Selection, *, seed: int, draws: int, training: bool
) -> Iterator[Example | Reject]:
    """Render one record: each query, window and focus under so many wordings.

    For training, wordings that are held out are not drawn, and examples whose answer does not say all of the gold are
    rejected.
    """
    form = answer_form(task, selection)
    if isinstance(record, Document) and selection.merge_types:
        record = relabel(record, selection.merge_types)
    wordings = templates.choose(tasks.load_templates(task, record.lang), selection.templates)
    if training:
        wordings = tuple(template for template in wordings if not template.held_out)
    for types in queries(record, task, corpus, selection, seed):
        for span in _spans(record, task, selection):
            for focus in task.focuses(record, types):
                asked = "+".join(shown.name for shown in types)
                key = f"{record.id}/{asked}@{span.start if span else 0}{'!' if focus else ''}{'+'.join(focus)}"
                for template in _some(wordings, draws, f"{seed}/{key}"):
                    dressed = _dressed(template, record, task, corpus, selection, form, types)
                    example = task.render(record, dressed, form=form, types=types, window=span, focus=focus)
                    if training and isinstance(example, Example):
                        example = _kept(example, task, selection, seed)
                    yield example


def _spans(record: Record, task: Task, selection: Selection) -> Sequence[Span | None]:
    if not isinstance(record, Document) or selection.window_chars == 0 or task.kind != "entities":
        return [None]
    return windows(record.text, selection.window_chars, selection.overlap_chars)


def _dressed(
    template: Template,
    record: Record,
    task: Task,
    corpus: Corpus,
    selection: Selection,
    form: str,
    types: Sequence[Shown],
) -> Template:
    """Return the wording with what the selection wants to stand in the prompt beside it."""
    settings, lang = selection.prompt, template.lang
    marks = words(lang)
    before: list[str] = []
    if settings.corpus:
        before.append(f"{marks.guidelines}{corpus.title}")
    if settings.definitions and task.kind is not None:
        known = type_names(task, corpus)
        meant = {t.shown: known[t.name].definition(lang) for t in types if t.name in known}
        lines = [f"- {shown}{marks.colon}{definition}" for shown, definition in meant.items() if definition]
        before += [marks.definitions, *lines] if lines else []
    if settings.entities and isinstance(record, Document) and record.entities:
        shown = {name: type.shown(lang) for name, type in corpus.entity_types.items()}
        texts: dict[str, dict[str, None]] = {}
        for entity in record.entities:
            texts.setdefault(shown.get(entity.type, entity.type), {})[entity.text.strip()] = None
        before += [marks.entities, *(f"- {t}{marks.colon}{marks.semicolon.join(found)}" for t, found in texts.items())]
    after = f"\n{templates.form_statement(task.name, lang, form)}" if settings.form else ""
    return template.dressed("".join(f"{line}\n" for line in before), after)


def _kept(example: Example, task: Task, selection: Selection, seed: int) -> Example | Reject:
    """Return an example whose answer says its gold, if it has something to answer or is drawn all the same."""
    checked = _checked(example, task)
    if isinstance(checked, Reject) or not _is_empty(checked.gold):
        return checked
    left_out = _rank(f"{seed}/{checked.id}", 0) / 2**64 >= selection.empty
    return Reject(where=checked.id, reason=EMPTY) if left_out else checked


def _is_empty(gold: Answer) -> bool:
    return not getattr(gold, "items", True)


def relabel(document: Document, names: dict[str, str]) -> Document:
    """Return the document with entity types renamed."""
    entities = tuple(msgspec.structs.replace(e, type=names.get(e.type, e.type)) for e in document.entities)
    return msgspec.structs.replace(document, entities=entities)


def undeclared(record: Record, task: Task, corpus: Corpus) -> Iterator[Reject]:
    """Yield the mentions and relations that no prompt asks for, because the corpus's entry does not have their type."""
    if isinstance(record, Document) and task.kind in ("entities", "relations", "events"):
        found = {"entities": record.entities, "relations": record.relations, "events": record.events}[task.kind]
        known = type_names(task, corpus)
        for item in found:
            if item.type not in known:
                yield Reject(where=f"{place(record)}/{item.id}", reason=UNDECLARED, detail=item.type)


def check_types(selection: Selection) -> None:
    """Raise RecipeError where a selection asks for or merges types that its corpus does not have."""
    corpus = catalogue.get(selection.corpus)
    fixed(tasks.get(selection.task), corpus, selection, corpus.langs[0])


def answer_form(task: Task, selection: Selection) -> str:
    """Return the form that answers take.

    Raises:
        RecipeError: the task has no such form.
    """
    form = selection.form or task.forms[0]
    if form not in task.forms:
        raise RecipeError(
            f"the task {task.name} has no such form",
            where=selection.corpus,
            got=form,
            mend=suggestion(form, task.forms),
        )
    return form


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
            yield Reject(where=place(item), reason=NOT_DRAWN)


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
                yield Reject(where=place(item), reason=REPEATED, detail="the first is kept")
                continue
            seen.add(item.id)
        yield item


def place(record: Record) -> str:
    """Return where a record is: `corpus/split/record`."""
    return f"{record.corpus}/{record.split}/{record.id}"


def _some(things: Sequence[Template], most: int, key: str) -> list[Template]:
    ranked = sorted(range(len(things)), key=lambda i: _rank(key, i))
    return [things[i] for i in sorted(ranked[:most])]


def _rank(key: object, index: int) -> int:
    return xxhash.xxh3_64_intdigest(f"{key}/{index}".encode())
