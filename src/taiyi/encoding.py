"""From an example to tokens: one rendering of prompts and answers for training, evaluation and serving.

The prompt is the tokenizer's chat template over the messages; where the example has a source to copy, the source is
encoded by itself, piece by piece, so that its tokens in the prompt and in the answer are the same and mentions begin
and end at tokens. An answer is followed by the token that generation stops at.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from taiyi import tagged
from taiyi.errors import ModelError, SchemaError
from taiyi.grounding import Grounding, State
from taiyi.schema import Example, Mention, Message, Span, Tagging
from taiyi.text import pieces

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

Positions = Literal["plain", "aligned"]
"""Positions of a tagged answer: counted on, or `aligned` with the source: a token that copies the source takes the
position of the token that it copies, so that what comes next is always one step to the right of the same position in
the prompt."""

CHAT_TEMPLATE = Path(__file__).with_name("chat.jinja").read_text(encoding="utf-8")
"""ChatML, for tokenizers that have no template of their own."""

_SOURCE = "\ue000source\ue001"
"""Stands for the source while a prompt is rendered; of private use, so no text has it."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as tokens.

    Attributes:
        ids: the tokens.
        positions: the position of each token.
        source: index of the first token of the source, where there is one.
        grounding: the choices of the answer, where it is to be tagged.
    """

    ids: list[int]
    positions: list[int]
    source: int | None = None
    grounding: Grounding | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A training row: tokens with their positions, and which of them are learned among which choices.

    Attributes:
        example: id of the example.
        ids: the tokens of prompt and answer.
        positions: the position of each token.
        targets: indices into `ids` of the tokens to learn; each is predicted from the token before it.
        choices: for each target, the tokens it is chosen among; empty means the whole vocabulary. A target with one
            choice is forced and carries no loss.
    """

    example: str
    ids: list[int]
    positions: list[int]
    targets: list[int]
    choices: list[tuple[int, ...]]


class Encoder:
    """Encodes examples with one tokenizer.

    Args:
        tokenizer: any fast tokenizer of transformers; its chat template is used where it has one.
        positions: how tokens of tagged answers are numbered.
        decisions: whether the tokens of tagged answers are learned among their choices only, not the vocabulary.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerFast, *, positions: Positions = "plain", decisions: bool = True
    ) -> None:
        self.tokenizer = tokenizer
        self.positions: Positions = positions
        self.decisions = decisions
        self.end = end_token(tokenizer)
        self._template = None if tokenizer.chat_template else CHAT_TEMPLATE
        self._pieces: dict[str, tuple[int, ...]] = {}

    # --- prompts -----------------------------------------------------------------------------------------------------

    def prompt(self, messages: Sequence[Message], tagging: Tagging | None = None) -> Prompt:
        """Encode messages up to the point where the model answers."""
        if tagging is None:
            ids = self._encode(self._render(messages))
            return Prompt(ids, list(range(len(ids))))
        # A mark stands for the source in the template: it may trim messages, and a short source occurs elsewhere too.
        *earlier, last = messages
        if not last.content.startswith(tagging.source, tagging.at):
            raise SchemaError("the last message does not hold the source where it should", got=f"at {tagging.at}")
        rest = last.content[tagging.at + len(tagging.source) :]
        marked = Message(role=last.role, content=last.content[: tagging.at] + _SOURCE + rest)
        left, right = self._render([*earlier, marked]).split(_SOURCE)
        before = self._encode(left)
        grounding = self._grounding(tagging)
        ids = [*before, *grounding.source, *self._encode(right)]
        return Prompt(ids, list(range(len(ids))), len(before), grounding)

    def position(self, prompt: Prompt, before: State, after: State, written: int) -> int:
        """Return the position of the `written`-th token of an answer (from 0), which led from one state to another."""
        if self.positions == "plain" or prompt.source is None:
            return len(prompt.ids) + written
        return prompt.source + (before.at if after.at > before.at else after.at)

    # --- rows --------------------------------------------------------------------------------------------------------

    def row(self, example: Example) -> Row:
        """Encode an example for training."""
        if example.tagging is not None:
            return self._tagged_row(example, example.tagging)
        ids: list[int] = []
        targets: list[int] = []
        text = ""
        turns = [i for i, m in enumerate(example.messages) if m.role == "assistant"]
        for turn in (*turns, len(example.messages)):
            rendered = self._render(example.messages[:turn])
            if not rendered.startswith(text):
                raise ModelError(
                    "the chat template renders earlier turns differently once later ones follow",
                    where=example.id,
                    mend="such a model can only be trained on the last turn of a dialogue",
                )
            answer = example.messages[turn].content if turn < len(example.messages) else example.answer
            # What follows an earlier answer begins with the end token that was already written after it.
            ids.extend(self._encode(rendered[len(text) :].removeprefix(cast(str, self.tokenizer.decode([self.end])))))
            answer_ids = [*self._encode(answer), self.end]
            targets.extend(range(len(ids), len(ids) + len(answer_ids)))
            ids.extend(answer_ids)
            text = rendered + answer
        return Row(example.id, ids, list(range(len(ids))), targets, [()] * len(targets))

    def _tagged_row(self, example: Example, tagging: Tagging) -> Row:
        prompt = self.prompt(example.messages, tagging)
        assert prompt.grounding is not None
        state = State()
        ids, positions = list(prompt.ids), list(prompt.positions)
        targets: list[int] = []
        choices: list[tuple[int, ...]] = []
        for token in [*self.answer_ids(example.answer, tagging), self.end]:
            after = prompt.grounding.advance(state, token)
            targets.append(len(ids))
            choices.append(prompt.grounding.allowed(state) if self.decisions else ())
            positions.append(self.position(prompt, state, after, len(ids) - len(prompt.ids)))
            ids.append(token)
            state = after
        return Row(example.id, ids, positions, targets, choices)

    # --- tagged answers ----------------------------------------------------------------------------------------------

    def source_ids(self, source: str) -> list[int]:
        """Encode a source piece by piece."""
        return [token for piece in pieces(source) for token in self._piece(piece)]

    def answer_ids(self, answer: str, tagging: Tagging) -> list[int]:
        """Encode a tagged answer; a mention that begins or ends inside a piece of the source is widened to its edge."""
        placed, _ = self._mentions(answer, tagging)
        source = self.source_ids(tagging.source)
        ids: list[int] = []
        done = 0
        for part in tagged.layout(placed):
            ids.extend(source[done : part.start])
            done = part.start
            ids.extend(self._piece(tagged.open_tag(part.tag) if part.kind == "open" else tagged.close_tag(part.tag)))
        ids.extend(source[done:])
        return ids

    def lost(self, answer: str, tagging: Tagging) -> list[Mention]:
        """Return the mentions that `answer_ids` cannot hold: widened to whole pieces, they meet others."""
        return self._mentions(answer, tagging)[1]

    def _mentions(self, answer: str, tagging: Tagging) -> tuple[list[Mention], list[Mention]]:
        """Return the mentions of an answer with spans over tokens: those that tags can hold, and those left out."""
        found = pieces(tagging.source)
        starts = [0, *accumulate(len(piece) for piece in found)]
        tokens = self._edges(found)
        mentions: list[Mention] = []
        for mention in tagged.read(answer, tagging):
            assert mention.span is not None
            first = bisect_right(starts, mention.span.start) - 1
            last = bisect_left(starts, mention.span.end)
            mentions.append(Mention(type=mention.type, text=mention.text, span=Span(tokens[first], tokens[last])))
        return tagged.nest(mentions)

    def answer_text(self, tokens: Sequence[int], tagging: Tagging) -> str:
        """Return a whole tagged answer, given without its end token, as text.

        The source is taken from `tagging`, not decoded: tokenizers may normalise it (Qwen's to NFC) or move its spaces.
        """
        found = pieces(tagging.source)
        offsets = dict(zip(self._edges(found), accumulate((len(piece) for piece in found), initial=0), strict=True))
        written: list[str] = []
        done = 0
        for kind, tag, at in self._grounding(tagging).placed(tokens):
            written.append(tagging.source[done : offsets[at]])
            done = offsets[at]
            name = tagging.tags[tag]
            written.append(tagged.open_tag(name) if kind == "open" else tagged.close_tag(name))
        written.append(tagging.source[done:])
        return "".join(written)

    def _grounding(self, tagging: Tagging) -> Grounding:
        """The choices of an answer: a mention begins before a piece that is not blank and ends after one."""
        found = pieces(tagging.source)
        edges = self._edges(found)
        opens = [self._piece(tagged.open_tag(tag)) for tag in tagging.tags]
        closes = [self._piece(tagged.close_tag(tag)) for tag in tagging.tags]
        solid = [index for index, piece in enumerate(found) if piece.strip()]
        starts, stops = [edges[i] for i in solid], [edges[i + 1] for i in solid]
        source = [token for piece in found for token in self._piece(piece)]
        return Grounding(source, opens, closes, self.end, starts=starts, stops=stops)

    def _edges(self, found: Sequence[str]) -> list[int]:
        """How many tokens stand before each piece of a source, and before its end."""
        return list(accumulate((len(self._piece(piece)) for piece in found), initial=0))

    # --- small parts -------------------------------------------------------------------------------------------------

    def _render(self, messages: Sequence[Message]) -> str:
        rows = [{"role": m.role, "content": m.content} for m in messages]
        rendered = self.tokenizer.apply_chat_template(
            rows, chat_template=self._template, tokenize=False, add_generation_prompt=True
        )
        return cast(str, rendered)

    def _encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False) if text else []

    def _piece(self, piece: str) -> tuple[int, ...]:
        """Encode a piece of a source, or a tag; there are few, so each is encoded once."""
        known = self._pieces.get(piece)
        if known is None:
            known = tuple(self._encode(piece))
            if not known:
                raise ModelError(
                    "the tokenizer drops a character of the source", got=repr(piece), expected="byte-level BPE"
                )
            self._pieces[piece] = known
        return known


def end_token(tokenizer: PreTrainedTokenizerFast) -> int:
    """Return the token that ends an assistant's turn under the tokenizer's chat template: generation stops at it."""
    template = None if tokenizer.chat_template else CHAT_TEMPLATE
    turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "answer"}]
    rendered = cast(str, tokenizer.apply_chat_template(turns, chat_template=template, tokenize=False))
    tail = tokenizer.encode(rendered[rendered.rindex("answer") + len("answer") :], add_special_tokens=False)
    if tail and tail[0] in tokenizer.added_tokens_decoder:
        return tail[0]
    if tokenizer.eos_token_id is None:
        raise ModelError(
            "the tokenizer has no token that ends an answer",
            expected="an end-of-turn token in its chat template, or an EOS token",
        )
    return cast(int, tokenizer.eos_token_id)
