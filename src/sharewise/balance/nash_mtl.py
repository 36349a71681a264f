"""NashMTL: the tasks bargain over the step."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from .gramian_balancer import GramianBalancer
from .solvers import fair_share


class NashMTL(GramianBalancer):
    """The Nash bargaining solution: d = sum_t a_t g_t with g_t' d = 1 / a_t, that is G a = 1 / a in the Gramian G.

    d maximises sum_t log(g_t' d) on a ball, so it does not depend on the scale of any loss; its length is sqrt(T) for
    any gradients, T the observed tasks: set the learning rate accordingly, or clip.

    Navon, Shamsian, Achituve, Maron, Kawaguchi, Chechik, Fetaya 2022, Multi-task learning as a bargaining game,
    algorithm 1 and claim 3.1. Unlike there, G a = 1 / a is solved exactly in every step (Newton's method on the convex
    problem that it is the optimum of, in place of a sequence of programs), and nothing is clipped. A task whose
    gradient is zero has weight 0; at a Pareto stationary point, where no solution exists, the step is zero.

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.ones(2, requires_grad=True)
    >>> balance.backward({"a": 4 * shared[0], "b": 0.5 * shared[1]}, [shared], balance.NashMTL())
    >>> shared.grad
    tensor([1.0000, 1.0000])
    """

    def weights(self, gramian: Float[np.ndarray, "T T"], noise: float) -> Float[np.ndarray, "T"]:
        return fair_share(gramian, 1.0, noise)
