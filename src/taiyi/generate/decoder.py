"""A causal language model that is fed a few tokens per row at a time and can take back what it was fed.

Each row of the cache has a length of its own: new keys and values are written behind it, a mask hides what lies past
it, and taking tokens back is setting the length. So prompts need no padding on the left, and a draft that is refused
costs no copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.cache_utils import Cache, CacheLayerMixin

from taiyi.encoding import Prompt
from taiyi.errors import ModelError


class _Slots:
    """Where the tokens of one step go: shared by the layers of a cache."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.rows = torch.empty(0)
        self.columns = torch.empty(0)
        self.end = 0


class _RowLayer(CacheLayerMixin):
    """Keys and values of one layer, as [row, column, head, width]."""

    is_compileable = False

    def __init__(self, slots: _Slots) -> None:
        super().__init__()
        self.slots = slots

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        self.keys = self._new(key_states)
        self.values = self._new(value_states)
        self.is_initialized = True

    def _new(self, states: Tensor) -> Tensor:
        rows, heads, _, width = states.shape
        return states.new_zeros(rows, self.slots.capacity, heads, width)

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        return self._write("keys", key_states), self._write("values", value_states)

    def _write(self, name: str, states: Tensor) -> Tensor:
        held = cast(Tensor, getattr(self, name))
        slots = self.slots
        if held.shape[1] < slots.end:
            more = held.new_zeros(held.shape[0], slots.capacity - held.shape[1], *held.shape[2:])
            held = torch.cat([held, more], dim=1)
            setattr(self, name, held)
        held[slots.rows, slots.columns] = states.transpose(1, 2)
        return held[:, : slots.end].transpose(1, 2)

    def keep(self, rows: Tensor) -> None:
        assert self.keys is not None and self.values is not None
        self.keys = self.keys.index_select(0, rows)
        self.values = self.values.index_select(0, rows)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.slots.end, 0

    def get_seq_length(self) -> int:
        return self.slots.end

    def get_max_length(self) -> int:
        return -1


class Decoder:
    """A batch of rows in the making.

    Args:
        model: a causal language model of transformers whose layers are all attention.
        rows: how many rows.
        capacity: how many tokens a row is likely to hold; it grows beyond where needed.
    """

    def __init__(self, model: PreTrainedModel, *, rows: int, capacity: int) -> None:
        config = model.config.get_text_config()
        self._backbone = model.get_decoder()
        self._device = model.device
        self._dtype = model.dtype
        self._adds = config._attn_implementation == "eager"  # pyright: ignore[reportPrivateUsage]
        self._slots = _Slots(capacity)
        self._layers = [_RowLayer(self._slots) for _ in range(config.num_hidden_layers)]
        self._cache = Cache(layers=cast(Any, self._layers))
        self._kinds = getattr(config, "layer_types", None)
        self._window = windowed(model)
        self.lengths = [0] * rows

    @torch.inference_mode()
    def feed(self, tokens: Sequence[Sequence[int]], positions: Sequence[Sequence[int]]) -> Tensor:
        """Append tokens to each row (or none to some) and return the hidden state over each, as [row, token, width]."""
        rows, width = len(tokens), max(len(row) for row in tokens)
        ids = np.zeros((rows, width), dtype=np.int64)
        where = np.zeros((rows, width), dtype=np.int64)
        for i, (row, places) in enumerate(zip(tokens, positions, strict=True)):
            ids[i, : len(row)] = row
            where[i, : len(row)] = places
        slots = self._slots
        columns = torch.tensor(self.lengths)[:, None] + torch.arange(width)
        slots.rows = torch.arange(rows, device=self._device)[:, None]
        slots.columns = columns.to(self._device)
        slots.end = max(self.lengths) + width
        if slots.end > slots.capacity:
            slots.capacity = max(slots.end, slots.capacity * 3 // 2)
        output = self._backbone(
            input_ids=torch.from_numpy(ids).to(self._device),
            attention_mask=self._mask(slots.columns, slots.end),
            position_ids=torch.from_numpy(where).to(self._device),
            past_key_values=self._cache,
            use_cache=True,
        )
        for i, row in enumerate(tokens):
            self.lengths[i] += len(row)
        return cast(Tensor, output.last_hidden_state)

    def take_back(self, row: int, count: int) -> None:
        """Forget the last `count` tokens of a row."""
        self.lengths[row] -= count

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with some of the rows only."""
        index = torch.tensor(rows, device=self._device)
        for layer in self._layers:
            layer.keep(index)
        self.lengths = [self.lengths[row] for row in rows]

    def _mask(self, columns: Tensor, end: int) -> Tensor | dict[str, Tensor]:
        seen = torch.arange(end, device=self._device)
        full = (seen <= columns[:, :, None])[:, None]
        if self._window is None:
            return self._added(full)
        near = self._added(full & (seen > columns[:, :, None] - self._window)[:, None])
        full = self._added(full)
        return near if self._kinds is None else {"full_attention": full, "sliding_attention": near}

    def _added(self, mask: Tensor) -> Tensor:
        """Return a mask as the model's attention takes it: plain ("eager") attention adds it to its scores."""
        if not self._adds:
            return mask
        return torch.zeros(mask.shape, dtype=self._dtype, device=self._device).masked_fill(
            ~mask, torch.finfo(self._dtype).min
        )


def begun(model: PreTrainedModel, prompts: Sequence[Prompt], *, capacity: int) -> Decoder:
    """Return a decoder that has read all but the last token of each prompt; one that occurs again is read once."""
    order = {key: n for n, key in enumerate(dict.fromkeys(map(id, prompts)))}
    distinct = list({id(prompt): prompt for prompt in prompts}.values())
    decoder = Decoder(model, rows=len(distinct), capacity=capacity)
    decoder.feed([prompt.ids[:-1] for prompt in distinct], [prompt.positions[:-1] for prompt in distinct])
    decoder.keep([order[id(prompt)] for prompt in prompts])
    return decoder


def windowed(model: PreTrainedModel) -> int | None:
    """Return how far back the layers with a sliding window see, None where no layer has one.

    Raises ModelError for a model with layers whose state cannot be taken back, such as linear attention.
    """
    config = model.config.get_text_config()
    kinds = set[str](getattr(config, "layer_types", None) or ())
    if other := kinds - {"full_attention", "sliding_attention"}:
        raise ModelError(
            "layers of this kind are not supported",
            where=model.config.model_type,
            got=", ".join(sorted(other)),
            expected="a model of attention layers, such as Qwen3",
        )
    window = getattr(config, "sliding_window", None)
    return window if window and (not kinds or "sliding_attention" in kinds) else None
