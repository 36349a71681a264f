"""MTAN: one shared network, and a task's attention mask over its features at every stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from ..base import UsageError
from .features import Features
from .heads import heads_over
from .one_trunk import OneTrunk
from .per_task import PerTask
from .trunk import Trunk, check_trunk, placed_like


class MTAN(OneTrunk):
    """Every task looks at the shared features through masks of its own, which it refines from stage to stage.

    At stage s, p being the shared features: mask = sigmoid(H relu(norm(G [p; f(a_before)]))), a = mask * p, with
    f = relu(F a_before) averaged down to the positions of p; at the first stage the mask reads p alone. The head reads
    a of the last stage. F, G, H act on the channels, alike at every position (1 x 1 convolutions). Where all masks are
    1, it is hard sharing.

    Liu, Johns, Davison 2019, End-to-end multi-task learning with attention, section 3. Departures, for any backbone: a
    stage is one module, so that its output p stands for both shared features of a block in the paper (the masks there
    read an earlier layer of the block); F is no 3 x 3 convolution; the norm is over the channels of one position
    (LayerNorm, before relu alone), so that the rows of one task don't move the statistics of another.

    ``trunk``: the shared network; ``heads``: a module a task. UsageError where there is no head, or a stage gives
    maps or tokens after one that gave fewer axes of positions.

    >>> from sharewise.share import MLP
    >>> model = MTAN(MLP(3, [8, 8]), {name: nn.Linear(8, 1) for name in ("a", "b")})
    >>> model(torch.zeros(5, 3))["a"].shape
    torch.Size([5, 1])
    """

    def __init__(self, trunk: Trunk, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        check_trunk("trunk", trunk)
        self.tasks = tuple(heads)
        self.trunk = trunk
        given = trunk.features[1:]
        for place, (before, here) in enumerate(pairwise(given)):
            if here.positions not in (0, before.positions):
                raise UsageError(f"stage {place + 1} of the trunk", f"has {here.positions} axes of positions after "
                                 f"{before.positions}", "masks must be carried to the next stage",
                                 "Make it part of another stage.")
        self.attention = PerTask("attention", {
            name: placed_like(nn.ModuleList(map(_Attention, [None, *given], given)), trunk) for name in heads})
        self.heads = heads_over(trunk, heads)

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        names = self.wanted(tasks)
        attended: dict[str, Tensor] = {}
        for place, stage in enumerate(self.trunk.stages):
            inputs = stage(inputs)
            attended = {name: self.attention.of(name)[place](inputs, attended.get(name)) for name in names}
        return {name: self.heads.of(name)(attended[name]) for name in names}

    def represent(self, inputs: Any) -> Tensor:
        return self.trunk(inputs)

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return (self.attention.of(name), self.heads.of(name))


class _Attention(nn.Module):
    """One task's mask over the features of one stage."""

    def __init__(self, before: Features | None, here: Features) -> None:
        super().__init__()
        self.before, self.here, size = before, here, here.channels
        self.carry = nn.Sequential(nn.Linear(before.channels, size), nn.ReLU()) if before else None
        self.reduce = nn.Sequential(nn.Linear(2 * size if before else size, size), nn.LayerNorm(size), nn.ReLU())
        self.mask = nn.Sequential(nn.Linear(size, size), nn.Sigmoid())

    def forward(self, shared: Tensor, attended: Tensor | None) -> Tensor:
        seen = self.here.channels_last(shared)
        if self.carry is not None and self.before is not None and attended is not None:
            carried = self.carry(self.before.channels_last(attended))
            carried = self.before.resize(self.before.channels_back(carried), self.here, shared)
            seen = torch.cat([seen, self.here.channels_last(carried)], dim=-1)
        return self.here.channels_back(self.mask(self.reduce(seen))) * shared
