"""Cross-stitch: each task's network takes a learned mixture of all tasks' features after every stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from .alike_layers import are_alike, is_hooked
from .build import join
from .ordinary import is_ordinary
from .per_task import PerTask
from .side_by_side import Row, SideBySide
from .stacked import sum_first
from .stitch_lanes import StitchLanes
from .stitched import Stitched
from .stitched_stages import StitchedStages
from .trunk import Trunk

NARROW = 8  # outputs of a head up to which a row and a head are one product: for more, mixing features first is less


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

    def run(self, inputs: Any) -> Tensor:
        found = _in_one_go(self.networks, inputs) if isinstance(inputs, Tensor) and inputs.ndim > 1 else None
        return super().run(inputs) if found is None else found

    def read(self, given: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
        heads, rows = [self.heads.of(name) for name in names], [self.networks.own_row(name) for name in names]
        parts = _parts(heads, rows)
        if not parts or self.networks.features[-1].positions or given.ndim < 3 or not is_ordinary(given, *parts):
            return super().read(given, names)
        found = StitchLanes.apply(len(parts) > 2 * len(names), given.flatten(1, -2), *parts)
        return {name: raw.view(*given.shape[1:-1], raw.shape[-1]) for name, raw in zip(names, found, strict=True)}


def _in_one_go(networks: SideBySide, inputs: Tensor) -> Tensor | None:
    """What all last stages give; None where more than rows and known layers is to be run."""
    if any(part.positions for part in networks.features) or is_hooked(networks) or not is_ordinary(inputs):
        return None
    stages = [tuple(cast(Trunk, trunk).stages) for trunk in networks.trunks]
    joined = [join(modules) for modules in zip(*stages, strict=True)]
    rows = [row for unit in list(networks.units)[:-1] for row in cast(PerTask, unit)]
    parameters = [parameter for one in joined if one is not None for parameter in one[1]]
    parameters += [cast(Tensor, row._parameters["weight"]) for row in rows]
    if None in joined or any(map(is_hooked, rows)) or not is_ordinary(inputs, *parameters):
        return None
    layers = tuple(one[0].layers for one in joined if one is not None)
    found = StitchedStages.apply(layers, inputs.flatten(0, -2), *parameters)
    return found.unflatten(1, inputs.shape[:-1]) if inputs.ndim > 2 else found


def _parts(heads: Sequence[nn.Module], rows: Sequence[nn.Module]) -> list[Tensor]:
    """The weights of rows and of heads, and the heads' biases, where ``StitchLanes`` can run them; else none."""
    if type(heads[0]) is not nn.Linear or not are_alike(heads) or any(map(is_hooked, (*heads, *rows))):
        return []
    linear = cast(Sequence[nn.Linear], heads)
    if linear[0].out_features > NARROW:
        return []
    return [*(row.weight for row in cast(Sequence[_Row], rows)), *(head.weight for head in linear),
            *(head.bias for head in linear if head.bias is not None)]


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
