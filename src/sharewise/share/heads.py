"""The tasks' heads, which must be able to read what stands below them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from ..base import UsageError
from .features import Features
from .per_task import PerTask
from .trunk import Trunk

CONVOLUTIONS = (nn.Conv2d, nn.Conv3d)


def heads_over(below: nn.Module | Mapping[str, nn.Module], heads: Mapping[str, nn.Module]) -> PerTask:
    """The heads by task, over one module or a module for each task.

    UsageError where there is no head, one stands under two names, or one starts with a linear layer or a convolution of
    another width than the trunk below it gives. Other heads are told apart by no more than running them.
    """
    found = PerTask("heads", heads)
    for name, head in heads.items():
        trunk = below.get(name) if isinstance(below, Mapping) else below
        first: nn.Module | None = head
        while isinstance(first, nn.Sequential):
            first = next(iter(first), None)
        if isinstance(trunk, Trunk):
            _check(name, first, trunk.features[-1])
    return found


def _check(name: str, layer: nn.Module | None, gives: Features) -> None:
    if isinstance(layer, nn.Linear) and gives.positions < 2:  # maps end in a length
        reads, numbers = layer.in_features, "numbers"
    elif isinstance(layer, CONVOLUTIONS) and gives.positions > 1:
        reads, numbers = layer.in_channels, "channels"
    else:
        return
    if reads not in (0, gives.channels):  # 0: a lazy layer
        raise UsageError(f"heads[{name!r}]", f"reads {reads} {numbers}",
                         f"it must read the {gives.channels} channels that the trunk gives",
                         f"Make it nn.{type(layer).__name__}({gives.channels}, ...).")
