"""IMTL-L: impartial learning from the side of the losses."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from ..base.checks import at_least_one, no_duplicates
from .balancer import Balancer
from .graph import add_gradient
from .signal import Signal
from .update import Update, Weights


class IMTLL(Balancer):
    """Brings every loss to one scale: minimises sum_t exp(s_t) L_t - s_t over the learned scales s_t.

    The weight of task t is exp(s_t); at rest exp(s_t) L_t = 1. The scales ``log_weight`` [T] are parameters that start
    at 0: hand them to the optimizer, ``update`` fills their ``.grad``: exp(s_t) L_t - 1, and 0 for a task not observed.

    Liu, Li, Kuang, Xue, Chen, Yang, Liao, Zhang 2021, Towards impartial multi-task learning; its loss balance IMTL-L
    with base e. Unlike the paper, heads get the plain gradient of their own task unless ``heads="weighted"`` is asked
    for.

    ``tasks``: their names.

    >>> import torch
    >>> from sharewise import balance
    >>> balancer = balance.IMTLL(["price", "sold"])
    >>> shared = torch.ones(1, requires_grad=True)
    >>> balance.backward({"price": 4 * shared.sum(), "sold": shared.sum()}, [shared], balancer)
    >>> shared.grad, balancer.log_weight.grad
    (tensor([5.]), tensor([3., 0.]))
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__()
        no_duplicates("tasks", at_least_one("tasks", tasks))
        self.tasks = tasks
        self.log_weight = nn.Parameter(torch.zeros(len(tasks)))

    def update(self, signal: Signal) -> Update:
        weights = torch.where(signal.observed, self.log_weight.detach().to(signal.losses).exp(), 0.0)
        slope = torch.where(signal.observed, weights * signal.losses.nan_to_num() - 1, 0.0)
        add_gradient([self.log_weight], slope.to(self.log_weight))
        return Weights(weights)
