"""CAGrad: near the mean gradient, but best for the task that gains least."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ..base import UsageError
from ..base.checks import within
from .gramian_balancer import GramianBalancer
from .solvers import raise_worst_case


class CAGrad(GramianBalancer):
    """The step d that maximises min_t g_t' d over the ball |d - g_0| <= c |g_0|, where g_0 is the mean gradient.

    ``c`` in [0, 1): 0 is the mean of the gradients, towards 1 it nears MGDA's concern for the worst-off task. T counts
    the observed tasks; without conflict the step is about T times shorter than that of ``Equal``.

    Liu, Liu, Jin, Stone, Liu 2021, Conflict-averse gradient descent for multi-task learning, algorithm 1, without
    the rescaling by 1 + c^2 of the authors' code. The problem is solved exactly through the multiplier of the
    ball in place of a general optimizer. At a Pareto stationary point, where the paper divides by zero, the step is the
    one nearest to g_0 that goes against no task, if it is in the ball.

    UsageError where ``c`` is not in [0, 1).

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.ones(2, requires_grad=True)
    >>> balance.backward({"a": 8 * shared[0], "b": 6 * shared[1]}, [shared], balance.CAGrad(c=0.2))
    >>> shared.grad
    tensor([4.0000, 4.0000])
    """

    def __init__(self, c: float = 0.4) -> None:
        super().__init__()
        if within("c", c, 0.0, 1.0) == 1.0:
            raise UsageError("c", f"is {c!r}", "it must be below 1", "Choose one between 0.2 and 0.8.")
        self.c = c

    def weights(self, gramian: Float[np.ndarray, "T T"], noise: float) -> Float[np.ndarray, "T"]:
        return raise_worst_case(gramian, self.c, noise)
