"""Texts as tokens, the fastest way that a tokenizer allows; and tokenizers without transformers.

A tokenizer that splits texts into `text.pieces` before all else (`train.tokenizer.train_bpe`) gives a piece the same
tokens wherever it stands, and most pieces of a text have been seen before: they are looked up. Encoding prompts and
answers of the bundled corpora so takes a third of the tokenizer's own time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias, cast

import regex

from taiyi.errors import ModelError
from taiyi.text import HALF_PAIR, PIECE, pieces

if TYPE_CHECKING:
    from jinja2 import Template
    from tokenizers import AddedToken
    from tokenizers import Tokenizer as Backend
    from transformers import PreTrainedTokenizerFast

CHAT_TEMPLATE = Path(__file__).with_name("chat.jinja").read_text(encoding="utf-8")
"""ChatML, for tokenizers that have no template of their own."""

_MOST_PIECES = 1 << 19
"""So many pieces are remembered: about 100 MB."""

_SPECIAL = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")
_PLAIN = ("TokenizersBackend", "PreTrainedTokenizerFast")
"""Classes of transformers that take a tokenizer as its file has it; others make one of their own."""


class FastTokenizer:
    """A byte-level BPE tokenizer as the folder of a model has it: what `encoding` needs of one, by transformers' names.

    Args:
        backend: splits texts into tokens.
        chat_template: in Jinja; None where it has none.
        special: special tokens by what they are for, such as `eos_token`.
    """

    def __init__(self, backend: Backend, chat_template: str | None, special: Mapping[str, str]) -> None:
        self.backend_tokenizer = backend
        self.chat_template = chat_template
        self.added_tokens_decoder: dict[int, AddedToken] = backend.get_added_tokens_decoder()
        self.eos_token_id = self._id(special.get("eos_token"))
        self.unk_token_id = self._id(special.get("unk_token"))
        self._special = dict(special)
        self._templates: dict[str, Template] = {}

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a tokenizer that transformers, too, takes as its file has it.

        Raises:
            ModelError: there is none, or transformers would change something about it.
        """
        from tokenizers import Tokenizer as Backend

        try:
            config: dict[str, Any] = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
            backend = Backend.from_file(str(folder / "tokenizer.json"))
            path = folder / "chat_template.jinja"
            template = path.read_text(encoding="utf-8") if path.exists() else config.get("chat_template")
            if isinstance(template, str) and template != CHAT_TEMPLATE:
                _compiled(template)
        except Exception as error:  # The library raises nothing more exact.
            raise ModelError("the tokenizer cannot be read", where=folder, got=error) from error
        named = {f"{name}_token": config.get(f"{name}_token") for name in _SPECIAL}
        special: dict[str, str] = {
            name: token["content"] if isinstance(token, dict) else token for name, token in named.items() if token
        }
        if (
            config.get("tokenizer_class") not in _PLAIN
            or type(backend.model).__name__ != "BPE"
            or not isinstance(template, str | None)
            or any(backend.token_to_id(token) is None for token in special.values())
        ):
            raise ModelError(
                "transformers makes a tokenizer of its own of this one",
                where=folder,
                got=config.get("tokenizer_class"),
                expected=f"BPE of the class {_PLAIN[0]}",
            )
        return cls(backend, template, special)

    def _id(self, token: str | None) -> int | None:
        return None if token is None else self.backend_tokenizer.token_to_id(token)

    def encode(self, text: str, *, add_special_tokens: bool = True) -> list[int]:
        return self.backend_tokenizer.encode(text, add_special_tokens=add_special_tokens).ids

    def decode(self, ids: Sequence[int], *, clean_up_tokenization_spaces: bool = False) -> str:
        """Return the text of tokens, special ones included; of BPE no spaces are cleaned up."""
        return self.backend_tokenizer.decode(list(ids), skip_special_tokens=False)

    def apply_chat_template(
        self,
        conversation: Sequence[Mapping[str, str]],
        *,
        chat_template: str | None = None,
        tokenize: bool = False,
        add_generation_prompt: bool = False,
    ) -> str:
        """Render messages under a template, the tokenizer's own if none is given, as a text."""
        text = chat_template or self.chat_template or ""
        if text == CHAT_TEMPLATE:
            # As the template says it; Jinja takes a tenth of a second to import.
            turns = [f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in conversation]
            return "".join([*turns, "<|im_start|>assistant\n" * add_generation_prompt])
        if text not in self._templates:
            self._templates[text] = _compiled(text)
        return self._templates[text].render(
            messages=conversation, add_generation_prompt=add_generation_prompt, **self._special
        )


Tokenizer: TypeAlias = "PreTrainedTokenizerFast | FastTokenizer"


def _compiled(template: str) -> Template:
    """Compile a chat template in the environment that transformers gives one, as far as templates of texts use it."""
    from jinja2.exceptions import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise TemplateError(message)

    def now(form: str) -> str:
        return datetime.now().strftime(form)

    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])
    made.filters["tojson"] = partial(json.dumps, ensure_ascii=False)
    known = cast("dict[str, object]", made.globals)
    known.update(raise_exception=refuse, strftime_now=now)
    return made.from_string(template)


class TextEncoder:
    """Encodes texts, without adding special tokens, as the tokenizer itself does; ModelError where one is no text."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._backend = tokenizer.backend_tokenizer
        # What a tokenizer was saved with is not asked for here: nothing is cut, and nothing filled up.
        self._backend.no_truncation()
        self._backend.no_padding()
        self._pieces: dict[str, tuple[int, ...]] = {}
        added = {token.content: id for id, token in self._backend.get_added_tokens_decoder().items()}
        self._added = added
        longest = sorted(added, key=lambda text: (-len(text), text))
        self._mark = regex.compile(f"({'|'.join(map(regex.escape, longest))})") if added else None
        self._by_pieces = splits_into_pieces(tokenizer)

    def __call__(self, text: str) -> list[int]:
        """Return the tokens of a text."""
        if not self._by_pieces:
            # Transformers' own method costs as much again for short texts.
            return self._encoded(text) if text else []
        ids: list[int] = []
        for place, part in enumerate(self._mark.split(text) if self._mark else [text]):
            if place % 2:
                ids.append(self._added[part])
            else:
                for piece in pieces(part):
                    ids.extend(self.piece(piece))
        return ids

    def piece(self, text: str) -> tuple[int, ...]:
        """Return the tokens of a piece of a text, or of a tag; there are few, so each is encoded once."""
        known = self._pieces.get(text)
        if known is None:
            if len(self._pieces) >= _MOST_PIECES:
                self._pieces.clear()
            known = self._pieces[text] = tuple(self._encoded(text))
        return known

    def _encoded(self, text: str) -> list[int]:
        try:
            return self._backend.encode(text, add_special_tokens=False).ids
        except TypeError as error:
            # What the library says of it is that a text must be a text.
            raise ModelError(HALF_PAIR) from error


def splits_into_pieces(tokenizer: Tokenizer) -> bool:
    """Whether no token crosses the edge of a piece, and nothing but added tokens comes before the split."""
    made = cast("dict[str, Any]", json.loads(tokenizer.backend_tokenizer.to_str()))
    steps = cast("list[dict[str, Any]]", (made["pre_tokenizer"] or {}).get("pretokenizers") or [{}])
    first, others = steps[0], steps[1:]
    plain = all(
        not (token["lstrip"] or token["rstrip"] or token["single_word"] or token["normalized"])
        for token in made["added_tokens"]
    )
    return (
        plain
        and made["normalizer"] is None
        and first.get("type") == "Split"
        and first.get("pattern") == {"Regex": PIECE}
        and first.get("behavior") == "Isolated"
        and not first.get("invert")
        and all(step["type"] == "ByteLevel" and not step["add_prefix_space"] for step in others)
    )
