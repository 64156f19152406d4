"""From an example to tokens: one rendering of prompts and answers for training, evaluation and serving.

The prompt is the tokenizer's chat template over the messages; where the example has a source to copy, the source is
encoded by itself, piece by piece, so that its tokens in the prompt and in the answer are the same and mentions begin
and end at tokens. An answer is followed by the token that generation stops at.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Literal, cast

from taiyi import tagged
from taiyi.errors import ModelError, SchemaError
from taiyi.grounding import Grounding
from taiyi.schema import Example, Mention, Message, Span, Tagging
from taiyi.text import pieces
from taiyi.tokens import CHAT_TEMPLATE, TextEncoder, Tokenizer

Positions = Literal["plain", "aligned"]
"""Positions of a tagged answer: counted on, or `aligned` with the source: a token that copies the source takes the
position of the token that it copies, so that what comes next is always one step to the right of the same position in
the prompt."""

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
class Source:
    """A source in pieces.

    Attributes:
        pieces: the smallest parts that a mention may begin or end at.
        ids: their tokens.
        chars: how many characters stand before each piece, and before the end.
        tokens: how many tokens stand before each piece, and before the end.
    """

    pieces: list[str]
    ids: list[int]
    chars: list[int]
    tokens: list[int]


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
        task: name of its task.
    """

    example: str
    ids: list[int]
    positions: list[int]
    targets: list[int]
    choices: list[tuple[int, ...]]
    task: str = ""


@dataclass(frozen=True, slots=True)
class Encoded:
    """The row of an example, and what it does not teach as the example has it.

    Attributes:
        lost: mentions that are not learned: widened to whole pieces, they meet others.
        widened: mentions that are learned with more text than they have, because they begin or end inside a piece; as
            they are learned.
    """

    row: Row
    lost: tuple[Mention, ...] = ()
    widened: tuple[Mention, ...] = ()


class Encoder:
    """Encodes examples with one tokenizer.

    Args:
        tokenizer: any fast tokenizer; its chat template is used where it has one.
        positions: how tokens of tagged answers are numbered.
        decisions: whether the tokens of tagged answers are learned among their choices only, not the vocabulary.
    """

    def __init__(self, tokenizer: Tokenizer, *, positions: Positions = "plain", decisions: bool = True) -> None:
        self.tokenizer = tokenizer
        self.positions: Positions = positions
        self.decisions = decisions
        self.end = end_token(tokenizer)
        self._template = None if tokenizer.chat_template else CHAT_TEMPLATE
        self._encode = TextEncoder(tokenizer)
        self._source_of: tuple[str, Source] = ("", Source([], [], [0], [0]))
        self._end_text = cast(str, tokenizer.decode([self.end]))

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

    def text_ids(self, text: str) -> list[int]:
        """Encode an answer in free text, without the token that ends it."""
        return self._encode(text)

    def position(self, prompt: Prompt, at: int, written: int) -> int:
        """Return the position of the `written`-th token of an answer (from 0), before which `at` tokens of the source
        were copied."""
        if self.positions == "plain" or prompt.source is None:
            return len(prompt.ids) + written
        return prompt.source + at

    # --- rows --------------------------------------------------------------------------------------------------------

    def row(self, example: Example) -> Row:
        """Encode an example for training."""
        return self.encode(example).row

    def encode(self, example: Example) -> Encoded:
        """Encode an example for training, and tell what of it the row does not teach."""
        if example.tagging is not None:
            return self._encode_tagged(example, example.tagging)
        if not example.messages:
            return Encoded(self._plain(example))
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
            ids.extend(self._encode(rendered[len(text) :].removeprefix(self._end_text)))
            answer_ids = [*self._encode(answer), self.end]
            targets.extend(range(len(ids), len(ids) + len(answer_ids)))
            ids.extend(answer_ids)
            text = rendered + answer
        return Encoded(Row(example.id, ids, list(range(len(ids))), targets, [()] * len(targets), example.task))

    def _plain(self, example: Example) -> Row:
        """Encode a text that is learned as it stands: all of its tokens but the first, which nothing comes before."""
        ids = [*self._encode(example.answer), self.end]
        targets = list(range(1, len(ids)))
        return Row(example.id, ids, list(range(len(ids))), targets, [()] * len(targets), example.task)

    def answered(self, example: Example, prompt: Prompt, tokens: Sequence[int], *, end: int | None) -> Row:
        """Return the row of an answer that a model gave, in the tokens that it chose.

        The tokens of a tagged answer are learned among their choices even where `decisions` is not set, since it was
        among them that the model chose.

        Args:
            example: what was answered.
            prompt: its prompt.
            tokens: the answer, without the end token; maybe only the beginning of one.
            end: the token that the model ended it with, if it did.
        """
        answer = list(tokens) if end is None else [*tokens, end]
        ids = [*prompt.ids, *answer]
        targets = list(range(len(prompt.ids), len(ids)))
        if prompt.grounding is None:
            return Row(example.id, ids, list(range(len(ids))), targets, [()] * len(answer), example.task)
        steps = list(prompt.grounding.walk(answer))
        positions = [self.position(prompt, at, written) for written, (at, _) in enumerate(steps)]
        choices = [allowed for _, allowed in steps]
        return Row(example.id, ids, [*prompt.positions, *positions], targets, choices, example.task)

    def _encode_tagged(self, example: Example, tagging: Tagging) -> Encoded:
        prompt = self.prompt(example.messages, tagging)
        assert prompt.grounding is not None
        given = tagged.read(example.answer, tagging)
        learned, lost = self._learned(given, tagging)
        answer = [*self._tagged_ids(learned, tagging), self.end]
        choices: list[tuple[int, ...]] = []
        positions = list(prompt.positions)
        for written, (at, allowed) in enumerate(prompt.grounding.walk(answer)):
            choices.append(allowed if self.decisions else ())
            positions.append(self.position(prompt, at, written))
        ids = [*prompt.ids, *answer]
        row = Row(example.id, ids, positions, list(range(len(prompt.ids), len(ids))), choices, example.task)
        found = [self._as_learned(mention, tagging) for mention in learned]
        return Encoded(row, tuple(lost), tuple(mention for mention in found if mention not in given))

    # --- tagged answers ----------------------------------------------------------------------------------------------

    def source(self, text: str) -> Source:
        """Encode a source piece by piece."""
        if self._source_of[0] != text:
            found = pieces(text)
            encoded = [self._piece(piece) for piece in found]
            self._source_of = (
                text,
                Source(
                    pieces=found,
                    ids=[*chain.from_iterable(encoded)],
                    chars=[*accumulate(map(len, found), initial=0)],
                    tokens=[*accumulate(map(len, encoded), initial=0)],
                ),
            )
        return self._source_of[1]

    def answer_ids(self, answer: str, tagging: Tagging) -> list[int]:
        """Encode a tagged answer; a mention that begins or ends inside a piece of the source is widened to its edge."""
        learned, _ = self._learned(tagged.read(answer, tagging), tagging)
        return self._tagged_ids(learned, tagging)

    def _learned(self, given: Iterable[Mention], tagging: Tagging) -> tuple[list[Mention], list[Mention]]:
        """Widen mentions to whole pieces; return those that tags can hold and the others, with spans over pieces."""
        source = self.source(tagging.source)
        widened: list[Mention] = []
        for mention in given:
            assert mention.span is not None
            first = bisect_right(source.chars, mention.span.start) - 1
            last = bisect_left(source.chars, mention.span.end)
            widened.append(Mention(type=mention.type, text=mention.text, span=Span(first, last)))
        return tagged.nest(widened)

    def _as_learned(self, mention: Mention, tagging: Tagging) -> Mention:
        """Return a mention whose span is over pieces with the characters of those pieces, without spaces around it."""
        assert mention.span is not None
        chars = self.source(tagging.source).chars
        start, end = chars[mention.span.start], chars[mention.span.end]
        text = tagging.source[start:end]
        start += len(text) - len(text.lstrip())
        text = text.strip()
        return Mention(type=mention.type, text=text, span=Span(start, start + len(text)))

    def _tagged_ids(self, learned: Sequence[Mention], tagging: Tagging) -> list[int]:
        source = self.source(tagging.source)
        ids: list[int] = []
        done = 0
        for part in tagged.layout(learned):
            at = source.tokens[part.start]
            ids.extend(source.ids[done:at])
            done = at
            ids.extend(self._piece(tagged.open_tag(part.tag) if part.kind == "open" else tagged.close_tag(part.tag)))
        ids.extend(source.ids[done:])
        return ids

    def answer_text(self, tokens: Sequence[int], tagging: Tagging) -> str:
        """Return a whole tagged answer, given without its end token, as text.

        The source is taken from `tagging`, not decoded: tokenizers may normalise it (Qwen's to NFC) or move its spaces.
        """
        source = self.source(tagging.source)
        offsets = dict(zip(source.tokens, source.chars, strict=True))
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
        source = self.source(tagging.source)
        opens = [self._piece(tagged.open_tag(tag)) for tag in tagging.tags]
        closes = [self._piece(tagged.close_tag(tag)) for tag in tagging.tags]
        solid = [index for index, piece in enumerate(source.pieces) if not piece.isspace()]
        starts, stops = [source.tokens[i] for i in solid], [source.tokens[i + 1] for i in solid]
        return Grounding(source.ids, opens, closes, self.end, starts=starts, stops=stops)

    # --- small parts -------------------------------------------------------------------------------------------------

    def _render(self, messages: Sequence[Message]) -> str:
        rows = [{"role": m.role, "content": m.content} for m in messages]
        rendered = self.tokenizer.apply_chat_template(
            rows, chat_template=self._template, tokenize=False, add_generation_prompt=True
        )
        return cast(str, rendered)

    def _piece(self, piece: str) -> tuple[int, ...]:
        """Encode a piece of a source, or a tag."""
        if not (tokens := self._encode.piece(piece)):
            raise ModelError(
                "the tokenizer drops a character of the source", got=repr(piece), expected="byte-level BPE"
            )
        return tokens


def end_token(tokenizer: Tokenizer) -> int:
    """Return the token that ends an assistant's turn under the tokenizer's chat template: generation stops at it."""
    template = None if tokenizer.chat_template else CHAT_TEMPLATE
    turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "answer"}]
    rendered = cast(str, tokenizer.apply_chat_template(turns, chat_template=template, tokenize=False))
    tail = tokenizer.encode(rendered[rendered.rindex("answer") + len("answer") :], add_special_tokens=False)
    if tail and tail[0] in tokenizer.added_tokens_decoder and tail[0] != tokenizer.unk_token_id:
        return tail[0]
    if tokenizer.eos_token_id is None:
        raise ModelError(
            "the tokenizer has no token that ends an answer",
            expected="an end-of-turn token in its chat template, or an EOS token",
        )
    return cast(int, tokenizer.eos_token_id)
