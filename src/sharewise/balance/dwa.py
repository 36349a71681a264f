"""DWA: dynamic weight average."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..base.checks import at_least_one, no_duplicates, whole, within
from .balancer import Balancer
from .observed import observed_softmax, positive_losses
from .signal import Signal
from .update import Update, Weights


class DWA(Balancer):
    """More weight for tasks whose loss falls slowly: T softmax(r / temperature), r_t = L_t(e - 1) / L_t(e - 2).

    L_t(e) is the mean loss of task t over epoch e; r_t is 1 until two epochs of the task are over. The weights sum to
    the number T of observed tasks; the scale of the losses cancels.

    Liu, Johns, Davison 2019, End-to-end multi-task learning with attention; the rule of dynamic weight average.
    Departures: an epoch is ``steps`` steps; an epoch in which a task was never observed is left out of its history;
    the softmax is taken over the tasks that are observed in the step.

    ``tasks``: their names; ``steps``: how many steps an epoch has, 1 or more; ``temperature`` above 0: the higher, the
    more equal. UsageError for a negative loss.

    >>> import torch
    >>> from sharewise import balance
    >>> balancer = balance.DWA(["a", "b"], steps=1)
    >>> for a, b in [(4.0, 4.0), (1.0, 4.0), (1.0, 4.0)]:
    ...     update = balancer.update(balance.Signal({"a": torch.tensor(a), "b": torch.tensor(b)}, []))
    >>> update.values
    tensor([0.8147, 1.1853])
    """

    total: Tensor
    count: Tensor
    last: Tensor
    before: Tensor
    epochs: Tensor
    step: Tensor

    def __init__(self, tasks: Sequence[str], steps: int, temperature: float = 2.0) -> None:
        super().__init__()
        no_duplicates("tasks", at_least_one("tasks", tasks))
        whole("steps", steps, 1, 10**9)
        within("temperature", temperature, 1e-6)
        self.tasks, self.steps, self.temperature = tasks, steps, temperature
        for name in ("total", "count", "last", "before", "epochs"):
            self.register_buffer(name, torch.zeros(len(tasks), dtype=torch.float64))
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    def update(self, signal: Signal) -> Update:
        observed = signal.observed.to(self.total.device)
        rates = torch.where(self.epochs >= 2, self.last / self.before.clamp_min(1e-300), 1.0)
        shares = observed_softmax(rates / self.temperature, observed)
        self._remember(torch.where(observed, positive_losses(signal).to(self.total), 0.0), observed)
        return Weights((observed.sum() * shares).to(signal.losses))

    def _remember(self, losses: Tensor, observed: Tensor) -> None:
        self.total += losses
        self.count += observed
        self.step += bool(observed.any())
        if self.step and self.step % self.steps == 0:
            seen = self.count > 0
            self.before.copy_(torch.where(seen, self.last, self.before))
            self.last.copy_(torch.where(seen, self.total / self.count.clamp_min(1), self.last))
            self.epochs += seen
            self.total.zero_()
            self.count.zero_()
