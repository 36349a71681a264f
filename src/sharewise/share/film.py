"""FiLM: one network whose features each task scales and shifts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..base.checks import whole
from .heads import heads_over
from .one_trunk import OneTrunk
from .per_task import PerTask
from .trunk import Trunk, check_trunk, placed_like


class FiLM(OneTrunk):
    """One trunk for all tasks; after every stage each task scales and shifts every channel.

    x <- (1 + g[s, t]) * x + b[s, t], channel by channel, where (g, b)[s, t] = C_s e_t + c_s: e_t is a learned
    description of the task, and the controller C_s belongs to all. Controllers start at 0, where it is hard sharing. A
    negative scale lets two tasks use one feature with opposite sign.

    Perez and others 2018, FiLM: Visual reasoning with a general conditioning layer. Here the task is the condition.
    Departure: after a stage as a whole, in the place of inside its blocks.

    ``trunk``; ``heads``: a module a task; ``description``: the length of e_t, 1 or more. UsageError where there is no
    head. The trunk runs once for each task from the second stage on.

    >>> from sharewise.share import MLP
    >>> model = FiLM(MLP(3, [8, 8]), {name: nn.Linear(8, 1) for name in ("a", "b")})
    >>> model(torch.zeros(5, 3))["a"].shape
    torch.Size([5, 1])
    """

    def __init__(self, trunk: Trunk, heads: Mapping[str, nn.Module], description: int = 8) -> None:
        super().__init__()
        check_trunk("trunk", trunk)
        whole("description", description, 1, 10**6)
        self.tasks, self.description = tuple(heads), description
        self.trunk = trunk
        self.descriptions = PerTask("descriptions", {
            name: placed_like(nn.ParameterList([torch.randn(description)]), trunk) for name in heads})
        self.controllers = nn.ModuleList(placed_like(_controller(description, features.channels), trunk)
                                         for features in trunk.features[1:])
        self.heads = heads_over(trunk, heads)

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        names = self.wanted(tasks)
        first = self.trunk.stages[0](inputs)  # the same for all tasks
        return {name: self.heads.of(name)(self._conditioned(first, name)) for name in names}

    def represent(self, inputs: Any) -> Tensor:
        return self.trunk(inputs)

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return (self.descriptions.of(name), self.heads.of(name))

    def _conditioned(self, features: Tensor, name: str) -> Tensor:
        description = self.descriptions.of(name)[0]
        for place, controller in enumerate(self.controllers):
            if place > 0:
                features = self.trunk.stages[place](features)
            shape = self.trunk.features[place + 1]
            scale, shift = controller(description).chunk(2)
            features = shape.channels_back((1 + scale) * shape.channels_last(features) + shift)
        return features


def _controller(description: int, channels: int) -> nn.Linear:
    controller = nn.Linear(description, 2 * channels)
    nn.init.zeros_(controller.weight)
    nn.init.zeros_(controller.bias)
    return controller
