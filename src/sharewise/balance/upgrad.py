"""UPGrad: each gradient freed of conflict, then their mean."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from .gramian_balancer import GramianBalancer
from .solvers import project_weights


class UPGrad(GramianBalancer):
    """A step against no task, to which each gives in proportion to its gradient: d = 1/T sum_t proj(g_t).

    proj is the projection onto the dual cone {d: g_s' d >= 0 for all s}; T counts the observed tasks. Without conflict
    it is the mean of the gradients (not the sum: the step is T times shorter than that of ``Equal``).

    Quinton, Rey 2024, Jacobian descent for multi-objective optimization; the projections by proposition 1, from
    the Gramian.

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.tensor([1.0, 1.0], requires_grad=True)
    >>> balance.backward({"a": shared[0], "b": shared[1] - shared[0]}, [shared], balance.UPGrad())
    >>> shared.grad
    tensor([0.2500, 0.7500])
    """

    def weights(self, gramian: Float[np.ndarray, "T T"], noise: float) -> Float[np.ndarray, "T"]:
        return np.mean([project_weights(gramian, own, noise) for own in np.eye(len(gramian))], axis=0)
