"""Revised uncertainty weighting: the regulariser never turns negative."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from ..base.checks import at_least_one, no_duplicates
from .balancer import Balancer
from .graph import add_gradient
from .signal import Signal
from .update import Update, Weights


class RevisedUncertaintyWeighting(Balancer):
    """Uncertainty weighting with a positive regulariser: minimises sum_t L_t / (2 c_t^2) + log(1 + c_t^2).

    The weight of task t is 1 / (2 c_t^2); at rest c_t^2 = (L_t + sqrt(L_t^2 + 8 L_t)) / 4, so that small losses are
    weighted up less than by ``UncertaintyWeighting``. With s_t = log c_t^2, the parameters ``log_variance`` [T] start
    at 0: hand them to the optimizer, ``update`` fills their ``.grad``: sigmoid(s_t) - L_t exp(-s_t) / 2, and 0 for a
    task not observed.

    Liebel and Körner 2018, Auxiliary tasks in multi-task learning; its revised regulariser. Departures: s_t is
    learned in the place of c_t, which could reach 0; heads get the plain gradient of their own task unless
    ``heads="weighted"`` is asked for.

    ``tasks``: their names.

    >>> import torch
    >>> from sharewise import balance
    >>> balancer = balance.RevisedUncertaintyWeighting(["price", "sold"])
    >>> shared = torch.ones(1, requires_grad=True)
    >>> balance.backward({"price": 4 * shared.sum(), "sold": shared.sum()}, [shared], balancer)
    >>> shared.grad, balancer.log_variance.grad
    (tensor([2.5000]), tensor([-1.5000, 0.0000]))
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__()
        no_duplicates("tasks", at_least_one("tasks", tasks))
        self.tasks = tasks
        self.log_variance = nn.Parameter(torch.zeros(len(tasks)))

    def update(self, signal: Signal) -> Update:
        logs = self.log_variance.detach().to(signal.losses)
        weights = torch.where(signal.observed, torch.exp(-logs) / 2, 0.0)
        slope = torch.where(signal.observed, torch.sigmoid(logs) - weights * signal.losses.nan_to_num(), 0.0)
        add_gradient([self.log_variance], slope.to(self.log_variance))
        return Weights(weights)
