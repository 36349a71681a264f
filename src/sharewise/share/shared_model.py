"""The role SharedModel: a network with one raw output for each task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..base.checks import no_duplicates, one_of


class SharedModel(nn.Module, ABC):
    """Gives every task its raw output and says which parameters are whose.

    ``tasks`` are the names. ``shared_parameters()`` and all ``task_parameters(name)`` together are the parameters of
    the model, each exactly once. A parameter is a task's own where no other task's output depends on it. ``is_funnel``:
    whether the order of the tasks is that of events, of which each can only follow the one before.
    """

    tasks: tuple[str, ...]
    is_funnel: ClassVar[bool] = False

    @abstractmethod
    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Raw output [..., N, R] of every task by name, or of the ``tasks`` named: only what these need is computed."""

    @abstractmethod
    def own_modules(self, name: str) -> Sequence[nn.Module]:
        """The modules that only this task uses."""

    def penalty(self) -> Float[Tensor, ""]:
        """What the architecture adds to the sum of the losses, a scalar: 0 unless it asks for something.

        Beside ``balance.backward(losses, ...)``, which weighs the tasks' losses alone: ``model.penalty().backward()``.
        """
        like = next(self.parameters(), torch.zeros(()))
        return like.new_zeros((), requires_grad=True)  # so that backward works here too, and does nothing

    def advance(self, progress: float) -> None:
        """Told before every step how much of the training is done, 0 to 1; nothing happens but where a way of sharing
        changes on its way, as ``LearningToBranch`` does."""

    def structure(self) -> str:
        """Which tasks share which stages, in words, where that was given or learned; else empty."""
        return ""

    def wanted(self, tasks: Sequence[str] | None) -> tuple[str, ...]:
        """The named tasks, or all. UnknownNameError for one that is not there, UsageError for one named twice."""
        if tasks is None:
            return self.tasks
        for name in no_duplicates("tasks", tasks):
            one_of("task", name, self.tasks)
        return tuple(tasks)

    def task_parameters(self, name: str) -> Iterator[nn.Parameter]:
        """The parameters that only this task uses. UnknownNameError for a task that is not there."""
        one_of("task", name, self.tasks)
        for module in self.own_modules(name):
            yield from module.parameters()

    def shared_parameters(self) -> Iterator[nn.Parameter]:
        """The parameters that several tasks use."""
        own = {id(parameter) for name in self.tasks for parameter in self.task_parameters(name)}
        return (parameter for parameter in self.parameters() if id(parameter) not in own)
