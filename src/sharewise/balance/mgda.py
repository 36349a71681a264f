"""MGDA: the shortest convex combination of the gradients."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from .gramian_balancer import GramianBalancer
from .solvers import min_norm


class MGDA(GramianBalancer):
    """A step that lowers all losses at once, for as long as one exists.

    d = sum_t a_t g_t with the a >= 0 of sum 1 for which |d| is least. Every task gains the same, g_t' d = |d|^2, unless
    it has weight 0 and gains more; d = 0 at a Pareto stationary point.
    Small gradients get large weights, so the task with the shortest one sets the length of the step.

    Désidéri 2012, Multiple-gradient descent algorithm for multiobjective optimization;
    Sener, Koltun 2018, Multi-task learning as multi-objective optimization, eq. 3. Unlike there, the minimum is exact
    (an active set in place of Frank-Wolfe), and it is taken over the gradients of the shared parameters (MGDA, not the
    upper bound at the representation).

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.ones(2, requires_grad=True)
    >>> balance.backward({"a": shared[0], "b": 2 * shared[1]}, [shared], balance.MGDA())
    >>> shared.grad
    tensor([0.8000, 0.4000])
    """

    def weights(self, gramian: Float[np.ndarray, "T T"], noise: float) -> Float[np.ndarray, "T"]:
        return min_norm(gramian, noise)
