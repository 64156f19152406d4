"""What a request asks a model: types under the names that prompts show them by, in the words that the model learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from taiyi import catalogue, tagged, tasks, templates
from taiyi.catalogue import Corpus, TypeName
from taiyi.checkpoint import Checkpoint, Learned
from taiyi.errors import ModelError, RecipeError, meant, suggestion
from taiyi.schema import Lang, Shown
from taiyi.tasks import Naming, Task
from taiyi.tasks.marked import TAGS as MARKS
from taiyi.templates import Template, words
from taiyi.tokens import Tokenizer

_SHOWN = 12
"""So many types are named where one is unknown; small models know a hundred."""
_TITLES = {"rc": "how two entities are related"}
"""What tasks are called that no corpus has by themselves."""


class Asking(NamedTuple):
    """How something is asked.

    Attributes:
        task: what.
        types: which types or labels, as the catalogue has them and as prompts show them.
        template: in which words, with all that stands beside them.
        form: of the answer.
        prompted: the types that prompts ask for, where these are more than are wanted.
    """

    task: Task
    types: tuple[Shown, ...]
    template: Template
    form: str
    prompted: tuple[Shown, ...] = ()

    @property
    def lang(self) -> Lang:
        return self.template.lang


class Model(NamedTuple):
    """What is known of a model that is asked.

    Attributes:
        name: what it is called in errors.
        known: how it was trained.
        tags: those that its tokenizer has as tokens: what it was trained to mark; none where nothing is known.
        remote: whether it is asked through a server, which cannot hold answers in tags to their source.
    """

    name: str
    known: Checkpoint
    tags: frozenset[str] = frozenset()
    remote: bool = False

    @property
    def finds_others(self) -> bool:
        """Whether the model may find types that it did not learn: it has no tags for these where it can do nothing but
        what it learned."""
        return not (self.known.confined and self.tags)

    def check_learned(self, task: str, lang: Lang) -> None:
        """Raise ModelError where it is known that the model cannot do a task in a language."""
        if not self.known.knows(task, lang):
            done = self.known.tasks().items()
            raise ModelError(
                "the model did not learn this",
                where=self.name,
                got=f"{_title(task)} in {lang}",
                expected="; ".join(f"{_title(task)} in {' and '.join(langs)}" for task, langs in done),
                mend="ask another model",
            )

    def asking(
        self,
        task: str,
        lang: Lang,
        *,
        types: Sequence[Shown] = (),
        definitions: Mapping[str, str] | None = None,
        like: str = "",
    ) -> Asking:
        """Return how a task is asked in a language.

        Args:
            task: its name.
            lang: of the prompt.
            types: what is asked for.
            definitions: what types mean, by names that `types` knows.
            like: the corpus by whose guidelines; else the first that has all types.

        Raises:
            ModelError: these are labels that the model did not learn, and it can do nothing but what it learned.
        """
        learned = guideline(self.known, task, lang, types=[t.shown for t in types], like=like)
        named = [one.corpus for one in self.known.taught(task, lang) if one.types]
        if tasks.get(task).kind == "labels" and self.known.confined and named and learned is None:
            raise ModelError(
                "the model did not learn these labels",
                where=self.name,
                got=", ".join(t.shown for t in types),
                expected=f"those of {', '.join(dict.fromkeys(named))}",
                mend="name one of these corpora, or ask a larger model for labels of your own",
            )
        asked = _naming(tasks.get(task), lang, types, learned.corpus if learned else like)
        known = tasks.load_templates(asked, lang)
        template = next((t for t in known if learned and t.id == learned.template), known[0])
        before = [f"{words(lang).guidelines}{learned.title}"] if learned and learned.title else []
        if definitions:
            meant = {
                self.types(task, lang, [name])[0].shown: meaning for name, meaning in definitions.items() if meaning
            }
            lines = [f"- {shown}{words(lang).colon}{meaning}" for shown, meaning in meant.items()]
            before += [words(lang).definitions, *lines] if lines else []
        form = "json" if self.remote and "json" in asked.forms else self._form(asked)
        after = f"\n{templates.form_statement(task, lang, form)}" if self.remote and len(asked.forms) > 1 else ""
        if before or after:
            template = template.dressed("".join(f"{line}\n" for line in before), after)
        return Asking(asked, tuple(types), template, form, _together(learned, types) if learned else ())

    def _form(self, task: Task) -> str:
        return self.known.form if self.known.form in task.forms else task.forms[0]

    def types(self, task: str, lang: Lang, wanted: Sequence[str], like: str = "") -> list[Shown]:
        """Resolve type names, as the catalogue or the prompts have them; without any, what the model learned, else the
        widest set of a known corpus.

        Raises:
            RecipeError: a name is unknown to a model that has tags for what it knows; or there are none.
            ModelError: the model can do nothing but what it learned, and has no tag for a type.
        """
        if not wanted and (learned := guideline(self.known, task, lang, like=like)):
            wanted = learned.types
        learned = sorted(self.known.taught(task, lang), key=lambda one: bool(one.title))
        there = list(dict.fromkeys(shown for one in learned for shown in one.types))
        if wanted and all(word in (there or self.tags) for word in wanted):
            # The catalogue takes a moment to read.
            return [Shown(name=word, shown=word) for word in dict.fromkeys(wanted)]
        asked = tasks.get(task)
        known = [c for c in catalogue.all_corpora() if lang in c.langs and task in c.tasks]
        tags = self.tags if asked.kind == "entities" else frozenset[str]()
        if not wanted:
            return _widest(known, asked, lang, tags)
        places = {shown: place for place, shown in enumerate(there)}
        # Where corpora show a type in several words, those count that the model learned first.
        every = sorted(
            ((name, t) for c in known for name, t in _names(c, asked).items()),
            key=lambda named: -places.get(named[1].shown(lang), len(places)),
        )
        names = {text.casefold(): (name, t) for name, t in every for text in (name, t.en, t.zh)}
        found: list[Shown] = []
        for word in wanted:
            if match := names.get(word.casefold()):
                found.append(Shown(name=match[0], shown=match[1].shown(lang), symmetric=match[1].symmetric))
            elif word in tags or not tags:
                found.append(Shown(name=word, shown=word))
            else:
                shown = {t.shown(lang) for c in known for t in _names(c, asked).values()} | tags
                raise RecipeError("unknown type", got=word, mend=meant(word, shown) or _some(there or sorted(shown)))
        if tags and not self.finds_others:
            self.check_finds([t.shown for t in found], there + sorted(tags - {*there}))
        return list(dict.fromkeys(found))

    def check_finds(self, shown: Sequence[str], learned: Sequence[str]) -> None:
        """Raise ModelError where a type is not among those that the model learned, the foremost of them first."""
        if missing := [word for word in shown if word not in learned]:
            raise ModelError(
                "the model did not learn to find this",
                where=self.name,
                got=", ".join(missing),
                mend=f"{_some(learned)}. Ask a larger model for others",
            )


def labels(wanted: Sequence[str], lang: Lang, task: str = "tc") -> tuple[list[Shown], bool]:
    """Return the labels that are meant, by themselves or as those of a corpus, and whether there may be several.

    Raises:
        RecipeError: there are none, or the one name is that of no corpus that has the task.
    """
    if len(wanted) > 1:
        return [Shown(name=word, shown=word) for word in dict.fromkeys(wanted)], False
    if not wanted:
        raise RecipeError("it is not said which labels there are", mend="name them, or a corpus that has them")
    known = {corpus.name: corpus for corpus in catalogue.all_corpora() if corpus.labels and task in corpus.tasks}
    if (corpus := known.get(wanted[0])) is None:
        raise RecipeError(
            "no corpus with labels has this name",
            where="labels",
            got=wanted[0],
            expected="such a corpus, or two labels at least",
            mend=suggestion(wanted[0], known),
        )
    return [Shown(name=name, shown=t.shown(lang)) for name, t in corpus.labels.items()], corpus.multi_label


def guideline(known: Checkpoint, task: str, lang: Lang, *, types: Sequence[str] = (), like: str = "") -> Learned | None:
    """Return what a model learned by whose guidelines it is asked: of the corpus that is named, else the first that has
    all types, and that prompts did not name, else the one that has fewest others; None where nothing is known.

    Raises:
        RecipeError: the model learned nothing of the corpus in this task and language.
    """
    there = known.taught(task, lang)
    if like and like not in (one.corpus for one in there):
        known_ones = list(dict.fromkeys(one.corpus for one in there))
        raise RecipeError(
            f"the model did not learn {task} of this corpus in this language",
            where="like",
            got=like,
            expected=", ".join(known_ones) or None,
            mend=meant(like, known_ones) if known_ones else "leave it out: the model names no such corpus",
        )
    wanted = {word.casefold() for word in types}
    named = [one for one in there if one.corpus == like]
    fitting = named or [one for one in there if wanted <= {shown.casefold() for shown in one.types}]
    # What has few types beside those that are wanted is about them.
    return min(fitting, key=lambda one: (bool(one.title), len(one.types) if one.title and types else 0), default=None)


def _together(learned: Learned, types: Sequence[Shown]) -> tuple[Shown, ...]:
    """Return all types that prompts asked for together, where some of them are wanted: asked for these alone, a model
    that never saw them apart takes others for them."""
    wanted = {shown.shown: shown for shown in types}
    if not learned.together or not wanted.keys() < {*learned.types}:
        return ()
    return tuple(wanted.get(word, Shown(name=word, shown=word)) for word in learned.types)


def tags_of(tokenizer: Tokenizer) -> frozenset[str]:
    """Return the tags that a tokenizer has as tokens."""
    texts = {token.content for token in tokenizer.added_tokens_decoder.values()}
    return frozenset(
        t[1:-1]
        for t in texts - set(MARKS)
        if t.startswith("<") and t.endswith(">") and tagged.close_tag(t[1:-1]) in texts
    )


def _naming(task: Task, lang: Lang, types: Sequence[Shown], like: str) -> Task:
    """Return a task that names roles told those of a corpus that has the types, the one that is meant first."""
    if not isinstance(task, Naming):
        return task
    known = [c for c in catalogue.all_corpora() if lang in c.langs and {t.name for t in types} <= c.event_types.keys()]
    corpus = max(known, key=lambda c: c.name == like, default=None)
    if corpus is None:
        return task
    return task.naming({lang: [Shown(name=n, shown=r.shown(lang), values=r.values) for n, r in corpus.roles.items()]})


def _some(names: Sequence[str]) -> str:
    """Return the first of what there is, and how many others there are."""
    shown, others = ", ".join(names[:_SHOWN]), len(names) - _SHOWN
    return f"there are: {shown}" + (f", and {others} others" if others > 0 else "")


def _title(task: str) -> str:
    """Return what a task is called in words."""
    from taiyi.catalogue.card import TASKS

    return TASKS.get(task) or _TITLES.get(task, task)


def _widest(known: Sequence[Corpus], task: Task, lang: Lang, tags: frozenset[str]) -> list[Shown]:
    """Return the types of the corpus that has most, of those that the model has tags for."""
    fitting = [c for c in known if not tags or {t.shown(lang) for t in _names(c, task).values()} <= tags]
    if not fitting:
        raise RecipeError("it is not known which types the model finds in this language", mend="name them")
    names = _names(max(fitting, key=lambda c: len(_names(c, task))), task)
    return [Shown(name=name, shown=t.shown(lang), symmetric=t.symmetric) for name, t in names.items()]


def _names(corpus: Corpus, task: Task) -> Mapping[str, TypeName]:
    if task.kind == "events":
        return corpus.event_types
    return corpus.entity_types if task.kind == "entities" else corpus.relation_types
