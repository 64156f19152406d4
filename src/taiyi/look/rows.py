"""An example as the training of a model sees it: its tokens, which of them are learned, and how its answer scores.

The tokens are those of `Encoder.row`, which training rows are made by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

from taiyi import tagged, tasks
from taiyi.checkpoint import Checkpoint
from taiyi.encoding import Encoder, Row
from taiyi.errors import ModelError, TaiyiError, Unparsable
from taiyi.look.answers import in_no_window
from taiyi.look.examples import Data, LookError
from taiyi.manifest import finished
from taiyi.schema import Answer, Example, Score
from taiyi.text import pieces

State = Literal["prompt", "forced", "learned", "decision"]
"""What a token is to training: `prompt` is read and not learned; of an answer, `learned` is chosen from the whole
vocabulary, `decision` among the few tokens that its source and tags allow, and `forced` has no other choice, so it
carries no loss."""

_LONGEST_CHARACTER = 4


class Piece(msgspec.Struct, frozen=True, omit_defaults=True):
    """A token with its text; several where only together they make a character.

    Attributes:
        text: as it reads.
        state: what it is to training.
        ids: the tokens; none where there is no tokenizer.
        positions: their positions.
        choices: how many tokens each is chosen among, where that is fewer than all.
    """

    text: str
    state: State
    ids: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    choices: tuple[int, ...] = ()


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """All that there is to see of an example.

    Attributes:
        stage: the stage that it is of, or the test set.
        example: itself.
        pieces: prompt and answer in order.
        tokenized: whether the pieces are tokens.
        num_tokens: how many, of which `num_learned` carry loss.
        unencodable: why no row can be made of it, if so.
        parsed: its answer as its task reads it; None where that fails, for `unparsable`.
        says_all: whether that is its gold.
        in_no_window: what of the gold it does not say because no window of the document holds it, if that is so.
        score: how the answer scores against the gold.
    """

    stage: str
    example: Example
    pieces: tuple[Piece, ...]
    tokenized: bool
    num_tokens: int = 0
    num_learned: int = 0
    unencodable: str = ""
    parsed: Answer | None
    unparsable: str = ""
    says_all: bool
    in_no_window: Answer | None = None
    score: Score


def encoder(data: Data, tokenizer: str | None = None) -> Encoder | None:
    """Return the encoder of a run's training: with the tokenizer that is named, else its own; None where it has none.

    A run has a tokenizer once it was trained, or began to be under `base: scratch`.
    """
    key = data.folder.name
    rows = [(folder.name, made.inputs) for folder, made in finished(data.run, "rows") if made.inputs.get("data") == key]
    own = tokenizer or _own(data, {name for name, _ in rows})
    if own is None:
        return None
    # Slow to import, and of no use without a tokenizer.
    from taiyi.train.base import load_tokenizer

    options: dict[str, Any] = dict(rows[-1][1]["encoding"]) if rows else {}
    if not options and tokenizer is not None and Path(tokenizer).is_dir():
        known = Checkpoint.load(Path(tokenizer))
        options = {"positions": known.positions, "decisions": known.decisions or not known.recipe}
    try:
        return Encoder(load_tokenizer(own), **options)
    except ModelError as error:
        raise LookError(
            "the tokenizer cannot be loaded",
            where=own,
            got=error.what,
            expected="a folder with tokenizer.json, a run that was trained, or an id of the Hugging Face hub",
        ) from error


def _own(data: Data, rows: set[str]) -> str | None:
    """Return the folder of a run's own tokenizer: one that was trained on its data, or that of what was trained."""
    found = [f / "model" for f, made in finished(data.run, "train") if made.inputs.get("rows") in rows]
    found += [
        f / "tokenizer" for f, made in finished(data.run, "tokenizer") if made.inputs.get("data") == data.folder.name
    ]
    return str(found[-1]) if found else None


def see(stage: str, example: Example, encoder: Encoder | None) -> Look:
    """Look at an example through an encoder, or by its text alone."""
    task = tasks.get(example.task)
    parsed, unparsable = None, ""
    try:
        parsed = task.parse(example.answer, example)
    except Unparsable as error:
        unparsable = str(error)
    found: tuple[Piece, ...] = ()
    unencodable = ""
    row: Row | None = None
    if encoder is not None:
        try:
            row = encoder.row(example)
            found = tuple(_tokens(row, encoder))
        except TaiyiError as error:
            unencodable = str(error)
    if row is None:
        found = tuple(_texts(example, tags=parsed is not None))
    return Look(
        stage=stage,
        example=example,
        pieces=found,
        tokenized=row is not None,
        num_tokens=len(row.ids) if row else 0,
        num_learned=sum(len(choices) != 1 for choices in row.choices) if row else 0,
        unencodable=unencodable,
        parsed=parsed,
        unparsable=unparsable,
        says_all=parsed == example.gold,
        in_no_window=parsed and in_no_window(example, parsed),
        score=task.score(example.gold, parsed, record=example.record, reason=unparsable),
    )


def _tokens(row: Row, encoder: Encoder) -> Iterator[Piece]:
    """The tokens of a row; those that are parts of one character, of byte-level tokenizers, stand together."""
    choices = dict(zip(row.targets, (len(c) for c in row.choices), strict=True))
    start = 0
    while start < len(row.ids):
        end, text = start + 1, _decode(encoder, row.ids[start : start + 1])
        while "\ufffd" in text and end < min(start + _LONGEST_CHARACTER, len(row.ids)):
            longer = _decode(encoder, row.ids[start : end + 1])
            end += 1
            if "\ufffd" not in longer:
                text = longer
                break
        else:
            end = start + 1
        states = {_state(choices.get(i)) for i in range(start, end)}
        # Of a character the first token decides; the others follow from it or are learned like it.
        state = next((s for s in ("decision", "learned", "forced") if s in states), "prompt")
        yield Piece(
            text=text,
            state=cast(State, state),
            ids=tuple(row.ids[start:end]),
            positions=tuple(row.positions[start:end]),
            choices=tuple(choices[i] for i in range(start, end) if choices.get(i)),
        )
        start = end


def _state(choices: int | None) -> State:
    if choices is None:
        return "prompt"
    return {0: "learned", 1: "forced"}.get(choices, "decision")  # pyright: ignore[reportReturnType]


def _decode(encoder: Encoder, ids: list[int]) -> str:
    return cast(str, encoder.tokenizer.decode(ids, clean_up_tokenization_spaces=False))


def _texts(example: Example, *, tags: bool) -> Iterator[Piece]:
    """The messages and the answer by pieces of text, where there is no tokenizer; with tags as tags where they are."""
    for message in example.messages:
        state: State = "learned" if message.role == "assistant" else "prompt"
        yield Piece(text=f"{message.role}\n", state="prompt")
        yield from _pieces(f"{message.content}\n", state)
    if example.messages:
        yield Piece(text="assistant\n", state="prompt")
    if example.tagging is None or not tags:
        yield from _pieces(example.answer, "learned")
        return
    for part in tagged.parts(example.answer, example.tagging):
        if part.kind == "copy":
            yield from _pieces(example.tagging.source[part.start : part.end], "learned")
        else:
            tag = tagged.open_tag(part.tag) if part.kind == "open" else tagged.close_tag(part.tag)
            yield Piece(text=tag, state="decision")


def _pieces(text: str, state: State) -> Iterable[Piece]:
    return (Piece(text=piece, state=state) for piece in pieces(text))
