"""FairGrad: descent shared out by alpha-fairness."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ..base.checks import within
from .gramian_balancer import GramianBalancer
from .solvers import fair_share


class FairGrad(GramianBalancer):
    """The step that maximises sum_t (g_t' d)^(1 - alpha) / (1 - alpha) on a ball.

    It is d = sum_t w_t g_t with G w = w^(-1 / alpha) in the Gramian G; alpha = 1 stands for the logarithm.

    ``alpha`` says how much the worst-off task counts: towards 0 less and less, 1 proportional fairness (then it is
    ``NashMTL``), 2 the least sum of delays, large values the largest minimum.

    Ban, Ji 2024, Fair resource allocation in multi-task learning, algorithm 1. Unlike there, the equation is
    solved by Newton's method on the convex problem that it is the optimum of, not by a least-squares routine. A task
    whose gradient is zero has weight 0; at a Pareto stationary point, where no solution exists, the step is zero.

    UsageError where ``alpha`` is not from 0.5 to 10; outside of it the powers lose too many digits.

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.ones(2, requires_grad=True)
    >>> balance.backward({"a": 8 * shared[0], "b": shared[1]}, [shared], balance.FairGrad(alpha=2.0))
    >>> shared.grad
    tensor([0.5000, 1.0000])
    """

    def __init__(self, alpha: float = 2.0) -> None:
        super().__init__()
        self.alpha = within("alpha", alpha, 0.5, 10.0)

    def weights(self, gramian: Float[np.ndarray, "T T"], noise: float) -> Float[np.ndarray, "T"]:
        return fair_share(gramian, 1 / self.alpha, noise)
