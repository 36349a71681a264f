"""AutoLambda: weights learned from what a step did to validation losses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..base.checks import at_least_one, no_duplicates, within
from .balancer import Balancer
from .graph import add_gradient
from .last_step import LastStep, observed_losses
from .signal import Signal
from .update import Update, Weights


class AutoLambda(Balancer):
    """More weight for the tasks whose gradients led to lower validation losses of the primary tasks.

    In each step, before ``backward``, give ``observe`` the losses of a validation batch: of the primary tasks alone,
    be it one or all. It adds the gradient of their sum in the weights, through the step just made,
    d/dw_t sum_p V_p(x - a sum_t w_t g_t) = -a g_t' sum_p grad V_p, without the learning rate a, to ``.grad`` of the
    parameters ``weights`` [T]: hand these to an optimizer (the paper: Adam, learning rate 1e-4). Without ``observe``
    they rest. Weights may become negative.

    Liu, James, Davison, Johns 2022, Auto-Lambda: disentangling dynamic task relationships; its bilevel problem with one
    unrolled step. Departures: the step that is looked through is the last one really made, taken as plain gradient
    descent in the shared parameters, in the place of a virtual one on a copy; its slopes are exact products of
    gradients, not finite differences. With ``heads="plain"`` no head depends on the weights.

    ``tasks``: their names; ``size``: how many numbers the shared parameters have, P; ``start``: all weights at first.
    Keeps T x P numbers. UsageError where ``size`` is not that of the parameters.

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.ones(2, requires_grad=True)
    >>> balancer = balance.AutoLambda(["main", "side"], size=2)
    >>> balance.backward({"main": 2 * shared[0], "side": -shared.sum()}, [shared], balancer)
    >>> balancer.observe({"main": shared[0] ** 2 / 2}, [shared])
    >>> balancer.weights.grad
    tensor([-2.,  1.])
    """

    needs: ClassVar[str] = "jacobian"
    own_loop: ClassVar[str] = "losses on validation rows in every step"

    def __init__(self, tasks: Sequence[str], size: int, start: float = 0.1) -> None:
        super().__init__()
        no_duplicates("tasks", at_least_one("tasks", tasks))
        within("start", start, 1e-12)
        self.tasks, self.size, self.start = tasks, size, start
        self.last = LastStep(len(tasks), size)
        self.weights = nn.Parameter(torch.full((len(tasks),), start))

    def observe(self, losses: Mapping[str, Tensor], shared: Iterable[Tensor]) -> None:
        """Learn from a validation batch after a step; ``losses`` of the primary tasks, NaN or left out: not observed.

        ``shared``: the parameters that ``backward`` is given. It leaves their gradients, and those of heads, alone.
        """
        found = observed_losses(losses, self.tasks)
        if found:
            total = torch.stack([loss.reshape(()) for loss in found]).sum()
            add_gradient([self.weights], self.last.slopes([total], list(shared))[0].to(self.weights))

    def update(self, signal: Signal) -> Update:
        self.last.keep(signal)
        weights = self.weights.detach().to(signal.losses)
        return Weights(weights * signal.observed)
