"""What all frameworks train in the benchmark: a new model and rows, written once as files that each of them reads.

Rows are runs of words of a vocabulary in which each word is one token, so that a framework that tokenises texts by
itself trains the same tokens as one that takes them as they are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

MAX_TOKENS = 1024
# Of the rows of classification and NER corpora mixed as in a recipe: p50 38 tokens, p90 428, mean about 144. A
# log-normal distribution cut at both ends has these.
_MEDIAN, _P90, _SHORTEST = 38, 428, 8
_Z90 = 1.2816
# Rows below are classification, with an answer of a label; those above NER, with an answer of the source and its tags.
_SHORT, _LABEL_TOKENS, _NER_SHARE = 64, 4, 0.47

SIZES: dict[str, dict[str, int]] = {
    "30M": {
        "vocab_size": 16_000, "hidden_size": 512, "num_hidden_layers": 7, "num_attention_heads": 8,
        "num_key_value_heads": 4, "head_dim": 64, "intermediate_size": 1536,
    },
    # Qwen3-8B's.
    "8B": {
        "vocab_size": 151_936, "hidden_size": 4096, "num_hidden_layers": 36, "num_attention_heads": 32,
        "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 12_288,
    },
    "tiny": {
        "vocab_size": 256, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
        "num_key_value_heads": 1, "head_dim": 16, "intermediate_size": 64,
    },
}  # fmt: skip
# The adapters of the paper, under the method qlora.
LORA = {"r": 64, "alpha": 16, "dropout": 0.05}
METHODS = ("full", "qlora")


def rows(count: int, vocabulary: int, seed: int = 0) -> list[tuple[list[int], int]]:
    """Return rows as tokens, with how many of them are the prompt; tokens 0 and 1 (padding, end) are not among them."""
    random = np.random.default_rng(seed)
    sigma = np.log(_P90 / _MEDIAN) / _Z90
    lengths = np.exp(random.normal(np.log(_MEDIAN), sigma, count)).clip(_SHORTEST, MAX_TOKENS).round().astype(int)
    made: list[tuple[list[int], int]] = []
    for length in lengths.tolist():
        answer = _LABEL_TOKENS if length < _SHORT else round(_NER_SHARE * length)
        made.append((random.integers(2, vocabulary, length).tolist(), length - answer))
    return made


def write(folder: Path, size: str, count: int) -> None:
    """Write `model/`, with random weights, `rows.json`, and the same rows as texts (`texts.json`)."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    shape = SIZES[size]
    large = size == "8B"
    config = Qwen3Config(
        **shape, max_position_embeddings=2048, tie_word_embeddings=not large, bos_token_id=None, eos_token_id=1,
        pad_token_id=0, dtype="bfloat16" if large else "float32",
    )  # fmt: skip
    torch.manual_seed(0)
    with torch.device("cuda" if large and torch.cuda.is_available() else "cpu"):
        model = Qwen3ForCausalLM._from_config(config, dtype=torch.bfloat16 if large else torch.float32)
    model.save_pretrained(str(folder / "model"))
    del model
    # Tokenizers look for special tokens within words too: no word begins as they do.
    words = {"<pad>": 0, "<end>": 1} | {f"w{token}": token for token in range(2, shape["vocab_size"])}
    backend = Tokenizer(models.WordLevel(words, unk_token="w2"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>", eos_token="<end>")
    tokenizer.save_pretrained(str(folder / "model"))
    made = rows(count, shape["vocab_size"])
    (folder / "rows.json").write_text(json.dumps([{"ids": ids, "prompt": prompt} for ids, prompt in made]))

    def text(ids: list[int]) -> str:
        return " ".join(f"w{token}" for token in ids)

    texts = [{"instruction": text(ids[:n]), "input": "", "output": text(ids[n:])} for ids, n in made]
    (folder / "texts.json").write_text(json.dumps(texts))


def flops(size: str, made: list[tuple[list[int], int]], method: str = "full") -> float:
    """Return the floating-point operations that one epoch over rows cannot do without.

    6 per weight of the layers' matrices and token, 6 per weight of the head and supervised token, and attention: 4 per
    head, its width and pair of tokens of a row that see each other, three times (forward, and twice that backward).
    Weights that do not learn take 4, and those of the adapters beside them 6.
    """
    s = SIZES[size]
    hidden, heads, kv_heads, width = (
        s[name] for name in ("hidden_size", "num_attention_heads", "num_key_value_heads", "head_dim")
    )
    query, key, wide = heads * width, kv_heads * width, s["intermediate_size"]
    matrices = [(hidden, query), (hidden, key), (hidden, key), (query, hidden)] + [(hidden, wide)] * 3
    layer = sum(a * b for a, b in matrices)
    adapters = sum(LORA["r"] * (a + b) for a, b in matrices)
    tokens = sum(len(ids) for ids, _ in made)
    supervised = sum(len(ids) - prompt for ids, prompt in made)
    pairs = sum(len(ids) * (len(ids) + 1) / 2 for ids, _ in made)
    each, of_head = (6 * layer, 6) if method == "full" else (4 * layer + 6 * adapters, 4)
    head = of_head * hidden * s["vocab_size"] * supervised
    return each * s["num_hidden_layers"] * tokens + head + 3 * 4 * s["num_hidden_layers"] * heads * width * pairs


def facts(made: list[tuple[list[int], int]]) -> dict[str, Any]:
    """Return what describes the rows."""
    lengths = np.array([len(ids) for ids, _ in made])
    supervised = sum(len(ids) - prompt for ids, prompt in made)
    return {
        "rows": len(made),
        "tokens": int(lengths.sum()),
        "mean": round(float(lengths.mean()), 1),
        "p50": int(np.percentile(lengths, 50)),
        "p90": int(np.percentile(lengths, 90)),
        "supervised": round(supervised / int(lengths.sum()), 3),
    }
