"""A model put to use: entities, relations, events, labels and answers of texts of one's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from taiyi import schema, tasks
from taiyi.build.windows import windows
from taiyi.checkpoint import EMBEDDED, Checkpoint, is_address
from taiyi.errors import ModelError, TaiyiError
from taiyi.schema import Example, FreeText, Labels, Lang, Message, Record, Reject, Shown
from taiyi.use import asking
from taiyi.use.asking import Asking, Model
from taiyi.use.extraction import LIMITS, TASKS, Kind, Piece, extracted
from taiyi.use.results import Choice, Extraction, Label
from taiyi.use.texts import fault, language, parts

if TYPE_CHECKING:
    from taiyi.cascade import Cascade
    from taiyi.endpoint import EndpointSettings
    from taiyi.generate import Engine

Asks = Literal["auto", "en", "zh"]
Types = Sequence[str] | Mapping[str, str] | Asking

WINDOW_CHARS = 300
"""How many characters are read together by a model that learned whole documents: longer ones may be too long for it."""
_HEAD: dict[str, Any] = {"id": "0", "corpus": "input", "split": "test"}
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
        held than that. Where a text cannot be answered, its `fault` says why."""
        ask = self._asks(what, types, lang, like)
        size = self._window(window)

        def piece(text: str) -> Piece:
            if wrong := fault(text):
                return Piece(text, None, fault=wrong)
            return Piece(text, ask(text), windows=windows(text, size) if what == "entities" else (None,))

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
        ask = self._asks("entities", types, lang, like)

        def pieces() -> Iterator[Piece]:
            asked: Asking | None = None
            for part in parts(blocks, self._window(window)):
                wrong = fault(part.text)
                asked = asked or (None if wrong else ask(part.text))
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
        shown = [] if types or cascade is None else cascade.types(lang)
        return self.model.asking(
            TASKS[what],
            lang,
            types=shown or self.model.types(TASKS[what], lang, tuple(types), like),
            definitions=types if isinstance(types, Mapping) else None,
            like=like if cascade is None else "",
        )

    def _asks(self, what: Kind, types: Types, lang: Asks, like: str) -> Callable[[str], Asking]:
        """Return how a text is asked about, by its language; each is found out once."""
        known: dict[Lang, Asking] = {}

        def ask(text: str) -> Asking:
            spoken = language(text, lang)
            if spoken not in known:
                known[spoken] = self.asking(what, spoken, types, like)
            return known[spoken]

        return ask

    def _window(self, given: int | None) -> int:
        return given or self.model.known.window_chars or WINDOW_CHARS

    def _cascade(self, what: Kind, window: int) -> Cascade | None:
        """Return what finds relations by a cascade, where the model was trained for one and is asked for relations."""
        if what != "relations" or self.model.known.relations == "written":
            return None
        from taiyi.cascade import Cascade, Telling

        return Cascade(cast(Telling, self.engine), self.model.known, window_chars=window)

    # --- labels and choices ------------------------------------------------------------------------------------------

    def classify(
        self, text: str, labels: Sequence[str], *, several: bool | None = None, lang: Asks = "auto"
    ) -> list[Label]:
        """Return the labels of a text, the most probable first.

        Args:
            text: what is labelled.
            labels: in words of one's own, two at least, or the name of a corpus whose labels are meant.
            several: whether the text may have several labels, or none; else as in the corpus, and one of one's own.
            lang: of the prompt; else that of the text.

        Raises:
            TaiyiError: there are no labels, the text is too long, or the model did not learn this.
        """
        spoken = language(_whole(text), lang)
        shown, many = asking.labels(labels, spoken)
        record = schema.Labelled(**_HEAD, lang=spoken, text=text, labels=())
        example = self._example(record, "tc", shown, like=_corpus(labels))
        return self._labels(example) if (many if several is None else several) else self._weighed(example)[:1]

    def pair(
        self,
        first: str,
        second: str,
        labels: Sequence[str],
        *,
        what: Literal["similarity", "entailment"] = "similarity",
        lang: Asks = "auto",
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
        spoken = language(f"{_whole(first)}\n{_whole(second)}", lang)
        task = "tp_ss" if what == "similarity" else "tp_te"
        shown, _ = asking.labels(labels, spoken, task)
        record = schema.Pair(**_HEAD, lang=spoken, first=first, second=second, label=shown[0].name)
        return self._weighed(self._example(record, task, shown, like=_corpus(labels)))

    def choose(self, question: str, options: Sequence[str], *, context: str = "", lang: Asks = "auto") -> list[Choice]:
        """Return the options of a question, the most probable answer first; `A` is the key of the first that is given.

        Raises:
            TaiyiError: there are fewer than two, the question is too long, or the model did not learn this.
        """
        if not 2 <= len(options) <= 26:
            raise TaiyiError("a choice is between 2 to 26 options", got=len(options))
        spoken = language(_whole(question), lang)
        keyed = [schema.Option(key=chr(ord("A") + n), text=text) for n, text in enumerate(options)]
        record = schema.Question(
            **_HEAD,
            lang=spoken,
            kind="choice",
            question=question,
            answers=("A",),
            options=tuple(keyed),
            contexts=(context,) if context else (),
        )
        texts = {option.key: option.text for option in keyed}
        weighed = self._weighed(self._example(record, "qa_mc"))
        return [Choice(key=label.name, text=texts[label.name], confidence=label.confidence) for label in weighed]

    def yes_or_no(self, question: str, context: str, *, lang: Asks = "auto") -> list[Label]:
        """Return yes, no and maybe, the most probable answer first, to a question about a text.

        Raises:
            TaiyiError: it is too long, or the model did not learn this.
        """
        spoken = language(_whole(question), lang)
        record = schema.Question(
            **_HEAD, lang=spoken, kind="yesno", question=question, answers=("yes",), contexts=(_whole(context),)
        )
        return self._weighed(self._example(record, "qa_yesno"))

    # --- texts -------------------------------------------------------------------------------------------------------

    def answer(self, question: str, *, context: str = "", lang: Asks = "auto") -> str:
        """Answer a question in words, from a context where one is given.

        Raises:
            TaiyiError: it is too long, or the model did not learn this.
        """
        spoken = language(_whole(question), lang)
        kind = "context" if context else "simple"
        contexts = (context,) if context else ()
        record = schema.Question(
            **_HEAD, lang=spoken, kind=kind, question=question, answers=(_UNKNOWN,), contexts=contexts
        )
        return self._written(self._example(record, "qa_cqa" if context else "qa_sqa"))

    def translate(self, text: str, *, lang: Asks = "auto") -> str:
        """Return a text in the other language, Chinese or English; `lang` is that of the text.

        Raises:
            TaiyiError: it is too long, or the model did not learn this.
        """
        spoken = language(_whole(text), lang)
        target: Lang = "zh" if spoken == "en" else "en"
        record = schema.Parallel(**_HEAD, lang=spoken, source=text, target=_UNKNOWN, target_lang=target)
        return self._written(self._example(record, "mt"))

    def rewrite(self, text: str, kind: Literal["summary", "title", "report"], *, lang: Asks = "auto") -> str:
        """Return a summary of a text, the title of an abstract, or the medical report of a dialogue.

        Raises:
            TaiyiError: it is too long, or the model did not learn this.
        """
        spoken = language(_whole(text), lang)
        record = schema.TextToText(**_HEAD, lang=spoken, kind=kind, source=text, target=_UNKNOWN)
        return self._written(self._example(record, kind))

    def chat(self, messages: Sequence[Message], *, max_new_tokens: int = 512) -> Iterator[str]:
        """Answer a dialogue, in pieces of text as they come.

        Raises:
            ModelError: it is too long, or the model cannot talk.
        """
        return self.engine.stream(messages, max_new_tokens=max_new_tokens)

    # --- what these share --------------------------------------------------------------------------------------------

    def _example(self, record: Record, task: str, types: Sequence[Shown] = (), *, like: str = "") -> Example:
        self.model.check_learned(task, record.lang)
        there = any(one.corpus == like and one.task == task for one in self.model.known.learned)
        asked = self.model.asking(task, record.lang, types=types, like=like if there else "")
        made = asked.task.render(record, asked.template, form=asked.form, types=types)
        if isinstance(made, Reject):
            raise TaiyiError(made.reason, got=made.detail or None)
        return made

    def _written(self, example: Example) -> str:
        (prediction,) = self.engine.generate([example], **LIMITS)
        self._check(prediction)
        answer = tasks.get(example.task).parse(prediction.text, example)
        assert isinstance(answer, FreeText)
        return answer.text

    def _labels(self, example: Example) -> list[Label]:
        """Return the labels that are written, each by how probable the answer is with it beside that without it."""
        (prediction,) = self.engine.generate([example], **LIMITS)
        self._check(prediction)
        task = tasks.get(example.task)
        answer = task.parse(prediction.text, example)
        assert isinstance(answer, Labels) and isinstance(task, tasks.Writing)
        shown = {t.name: t.shown for t in example.types}
        without = [Labels(items=tuple(n for n in answer.items if n != name)) for name in answer.items]
        scores = self._scores(example, [task.write(one, example) for one in (answer, *without)]) if without else []
        sure = [1 / (1 + math.exp(min(700.0, score - scores[0]))) for score in scores[1:]]
        found = zip(answer.items, sure or [None] * len(answer.items), strict=True)
        return sorted(
            (Label(name=shown.get(name, name), confidence=value) for name, value in found),
            key=lambda label: -(label.confidence or 0.0),
        )

    def _weighed(self, example: Example) -> list[Label]:
        """Return the answers that an example has, the most probable first."""
        task = tasks.get(example.task)
        if isinstance(task, tasks.Closed):
            candidates = list(task.candidates(example))
        else:
            assert isinstance(task, tasks.Writing)
            candidates = [task.write(Labels(items=(shown.name,)), example) for shown in example.types]
        scores = self._scores(example, candidates)
        if not scores:
            # A server that does not tell how probable answers are writes one.
            (prediction,) = self.engine.generate([example], **LIMITS)
            self._check(prediction)
            return [Label(name=prediction.text.strip())]
        most = max(scores)
        together = sum(math.exp(score - most) for score in scores)
        weighed = [
            Label(name=name, confidence=math.exp(score - most) / together)
            for name, score in zip(candidates, scores, strict=True)
        ]
        return sorted(weighed, key=lambda label: -(label.confidence or 0.0))

    def _scores(self, example: Example, candidates: Sequence[str]) -> list[float]:
        """Return the log-probability of each candidate; none from an engine that does not tell."""
        from taiyi.generate import Asked, Weighing

        if not isinstance(self.engine, Weighing):
            return []
        (weighed,) = self.engine.weigh([Asked(example, candidates)], batch_tokens=LIMITS["batch_tokens"])
        if not weighed.scores:
            raise ModelError("what is asked is longer than the model's context", where=self.model.name)
        return list(weighed.scores)

    def _check(self, prediction: schema.Prediction) -> None:
        if prediction.finish == "refused":
            raise ModelError("there is no answer", where=self.model.name, got=prediction.reason)


def _whole(text: str) -> str:
    """Return a text that can be asked about; raise TaiyiError where it cannot."""
    if wrong := fault(text):
        raise TaiyiError(wrong)
    return text


def _corpus(labels: Sequence[str]) -> str:
    """Return the corpus whose labels are meant, where they are named by it."""
    return labels[0] if len(labels) == 1 else ""
