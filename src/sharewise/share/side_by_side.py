"""A trunk a task, run side by side, with a unit after every stage through which they see each other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from jaxtyping import Float
from torch import Tensor, nn

from ..base import UsageError
from .features import Features
from .per_task import PerTask
from .stacked import run_beside
from .trunk import Trunk, check_alike, placed_like


class Row(nn.Module, ABC):
    """What one task takes from the features of all after a stage [T, ..., C], the channels last: its own [..., C]."""

    @abstractmethod
    def forward(self, given: Tensor) -> Tensor:
        """With this row's weights."""

    @abstractmethod
    def together(self, rows: Sequence[Row], given: Tensor) -> Tensor:
        """The same for every task's row of the unit in one go, [T, ..., C]."""


class SideBySide(nn.Module):
    """Trunks of one shape, a task each; after every stage the features of all tasks are mixed anew for each task.

    ``make_row(place, features)``: the row of the task at that place after a stage that gives these features.
    What a task takes after the last stage is its own; all before it feeds the other tasks too, and is shared.
    """

    def __init__(self, trunks: Mapping[str, Trunk], make_row: Callable[[int, Features], Row]) -> None:
        super().__init__()
        self.features = check_alike("trunks", trunks)
        self.trunks = PerTask("trunks", trunks)
        self.units = nn.ModuleList(
            PerTask("units", {name: placed_like(make_row(place, features), trunk)
                              for place, (name, trunk) in enumerate(trunks.items())}) for features in self.features[1:])

    def forward(self, inputs: Any) -> tuple[list[dict[str, Tensor]], Float[Tensor, "T ... C"]]:
        """The mixed features after each stage but the last by task; what all last stages give, the channels last."""
        if not isinstance(inputs, Tensor):
            raise UsageError("inputs", f"are a {type(inputs).__name__}", "networks side by side read one tensor",
                             "Give ids or pixels alone.")
        tasks, after = self.trunks.names, []
        read, given = inputs.expand(len(tasks), *inputs.shape), inputs
        for place, (unit, shape) in enumerate(zip(self.units, self.features[1:], strict=True)):
            given = shape.channels_last(run_beside([cast(Trunk, trunk).stages[place] for trunk in self.trunks], read))
            if place < len(self.units) - 1:
                rows = cast(Sequence[Row], tuple(cast(PerTask, unit)))
                read = shape.channels_back(rows[0].together(rows, given))
                after.append(dict(zip(tasks, read.unbind(), strict=True)))
        return after, given

    def last(self, given: Float[Tensor, "T ... C"], names: Sequence[str]) -> dict[str, Tensor]:
        """What tasks take after the last stage, apart from one another, as each row belongs to its task."""
        return {name: self.features[-1].channels_back(self.own_row(name)(given)) for name in names}

    def own_row(self, name: str) -> nn.Module:
        """The last unit's row of a task."""
        return cast(PerTask, self.units[-1]).of(name)
