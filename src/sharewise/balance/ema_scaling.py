"""EMAScaling: losses over their own moving average."""

from __future__ import annotations

from collections.abc import Sequence

from ..base.checks import at_least_one, no_duplicates, within
from .balancer import Balancer
from .moving_average import MovingAverage
from .observed import positive_losses
from .signal import Signal
from .update import Update, Weights


class EMAScaling(Balancer):
    """Divides each loss by its exponential moving average, so that all tasks count about 1: weight 1 / m_t.

    m_t = sum_i beta^(n-i) L_t(i) / sum_i beta^(n-i) over the n steps so far in which task t was observed, this one
    included. A loss that is multiplied by a constant gives the same step.

    Lakkapragada, Sleiman, Surabhi, Wall 2022, Mitigating negative transfer in multi-task learning with exponential
    moving average loss weighting strategies; the plain scaling by the average. Departure: the average is unbiased from
    the first step on, since it divides by the sum of its factors.

    ``tasks``: their names; ``beta`` from 0 (this step alone) to below 1 (long memory). UsageError for a negative loss.

    >>> import torch
    >>> from sharewise import balance
    >>> balancer = balance.EMAScaling(["a"], beta=0.5)
    >>> [balancer.update(balance.Signal({"a": torch.tensor(x)}, [])).values.item() for x in (4.0, 1.0)]
    [0.25, 0.5]
    """

    def __init__(self, tasks: Sequence[str], beta: float = 0.9) -> None:
        super().__init__()
        no_duplicates("tasks", at_least_one("tasks", tasks))
        within("beta", beta, 0.0, 1 - 1e-9)
        self.tasks, self.beta = tasks, beta
        self.average = MovingAverage(len(tasks), beta)

    def update(self, signal: Signal) -> Update:
        average = self.average.see(positive_losses(signal), signal.observed).to(signal.losses)
        return Weights(signal.observed / average.where(signal.observed, average.new_ones(())))
