"""Cross-stitch: each task's network takes a learned mixture of all tasks' features after every stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from .side_by_side import Row
from .stacked import sum_first
from .stitched import Stitched


class CrossStitch(Stitched):
    """Networks side by side that are stitched together channel by channel.

    After stage s task t goes on with sum_u a[s, t, u] * x[s, u]: one learned number a for each stage, pair of tasks and
    channel. With a = 1 for the own features and 0 for the others, these are separate networks.

    Misra, Shrivastava, Gupta, Hebert 2016, Cross-stitch networks for multi-task learning. For T tasks in the place
    of two; a unit stands after every stage.

    ``trunks``: a Trunk a task, alike; ``heads``: a module a task; ``own``, 0 to 1: what a starts with for the own
    features (the others share the rest). UsageError where trunks and heads name different tasks, or trunks differ.

    >>> parts = {name: nn.Linear(8, 1) for name in ("a", "b")}
    >>> from sharewise.share import MLP
    >>> model = CrossStitch({name: MLP(3, [8, 8]) for name in parts}, parts)
    >>> model(torch.zeros(5, 3))["a"].shape
    torch.Size([5, 1])
    """

    def make_row(self, place: int, channels: int) -> Row:
        return _Row(place, len(self.tasks), channels, self.own)


class _Row(Row):
    """One task's row of a unit: weight [T, C] over the features of all tasks."""

    def __init__(self, place: int, tasks: int, channels: int, own: float) -> None:
        super().__init__()
        weight = torch.full((tasks, channels), (1 - own) / max(tasks - 1, 1))
        weight[place] = own if tasks > 1 else 1.0
        self.weight = nn.Parameter(weight)

    def forward(self, given: Tensor) -> Tensor:
        return sum_first(self.weight.reshape(len(given), *[1] * (given.ndim - 2), -1) * given)

    def together(self, rows: Sequence[Row], given: Tensor) -> Tensor:
        weight = torch.stack([row.weight for row in cast(Sequence[_Row], rows)])  # [T, T, C]
        # batched products read a contiguous matrix a channel; others torch would take one by one
        mixed = weight.permute(2, 0, 1).contiguous() @ given.flatten(1, -2).permute(2, 0, 1)
        return mixed.permute(1, 2, 0).unflatten(1, given.shape[1:-1])
