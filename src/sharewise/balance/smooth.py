"""Smooth: weights that change slowly."""

from __future__ import annotations

from collections.abc import Sequence

from ..base.checks import within
from .balancer import Balancer
from .moving_average import MovingAverage
from .signal import Signal
from .update import Update, Weights
from .wrapper import Wrapper, named_tasks


class Smooth(Wrapper):
    """The exponential moving average of another balancer's weights: sum_i beta^(n-i) w_i / sum_i beta^(n-i).

    Each task's average is over the n steps in which it was observed. Against noise of the batch in methods whose
    weights jump from step to step.

    ``balancer``: gives weights, not a direction (else UsageError); ``beta`` from 0 (no change) to below 1; ``tasks``:
    their names, needed where the balancer has none.

    >>> import torch
    >>> from sharewise import balance
    >>> balancer = balance.Smooth(balance.Fixed([1.0, 3.0]), beta=0.9, tasks=["a", "b"])
    >>> balancer.update(balance.Signal({"a": torch.tensor(1.0), "b": torch.tensor(1.0)}, [])).values
    tensor([1., 3.])
    """

    def __init__(self, balancer: Balancer, beta: float = 0.9, tasks: Sequence[str] = ()) -> None:
        super().__init__(balancer, tasks)
        within("beta", beta, 0.0, 1 - 1e-9)
        self.beta = beta
        self.average = MovingAverage(len(named_tasks(self)), beta)

    def update(self, signal: Signal) -> Update:
        average = self.average.see(self.weights_from(self.balancer, signal), signal.observed)
        return Weights(average.to(signal.losses) * signal.observed)
