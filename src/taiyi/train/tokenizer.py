"""A byte-level BPE tokenizer whose tokens respect what mentions may begin and end at."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

from taiyi.encoding import CHAT_TEMPLATE
from taiyi.errors import TrainError
from taiyi.text import PIECE

PAD = "<|endoftext|>"
START = "<|im_start|>"
END = "<|im_end|>"


def train_bpe(texts: Iterable[str], *, vocab_size: int, tags: Iterable[str]) -> PreTrainedTokenizerFast:
    """Train a tokenizer on texts; the same texts give the same tokenizer.

    No token crosses the edge of a piece (`text.pieces`), so the tokens of a text are those of its pieces, in order.

    Args:
        texts: what the model will read and write.
        vocab_size: tokens in all, special tokens and tags included; fewer where the texts give fewer.
        tags: texts that are to be one token each, such as `<Disease>`.
    """
    tags = list(dict.fromkeys(tags))
    special = [PAD, START, END]
    smallest = len(ByteLevel.alphabet()) + len(special) + len(tags)
    if vocab_size < smallest:
        expected = f"at least {smallest}: all bytes, special tokens, tags"
        raise TrainError("the vocabulary is too small", got=vocab_size, expected=expected)
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = Sequence(  # pyright: ignore[reportAttributeAccessIssue]
        [Split(Regex(PIECE), "isolated"), ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)]
    )
    tokenizer.decoder = ByteLevelDecoder()  # pyright: ignore[reportAttributeAccessIssue]
    trainer = BpeTrainer(
        vocab_size=vocab_size - len(tags),
        special_tokens=special,
        initial_alphabet=sorted(ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(tag, special=False, normalized=False, single_word=False) for tag in tags])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
    )
