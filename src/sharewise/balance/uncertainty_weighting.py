"""Uncertainty weighting: each task's noise is learned beside the network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from ..base import UsageError
from ..base.checks import at_least_one, no_duplicates, within
from .balancer import Balancer
from .signal import Signal
from .update import Update, Weights


class UncertaintyWeighting(Balancer):
    """Weights that follow each task's own noise: minimises sum_t a_t L_t exp(-s_t) + s_t / 2, s_t = log sigma_t^2.

    The weight of task t is a_t exp(-s_t), with the likelihood factor a_t of its loss: 1/2 for squared errors (Gaussian,
    eq. 7 of the paper), 1 for cross-entropies (softmax with a temperature, eq. 10). At rest the weight is
    1 / (2 L_t), whatever the factor. The log variances ``log_variance`` [T] are parameters that start at 0: hand them
    to the optimizer, ``update`` fills their ``.grad``: 1/2 - a_t L_t exp(-s_t), and 0 for a task not observed.

    Kendall, Gal, Cipolla 2018, Multi-task learning using uncertainty to weigh losses for scene geometry and semantics.
    Unlike the paper, heads get the plain gradient of their own task unless ``heads="weighted"`` is asked for.

    ``tasks``: their names; ``factors``: a_t in the same order (default 1; ``task.kind.likelihood_factor`` knows it).
    UsageError where the numbers of both differ.

    >>> import torch
    >>> from sharewise import balance
    >>> balancer = balance.UncertaintyWeighting(["price", "sold"], factors=[0.5, 1.0])
    >>> shared = torch.ones(1, requires_grad=True)
    >>> balance.backward({"price": 4 * shared.sum(), "sold": shared.sum()}, [shared], balancer)
    >>> shared.grad, balancer.log_variance.grad
    (tensor([3.]), tensor([-1.5000, -0.5000]))
    """

    def __init__(self, tasks: Sequence[str], factors: Sequence[float] | None = None) -> None:
        super().__init__()
        no_duplicates("tasks", at_least_one("tasks", tasks))
        if factors is not None and len(factors) != len(tasks):
            raise UsageError("factors", f"has {len(factors)} numbers", f"there are {len(tasks)} tasks",
                             "Give one number a task.")
        for factor in factors or ():
            within("a factor", factor, 1e-9)
        self.tasks, self.factors = tasks, factors
        self.log_variance = nn.Parameter(torch.zeros(len(tasks)))

    def update(self, signal: Signal) -> Update:
        variance = self.log_variance.detach().to(signal.losses.dtype)
        factors = signal.losses.new_tensor([1.0] * len(self.tasks) if self.factors is None else list(self.factors))
        weights = torch.where(signal.observed, factors * torch.exp(-variance), 0.0)
        slope = torch.where(signal.observed, 0.5 - weights * signal.losses.nan_to_num(), 0.0).to(self.log_variance)
        self.log_variance.grad = slope if self.log_variance.grad is None else self.log_variance.grad + slope
        return Weights(weights)
