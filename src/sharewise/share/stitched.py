"""What ways of sharing have in common in which networks side by side mix their features after every stage."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ..base.checks import within
from .heads import heads_over
from .per_task import ordered_as
from .shared_model import SharedModel
from .side_by_side import Row, SideBySide
from .trunk import Trunk


class Stitched(SharedModel):
    """A trunk and a head a task; after every stage a task goes on with what its row makes of all tasks' features."""

    def __init__(self, trunks: Mapping[str, Trunk], heads: Mapping[str, nn.Module], own: float = 0.9) -> None:
        super().__init__()
        within("own", own, 0.0, 1.0)
        self.tasks, self.own = tuple(heads), own
        self.networks = SideBySide(ordered_as(heads, "trunks", trunks), lambda place, features: self.make_row(
            place, features.channels))
        self.heads = heads_over(trunks, heads)

    @abstractmethod
    def make_row(self, place: int, channels: int) -> Row:
        """What mixes the features of all tasks, of so many channels each, for the task at this place."""

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        names = self.wanted(tasks)
        return self.read(self.run(inputs), names)

    def run(self, inputs: Any) -> Tensor:
        """What all last stages give [T, ..., C]."""
        return self.networks(inputs)[1]

    def read(self, given: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
        """The raw outputs, of what all last stages give [T, ..., C]."""
        last = self.networks.last(given, names)
        return {name: self.heads.of(name)(last[name]) for name in names}

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return (self.heads.of(name), self.networks.own_row(name))
