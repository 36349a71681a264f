"""LBTW: loss-balanced task weighting."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..base.checks import at_least_one, no_duplicates, whole, within
from .balancer import Balancer
from .observed import positive_losses
from .signal import Signal
from .update import Update, Weights


class LBTW(Balancer):
    """Less weight for tasks that have come far: (L_t / L_t0)^alpha, L_t0 the loss in the first batch of the epoch.

    With alpha = 0 all weights are 1. The scale of the losses cancels.

    Liu, Liang, Gitter 2019, Loss-balanced task weighting to reduce negative transfer in multi-task learning; its
    algorithm. (The authors' program also makes the weights sum to T.) Departures: an epoch is ``steps`` steps; the
    first batch of a task is the first one in which it is observed.

    ``tasks``: their names; ``steps``: how many steps an epoch has, 1 or more; ``alpha``: 0 or more. UsageError for a
    negative loss.

    >>> import torch
    >>> from sharewise import balance
    >>> balancer = balance.LBTW(["a"], steps=3)
    >>> [balancer.update(balance.Signal({"a": torch.tensor(x)}, [])).values.item() for x in (4.0, 1.0, 9.0, 2.0)]
    [1.0, 0.5, 1.5, 1.0]
    """

    first: Tensor
    is_known: Tensor
    step: Tensor

    def __init__(self, tasks: Sequence[str], steps: int, alpha: float = 0.5) -> None:
        super().__init__()
        no_duplicates("tasks", at_least_one("tasks", tasks))
        whole("steps", steps, 1, 10**9)
        within("alpha", alpha, 0.0)
        self.tasks, self.steps, self.alpha = tasks, steps, alpha
        self.register_buffer("first", torch.ones(len(tasks), dtype=torch.float64))
        self.register_buffer("is_known", torch.zeros(len(tasks), dtype=torch.bool))
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    def update(self, signal: Signal) -> Update:
        observed = signal.observed.to(self.first.device)
        losses = positive_losses(signal).to(self.first)
        if observed.any():
            if self.step % self.steps == 0:
                self.is_known.zero_()
            self.step += 1
        self.first.copy_(torch.where(observed & ~self.is_known, losses, self.first))
        self.is_known |= observed
        return Weights(((losses / self.first) ** self.alpha * observed).to(signal.losses))
