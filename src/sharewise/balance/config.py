"""ConFIG: a step at one angle to all gradients, as long as what they have in common."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from .gramian_balancer import GramianBalancer
from .solvers import equal_angles


class ConFIG(GramianBalancer):
    """The unit vector u with one cosine to all gradients, times the sum of their projections on it: d = u sum_t g_t' u.

    The direction is that of ``IMTLG`` and depends on the scale of no loss; the length grows with the gradients and
    shrinks as they disagree.

    Liu, Chu, Thuerey 2024, ConFIG: Towards conflict-free training of physics informed neural networks, with equal
    weights and the length by projections. pinv(U) 1, the paper's inverse of the unit gradients U, lies in their span,
    so the Gramian suffices: pinv(U) 1 = U' pinv(U U') 1. A zero gradient has weight 0.

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.ones(2, requires_grad=True)
    >>> balance.backward({"a": 3 * shared[0], "b": shared[1]}, [shared], balance.ConFIG())
    >>> shared.grad
    tensor([2., 2.])
    """

    def weights(self, gramian: Float[np.ndarray, "T T"], noise: float) -> Float[np.ndarray, "T"]:
        weights = equal_angles(gramian, noise)
        inner = gramian @ weights
        square = weights @ inner
        return weights * (inner.sum() / square) if square > 0 else weights
