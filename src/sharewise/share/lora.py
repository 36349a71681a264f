"""LoRA: a trained trunk that stays as it is, with a small update of low rank a task to every weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ..base.checks import whole, within
from .frozen import Frozen
from .heads import heads_over
from .one_trunk import OneTrunk
from .per_task import PerTask
from .trunk import Trunk, check_trunk, placed_like


class LoRA(OneTrunk):
    """A frozen trunk that task t runs with weights of its own, W + (alpha / rank) B_t A_t.

    B [out, rank] starts at 0, so that training starts from the frozen trunk to the bit; A [rank, in] starts at random.
    Tasks can't disturb each other: all that is trained is their own.

    Hu and others 2021, LoRA: Low-rank adaptation of large language models, section 4.1. For any backbone, every
    parameter of two or more axes has its update (the paper's experiments: those of the attention): a convolution's
    weight [out, in, h, w] as a matrix [out, in h w].

    ``trunk``: is frozen and held, not copied; ``heads``: a module a task; ``rank``: 1 or more; ``alpha`` above 0:
    strength of the update (None: the rank). UsageError where there is no head. The trunk runs once for each task.

    >>> from sharewise.share import MLP
    >>> model = LoRA(MLP(3, [8, 8]), {name: nn.Linear(8, 1) for name in ("a", "b")}, rank=2)
    >>> model(torch.zeros(5, 3))["a"].shape
    torch.Size([5, 1])
    """

    def __init__(self, trunk: Trunk, heads: Mapping[str, nn.Module], rank: int = 4, alpha: float | None = None) -> None:
        super().__init__()
        check_trunk("trunk", trunk)
        whole("rank", rank, 1, 10**6)
        if alpha is not None:
            within("alpha", alpha, 1e-12)
        self.tasks, self.rank, self.alpha = tuple(heads), rank, alpha
        self.trunk = Frozen(trunk)
        factor = 1.0 if alpha is None else alpha / rank
        self.updates = PerTask("updates", {
            name: placed_like(nn.ModuleList(_Update(stage, rank, factor) for stage in trunk.stages), trunk)
            for name in heads})
        self.heads = heads_over(trunk, heads)

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        return {name: self.heads.of(name)(self._updated(inputs, name)) for name in self.wanted(tasks)}

    def represent(self, inputs: Any) -> Tensor:
        return self.trunk(inputs)

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return (self.updates.of(name), self.heads.of(name))

    def _updated(self, features: Any, name: str) -> Tensor:
        for stage, update in zip(self.trunk.module.stages, self.updates.of(name), strict=True):
            features = functional_call(stage, update(stage), (features,))
        return features


class _Update(nn.Module):
    """One task's updates of one stage: a pair ``up`` [out, rank], ``down`` [rank, in] for each of its weights."""

    def __init__(self, stage: nn.Module, rank: int, factor: float) -> None:
        super().__init__()
        weights = {name: weight.flatten(1) for name, weight in stage.named_parameters() if weight.ndim > 1}
        self.names, self.factor = tuple(weights), factor
        self.up = nn.ParameterList([torch.zeros(len(weight), rank) for weight in weights.values()])
        self.down = nn.ParameterList([torch.randn(rank, weight.shape[1]) / weight.shape[1] ** 0.5
                                      for weight in weights.values()])

    def forward(self, stage: nn.Module) -> dict[str, Tensor]:
        """The task's weights by name."""
        weights = [attrgetter(name)(stage) for name in self.names]
        return {name: weight + self.factor * (up @ down).view_as(weight)
                for name, weight, up, down in zip(self.names, weights, self.up, self.down, strict=True)}
