"""A causal language model that is fed a few tokens per row at a time and can take back what it was fed.

Each row of the cache has a length of its own: new keys and values are written behind it, a mask hides what lies past
it, and taking tokens back is setting the length. So prompts need no padding on the left, and a draft that is refused
costs no copy. Rows may be fed different numbers of tokens: the layers compute them one behind another, without padding;
attention alone is computed row by row.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.cache_utils import Cache, CacheLayerMixin
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from taiyi.errors import ModelError
from taiyi.generate.head import States


class _Slots:
    """Where the tokens of one step are: shared by the layers of a cache, and by attention.

    Attributes:
        capacity: how many tokens a row of the cache holds.
        rows, columns: for each token that is fed, its row, and its place there.
        places: which of the tokens of its row that are fed it is.
        width: the most tokens that a row is fed.
        end: the place behind the longest row, with them.
        begins: whether nothing was fed before.
    """

    def __init__(self, capacity: int, device: torch.device) -> None:
        self.capacity = capacity
        self.device = device
        self.lengths = self.rows = self.columns = self.places = torch.empty(0)
        self.width = self.end = 0
        self.begins = True

    def lay(self, lengths: Sequence[int], counts: Sequence[int]) -> None:
        """Lay out so many more tokens of each row behind those that it has."""
        self.width = max(counts)
        self.end = max(lengths) + self.width
        if self.end > self.capacity:
            self.capacity = max(self.end, self.capacity * 3 // 2)
        self.begins = not any(lengths)
        fed = torch.tensor(counts)
        rows = torch.arange(len(counts)).repeat_interleave(fed)
        places = torch.arange(len(rows)) - (fed.cumsum(0) - fed)[rows]
        self.lengths = torch.tensor(lengths).to(self.device)
        self.rows, self.places = rows.to(self.device), places.to(self.device)
        self.columns = self.lengths[self.rows] + self.places

    def padded(self, tokens: Tensor) -> Tensor:
        """Return tokens, as [token, ...], as [row, place, ...]; what is not fed is zero."""
        rows = len(self.lengths)
        if len(tokens) == rows * self.width:
            return tokens.view(rows, self.width, *tokens.shape[1:])
        held = tokens.new_zeros(rows, self.width, *tokens.shape[1:])
        held[self.rows, self.places] = tokens
        return held

    def flat(self, held: Tensor) -> Tensor:
        """Return what is held as [row, place, ...] token by token."""
        return held.flatten(0, 1) if len(self.rows) == held.shape[0] * held.shape[1] else held[self.rows, self.places]

    def mask(self, window: int | None) -> Tensor | None:
        """Return what each token sees, as [row, 1, place, column]; None where that is just what comes before it."""
        if self.begins and (window is None or self.end <= window):
            return None
        columns = (self.lengths[:, None] + torch.arange(self.width, device=self.device))[:, :, None]
        seen = torch.arange(self.end, device=self.device)
        mask = seen <= columns
        return (mask if window is None else mask & (seen > columns - window))[:, None]


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
        _, heads, _, width = states.shape
        return states.new_zeros(len(self.slots.lengths), self.slots.capacity, heads, width)

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
        held[slots.rows, slots.columns] = states[0].transpose(0, 1)
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
        self._model = model
        self._config = model.config.get_text_config()
        self._backbone = model.get_decoder()
        self._device = model.device
        self._slots = _Slots(capacity, model.device)
        self._layers = [_RowLayer(self._slots) for _ in range(self._config.num_hidden_layers)]
        self._cache = Cache(layers=cast(Any, self._layers))
        window, kinds = windowed(model), getattr(self._config, "layer_types", None)
        self._windows = [
            window if kinds is None or kinds[layer] == "sliding_attention" else None
            for layer in range(len(self._layers))
        ]
        self.lengths = [0] * rows

    @torch.inference_mode()
    def feed(self, tokens: Sequence[Sequence[int]], positions: Sequence[Sequence[int]]) -> States:
        """Append tokens to each row, or none to some."""
        self._slots.lay(self.lengths, [len(row) for row in tokens])
        ids, where = ([value for row in rows for value in row] for rows in (tokens, positions))
        with _row_by_row(self._config) as attend:
            output = self._backbone(
                input_ids=torch.tensor([ids], device=self._device),
                position_ids=torch.tensor([where], device=self._device),
                past_key_values=self._cache,
                use_cache=True,
                slots=self._slots,
                windows=self._windows,
                attend=attend,
            )
        for i, row in enumerate(tokens):
            self.lengths[i] += len(row)
        return States(self._model, self._slots.padded(cast(Tensor, output.last_hidden_state)[0]))

    def take_back(self, row: int, count: int) -> None:
        """Forget the last `count` tokens of a row."""
        self.lengths[row] -= count

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with some of the rows only."""
        index = torch.tensor(rows, device=self._device)
        for layer in self._layers:
            layer.keep(index)
        self.lengths = [self.lengths[row] for row in rows]


_NAME = "taiyi_rows"
"""Attention row by row, in the table of transformers."""


@contextmanager
def _row_by_row(config: Any) -> Generator[str]:
    """Have a model attend row by row for a while; yields how it attends otherwise."""
    own = cast(str, config._attn_implementation)
    config._attn_implementation = _NAME
    try:
        yield own
    finally:
        config._attn_implementation = own


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    slots: _Slots,
    windows: Sequence[int | None],
    attend: str,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attention of tokens that lie one behind another to the rows of the cache that they belong to.

    It is computed as the model does otherwise, `attend`, over queries that are padded to rows.
    """
    queries = slots.padded(query[0].transpose(0, 1)).transpose(1, 2)
    mask = slots.mask(windows[cast(int, module.layer_idx)])
    if attend == "eager":
        # The architecture's own function, which may change scores; it adds its mask to them.
        function = sys.modules[type(module).__module__].__dict__["eager_attention_forward"]
        if mask is None:
            mask = torch.ones(slots.width, slots.end, dtype=torch.bool, device=query.device).tril()[None, None]
        mask = torch.zeros(mask.shape, dtype=query.dtype, device=query.device).masked_fill_(
            ~mask, torch.finfo(query.dtype).min
        )
    else:
        function = ALL_ATTENTION_FUNCTIONS[attend]
    out, _ = function(module, queries, key, value, mask, **kwargs | {"is_causal": mask is None})
    return slots.flat(out)[None], None


def _no_mask(*args: Any, **kwargs: Any) -> None:
    return None


AttentionInterface.register(_NAME, _attention)
AttentionMaskInterface.register(_NAME, _no_mask)


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
