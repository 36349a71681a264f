"""Separate: a network a task, sharing nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ..base import UsageError
from .hard_sharing import check_own
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
        if set(trunks) != set(heads):
            raise UsageError("trunks and heads", f"name {sorted(trunks)} and {sorted(heads)}",
                             "both must name the same tasks", "Give every task a trunk and a head.")
        check_own("trunks", trunks)
        check_own("heads", heads)
        self.tasks = tuple(heads)
        self.trunks = nn.ModuleList(trunks[name] for name in heads)
        self.heads = nn.ModuleList(heads.values())

    def forward(self, inputs: Any) -> dict[str, Tensor]:
        parts = zip(self.tasks, self.trunks, self.heads, strict=True)
        return {name: head(trunk(inputs)) for name, trunk, head in parts}

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        at = self.tasks.index(name)
        return (self.trunks[at], self.heads[at])
