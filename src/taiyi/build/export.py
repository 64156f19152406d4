"""Examples in the formats that other trainers load: OpenAI messages, ShareGPT, Alpaca and the paper's own JSONL.

A row carries the conversation with its answer and, under keys that the loaders pass over, where it is from. The gold
answer and what our own training knows of tags stay behind: `back` gives what a row carries, not the whole example.
All rows of a file have the same keys with values of the same types, since loaders take the columns of a file from its
first block. The paper's format is that of the examples that its authors publish (DUTIR-BioNLP/Taiyi-LLM).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import msgspec

from taiyi.errors import TaiyiError, suggestion
from taiyi.schema import Example, Lang, Message, Reject, Split

R = TypeVar("R")
FormatName = Literal["openai", "sharegpt", "alpaca", "taiyi"]
NO_TURNS = "the users and assistants of a prompt do not take turns, which no loader accepts"

# What the authors call the tasks in their files; general dialogue goes by its form.
_CATEGORIES = {
    "ner": "NER",
    "nen": "NER",
    "re": "RE",
    "cre": "RE",
    "rc": "RE",
    "ee": "EE",
    "tc": "TC",
    "qa_mc": "QA_choice",
    "qa_yesno": "QA_choice",
    "qa_sqa": "QA_sqa",
    "qa_cqa": "QA_cqa",
    "mrd": "MRD",
    "mt": "MT-{lang}2{other}",
    "tp_ss": "TP-ss",
    "tp_te": "TP-te",
    "summary": "TT-ds",
    "title": "TT-ds",
    "report": "ADD",
    "struct": "ADD",
}
_TRANSLATION = frozenset({"mt"})
_OTHER: dict[Lang, Lang] = {"en": "zh", "zh": "en"}


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where an example is from."""

    id: str
    corpus: str
    task: str
    lang: Lang
    split: Split
    template: str


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """What of an example every format carries: its turns, each a question and its answer, the last the example's own.

    An empty system message is none: the formats have one field for both.
    """

    origin: Origin
    system: str
    turns: tuple[tuple[str, str], ...]


# --- Rows ------------------------------------------------------------------------------------------------------------


class OpenAIRow(Origin, frozen=True, kw_only=True):
    messages: tuple[Message, ...]


class Said(msgspec.Struct, frozen=True):
    speaker: Literal["human", "gpt"] = msgspec.field(name="from")
    value: str


class ShareGPTRow(Origin, frozen=True, kw_only=True):
    conversations: tuple[Said, ...]
    system: str


class AlpacaRow(Origin, frozen=True, kw_only=True):
    instruction: str
    input: str
    output: str
    history: tuple[tuple[str, str], ...]
    system: str


class TextRow(Origin, frozen=True, kw_only=True):
    """A text that is learned as it stands, which TRL and LLaMA-Factory (`stage: pt`) take from this key."""

    text: str


class Round(msgspec.Struct, frozen=True):
    human: str
    assistant: str


class TaiyiRow(Origin, frozen=True, kw_only=True):
    """As the authors' rows, and with the system message, which theirs have none of, under a key of its own."""

    corpus: str = msgspec.field(name="dataset")
    conversation_id: int
    category: str
    language: str
    conversation: tuple[Round, ...]
    system: str


def _openai(said: Conversation, number: int) -> OpenAIRow:
    messages = [Message(role="system", content=said.system)] if said.system else []
    for question, answer in said.turns:
        messages += [Message(role="user", content=question), Message(role="assistant", content=answer)]
    return OpenAIRow(**_named(said.origin), messages=tuple(messages))


def _from_openai(row: OpenAIRow) -> Conversation:
    first = row.messages[0]
    system = first.content if first.role == "system" else ""
    texts = [message.content for message in row.messages if message.role != "system"]
    return Conversation(origin=_origin(row), system=system, turns=_paired(texts))


def _sharegpt(said: Conversation, number: int) -> ShareGPTRow:
    spoken = tuple(part for question, answer in said.turns for part in (Said("human", question), Said("gpt", answer)))
    return ShareGPTRow(**_named(said.origin), conversations=spoken, system=said.system)


def _from_sharegpt(row: ShareGPTRow) -> Conversation:
    turns = _paired([part.value for part in row.conversations])
    return Conversation(origin=_origin(row), system=row.system, turns=turns)


def _alpaca(said: Conversation, number: int) -> AlpacaRow:
    # The wording and the text it is about are one message, as our own training and evaluation have them: `input` is
    # empty, for trainers differ in what they put between the two.
    *history, (question, answer) = said.turns
    return AlpacaRow(
        **_named(said.origin),
        instruction=question,
        input="",
        output=answer,
        history=tuple(history),
        system=said.system,
    )


def _from_alpaca(row: AlpacaRow) -> Conversation:
    question = f"{row.instruction}\n{row.input}" if row.input else row.instruction
    return Conversation(origin=_origin(row), system=row.system, turns=(*row.history, (question, row.output)))


def _taiyi(said: Conversation, number: int) -> TaiyiRow:
    origin = said.origin
    other = _OTHER[origin.lang]
    return TaiyiRow(
        **_named(origin),
        conversation_id=number,
        category=_CATEGORIES.get(origin.task, origin.task.upper()).format(lang=origin.lang, other=other),
        language=f"{origin.lang}-{other}" if origin.task in _TRANSLATION else origin.lang,
        conversation=tuple(Round(question, answer) for question, answer in said.turns),
        system=said.system,
    )


def _from_taiyi(row: TaiyiRow) -> Conversation:
    turns = tuple((part.human, part.assistant) for part in row.conversation)
    return Conversation(origin=_origin(row), system=row.system, turns=turns)


def _named(origin: Origin) -> dict[str, Any]:
    return msgspec.structs.asdict(origin)


def _origin(row: Origin) -> Origin:
    return Origin(**{name: getattr(row, name) for name in Origin.__struct_fields__})


def _paired(texts: list[str]) -> tuple[tuple[str, str], ...]:
    return tuple(zip(texts[::2], texts[1::2], strict=True))


# --- Formats ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Format(Generic[R]):
    """A format: its rows, how they are made and read, and what LLaMA-Factory must be told to load them.

    `described` is the entry of a file in `dataset_info.json` without the file's name, None where LLaMA-Factory has no
    loader for the format. `history` says whether earlier turns have a column of their own, empty for most rows.
    """

    name: FormatName
    title: str
    kind: type[R]
    make: Callable[[Conversation, int], R]
    back: Callable[[R], Conversation]
    described: Mapping[str, object] | None = None
    history: bool = False


FORMATS: dict[str, Format[Any]] = {
    made.name: made
    for made in (
        Format[Any](
            "openai",
            "OpenAI messages",
            OpenAIRow,
            _openai,
            _from_openai,
            {
                "formatting": "sharegpt",
                "columns": {"messages": "messages"},
                "tags": {
                    "role_tag": "role",
                    "content_tag": "content",
                    "user_tag": "user",
                    "assistant_tag": "assistant",
                    "system_tag": "system",
                },
            },
        ),
        Format[Any](
            "sharegpt",
            "ShareGPT",
            ShareGPTRow,
            _sharegpt,
            _from_sharegpt,
            {"formatting": "sharegpt", "columns": {"messages": "conversations", "system": "system"}},
        ),
        Format[Any](
            "alpaca",
            "Alpaca",
            AlpacaRow,
            _alpaca,
            _from_alpaca,
            {
                "formatting": "alpaca",
                "columns": {
                    "prompt": "instruction",
                    "query": "input",
                    "response": "output",
                    "system": "system",
                    "history": "history",
                },
            },
            history=True,
        ),
        Format[Any]("taiyi", "the Taiyi paper's JSONL", TaiyiRow, _taiyi, _from_taiyi),
    )
}


TEXTS_DESCRIBED: Mapping[str, object] = {"columns": {"prompt": "text"}}
"""What LLaMA-Factory must be told of texts that are learned as they stand, whatever the format of conversations."""


def text_rows(examples: Iterable[Example]) -> Iterator[TextRow]:
    """Return the row of each text, which is no conversation and the same in every format."""
    for example in examples:
        origin = {name: getattr(example, name) for name in Origin.__struct_fields__}
        yield TextRow(**origin, text=example.answer)


def get(name: str) -> Format[Any]:
    """Return a format by its name."""
    if name not in FORMATS:
        raise TaiyiError("unknown format of instruction data", got=name, mend=suggestion(name, FORMATS))
    return FORMATS[name]


def conversation(example: Example) -> Conversation | Reject:
    """Return what of an example the formats carry; a Reject where its prompt is no sequence of turns."""
    messages = example.messages
    system = messages[0].content if messages[0].role == "system" else ""
    spoken = messages[1:] if messages[0].role == "system" else messages
    if any(message.role != ("user", "assistant")[place % 2] for place, message in enumerate(spoken)):
        roles = ", ".join(message.role for message in messages)
        return Reject(where=example.id, reason=NO_TURNS, detail=roles)
    origin = Origin(**{name: getattr(example, name) for name in Origin.__struct_fields__})
    texts = [*(message.content for message in spoken), example.answer]
    return Conversation(origin=origin, system=system, turns=_paired(texts))


def rows(examples: Iterable[Example], form: Format[R]) -> Iterator[R | Reject]:
    """Return the row of each example, numbered in order, or why it has none."""
    number = 0
    for example in examples:
        said = conversation(example)
        if isinstance(said, Reject):
            yield said
        else:
            yield form.make(said, number)
            number += 1
