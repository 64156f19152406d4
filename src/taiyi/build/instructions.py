"""Instruction examples from records: queries, windows, and wordings drawn by the seed and the record alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from taiyi import catalogue, tasks, templates
from taiyi.build.mixture import rank, ranks
from taiyi.build.queries import Types, fixed, queries, type_names
from taiyi.build.records import place
from taiyi.build.settings import PairSettings, Selection
from taiyi.build.windows import windows
from taiyi.catalogue import Corpus
from taiyi.errors import RecipeError, Unparsable, suggestion
from taiyi.schema import Answer, Document, Example, Labelled, Lang, Record, Reject, Shown, Span, Split
from taiyi.tasks import Naming, Pairing, Task
from taiyi.tasks.facts import Facts, Informed, gather
from taiyi.tasks.windowed import lies
from taiyi.templates import Template, words

EMPTY = "nothing to answer, beyond the share that is kept"
ACROSS = "across windows: none has all of it"
PAIR_ACROSS = "pair across windows: none has both"


def task_of(name: str, corpus: Corpus, root: Path, pairs: PairSettings | None = None) -> Task:
    """Return a task, told what it needs to know of a corpus as a whole: names of its entry, and facts of the first of
    its splits that is there; and how it asks about pairs."""
    task = tasks.get(name)
    if pairs is not None and isinstance(task, Pairing):
        task = task.pairing(by_name=pairs.by_name, near=pairs.near, fitting=pairs.fitting)
    if isinstance(task, Naming):
        roles: dict[Lang, Sequence[Shown]] = {
            lang: [Shown(name=n, shown=r.shown(lang), values=r.values) for n, r in corpus.roles.items()]
            for lang in corpus.langs
        }
        return task.naming(roles)
    if not isinstance(task, Informed):
        return task
    there = [split for split in corpus.splits if corpus.layout(split, root)]
    return task.informed(_facts(corpus.name, there[0], root)) if there else task


@lru_cache(maxsize=64)
def _facts(corpus: str, split: Split, root: Path) -> Facts:
    return gather(item for item in catalogue.load(catalogue.get(corpus), split, root) if not isinstance(item, Reject))


def wordings(task: Task, selection: Selection, lang: Lang, *, training: bool) -> tuple[Template, ...]:
    """Return the templates that a selection draws from; for training, those that are not held out."""
    chosen = templates.choose(tasks.load_templates(task, lang), selection.templates)
    return tuple(template for template in chosen if not (training and template.held_out))


class Instructions:
    """Makes the examples of the records of a selection, one record at a time.

    For training, wordings that are held out are not drawn, and examples whose answer does not say all of the gold are
    rejected; for evaluation they stay, since what the form cannot express must count as missed. What no window has all
    of is rejected by itself; for evaluation it is also gold of the first window, for the same reason.
    """

    def __init__(self, selection: Selection, task: Task, corpus: Corpus, *, seed: int, training: bool) -> None:
        """`task` is that of the selection, told about the corpus (`task_of`).

        Raises:
            RecipeError: the task has no such form, or the corpus no such types.
        """
        self._selection, self._task, self._corpus = selection, task, corpus
        self._seed, self._training = seed, training
        self._form = answer_form(task, selection)
        # The same record may be asked twice, with something beside the wording and without.
        beside = "+".join(name for name, stands in selection.prompt if stands)
        self._beside = f"~{beside}" if beside else ""
        self._sets: dict[Lang, list[Types]] = {}
        self._wordings: dict[Lang, tuple[Template, ...]] = {}

    def of(self, record: Record, *, draws: int = 1, copy: int = 0) -> Iterator[Example | Reject]:
        """Yield the examples of a record, or of a changed copy of it, by its number: each query, window and focus under
        so many wordings."""
        task = self._task
        suffix = (f"~copy{copy}" if copy else "") + self._beside
        self._prepare(record.lang)
        if self._selection.lead_chars and isinstance(record, Labelled):
            lead = windows(record.text, self._selection.lead_chars)[0]
            record = msgspec.structs.replace(record, text=record.text[: lead.end])
        for types in queries(record, task, self._sets[record.lang], self._selection, self._seed):
            spans = self._spans(record)
            cut = [span for span in spans if span is not None]
            missed = list(task.across(record, types, cut)) if cut else []
            yield from _across(record, task, types, cut, missed)
            for span in spans:
                for focus in task.focuses(record, types, span):
                    for template in self._drawn(record, types, span, focus, draws, copy):
                        dressed = self._dressed(template, record, types, span)
                        made = task.render(record, dressed, form=self._form, types=types, window=span, focus=focus)
                        if suffix and isinstance(made, Example):
                            made = msgspec.structs.replace(made, id=made.id + suffix)
                        if self._training and isinstance(made, Example):
                            made = self._kept(made)
                        elif missed and isinstance(made, Example):
                            gold = task.merge([(made, made.gold), *((made, item) for item in missed)])
                            made, missed = msgspec.structs.replace(made, gold=gold), []
                        yield made

    def _prepare(self, lang: Lang) -> None:
        if lang not in self._sets:
            self._wordings[lang] = wordings(self._task, self._selection, lang, training=self._training)
            self._sets[lang] = fixed(self._task, self._corpus, self._selection, lang)

    def _spans(self, record: Record) -> Sequence[Span | None]:
        if self._selection.window_chars == 0 or not self._task.windowed:
            return [None]
        return windows(self._task.texts(record)[0], self._selection.window_chars, self._selection.overlap_chars)

    def _drawn(
        self, record: Record, types: Types, span: Span | None, focus: tuple[str, ...], draws: int, copy: int
    ) -> Sequence[Template]:
        """Return the wordings that an example is asked in: what is drawn depends on the seed and the example alone."""
        known = self._wordings[record.lang]
        if draws >= len(known):
            return known
        asked = "+".join(shown.name for shown in types)
        key = f"{record.id}/{asked}@{span.start if span else 0}{'!' if focus else ''}{'+'.join(focus)}"
        key += f"~copy{copy}" if copy else ""
        found = ranks(self._seed, key, len(known))
        first = sorted(range(len(known)), key=found.__getitem__)[:draws]
        return [known[i] for i in sorted(first)]

    def _dressed(self, template: Template, record: Record, types: Types, window: Span | None) -> Template:
        """Return the wording with what the selection wants to stand in the prompt beside it."""
        settings, lang = self._selection.prompt, template.lang
        marks = words(lang)
        before: list[str] = []
        if settings.corpus:
            before.append(f"{marks.guidelines}{self._corpus.title}")
        if settings.definitions and (lines := self._definitions(types, lang)):
            before += [marks.definitions, *lines]
        if settings.entities and isinstance(record, Document) and (lines := self._entities(record, window)):
            before += [marks.entities, *lines]
        if not before and not settings.form:
            return template
        after = f"\n{templates.form_statement(self._task.name, lang, self._form)}" if settings.form else ""
        return template.dressed("".join(f"{line}\n" for line in before), after)

    def _definitions(self, types: Types, lang: Lang) -> list[str]:
        known = type_names(self._task, self._corpus)
        meant = {t.shown: known[t.name].definition(lang) for t in types if t.name in known}
        if self._task.kind == "events":
            meant |= {role.shown(lang): role.definition(lang) for role in self._corpus.roles.values()}
        return [f"- {shown}{words(lang).colon}{definition}" for shown, definition in meant.items() if definition]

    def _entities(self, document: Document, window: Span | None) -> list[str]:
        marks = words(document.lang)
        shown = {name: type.shown(document.lang) for name, type in self._corpus.entity_types.items()}
        texts: dict[str, dict[str, None]] = {}
        for entity in document.entities:
            if lies(entity.text, entity.spans, window):
                texts.setdefault(shown.get(entity.type, entity.type), {})[entity.text.strip()] = None
        return [f"- {type}{marks.colon}{marks.semicolon.join(found)}" for type, found in texts.items()]

    def _kept(self, example: Example) -> Example | Reject:
        """Return an example whose answer says its gold, if it has something to answer or is drawn all the same."""
        try:
            parsed = self._task.parse(example.answer, example)
        except Unparsable as error:
            return Reject(where=example.id, reason="the answer cannot be parsed", detail=str(error))
        if parsed != example.gold:
            return Reject(where=example.id, reason="the answer does not hold all of the gold", detail=example.answer)
        if self._selection.empty == 1 or getattr(example.gold, "items", True):
            return example
        left_out = rank(self._seed, f"{example.id}/0") / 2**64 >= self._selection.empty
        return Reject(where=example.id, reason=EMPTY) if left_out else example


def _across(
    record: Record, task: Task, types: Sequence[Shown], cut: Sequence[Span], missed: Iterable[Answer]
) -> Iterator[Reject]:
    """Yield what no window of a record that is cut asks for: items of the gold, and pairs."""
    where = f"{place(record)}#{task.name}"
    for item in missed:
        yield Reject(where=where, reason=ACROSS, detail=msgspec.json.encode(item).decode())
    if cut:
        asked = {focus for span in cut for focus in task.focuses(record, types, span)}
        for focus in task.focuses(record, types):
            if focus not in asked:
                yield Reject(where=where, reason=PAIR_ACROSS, detail="+".join(focus))


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
