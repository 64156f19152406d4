"""Relations by a cascade: a model finds the entities of a text, and then says of each pair of them how it is related.

An example that asks for relations is answered in the form that it asks for, with a model that learned `ner` and `rc`:
entities in windows of whole sentences, as it learned them; then the pairs whose types the asked relations join,
mentions of one name being one concept (`tasks.names`); and of each pair the most probable relation, where that is more
probable than none. What is made use of is the text, the language and the types that are asked for, never the gold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, Protocol, cast

import msgspec

from taiyi import tasks
from taiyi.build.windows import windows
from taiyi.checkpoint import Checkpoint, Joined
from taiyi.errors import Unparsable
from taiyi.evaluate.places import placed
from taiyi.generate.engine import NO_ROOM, Asked, Engine, Weighing
from taiyi.schema import (
    Document,
    Entity,
    Example,
    Lang,
    Mentions,
    Message,
    Prediction,
    Reject,
    Shown,
    Triple,
    Triples,
)
from taiyi.tasks import Task, Writing
from taiyi.tasks.facts import End, Facts
from taiyi.tasks.rc import RelationClassification
from taiyi.tasks.relations import Relations
from taiyi.templates import Template, choose, words

_TOGETHER = 64
"""How many examples are answered at a time: they fill batches, and little is lost where a run is cut."""

_FORM = "label"


class Telling(Engine, Weighing, Protocol):
    """An engine that answers, and says how probable answers are."""


class Weight(NamedTuple):
    """The most probable relation of a pair.

    Attributes:
        margin: how much more probable it is than none, as a difference of log-probabilities.
        triples: what it says.
    """

    margin: float
    triples: tuple[Triple, ...]


@dataclass(slots=True)
class Judged:
    """An example with what was found out about it.

    Attributes:
        example: asks for relations.
        weights: those of its pairs, in the order of the text.
        refused: why there is no answer, where there is none.
        num_tokens: those of the answers about its entities.
        seconds: its share of the time.
    """

    example: Example
    weights: list[Weight] = field(default_factory=list[Weight])
    refused: str = ""
    num_tokens: int = 0
    seconds: float = 0.0

    def answer(self, bias: float) -> Triples:
        """Return the relations of the pairs that are more probable than none by more than -`bias`."""
        found = (triple for weight in self.weights if weight.margin + bias > 0 for triple in weight.triples)
        return Triples(items=tuple(dict.fromkeys(found)))

    def prediction(self, bias: float) -> Prediction:
        """Return the answer as if it had been written."""
        if self.refused:
            return Prediction(example=self.example.id, text="", finish="refused", reason=self.refused)
        task = cast(Writing, tasks.get(self.example.task))
        return Prediction(
            example=self.example.id,
            text=task.write(self.answer(bias), self.example),
            finish="stop",
            constrained=True,
            num_tokens=self.num_tokens,
            seconds=self.seconds,
        )


@dataclass(slots=True)
class _Text:
    """The text of an example, to be asked for some of its types by what is known of one corpus."""

    judged: Judged
    joined: Joined
    types: tuple[Shown, ...]
    document: Document
    pairs: list[_Pair] = field(default_factory=list["_Pair"])


@dataclass(slots=True)
class _Pair:
    """A pair of a text: the example that asks about it, and what each answer says that is not none."""

    example: Example
    answers: Mapping[str, tuple[Triple, ...]]
    weight: Weight | None = None


class Cascade:
    """Answers examples that ask for relations by a cascade, and others as its engine does.

    Args:
        engine: of a model that learned to find entities and to answer about pairs.
        checkpoint: how it was trained.
        pair_bias: how much more probable a relation is taken to be, in place of what the checkpoint says.
        window_chars: up to how many characters sentences are read together for entities, likewise; 0 for whole texts.
    """

    def __init__(
        self,
        engine: Telling,
        checkpoint: Checkpoint,
        *,
        pair_bias: float | None = None,
        window_chars: int | None = None,
    ) -> None:
        self.engine = engine
        self.joined = checkpoint.joined
        self.either = checkpoint.relations == "either"
        self.form = checkpoint.form
        self.pair_bias = checkpoint.pair_bias if pair_bias is None else pair_bias
        self.window_chars = checkpoint.window_chars if window_chars is None else window_chars
        self._entities: Task = tasks.get("ner")

    def generate(self, examples: Sequence[Example], *, max_new_tokens: int, batch_tokens: int) -> Iterator[Prediction]:
        """Answer every example once, in any order; `max_new_tokens` bounds what is written."""
        for judged in self.judge(
            [e for e in examples if self.answers(e)], max_new_tokens=max_new_tokens, batch_tokens=batch_tokens
        ):
            yield judged.prediction(self.pair_bias)
        if others := [e for e in examples if not self.answers(e)]:
            yield from self.engine.generate(others, max_new_tokens=max_new_tokens, batch_tokens=batch_tokens)

    def stream(self, messages: Sequence[Message], *, max_new_tokens: int) -> Iterator[str]:
        """Answer a dialogue, in pieces of text as they come."""
        return self.engine.stream(messages, max_new_tokens=max_new_tokens)

    def answers(self, example: Example) -> bool:
        """Whether an example is answered by pairs: one of whose types it is not known what they join, is not where they
        can be written instead."""
        asks = isinstance(tasks.get(example.task), Relations)
        return asks and (not self.either or any(self._known(example)))

    def types(self, lang: Lang) -> list[Shown]:
        """Return the types of relations whose pairs the model learned in a language."""
        there = [joined for joined in self.joined if joined.lang == lang]
        names = dict.fromkeys(name for joined in there for name, *_ in (*joined.joins, *joined.loops))
        undirected = {name for joined in there for name in joined.symmetric}
        return [Shown(name=name, shown=name, symmetric=name in undirected) for name in names]

    def judge(self, examples: Sequence[Example], *, max_new_tokens: int, batch_tokens: int) -> Iterator[Judged]:
        """Find the entities of examples that ask for relations, and weigh the relations of their pairs."""
        rest = iter(examples)
        while part := [Judged(example) for example in islice(rest, _TOGETHER)]:
            texts = [_text(judged, *known) for judged in part for known in self._known(judged.example)]
            self._read(texts, max_new_tokens, batch_tokens)
            self._pair(texts)
            self._weigh(texts, batch_tokens)
            yield from part

    def _known(self, example: Example) -> Iterator[tuple[Joined, tuple[Shown, ...]]]:
        """Yield by what corpora it is known what asked types join, with these types: by that of the example alone,
        where the model learned pairs of it."""
        there = [joined for joined in self.joined if joined.lang == example.lang]
        own = [joined for joined in there if joined.corpus == example.corpus]
        for joined in own or there:
            names = {name for name, *_ in (*joined.joins, *joined.loops)}
            types = (shown for shown in example.types if shown.shown in names)
            if found := tuple(_directed(shown, joined) for shown in types):
                yield joined, found

    def _read(self, texts: Sequence[_Text], max_new_tokens: int, batch_tokens: int) -> None:
        """Put what the model finds into the documents of texts."""
        asked: dict[str, tuple[_Text, Example]] = {}
        for text in texts:
            document, types = text.document, _entity_types(text)
            template = _worded_alike(self._entities, text.judged.example)
            form = self.form if self.form in self._entities.forms else self._entities.forms[0]
            for window in windows(document.text, self.window_chars):
                made = self._entities.render(document, template, form=form, types=types, window=window)
                if isinstance(made, Reject):
                    text.judged.refused = made.reason
                else:
                    asked[made.id] = (text, made)
        found: dict[str, list[tuple[Example, Mentions]]] = {}
        examples = [example for _, example in asked.values()]
        for prediction in self.engine.generate(examples, max_new_tokens=max_new_tokens, batch_tokens=batch_tokens):
            text, example = asked[prediction.example]
            text.judged.seconds += prediction.seconds
            text.judged.num_tokens += prediction.num_tokens
            if prediction.finish == "refused":
                text.judged.refused = prediction.reason
            else:
                found.setdefault(text.document.id, []).append((example, self._said(example, prediction)))
        for text in texts:
            merged = self._entities.merge(found.get(text.document.id, []))
            assert isinstance(merged, Mentions)
            text.document = _with(text.document, merged)

    def _said(self, example: Example, prediction: Prediction) -> Mentions:
        """Return the mentions of an answer with their places; of one that lists texts, wherever these stand. What
        cannot be parsed says nothing, as in scoring."""
        text = prediction.text if prediction.finish == "stop" else self._entities.cut(prediction.text, example)
        try:
            answer = self._entities.parse(text, example)
        except Unparsable:
            return Mentions()
        assert isinstance(answer, Mentions)
        return answer if example.tagging is not None else placed(answer, example.source_text)[0]

    def _pair(self, texts: Sequence[_Text]) -> None:
        """Make an example of each pair of the entities of texts."""
        for text in texts:
            joined, document = text.joined, text.document
            task = RelationClassification(_facts(text), by_name=True, near=joined.near, fitting=joined.fitting)
            template = _worded_alike(task, text.judged.example)
            for focus in task.focuses(document, text.types):
                made = task.render(document, template, form=_FORM, types=text.types, focus=focus)
                if isinstance(made, Reject):
                    text.judged.refused = made.reason
                    break
                answers = {
                    label: task.triples(document, focus, shown, backwards=backwards)
                    for label, (shown, backwards) in task.labels(document, focus, text.types).items()
                }
                text.pairs.append(_Pair(made, answers))

    def _weigh(self, texts: Sequence[_Text], batch_tokens: int) -> None:
        """Weigh the relations of the pairs of texts."""
        asked = {pair.example.id: (text, pair) for text in texts if not text.judged.refused for pair in text.pairs}
        candidates = [Asked(pair.example, (words(pair.example.lang).none, *pair.answers)) for _, pair in asked.values()]
        for weighed in self.engine.weigh(candidates, batch_tokens=batch_tokens):
            text, pair = asked[weighed.example]
            text.judged.seconds += weighed.seconds
            if not weighed.scores:
                text.judged.refused = NO_ROOM
                continue
            none, *others = weighed.scores
            best = max(range(len(others)), key=lambda index: (others[index], -index))
            pair.weight = Weight(others[best] - none, tuple(pair.answers.values())[best])
        for text in texts:
            text.judged.weights += [pair.weight for pair in text.pairs if pair.weight is not None]


def fitted(judged: Sequence[Judged]) -> tuple[float, float]:
    """Return the bias under which examples have the best micro-F1, by their gold, and that; 0 where all are alike.

    It lies in the middle between two margins, of which one is told and the other is not.
    """
    gold = [set(cast(Triples, one.example.gold).items) for one in judged]
    there = sum(map(len, gold))
    weights = sorted(
        ((weight.margin, number, weight.triples) for number, one in enumerate(judged) for weight in one.weights),
        key=lambda weight: -weight[0],
    )
    said: set[tuple[int, Triple]] = set()
    right, best = 0, (0.0, 0.0)
    for index, (margin, number, triples) in enumerate(weights):
        new = {(number, triple) for triple in triples} - said
        said |= new
        right += sum(triple in gold[number] for _, triple in new)
        after = weights[index + 1][0] if index + 1 < len(weights) else margin - 2.0
        f1 = 2 * right / (len(said) + there) if right else 0.0
        if margin > after and f1 > best[1]:
            best = (-(margin + after) / 2, f1)
    return best


def _text(judged: Judged, joined: Joined, types: tuple[Shown, ...]) -> _Text:
    example = judged.example
    document = Document(
        id=f"{example.id}/{joined.corpus}",
        corpus=example.corpus,
        split=example.split,
        lang=example.lang,
        text=example.source_text,
    )
    return _Text(judged, joined, types, document)


def _directed(shown: Shown, joined: Joined) -> Shown:
    """Return a type of relations with what is known of its direction, which who asks in words does not say."""
    return msgspec.structs.replace(shown, symmetric=shown.symmetric or shown.shown in joined.symmetric)


def _worded_alike(task: Task, example: Example) -> Template:
    """Return the template of a task under the number of that of an example."""
    number = example.template.rpartition(".")[2]
    return choose(tasks.load_templates(task, example.lang), (number,))[0]


def _facts(text: _Text) -> Facts:
    """Return what the asked types of a text join, under their own names."""
    joined, names = text.joined, {shown.shown: shown.name for shown in text.types}
    return Facts(
        joins=tuple((names[r], End(*ends[:2]), End(*ends[2:])) for r, *ends in joined.joins if r in names),
        loops=tuple((names[r], End(*end)) for r, *end in joined.loops if r in names),
        reach=joined.reach,
    )


def _entity_types(text: _Text) -> tuple[Shown, ...]:
    """Return the types of entities that the asked types join: the smallest set with them that was asked for in
    training; by themselves where there is none."""
    facts = _facts(text)
    ends = {end.type: None for _, *both in facts.joins for end in both} | {end.type: None for _, end in facts.loops}
    sets = sorted((known for known in text.joined.entities if set(known) >= set(ends)), key=len)
    return tuple(Shown(name=name, shown=name) for name in (sets[0] if sets else ends))


def _with(document: Document, found: Mentions) -> Document:
    """Return a document with mentions that were found in it."""
    entities = tuple(
        Entity(id=f"T{number}", type=mention.type, text=document.text[slice(*mention.span)], spans=(mention.span,))
        for number, mention in enumerate(found.items)
        if mention.span is not None
    )
    return msgspec.structs.replace(document, entities=entities)
