"""Bottleneck adapters: a trained trunk that stays as it is, with a small network a task after every stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ..base.checks import whole
from .features import Features
from .frozen import Frozen
from .heads import heads_over
from .one_trunk import OneTrunk
from .per_task import PerTask
from .trunk import Trunk, check_trunk, placed_like


class BottleneckAdapters(OneTrunk):
    """A frozen trunk to which every task adds corrections of its own, one after every stage.

    x <- x + U gelu(D x), with D [B, C] and U [C, B] over the channels, alike at every position. U starts at 0, so that
    training starts from the frozen trunk to the bit. Tasks can't disturb each other: all that is trained is their own.

    Houlsby and others 2019, Parameter-efficient transfer learning for NLP (the bottleneck, the skip, the start near the
    identity); Pfeiffer and others 2021, AdapterFusion: Non-destructive task composition for transfer learning (one
    adapter a layer). Departure: it stands after a stage as a whole, its last normalisation included.

    ``trunk``: is frozen and held, not copied; ``heads``: a module a task; ``bottleneck``: B, 1 or more. UsageError
    where there is no head.

    >>> import torch
    >>> from sharewise.share import MLP
    >>> model = BottleneckAdapters(MLP(3, [8, 8]), {name: nn.Linear(8, 1) for name in ("a", "b")}, bottleneck=2)
    >>> model(torch.zeros(5, 3))["a"].shape
    torch.Size([5, 1])
    """

    def __init__(self, trunk: Trunk, heads: Mapping[str, nn.Module], bottleneck: int = 16) -> None:
        super().__init__()
        check_trunk("trunk", trunk)
        whole("bottleneck", bottleneck, 1, 10**6)
        self.tasks, self.bottleneck = tuple(heads), bottleneck
        self.trunk = Frozen(trunk)
        self.adapters = PerTask("adapters", {
            name: placed_like(nn.ModuleList(_Adapter(features, bottleneck) for features in trunk.features[1:]), trunk)
            for name in heads})
        self.heads = heads_over(trunk, heads)

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        names = self.wanted(tasks)
        first = self.trunk.module.stages[0](inputs)  # the same for all tasks
        return {name: self.heads.of(name)(self._adapted(first, name)) for name in names}

    def represent(self, inputs: Any) -> Tensor:
        return self.trunk(inputs)

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return (self.adapters.of(name), self.heads.of(name))

    def _adapted(self, features: Tensor, name: str) -> Tensor:
        for place, (stage, adapter) in enumerate(zip(self.trunk.module.stages, self.adapters.of(name), strict=True)):
            features = adapter(stage(features) if place > 0 else features)
        return features


class _Adapter(nn.Module):
    def __init__(self, features: Features, bottleneck: int) -> None:
        super().__init__()
        self.features = features
        self.down, self.up = nn.Linear(features.channels, bottleneck), nn.Linear(bottleneck, features.channels)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, features: Tensor) -> Tensor:
        rows = self.features.channels_last(features).contiguous()  # else torch's order of sums hangs on requires_grad
        correction = self.up(nn.functional.gelu(self.down(rows)))
        return features + self.features.channels_back(correction)
