"""Texts as tokens, the fastest way that a tokenizer allows.

A tokenizer that splits texts into `text.pieces` before all else (`train.tokenizer.train_bpe`) gives a piece the same
tokens wherever it stands, and most pieces of a text have been seen before: they are looked up. Encoding prompts and
answers of the bundled corpora so takes a third of the tokenizer's own time.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import regex

from taiyi.text import PIECE, pieces

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_MOST_PIECES = 1 << 19
"""So many pieces are remembered: about 100 MB."""


class TextEncoder:
    """Encodes texts, without adding special tokens, as the tokenizer itself does."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
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
            return self._backend.encode(text, add_special_tokens=False).ids if text else []
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
            known = self._pieces[text] = tuple(self._backend.encode(text, add_special_tokens=False).ids)
        return known


def splits_into_pieces(tokenizer: PreTrainedTokenizerFast) -> bool:
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
