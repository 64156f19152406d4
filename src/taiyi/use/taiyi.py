"""A model put to use: entities, relations, events, labels and answers of texts of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from taiyi import schema, tasks
from taiyi.build.windows import windows
from taiyi.checkpoint import EMBEDDED, Checkpoint, is_address
from taiyi.errors import TaiyiError
from taiyi.schema import Lang, Message, Record, Reject, Shown
from taiyi.use import asking
from taiyi.use.asking import Asking, Model
from taiyi.use.extraction import TASKS, Kind, Piece, extracted
from taiyi.use.results import KEYS, Choice, Extraction, Label, Said, choices
from taiyi.use.saying import Ask, How, said
from taiyi.use.texts import Asks, fault, language, parts, too_long

if TYPE_CHECKING:
    from taiyi.cascade import Cascade
    from taiyi.endpoint import EndpointSettings
    from taiyi.generate import Engine

Pairs = Literal["similarity", "entailment"]
PAIRS: Mapping[Pairs, str] = {"similarity": "tp_ss", "entailment": "tp_te"}
"""What asks how two texts relate."""
Kinds = Literal["summary", "title", "report"]
Types = Sequence[str] | Mapping[str, str] | Asking

WINDOW_CHARS = 300
"""How many characters are read together by a model that learned whole documents: longer ones may be too long for it."""
# What stands where a record has its gold: nobody knows it, and no prompt shows it.
_UNKNOWN = "?"


class Taiyi:
    """Answers about texts with a model.

    Args:
        engine: what answers.
        model: what is known of it.
    """

    def __init__(self, engine: Engine, model: Model) -> None:
        self.engine = engine
        self.model = model

    @classmethod
    def load(
        cls,
        model: str | Path = EMBEDDED,
        *,
        device: str = "auto",
        runtime: Literal["auto", "torch", "numpy"] = "auto",
        threads: int | None = None,
        endpoint: EndpointSettings | None = None,
    ) -> Taiyi:
        """Load a model.

        Args:
            model: a run, a folder, the id of one on the Hugging Face hub, the address of a server that is compatible
                with OpenAI's, or `mini`, which comes with the package.
            device: `cpu`, `cuda`, or `auto`.
            runtime: what computes it (`generate.loading.load`).
            threads: how many of them compute; else as many as there are cores.
            endpoint: how a server is asked.

        Raises:
            ModelError: it is not there, or cannot be loaded.
        """
        if is_address(model):
            from taiyi.generate import RemoteEngine

            remote = RemoteEngine(str(model), endpoint, grammar=tasks.grammar)
            return cls(remote, Model(remote.name, Checkpoint(form="json"), remote=True))
        from taiyi.generate import LocalEngine

        local = LocalEngine.load(model, device=device, runtime=runtime, threads=threads, grammar=tasks.grammar)
        return cls(local, Model(local.name, local.checkpoint, asking.tags_of(local.tokenizer)))

    # --- extraction --------------------------------------------------------------------------------------------------

    def extract(
        self,
        text: str,
        types: Types = (),
        *,
        what: Kind = "entities",
        lang: Asks = "auto",
        like: str = "",
        window: int | None = None,
    ) -> Extraction:
        """Return what is found in a text.

        Args:
            text: of any length; entities are looked for in windows of it, relations and events in all of it at once.
            types: what to find, by names of the catalogue, those that prompts show, or words of one's own; with their
                definitions, if it is a mapping; or how all texts are asked about (`asking`). What the model learned
                first, if none are given.
            what: entities, relations or events.
            lang: of the prompt; else that of the text.
            like: the corpus by whose guidelines, of a model that learned several.
            window: up to how many characters sentences are read together; else as the model learned it.

        Raises:
            TaiyiError: the text is empty or too long, a type is unknown, or the model did not learn this.
        """
        if not fault(text):
            types = self.asking(what, language(text, lang), types, like)
        (found,) = self.extract_all([text], types, what=what, lang=lang, like=like, window=window)
        if found.fault:
            raise TaiyiError(found.fault, got=f"{len(text):,} characters")
        return found

    def extract_all(
        self,
        texts: Iterable[str],
        types: Types = (),
        *,
        what: Kind = "entities",
        lang: Asks = "auto",
        like: str = "",
        window: int | None = None,
    ) -> Iterator[Extraction]:
        """Yield what is found in each text, in order, as `extract` does; many are answered together, and no more are
        held than that. Where a text cannot be answered, its `fault` says why.

        Raises:
            TaiyiError: nothing can be answered: a type is unknown, or the model did not learn this in any language.
        """
        ask = self._asks(what, types, lang, like)
        size = self._window(window)

        def piece(text: str) -> Piece:
            if wrong := fault(text):
                return Piece(text, None, fault=wrong)
            asked = ask(text)
            if isinstance(asked, TaiyiError):
                return Piece(text, None, fault=str(asked))
            return Piece(text, asked, windows=windows(text, size) if what == "entities" else (None,))

        return extracted(map(piece, texts), self.engine, self._cascade(what, size))

    def extract_long(
        self,
        blocks: Iterable[str],
        types: Types = (),
        *,
        lang: Asks = "auto",
        like: str = "",
        window: int | None = None,
    ) -> Iterator[Extraction]:
        """Yield the entities of one text part by part, as it is read; memory does not grow with it. Offsets are those
        of the whole text, whose language is that of its first part."""

        def pieces() -> Iterator[Piece]:
            asked: Asking | None = None
            for part in parts(blocks, self._window(window)):
                wrong = fault(part.text)
                if asked is None and not wrong:
                    asked = self.asking("entities", language(part.text, lang), types, like)
                yield Piece(part.text, asked, part.at, part.windows, wrong)

        return extracted(pieces(), self.engine, None)

    def asking(self, what: Kind, lang: Lang, types: Types = (), like: str = "") -> Asking:
        """Return how it is asked for entities, relations or events in a language; arguments are those of `extract`.

        Raises:
            RecipeError: a type is unknown.
            ModelError: the model did not learn this.
        """
        if isinstance(types, Asking):
            return types
        cascade = self._cascade(what, 0)
        self.model.check_learned(TASKS[what] if cascade is None else "rc", lang)
        joined = [] if cascade is None else cascade.types(lang)
        shown = joined if joined and not types else self.model.types(TASKS[what], lang, tuple(types), like)
        if self.model.known.relations == "cascade" and joined:
            self.model.check_finds([t.shown for t in shown], [t.shown for t in joined])
        return self.model.asking(
            TASKS[what],
            lang,
            types=shown,
            definitions=types if isinstance(types, Mapping) else None,
            like=like if cascade is None else "",
        )

    def _asks(self, what: Kind, types: Types, lang: Asks, like: str) -> Callable[[str], Asking | TaiyiError]:
        """Return how a text is asked about, by its language, or why it cannot be; each is found out once.

        What returns it raises TaiyiError where texts of no language can be asked about so.
        """
        known: dict[Lang, Asking | TaiyiError] = {}

        def find(spoken: Lang) -> Asking | TaiyiError:
            if spoken not in known:
                try:
                    known[spoken] = self.asking(what, spoken, types, like)
                except TaiyiError as error:
                    known[spoken] = error
            return known[spoken]

        def ask(text: str) -> Asking | TaiyiError:
            found = find(language(text, lang))
            others: tuple[Lang, ...] = ("en", "zh") if lang == "auto" else ()
            if isinstance(found, TaiyiError) and all(isinstance(find(other), TaiyiError) for other in others):
                raise found
            return found

        return ask

    def _window(self, given: int | None) -> int:
        return given or self.model.known.window_chars or WINDOW_CHARS

    def _cascade(self, what: Kind, window: int) -> Cascade | None:
        """Return what finds relations by a cascade, where the model was trained for one and is asked for relations."""
        if what != "relations" or self.model.known.relations == "written":
            return None
        from taiyi.cascade import Cascade, Telling

        return Cascade(cast(Telling, self.engine), self.model.known, window_chars=window)

    # --- labels, choices and texts -----------------------------------------------------------------------------------

    def classify(
        self, text: str, labels: Sequence[str], *, several: bool | None = None, lang: Asks = "auto"
    ) -> list[Label]:
        """Return the label of a text, or its labels, the most probable first.

        Args:
            text: what is labelled.
            labels: in words of one's own, two at least, or the name of a corpus whose labels are meant.
            several: whether the text may have several labels, or none; else as in the corpus, and one of one's own.
            lang: of the prompt; else that of the text.

        Raises:
            TaiyiError: there are no labels, the text is too long, or the model did not learn this.
        """
        return list(self._one(self.classifying(labels, several=several, lang=lang)(text)).labels)

    def pair(
        self, first: str, second: str, labels: Sequence[str], *, what: Pairs = "similarity", lang: Asks = "auto"
    ) -> list[Label]:
        """Return how two texts relate: all labels, the most probable first.

        Args:
            first: one text.
            second: the other.
            labels: in words of one's own, two at least, or the name of a corpus of pairs whose labels are meant.
            what: whether they mean the same, or whether the first entails the second.
            lang: of the prompt; else that of the texts.

        Raises:
            TaiyiError: there are no labels, the texts are too long, or the model did not learn this.
        """
        return list(self._one(self.pairing(labels, what=what, lang=lang)(first, second)).labels)

    def choose(self, question: str, options: Sequence[str], *, context: str = "", lang: Asks = "auto") -> list[Choice]:
        """Return the options of a question, the most probable answer first; `A` is the key of the first that is given.

        Raises:
            TaiyiError: there are fewer than two, the question is too long, or the model did not learn this.
        """
        return choices(self._one(self.choosing(options, lang=lang)(question, context)).labels, options)

    def yes_or_no(self, question: str, context: str, *, lang: Asks = "auto") -> list[Label]:
        """Return yes, no and maybe, the most probable answer first, to a question about a text.

        Raises:
            TaiyiError: it is too long, or the model did not learn this.
        """
        return list(self._one(self.judging(lang=lang)(question, context)).labels)

    def answer(self, question: str, *, context: str = "", lang: Asks = "auto") -> str:
        """Answer a question in words, from a context where one is given.

        Raises:
            TaiyiError: it is too long, or the model did not learn this.
        """
        return self._one(self.answering(lang=lang)(question, context)).text

    def translate(self, text: str, *, lang: Asks = "auto") -> str:
        """Return a text in the other language, Chinese or English; `lang` is that of the text.

        Raises:
            TaiyiError: it is too long, or the model did not learn this.
        """
        return self._one(self.translating(lang=lang)(text)).text

    def rewrite(self, text: str, kind: Kinds, *, lang: Asks = "auto") -> str:
        """Return a summary of a text, the title of an abstract, or the medical report of a dialogue.

        Raises:
            TaiyiError: it is too long, or the model did not learn this.
        """
        return self._one(self.rewriting(kind, lang=lang)(text)).text

    def chat(self, messages: Sequence[Message], *, max_new_tokens: int = 512) -> Iterator[str]:
        """Answer a dialogue, in pieces of text as they come.

        Raises:
            ModelError: it is too long, or the model cannot talk.
        """
        return self.engine.stream(messages, max_new_tokens=max_new_tokens)

    # --- many of them ------------------------------------------------------------------------------------------------

    def each(self, asks: Iterable[Ask]) -> Iterator[Said]:
        """Answer in order what is asked, many at a time, and hold no more than that: `taiyi.each(map(taiyi.classifying(
        labels), texts))`. What cannot be asked or answered has a `fault`."""
        return said(asks, self.engine)

    def classifying(
        self, labels: Sequence[str], *, several: bool | None = None, lang: Asks = "auto"
    ) -> Callable[[str], Ask]:
        """Return what asks for the labels of a text; arguments are those of `classify`."""

        def ask(text: str) -> Ask:
            spoken = language(text, lang)
            shown, many = asking.labels(labels, spoken)
            how = "several" if (many if several is None else several) else "one"
            fields = {"lang": spoken, "text": text, "labels": ()}
            return self._ask("tc", how, schema.Labelled, fields, types=shown, like=_corpus(labels))

        return ask

    def pairing(
        self, labels: Sequence[str], *, what: Pairs = "similarity", lang: Asks = "auto"
    ) -> Callable[[str, str], Ask]:
        """Return what asks how two texts relate; arguments are those of `pair`."""

        def ask(first: str, second: str) -> Ask:
            spoken = language(f"{first}\n{second}", lang)
            shown, _ = asking.labels(labels, spoken, PAIRS[what])
            fields = {"lang": spoken, "first": first, "second": second, "label": shown[0].name}
            return self._ask(PAIRS[what], "each", schema.Pair, fields, types=shown, like=_corpus(labels))

        return ask

    def choosing(self, options: Sequence[str], *, lang: Asks = "auto") -> Callable[[str, str], Ask]:
        """Return what asks for one of some options, from a context where there is one; its labels are keys.

        Raises:
            TaiyiError: there are fewer than two options, or more than letters.
        """
        if not 2 <= len(options) <= len(KEYS):
            raise TaiyiError(f"a choice is between 2 to {len(KEYS)} options", got=len(options))
        keyed = tuple(schema.Option(key=key, text=text) for key, text in zip(KEYS, options, strict=False))

        def ask(question: str, context: str = "") -> Ask:
            fields = {**_question(question, context, lang), "kind": "choice", "answers": ("A",), "options": keyed}
            return self._ask("qa_mc", "each", schema.Question, fields)

        return ask

    def judging(self, *, lang: Asks = "auto") -> Callable[[str, str], Ask]:
        """Return what asks a question for yes, no or maybe, from a context."""

        def ask(question: str, context: str) -> Ask:
            fields = {**_question(question, context, lang), "kind": "yesno", "answers": ("yes",)}
            return self._ask("qa_yesno", "each", schema.Question, fields | {"contexts": (context,)})

        return ask

    def answering(self, *, lang: Asks = "auto") -> Callable[[str, str], Ask]:
        """Return what asks a question, from a context where there is one."""

        def ask(question: str, context: str = "") -> Ask:
            task, kind = ("qa_cqa", "context") if context else ("qa_sqa", "simple")
            fields = {**_question(question, context, lang), "kind": kind, "answers": (_UNKNOWN,)}
            return self._ask(task, "text", schema.Question, fields)

        return ask

    def translating(self, *, lang: Asks = "auto") -> Callable[[str], Ask]:
        """Return what asks for a translation into the other language."""

        def ask(text: str) -> Ask:
            spoken = language(text, lang)
            other = "zh" if spoken == "en" else "en"
            fields = {"lang": spoken, "source": text, "target": _UNKNOWN, "target_lang": other}
            return self._ask("mt", "text", schema.Parallel, fields)

        return ask

    def rewriting(self, kind: Kinds, *, lang: Asks = "auto") -> Callable[[str], Ask]:
        """Return what asks for a summary, a title or a report of a text."""

        def ask(text: str) -> Ask:
            fields = {"lang": language(text, lang), "kind": kind, "source": text, "target": _UNKNOWN}
            return self._ask(kind, "text", schema.TextToText, fields)

        return ask

    # --- what these share --------------------------------------------------------------------------------------------

    def _ask(
        self,
        task: str,
        how: How,
        record: type[Record],
        fields: Mapping[str, Any],
        *,
        types: Sequence[Shown] = (),
        like: str = "",
    ) -> Ask:
        """Return a question about a record of these fields, or why it cannot be asked."""
        texts = (t for t in (*fields.values(), *fields.get("contexts", ())) if isinstance(t, str))
        if wrong := next(filter(None, (fault(text) or too_long(len(text)) for text in texts)), ""):
            return Ask(None, how, wrong)
        lang: Lang = fields["lang"]
        there = any(one.corpus == like and one.task == task for one in self.model.known.learned)
        try:
            self.model.check_learned(task, lang)
            asked = self.model.asking(task, lang, types=types, like=like if there else "")
        except TaiyiError as error:
            # Others may be in a language that the model learned.
            return Ask(None, how, str(error), error)
        item = record(id="0", corpus="input", split="test", **fields)
        made = asked.task.render(item, asked.template, form=asked.form, types=types)
        return Ask(None, how, made.reason) if isinstance(made, Reject) else Ask(made, how)

    def _one(self, ask: Ask) -> Said:
        """Answer a question; raise TaiyiError where there is no answer."""
        if ask.error is not None:
            raise ask.error
        (found,) = self.each([ask])
        if found.fault:
            raise TaiyiError(found.fault, where=self.model.name)
        return found


def _question(question: str, context: str, lang: Asks) -> dict[str, Any]:
    """Return the fields that all questions have."""
    return {"lang": language(question, lang), "question": question, "contexts": (context,) if context else ()}


def _corpus(labels: Sequence[str]) -> str:
    """Return the corpus whose labels are meant, where they are named by it."""
    return labels[0] if len(labels) == 1 else ""
