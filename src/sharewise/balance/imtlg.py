"""IMTLG: a step at one angle to all gradients."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from .gramian_balancer import GramianBalancer
from .solvers import equal_angles


class IMTLG(GramianBalancer):
    """IMTL-G: weights with sum 1 such that the step has the same projection on every task's unit gradient.

    d = sum_t a_t g_t with g_t' d / |g_t| equal for all t and sum_t a_t = 1. The direction does not depend on the scale
    of any loss; weights may be negative.

    Liu, Li, Kuang, Xue, Chen, Yang, Liao, Zhang 2021, Towards impartial multi-task learning, algorithm 1; the
    closed form in the Gramian, with a pseudo-inverse. Unlike there, weights whose sum would not be positive are
    scaled to sum_t |a_t| = 1, since with the sum 1 they would raise every loss. A zero gradient has weight 0.

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.ones(2, requires_grad=True)
    >>> balance.backward({"a": 3 * shared[0], "b": shared[1]}, [shared], balance.IMTLG())
    >>> shared.grad
    tensor([0.7500, 0.7500])
    """

    def weights(self, gramian: Float[np.ndarray, "T T"], noise: float) -> Float[np.ndarray, "T"]:
        weights = equal_angles(gramian, noise)
        total, size = weights.sum(), np.abs(weights).sum()
        if size == 0:
            return weights
        return weights / total if total > np.sqrt(noise) * size else weights / size
