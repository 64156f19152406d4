"""One micro-batch: the rows of a bin, one after another, as tensors.

Its sizes are rounded up: oneDNN keeps a compiled kernel for each shape that it has met, which, with a shape of its own
for every micro-batch, takes gigabytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from taiyi.train.attention import Groups, group
from taiyi.train.rows import Rows

ROUND = 64
"""What numbers of tokens and of targets are rounded up to a multiple of."""
_ROUND_CHOICES = 4


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of a bin.

    Attributes:
        num_tokens: tokens of the rows, without the row of padding behind them.
        ids: tokens, 1 x n.
        positions: their positions, 1 x n.
        cu_seq_lens: where each row begins, and the end.
        groups: the layout of the rows for attention.
        free_at: indices of tokens whose successors are learned over the whole vocabulary.
        free: those successors.
        decided_at: indices of tokens whose successors are learned among choices.
        choices: the choices of each, padded with token 0.
        padding: which choices are padding.
        decided: which choice is right.
        free_row: of each free target, which row of the bin it is in.
        decided_row: the same of those with choices.
        rows: the rows, as indices into those of the stage.
        tasks: of each row, the index of its task.
    """

    num_tokens: int
    ids: Tensor
    positions: Tensor
    cu_seq_lens: Tensor
    groups: Groups
    free_at: Tensor
    free: Tensor
    decided_at: Tensor
    choices: Tensor
    padding: Tensor
    decided: Tensor
    free_row: Tensor
    decided_row: Tensor
    rows: tuple[int, ...]
    tasks: Tensor

    def to(self, device: torch.device) -> Self:
        """Return the batch on a device."""
        if device == self.ids.device:
            return self
        moved = {f.name: v.to(device) for f in fields(self) if isinstance(v := getattr(self, f.name), Tensor)}
        plan = replace(
            self.groups,
            take=self.groups.take.to(device),
            put=self.groups.put.to(device),
            padding=self.groups.padding.to(device),
        )
        return replace(self, groups=plan, **moved)

    def weight(self, decision_weight: float) -> float:
        """What the counted targets weigh together."""
        return len(self.free) + decision_weight * len(self.decided)


def batch(rows: Rows, indices: Sequence[int]) -> Batch:
    """Put rows into one batch."""
    data = rows.arrays
    tokens = [rows.slice("row", i) for i in indices]
    targets = [rows.slice("target", i) for i in indices]
    starts = np.cumsum([0, *(s.stop - s.start for s in tokens)])
    ids = np.concatenate([data["ids"][s] for s in tokens]).astype(np.int64)
    positions = np.concatenate([data["positions"][s] for s in tokens]).astype(np.int64)
    at = np.concatenate([data["targets"][s] + start for s, start in zip(targets, starts, strict=False)])
    choice_offsets = [data["choice_offsets"][s.start : s.stop + 1] for s in targets]
    counts = np.concatenate([np.diff(offsets) for offsets in choice_offsets])
    row = np.repeat(np.arange(len(targets)), [s.stop - s.start for s in targets])
    flat = np.concatenate([data["choices"][offsets[0] : offsets[-1]] for offsets in choice_offsets]).astype(np.int64)
    begins = np.cumsum(counts) - counts

    free = at[counts == 0]
    decided = at[counts > 1]
    sizes, begins = counts[counts > 1], begins[counts > 1]
    widest = int(sizes.max()) if len(sizes) else 1
    columns = np.arange(widest + -widest % _ROUND_CHOICES)[None, :]
    padding = columns >= sizes[:, None]
    choices = flat[np.where(padding, 0, begins[:, None] + columns)] if len(sizes) else np.zeros(padding.shape, np.int64)
    choices[padding] = 0
    right = ((choices == ids[decided][:, None]) & ~padding).argmax(1)

    num_tokens = len(ids)
    if extra := -num_tokens % ROUND:
        # A row that nothing is learned of.
        ids, positions = np.pad(ids, (0, extra)), np.concatenate([positions, np.arange(extra)])
        starts = np.append(starts, len(ids))
    cu_seq_lens = torch.from_numpy(starts.astype(np.int32))
    return Batch(
        num_tokens=num_tokens,
        ids=torch.from_numpy(ids)[None],
        positions=torch.from_numpy(positions)[None],
        cu_seq_lens=cu_seq_lens,
        groups=group(cu_seq_lens),
        free_at=torch.from_numpy(free - 1),
        free=torch.from_numpy(ids[free]),
        decided_at=torch.from_numpy(decided - 1),
        choices=torch.from_numpy(choices),
        padding=torch.from_numpy(padding),
        decided=torch.from_numpy(right),
        free_row=torch.from_numpy(row[counts == 0]),
        decided_row=torch.from_numpy(row[counts > 1]),
        rows=tuple(indices),
        tasks=torch.from_numpy(data["tasks"][list(indices)].astype(np.int64)),
    )
