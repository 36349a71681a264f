"""What ways of sharing have in common in which a penalty alone brings the tasks' own trunks together."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..base.checks import within
from .alike_parameters import check_parameters_alike, side_by_side
from .heads import heads_over
from .per_task import PerTask, ordered_as
from .shared_model import SharedModel


class OwnTrunks(SharedModel):
    """Separate networks with a penalty on every parameter, stacked over the tasks."""

    def __init__(self, trunks: Mapping[str, nn.Module], heads: Mapping[str, nn.Module], strength: float) -> None:
        super().__init__()
        within("strength", strength, 0.0)
        self.tasks, self.strength = tuple(heads), strength
        self.trunks = PerTask("trunks", ordered_as(heads, "trunks", trunks))
        self.heads = heads_over(trunks, heads)
        check_parameters_alike("trunks", {name: self.trunks.of(name) for name in self.tasks})

    @abstractmethod
    def apart(self, stacked: Float[Tensor, "... T"]) -> Float[Tensor, ""]:
        """How far one parameter's values lie apart, the tasks on the last axis."""

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        return {name: self.heads.of(name)(self.trunks.of(name)(inputs)) for name in self.wanted(tasks)}

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return (self.trunks.of(name), self.heads.of(name))

    def penalty(self) -> Float[Tensor, ""]:
        distances = [self.apart(torch.stack(alike, dim=-1)) for _, alike in side_by_side(self.trunks)]
        return self.strength * sum(distances, start=super().penalty())
