"""The role SharedModel: a network with one raw output for each task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor, nn

from ..base.checks import one_of


class SharedModel(nn.Module, ABC):
    """Gives every task its raw output and says which parameters are whose.

    ``tasks`` are the names. ``shared_parameters()`` and all ``task_parameters(name)`` together are the parameters of
    the model, each exactly once.
    """

    tasks: tuple[str, ...]

    @abstractmethod
    def forward(self, inputs: Any) -> dict[str, Tensor]:
        """Raw output [..., N, R] of every task, by name."""

    @abstractmethod
    def own_modules(self, name: str) -> Sequence[nn.Module]:
        """The modules that only this task uses."""

    def task_parameters(self, name: str) -> Iterator[nn.Parameter]:
        """The parameters that only this task uses. UnknownNameError for a task that is not there."""
        one_of("task", name, self.tasks)
        for module in self.own_modules(name):
            yield from module.parameters()

    def shared_parameters(self) -> Iterator[nn.Parameter]:
        """The parameters that several tasks use."""
        own = {id(parameter) for name in self.tasks for parameter in self.task_parameters(name)}
        return (parameter for parameter in self.parameters() if id(parameter) not in own)
