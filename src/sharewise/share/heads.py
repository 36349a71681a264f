"""The tasks' heads, which must be able to read what stands below them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from ..base import UsageError
from .per_task import PerTask
from .trunk import Trunk


def heads_over(below: nn.Module | Mapping[str, nn.Module], heads: Mapping[str, nn.Module]) -> PerTask:
    """The heads by task, over one module or a module for each task.

    UsageError where there is no head, one stands under two names, or one starts with a linear layer of another width
    than the trunk below it gives. Other heads are told apart by no more than running them.
    """
    found = PerTask("heads", heads)
    for name, head in heads.items():
        trunk = below.get(name) if isinstance(below, Mapping) else below
        first: nn.Module | None = head
        while isinstance(first, nn.Sequential):
            first = next(iter(first), None)
        if isinstance(first, nn.Linear) and isinstance(trunk, Trunk):
            _check(name, first, trunk)
    return found


def _check(name: str, layer: nn.Linear, trunk: Trunk) -> None:
    gives = trunk.features[-1]
    if gives.positions < 2 and layer.in_features not in (0, gives.channels):  # 0: a lazy layer; maps end in a length
        raise UsageError(f"heads[{name!r}]", f"reads {layer.in_features} numbers",
                         f"it must read the {gives.channels} channels that the trunk gives",
                         f"Make it nn.Linear({gives.channels}, ...).")
