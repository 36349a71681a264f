"""Fixed: weights that the caller knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from ..base import UnknownNameError, UsageError
from ..base.checks import at_least_one, within
from .balancer import Balancer
from .signal import Signal
from .update import Update, Weights


class Fixed(Balancer):
    """Task t has the constant weight w_t >= 0.

    ``weights``: by task name (a name that is missing is an error), or one number a task in the order of the losses.
    UsageError where a weight is negative or their number is not that of the tasks; UnknownNameError for a task without
    a weight.

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.ones(1, requires_grad=True)
    >>> balance.backward({"a": shared.sum(), "b": shared.sum()}, [shared], balance.Fixed([0.5, 2.0]))
    >>> shared.grad
    tensor([2.5000])
    """

    is_constant: ClassVar[bool] = True

    def __init__(self, weights: Mapping[str, float] | Sequence[float]) -> None:
        super().__init__()
        at_least_one("weights", weights)
        for value in weights.values() if isinstance(weights, Mapping) else weights:
            within("a weight", value, 0.0)
        self.weights = weights

    def update(self, signal: Signal) -> Update:
        values = signal.losses.new_tensor([self._weight(at, name, signal) for at, name in enumerate(signal.tasks)])
        return Weights(values * signal.observed)

    def _weight(self, at: int, name: str, signal: Signal) -> float:
        if isinstance(self.weights, Mapping):
            if name not in self.weights:
                raise UnknownNameError.near("task", name, self.weights)
            return self.weights[name]
        if len(self.weights) != len(signal.tasks):
            raise UsageError("weights", f"has {len(self.weights)} numbers", f"there are {len(signal.tasks)} tasks",
                             "Give one number a task, or a dict by name.")
        return self.weights[at]
