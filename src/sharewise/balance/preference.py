"""Preference: some tasks matter more than others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .balancer import Balancer
from .fixed import Fixed
from .signal import Signal
from .update import Update, Weights
from .wrapper import Wrapper


class Preference(Wrapper):
    """Another balancer's weights times what the caller wants: p_t w_t.

    The balancer sees the losses and gradients as they are, so that methods to which the scale of a loss is nothing
    can't undo the preference. ``Preference(p, Equal())`` is ``Fixed(p)``.

    ``weights``: p_t >= 0, as in ``Fixed``: by task name, or one number a task in the order of the tasks; ``balancer``:
    gives weights, not a direction (else UsageError).

    >>> import torch
    >>> from sharewise import balance
    >>> signal = balance.Signal({"a": torch.tensor(2.0), "b": torch.tensor(4.0)}, [])
    >>> balance.Preference({"a": 3.0, "b": 1.0}, balance.LogLoss(balance.Equal())).update(signal).values
    tensor([1.5000, 0.2500])
    """

    def __init__(self, weights: Mapping[str, float] | Sequence[float], balancer: Balancer) -> None:
        super().__init__(balancer)
        self.weights, self.fixed = weights, Fixed(weights)

    def update(self, signal: Signal) -> Update:
        return Weights(self.weights_from(self.fixed, signal) * self.weights_from(self.balancer, signal))
