"""GradNorm: gradient norms that follow the relative training rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..base.checks import at_least_one, no_duplicates, within
from .balancer import Balancer
from .graph import add_gradient
from .observed import observed_softmax, positive_losses
from .signal import Signal
from .update import Update, Weights


class GradNorm(Balancer):
    """Learns weights w_t so that the norms G_t = w_t ||g_t|| come to mean(G) r_t^alpha: slow tasks get more.

    r_t = (L_t / L_t0) / mean of it over the tasks, the inverse training rate; L_t0 is the first observed loss. The
    weights minimise sum_t |G_t - mean(G) r_t^alpha| with the target held constant. They are w = T softmax(s): hand the
    parameters ``logits`` s [T], which start at 0, to the optimizer; ``update`` fills their ``.grad``, 0 for a task not
    observed.

    Chen, Badrinarayanan, Lee, Rabinovich 2018, GradNorm: gradient normalization for adaptive loss balancing in deep
    multitask networks, algorithm 1. Departures: the norms are those of the gradients in all shared parameters that
    ``backward`` is given (the paper takes the last shared layer); the softmax keeps the weights positive and summing
    to T, in the place of a rescaling after each step.

    ``tasks``: their names; ``alpha``: 0 (equal norms) or more (stronger pull to a common rate). UsageError for a
    negative loss.

    >>> import torch
    >>> from sharewise import balance
    >>> balancer = balance.GradNorm(["a", "b"])
    >>> shared = torch.ones(1, requires_grad=True)
    >>> balance.backward({"a": 3 * shared.sum(), "b": shared.sum()}, [shared], balancer)
    >>> shared.grad, balancer.logits.grad
    (tensor([4.]), tensor([ 2., -2.]))
    """

    needs: ClassVar[str] = "gramian"
    first: Tensor
    is_known: Tensor

    def __init__(self, tasks: Sequence[str], alpha: float = 1.5) -> None:
        super().__init__()
        no_duplicates("tasks", at_least_one("tasks", tasks))
        within("alpha", alpha, 0.0)
        self.tasks, self.alpha = tasks, alpha
        self.logits = nn.Parameter(torch.zeros(len(tasks)))
        self.register_buffer("first", torch.ones(len(tasks), dtype=torch.float64))
        self.register_buffer("is_known", torch.zeros(len(tasks), dtype=torch.bool))

    def update(self, signal: Signal) -> Update:
        observed = signal.observed.to(self.first.device)
        losses = positive_losses(signal).to(self.first)
        self.first.copy_(torch.where(observed & ~self.is_known, losses, self.first))
        self.is_known |= observed
        shares = observed_softmax(self.logits.detach().to(self.first), observed)
        weights = observed.sum() * shares
        norms = weights * signal.gramian.diagonal().to(self.first).clamp_min(0).sqrt()
        slope = torch.sign(norms - self._targets(norms, losses / self.first * observed)) * norms
        add_gradient([self.logits], (slope - shares * slope.sum()).to(self.logits))
        return Weights(weights.to(signal.losses))

    def _targets(self, norms: Tensor, progress: Tensor) -> Tensor:
        """mean(G) r_t^alpha; the means are over the observed tasks, whose ``progress`` L_t / L_t0 is above 0."""
        count = (progress > 0).sum().clamp_min(1)
        rates = progress / (progress.sum() / count).clamp_min(1e-300)
        return norms.sum() / count * rates ** self.alpha
