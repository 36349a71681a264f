"""Clip: weights that stay within bounds."""

from __future__ import annotations

from ..base.checks import within
from .balancer import Balancer
from .signal import Signal
from .update import Update, Weights
from .wrapper import Wrapper


class Clip(Wrapper):
    """Another balancer's weights, none above ``most`` and none below -most.

    Against methods whose weights run away, as 1 / L does for a task that is solved.

    ``balancer``: gives weights, not a direction (else UsageError); ``most`` above 0.

    >>> import torch
    >>> from sharewise import balance
    >>> signal = balance.Signal({"a": torch.tensor(0.01), "b": torch.tensor(4.0)}, [])
    >>> balance.Clip(balance.LogLoss(balance.Equal()), most=10.0).update(signal).values
    tensor([10.0000,  0.2500])
    """

    def __init__(self, balancer: Balancer, most: float) -> None:
        super().__init__(balancer)
        self.most = within("most", most, 1e-12)

    def update(self, signal: Signal) -> Update:
        return Weights(self.weights_from(self.balancer, signal).clamp(-self.most, self.most))
