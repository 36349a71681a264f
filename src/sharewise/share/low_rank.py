"""Low rank: every task's weights are a combination of a few shared sets of weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from .alike_parameters import check_no_buffers, check_parameters_alike, side_by_side
from .heads import heads_over
from .per_task import PerTask, check_own
from .shared_model import SharedModel
from .trunk import Trunk, check_alike, numbered, placed_like


class LowRank(SharedModel):
    """K sets of trunk weights belong to all; a task runs a trunk whose weights are its own combination of them.

    w[s, t] = sum_k c[s, t, k] * w_k[s] at stage s: the weights of all tasks, [parameters, T], are a matrix of rank K.
    A task starts with one set, the tasks in turn. With one set and c = 1 it is hard sharing; with K = T and each task
    at its own set, as it starts, separate networks.

    Kumar, Daumé 2012, Learning task grouping and overlap in multi-task learning (one layer; here without its
    penalties); for networks Yang, Hospedales 2017, Deep multi-task representation learning: A tensor factorisation
    approach (the one that flattens all but the last axis, the tasks).

    ``bases``: K trunks of one architecture, without buffers such as running statistics, which are no weights to be
    combined; ``heads``: a module a task. UsageError where there is no trunk or head, trunks differ, one stands twice,
    or one has buffers. A trunk of combined weights runs for each task.

    >>> from sharewise.share import MLP
    >>> model = LowRank([MLP(3, [8]) for _ in range(2)], {name: nn.Linear(8, 1) for name in ("a", "b", "c")})
    >>> model(torch.zeros(5, 3))["c"].shape
    torch.Size([5, 1])
    """

    def __init__(self, bases: Sequence[Trunk], heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        check_alike("bases", numbered(bases))
        check_own("bases", numbered(bases))
        check_parameters_alike("bases", numbered(bases))
        check_no_buffers("bases", numbered(bases))
        self.tasks = tuple(heads)
        self.bases = nn.ModuleList(bases)
        starts = {name: torch.eye(len(bases))[place % len(bases)].repeat(len(bases[0].stages), 1)
                  for place, name in enumerate(heads)}
        self.coefficients = PerTask("coefficients", {
            name: placed_like(nn.ParameterList([start]), bases[0]) for name, start in starts.items()})
        self.heads = heads_over(bases[0], heads)

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        names = self.wanted(tasks)
        bases = cast(Sequence[Trunk], self.bases)
        stacked = [{name: torch.stack(alike, dim=-1) for name, alike in side_by_side(stages)}
                   for stages in zip(*(base.stages for base in bases), strict=True)]
        return {name: self.heads.of(name)(self._combined(inputs, stacked, name)) for name in names}

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return (self.coefficients.of(name), self.heads.of(name))

    def _combined(self, features: Tensor, stacked: Sequence[Mapping[str, Tensor]], task: str) -> Tensor:
        coefficients = self.coefficients.of(task)[0]
        stages = cast(Trunk, self.bases[0]).stages
        for stage, weights, mixture in zip(stages, stacked, coefficients, strict=True):
            features = functional_call(stage, {name: weight @ mixture for name, weight in weights.items()}, (features,))
        return features
