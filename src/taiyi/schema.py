"""The types of the line: Record, Example, Prediction, Score, and the answers that examples and predictions carry.

Records are the unified schema of the Taiyi paper (JAMIA 2024), which extends BigBio's: a tagged union over the forms
that the 15 task types need. Everything is frozen. Records, with all that they hold, are validated when they are
built, from Python or from a file alike (from Python, a list passes for a tuple); the types of what is made of them,
examples, predictions and scores, are checked when they are read. Offsets are half-open spans of Unicode code points
into the text of the document.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any, Literal, NamedTuple, cast, get_args, get_origin

import msgspec

from taiyi.errors import SchemaError

Lang = Literal["en", "zh"]
Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")


class Span(NamedTuple):
    """A half-open span of characters."""

    start: int
    end: int


class _Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    pass


# --- Parts of a document ---------------------------------------------------------------------------------------------


class Passage(_Struct, frozen=True):
    """A part of a document, such as its title or abstract."""

    type: str
    span: Span


class Concept(_Struct, frozen=True):
    """What a mention is normalised to: an identifier in a terminology, such as MeSH."""

    db: str
    id: str


class Entity(_Struct, frozen=True):
    """A mention; discontinuous ones have several spans, and their text is the parts joined by one space.

    `attributes` are what a corpus says of the mention beyond its type, such as an assertion (n2c2) or a negation.
    """

    id: str
    type: str
    text: str
    spans: tuple[Span, ...]
    concepts: tuple[Concept, ...] = ()
    attributes: dict[str, str] = {}


class Argument(_Struct, frozen=True):
    """An argument of a relation or event.

    `ref` is the id of an entity, event, relation or concept of the same document, or, where the corpus gives no
    offsets, the argument's own text (then `type` is its type).
    """

    role: str
    kind: Literal["entity", "event", "relation", "concept", "text"]
    ref: str
    type: str | None = None


class Relation(_Struct, frozen=True):
    """A typed relation; an argument may itself be a relation, as causal relations need."""

    id: str
    type: str
    arguments: tuple[Argument, ...]
    attributes: dict[str, str] = {}


class Event(_Struct, frozen=True):
    """An event with its trigger; arguments may be entities, other events, or text."""

    id: str
    type: str
    trigger: str = ""
    trigger_spans: tuple[Span, ...] = ()
    arguments: tuple[Argument, ...] = ()
    attributes: dict[str, str] = {}


class Coreference(_Struct, frozen=True):
    """A chain of entities that refer to the same thing, by id."""

    id: str
    entities: tuple[str, ...]


# --- Records ---------------------------------------------------------------------------------------------------------


@cache
def _shape(struct: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return a type with the fields of a struct, and of the structs in it, and no checks of its own.

    msgspec does not check what a struct is built with from Python; converting the struct to its shape does, at the cost
    of about a tenth of the time that reading a corpus takes.
    """
    fields = [(field.name, _shape_of(field.type)) for field in msgspec.structs.fields(struct)]
    # Array-like, so that an object with the right keys does not pass for a struct.
    return msgspec.defstruct(struct.__name__, fields, array_like=True, gc=False)


def _shape_of(kind: Any) -> object:
    if get_origin(kind) is tuple:
        return tuple[tuple(_shape_of(part) for part in get_args(kind))]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _shape(kind)
    return cast(object, kind)


class _Record(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="form"
):
    """What every record has: where it comes from, and the ids of the documents that its text was taken from."""

    id: str
    corpus: str
    split: Split
    lang: Lang
    document_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        try:
            msgspec.convert(self, _shape(type(self)), from_attributes=True)
        except msgspec.ValidationError as error:
            raise self._fault(f"not what a {type(self).__name__} holds: {error}") from error

    def _fault(self, what: str, **details: object) -> SchemaError:
        return SchemaError(what, where=f"{self.corpus}/{self.split}/{self.id}", **details)  # pyright: ignore[reportArgumentType]

    def _require_text(self, **fields: str) -> None:
        for name, value in fields.items():
            if not value.strip():
                raise self._fault(f"{name} is empty", expected="some text")


def _within(span: Span, text: str) -> bool:
    start, end = span
    return 0 <= start < end <= len(text)


def _at(spans: tuple[Span, ...], text: str) -> str:
    return " ".join(text[start:end] for start, end in spans)


def _stands(mention: str, spans: tuple[Span, ...], text: str) -> bool:
    """Return whether a mention stands at its spans of a text."""
    if len(spans) == 1:
        # What nearly all are like, and so worth the lines.
        ((start, end),) = spans
        return 0 <= start < end <= len(text) and text[start:end] == mention
    return bool(spans) and all(_within(span, text) for span in spans) and _at(spans, text) == mention


class Document(_Record, frozen=True, kw_only=True, tag="document"):
    """A text with annotations, for information extraction (NER, NEN, RE, CRE, EE, COREF)."""

    text: str
    passages: tuple[Passage, ...] = ()
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    events: tuple[Event, ...] = ()
    coreferences: tuple[Coreference, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_text(text=self.text)
        for passage in self.passages:
            if not _within(passage.span, self.text):
                raise self._outside(f"passage {passage.type}", passage.span)
        for entity in self.entities:
            if not _stands(entity.text, entity.spans, self.text):
                raise self._misplaced(f"entity {entity.id}", entity.text, entity.spans)
        for event in self.events:
            if event.trigger_spans and not _stands(event.trigger, event.trigger_spans, self.text):
                raise self._misplaced(f"trigger of event {event.id}", event.trigger, event.trigger_spans)
        self._check_ids()
        self._check_references()

    def _outside(self, what: str, span: Span) -> SchemaError:
        expected = f"within 0 to {len(self.text)}"
        return self._fault(f"{what} has a span outside the text", got=tuple(span), expected=expected)

    def _misplaced(self, what: str, text: str, spans: tuple[Span, ...]) -> SchemaError:
        """Return what is wrong with a mention that does not stand in the text."""
        if not spans:
            return self._fault(f"{what} has no span")
        if wrong := [span for span in spans if not _within(span, self.text)]:
            return self._outside(what, wrong[0])
        found = _at(spans, self.text)
        return self._fault(f"{what} does not match the text at {spans[0][0]}", got=repr(found), expected=repr(text))

    def _check_ids(self) -> None:
        ids = [x.id for group in (self.entities, self.events, self.relations, self.coreferences) for x in group]
        if len(set(ids)) < len(ids):
            repeated = next(i for i, n in Counter(ids).items() if n > 1)
            raise self._fault("an id is used twice", got=repeated, expected="ids unique within the document")

    def _check_references(self) -> None:
        if not (self.relations or self.events or self.coreferences):
            return
        ids = {
            "entity": {e.id for e in self.entities},
            "event": {e.id for e in self.events},
            "relation": {r.id for r in self.relations},
            "concept": {c.id for e in self.entities for c in e.concepts},
        }
        for owner in (*self.relations, *self.events):
            for argument in owner.arguments:
                if argument.kind != "text" and argument.ref not in ids[argument.kind]:
                    raise self._fault(
                        f"{owner.id} refers to {argument.kind} {argument.ref!r}, which is not in the document"
                    )
        for chain in self.coreferences:
            for ref in chain.entities:
                if ref not in ids["entity"]:
                    raise self._fault(f"coreference {chain.id} refers to entity {ref!r}, which is not in the document")


class Labelled(_Record, frozen=True, kw_only=True, tag="labelled"):
    """A text with one or more labels of the corpus's label set (TC)."""

    text: str
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_text(text=self.text)
        if len(set(self.labels)) != len(self.labels):
            raise self._fault("a label is repeated", got=self.labels)


class Pair(_Record, frozen=True, kw_only=True, tag="pair"):
    """Two texts and how they relate: a nominal label or a graded value (TP-ss, TP-te)."""

    first: str
    second: str
    label: str | None = None
    value: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_text(first=self.first, second=self.second)
        if (self.label is None) == (self.value is None):
            raise self._fault("a pair has either a label or a value", got=(self.label, self.value))


class Option(_Struct, frozen=True):
    """One option of a multiple-choice question."""

    key: str
    text: str


class Question(_Record, frozen=True, kw_only=True, tag="question"):
    """A question: multiple choice, yes/no/maybe, simple, or with context (QA-mc, QA-yesno, QA-sqa, QA-cqa).

    `answers` are option keys (choice), `yes`/`no`/`maybe` (yesno), or texts.
    """

    kind: Literal["choice", "yesno", "simple", "context"]
    question: str
    answers: tuple[str, ...]
    contexts: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    long_answer: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_text(question=self.question)
        if not self.answers or not all(a.strip() for a in self.answers):
            raise self._fault("a question has no answer")
        if self.kind == "choice":
            keys = [o.key for o in self.options]
            if len(keys) < 2 or len(set(keys)) != len(keys):
                raise self._fault(
                    "a multiple-choice question needs two or more options with keys of their own", got=keys
                )
            if wrong := set(self.answers) - set(keys):
                raise self._fault("the answer is not among the options", got=sorted(wrong), expected=keys)
        if self.kind == "yesno" and (wrong := set(self.answers) - {"yes", "no", "maybe"}):
            raise self._fault("not a yes/no/maybe answer", got=sorted(wrong), expected="yes, no or maybe")
        if self.kind == "context" and not self.contexts:
            raise self._fault("a question with context has no context")


class Turn(_Struct, frozen=True):
    """One turn of a dialogue."""

    role: Literal["user", "assistant", "system"]
    text: str


class Dialogue(_Record, frozen=True, kw_only=True, tag="dialogue"):
    """Turns in order (MRD, general dialogue); users and assistants alternate after an optional system turn."""

    turns: tuple[Turn, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        turns = self.turns[1:] if self.turns and self.turns[0].role == "system" else self.turns
        for index, turn in enumerate(turns):
            if turn.role != ("user", "assistant")[index % 2]:
                raise self._fault(f"turn {index} is out of order", got=turn.role, expected="user and assistant in turn")
            self._require_text(**{f"turn {index}": turn.text})
        if len(turns) < 2:
            raise self._fault("a dialogue needs a question and an answer", got=f"{len(turns)} turns")


class Parallel(_Record, frozen=True, kw_only=True, tag="parallel"):
    """A text and its translation (MT); `lang` is the language of the source."""

    source: str
    target: str
    target_lang: Lang

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_text(source=self.source, target=self.target)
        if self.target_lang == self.lang:
            raise self._fault("source and target have the same language", got=self.lang)


class TextToText(_Record, frozen=True, kw_only=True, tag="text_to_text"):
    """A text and a shorter or restructured one: summary, title or report (TT-ds, TT-ts)."""

    kind: Literal["summary", "title", "report"]
    source: str
    target: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_text(source=self.source, target=self.target)


class Triple(_Struct, frozen=True):
    """A relation between two texts."""

    head: str
    tail: str
    type: str


class TreeNode(_Struct, frozen=True):
    """A node of a medical decision tree, in pre-order: a condition or a decision over triples (Text2DT)."""

    role: Literal["condition", "decision"]
    triples: tuple[Triple, ...] = ()
    logic: Literal["and", "or", "null"] = "null"


class TextToStruct(_Record, frozen=True, kw_only=True, tag="text_to_struct"):
    """A text and the decision tree that it states (TT-ts)."""

    source: str
    nodes: tuple[TreeNode, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_text(source=self.source)
        if not self.nodes:
            raise self._fault("a decision tree has no node")


Record = Document | Labelled | Pair | Question | Dialogue | Parallel | TextToText | TextToStruct


class Reject(_Struct, frozen=True):
    """Something that was dropped, and why: no step loses anything in silence."""

    where: str
    reason: str
    detail: str = ""


# --- Answers: what a task asks for, as gold and as parsed from what a model wrote
# --------------------------------------


class Mention(_Struct, frozen=True):
    """An entity of an answer; without span where the form of the answer gives none."""

    type: str
    text: str
    span: Span | None = None


class Mentions(_Struct, frozen=True, tag="mentions", tag_field="answer"):
    items: tuple[Mention, ...] = ()


class Triples(_Struct, frozen=True, tag="triples", tag_field="answer"):
    items: tuple[Triple, ...] = ()


class Labels(_Struct, frozen=True, tag="labels", tag_field="answer"):
    items: tuple[str, ...] = ()


class Choice(_Struct, frozen=True, tag="choice", tag_field="answer"):
    """An option's key, or yes, no or maybe."""

    key: str


class FreeText(_Struct, frozen=True, tag="text", tag_field="answer"):
    text: str


class Scale(_Struct, frozen=True):
    """What a corpus grades of pairs of texts, and from which number to which."""

    measure: Literal["similarity", "relatedness"]
    lowest: float
    highest: float

    def __post_init__(self) -> None:
        if not self.lowest < self.highest:
            raise SchemaError(
                "a scale has no extent", where=self.measure, got=(self.lowest, self.highest), expected="lowest, highest"
            )


class Value(_Struct, frozen=True, tag="value", tag_field="answer"):
    """A grade, such as how alike two texts are, on the corpus's own scale."""

    value: float
    scale: Scale


class Normalised(_Struct, frozen=True):
    """A mention and the concept that it stands for: an id, or the concept's standard name."""

    text: str
    concept: str
    type: str = ""


class Normalisations(_Struct, frozen=True, tag="normalisations", tag_field="answer"):
    items: tuple[Normalised, ...] = ()


class Filler(_Struct, frozen=True):
    """What fills a role of an event: a text, or where `event` is set the event at that place of the answer."""

    role: str
    text: str
    event: int | None = None


class Happening(_Struct, frozen=True):
    """An event of an answer: its type, its trigger (empty where the corpus gives none) and what fills its roles."""

    type: str
    trigger: str
    fillers: tuple[Filler, ...] = ()


class Happenings(_Struct, frozen=True, tag="events", tag_field="answer"):
    items: tuple[Happening, ...] = ()


class Chains(_Struct, frozen=True, tag="chains", tag_field="answer"):
    """Mentions that refer to the same thing, each chain a tuple of their texts in order of the source."""

    items: tuple[tuple[str, ...], ...] = ()


class Tree(_Struct, frozen=True, tag="tree", tag_field="answer"):
    """The nodes of a decision tree in pre-order."""

    nodes: tuple[TreeNode, ...] = ()


Answer = Mentions | Triples | Labels | Choice | FreeText | Value | Normalisations | Happenings | Chains | Tree


# --- Examples, predictions, scores -----------------------------------------------------------------------------------


class Message(_Struct, frozen=True):
    role: Literal["system", "user", "assistant"]
    content: str


class Shown(_Struct, frozen=True):
    """A type, a label or what is graded, under its name in the corpus and under the name that the prompt shows.

    `symmetric` is set for relations without a direction, `scale` for what is graded, `values` for roles that are filled
    by one of a few words instead of a text.
    """

    name: str
    shown: str
    symmetric: bool = False
    scale: Scale | None = None
    values: tuple[str, ...] = ()


class Tagging(_Struct, frozen=True):
    """The constraint of a tagged answer: the source, copied whole, with tags of the shown types in place.

    `at` is where the source begins in the last message of the prompt.
    """

    source: str
    tags: tuple[str, ...]
    at: int


class Example(_Struct, frozen=True):
    """One instruction with its answer: the only thing that training and evaluation accept.

    `messages` are the prompt (it ends with the user), none where a text is learned as it stands; `answer` is what the
    model is to write, in `form`. For a dialogue, earlier assistant messages are answers too. `gold` is the structured
    answer. `roles` are those of events that have names. `offset` is where a window begins in the text of its record.
    `source` is where, in the last message, the text stands that the answer is taken from; `tagging` is set where the
    answer is that text with tags in place.
    """

    id: str
    corpus: str
    task: str
    lang: Lang
    split: Split
    template: str
    form: str
    record: str
    messages: tuple[Message, ...]
    answer: str
    gold: Answer
    types: tuple[Shown, ...] = ()
    roles: tuple[Shown, ...] = ()
    source: Span | None = None
    tagging: Tagging | None = None
    offset: int = 0
    document_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.messages and self.messages[-1].role != "user":
            raise SchemaError("the prompt does not end with the user", where=self.id)
        if not self.answer.strip():
            raise SchemaError("the answer is empty", where=self.id)
        last = self.messages[-1].content if self.messages else ""
        if self.source is not None and not _within(self.source, last):
            raise SchemaError(
                "the source lies outside of the prompt",
                where=self.id,
                got=tuple(self.source),
                expected=f"within 0 to {len(last)}",
            )
        if self.tagging is None:
            return
        if not last.startswith(self.tagging.source, self.tagging.at):
            raise SchemaError("the prompt does not hold the source that is to be tagged", where=self.id)
        if self.source is not None and (self.source.start, self.source_text) != (self.tagging.at, self.tagging.source):
            raise SchemaError("what is to be tagged is not the source", where=self.id, got=tuple(self.source))

    @property
    def source_text(self) -> str:
        """The text that the answer is taken from; empty where it is taken from none."""
        return "" if self.source is None else self.messages[-1].content[self.source.start : self.source.end]


class Prediction(_Struct, frozen=True):
    """What a model wrote for an example; `seconds` is its share of its batch's time.

    It ended by itself (`stop`), or at the limit of tokens (`length`); or there is no answer, and will be none
    (`refused`), for the `reason` given: a prompt longer than the context, or one that a server does not accept.
    `num_prompt_tokens` is what a server counted, 0 where nobody did. `constrained` is set where nothing could be
    written but what can be parsed, with mentions that the source holds: by the grammar of the form, or by tags in the
    source. Of an answer in tags, `confidences` are those of its mentions, in order of their opening tags: how probable
    all decisions were together, from the tag that opens to the one that closes, given what was written before. Of an
    answer that was chosen from a few by likelihood, there is one: its share of their probability.
    """

    example: str
    text: str
    finish: Literal["stop", "length", "refused"]
    reason: str = ""
    constrained: bool = False
    num_tokens: int = 0
    num_prompt_tokens: int = 0
    seconds: float = 0.0
    confidences: tuple[float, ...] = ()


class Counts(_Struct, frozen=True):
    """True positives, false positives and false negatives."""

    tp: int = 0
    fp: int = 0
    fn: int = 0


class Score(_Struct, frozen=True):
    """How one record's answer compares with its gold.

    Extraction and classification fill `counts`, by type; choices and texts fill `value` in [0, 1]. Of a grade `grades`
    are the gold and the answer. `sums` are what a protocol adds up beyond these. `unparsable` is a state of its own:
    the answer scores as wrong, and the rate is reported. A record that is asked about in parts, such as windows, has
    `num_answers`, and is in that state where none of them can be parsed; `unparsable` is how many cannot be, by reason.
    """

    record: str
    counts: dict[str, Counts] = {}
    value: float | None = None
    grades: tuple[float, float] | None = None
    sums: tuple[float, ...] = ()
    state: Literal["parsed", "unparsable"] = "parsed"
    reason: str = ""
    num_answers: int = 1
    unparsable: dict[str, int] = {}
