"""Separate: a network a task, sharing nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from .heads import heads_over
from .per_task import PerTask, ordered_as
from .shared_model import SharedModel


class Separate(SharedModel):
    """Every task has a trunk and a head of its own: raw_t = head_t(trunk_t(inputs)). What sharing is measured against.

    ``trunks``, ``heads``: a module a task, under the same names. UsageError where the names differ, or one module
    stands under two names.

    >>> import torch
    >>> parts = lambda size_in, size_out: {name: torch.nn.Linear(size_in, size_out) for name in ("a", "b")}
    >>> model = Separate(parts(3, 4), parts(4, 1))
    >>> len(list(model.shared_parameters())), len(list(model.task_parameters("a")))
    (0, 4)
    """

    def __init__(self, trunks: Mapping[str, nn.Module], heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.tasks = tuple(heads)
        self.trunks = PerTask("trunks", ordered_as(heads, "trunks", trunks))
        self.heads = heads_over(trunks, heads)

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        return {name: self.heads.of(name)(self.trunks.of(name)(inputs)) for name in self.wanted(tasks)}

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return (self.trunks.of(name), self.heads.of(name))
