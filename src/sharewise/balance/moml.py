"""MOML: weights learned so that every validation loss falls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..base.checks import at_least_one, no_duplicates
from .balancer import Balancer
from .graph import add_gradient
from .last_step import LastStep, observed_losses
from .observed import observed_softmax
from .signal import Signal
from .solvers import min_norm
from .update import Update, Weights


class MOML(Balancer):
    """Weights w = softmax(s), moved in the direction that lowers the validation losses of all tasks at once.

    In each step, before ``backward``, give ``observe`` the losses of a validation batch. The slope of each of them in
    the logits s, through the step just made, is a row of H; MGDA's combination of the rows, the shortest vector of
    their convex hull, is added to ``.grad`` of the parameters ``logits`` [T], which start at 0: hand these to an
    optimizer (the authors: Adam, learning rate 1e-3). Without ``observe`` they rest. Where a task is not observed
    the others share its weight.

    Ye, Lin, Yue, Guo, Xiao, Zhang 2021, Multi-objective meta learning; its bilevel problem with one unrolled step for
    the weights of tasks. Departures: the step that is looked through is the last one really made, taken as
    plain gradient descent in the shared parameters, in the place of a virtual one on a copy; the combination
    is the exact one. With ``heads="plain"`` no head depends on the weights.

    ``tasks``: their names; ``size``: how many numbers the shared parameters have, P. Keeps T x P numbers. UsageError
    where ``size`` is not that of the parameters.

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.ones(2, requires_grad=True)
    >>> balancer = balance.MOML(["a", "b"], size=2)
    >>> balance.backward({"a": 2 * shared[0], "b": shared[1]}, [shared], balancer)
    >>> balancer.observe({"a": shared[0], "b": shared[0] + shared[1]}, [shared])
    >>> balancer.logits.grad
    tensor([-0.2500,  0.2500])
    """

    needs: ClassVar[str] = "jacobian"
    own_loop: ClassVar[str] = "losses on validation rows in every step"

    def __init__(self, tasks: Sequence[str], size: int) -> None:
        super().__init__()
        no_duplicates("tasks", at_least_one("tasks", tasks))
        self.tasks, self.size = tasks, size
        self.last = LastStep(len(tasks), size)
        self.logits = nn.Parameter(torch.zeros(len(tasks)))

    def observe(self, losses: Mapping[str, Tensor], shared: Iterable[Tensor]) -> None:
        """Learn from a validation batch after a step; ``losses`` of any of the tasks, NaN: not observed.

        ``shared``: the parameters that ``backward`` is given. It leaves their gradients, and those of heads, alone.
        """
        found = observed_losses(losses, self.tasks)
        if found:
            slopes = self.last.slopes(found, list(shared)).double()
            shares = observed_softmax(self.logits.detach().double(), self.last.was_observed)
            rows = shares * (slopes - (slopes @ shares)[:, None])  # from weights to logits
            gramian = (rows @ rows.mT).cpu().numpy()
            best = rows.new_tensor(min_norm(gramian, len(rows) * torch.finfo(torch.float32).eps))
            add_gradient([self.logits], (best @ rows).to(self.logits))

    def update(self, signal: Signal) -> Update:
        self.last.keep(signal)
        observed = signal.observed.to(self.logits.device)
        return Weights(observed_softmax(self.logits.detach(), observed).to(signal.losses))
