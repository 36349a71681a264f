"""Every: a costly balancer, asked now and then."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..base.checks import whole
from .balancer import Balancer
from .signal import Signal
from .update import Update, Weights
from .wrapper import Wrapper, named_tasks


class Every(Wrapper):
    """Asks another balancer in every k-th step, from the first on, and keeps its weights in between.

    The steps in between cost one backward pass. Navon, Shamsian, Achituve, Maron, Kawaguchi, Chechik, Fetaya 2022,
    Multi-task learning as a bargaining game; its speed-up by updating the weights once every few steps. A task that is
    not observed in the step that asks keeps its weight (1 before the first).

    ``k``: 1 or more; ``balancer``: gives weights, not a direction (else UsageError); ``tasks``: their names, needed
    where the balancer has none.

    >>> import torch
    >>> from sharewise import balance
    >>> balancer = balance.Every(2, balance.GLS(), tasks=["a", "b"])
    >>> for a in (1.0, 4.0, 4.0):
    ...     print(balancer.update(balance.Signal({"a": torch.tensor(a), "b": torch.tensor(4.0)}, [])).values)
    tensor([1.0000, 0.2500])
    tensor([1.0000, 0.2500])
    tensor([0.5000, 0.5000])
    """

    kept: Tensor
    step: Tensor

    def __init__(self, k: int, balancer: Balancer, tasks: Sequence[str] = ()) -> None:
        super().__init__(balancer, tasks)
        whole("k", k, 1, 10**9)
        self.k = k
        self.register_buffer("kept", torch.ones(len(named_tasks(self)), dtype=torch.float64))
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    def update(self, signal: Signal) -> Update:
        if signal.where:
            if self.step % self.k == 0:
                weights = self.weights_from(self.balancer, signal).to(self.kept)
                self.kept.copy_(torch.where(signal.observed.to(self.kept.device), weights, self.kept))
            self.step += 1
        return Weights(self.kept.to(signal.losses) * signal.observed)
