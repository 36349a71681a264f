"""ExcessMTL: weight for the tasks that are far from where they can get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from ..base.checks import at_least_one, no_duplicates, whole, within
from .balancer import Balancer
from .observed import observed_softmax
from .shared_size import same_size
from .signal import Signal
from .update import Update, Weights


class ExcessMTL(Balancer):
    """More weight for tasks with a large excess risk: w_t <- w_t exp(rate e_t / e_t0), rescaled so that they sum to 1.

    The excess risk, the loss above the best that the network could reach, is estimated by e_t = g_t' H_t^-1 g_t with
    the diagonal H_t = sqrt(sum over the steps of g_t^2 + 1e-7): a noisy task whose loss stays high gets no more weight
    once its gradient is small. e_t0 is the mean of e_t over the first ``steps`` steps in which the task is observed;
    its weight, at first 1 / T, rests in these.

    He, Zhou, Zhang, Yun, Xu, Zeng, Chilimbi, Zhao 2024, Robust multi-task learning with excess risks, equations 6, 7
    and 9. Departure: among tasks of which some are not observed, the others share what these leave of the sum.

    ``tasks``: their names; ``size``: how many numbers the shared parameters have, P; ``rate`` above 0; ``steps``: 1 or
    more (the paper takes three epochs). Keeps T x P numbers. UsageError where ``size`` is not that of the parameters.

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.ones(2, requires_grad=True)
    >>> balancer = balance.ExcessMTL(["a", "b"], size=2)
    >>> balance.backward({"a": 4 * shared[0], "b": shared[1]}, [shared], balancer)
    >>> shared.grad
    tensor([2.0000, 0.5000])
    """

    needs: ClassVar[str] = "jacobian"
    squares: Tensor
    risk: Tensor
    weight: Tensor
    count: Tensor

    def __init__(self, tasks: Sequence[str], size: int, rate: float = 0.01, steps: int = 1) -> None:
        super().__init__()
        no_duplicates("tasks", at_least_one("tasks", tasks))
        whole("size", size, 1, 10**12)
        within("rate", rate, 1e-12)
        whole("steps", steps, 1, 10**9)
        self.tasks, self.size, self.rate, self.steps = tasks, size, rate, steps
        self.register_buffer("squares", torch.zeros(len(tasks), size))
        self.register_buffer("risk", torch.zeros(len(tasks), dtype=torch.float64))
        self.register_buffer("weight", torch.full((len(tasks),), 1 / len(tasks), dtype=torch.float64))
        self.register_buffer("count", torch.zeros(len(tasks), dtype=torch.int64))

    def update(self, signal: Signal) -> Update:
        same_size(signal, self.size)
        observed = signal.observed.to(self.weight.device)
        risks = self._risks(signal.jacobian.to(self.squares))
        learning = observed & (self.count < self.steps)
        self.risk += torch.where(learning, risks / self.steps, 0.0)
        self.count += learning
        moving = observed & ~learning
        logits = self.weight.clamp_min(1e-300).log() + self.rate * risks / self.risk.clamp_min(1e-7)
        total = self.weight[moving].sum()
        self.weight.copy_(torch.where(moving, total * observed_softmax(logits, moving), self.weight))
        return Weights((self.weight * observed).to(signal.losses))

    def _risks(self, rows: Float[Tensor, "T P"]) -> Float[Tensor, "T"]:
        squares = rows.square()
        self.squares += squares
        return (squares / (self.squares + 1e-7).sqrt()).sum(1).to(self.weight)
