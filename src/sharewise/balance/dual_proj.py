"""DualProj: the mean gradient freed of conflict."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from .gramian_balancer import GramianBalancer
from .solvers import project_weights


class DualProj(GramianBalancer):
    """The step nearest to the mean gradient that goes against no task.

    It is the projection of 1/T sum_t g_t onto the dual cone {d: g_t' d >= 0 for all t}. T counts the observed
    tasks. Without conflict it is the mean of the gradients (T times shorter than the step of ``Equal``).

    Lopez-Paz, Ranzato 2017, Gradient episodic memory for continual learning, section 3, there for the gradients
    of memories; for the mean gradient of all tasks it is DualProj in
    Quinton, Rey 2024, Jacobian descent for multi-objective optimization.

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.tensor([1.0, 1.0], requires_grad=True)
    >>> balance.backward({"a": shared[0], "b": shared[1] - 3 * shared[0]}, [shared], balance.DualProj())
    >>> shared.grad.round(decimals=4).abs()
    tensor([0.0000, 0.5000])
    """

    def weights(self, gramian: Float[np.ndarray, "T T"], noise: float) -> Float[np.ndarray, "T"]:
        return project_weights(gramian, np.full(len(gramian), 1 / len(gramian)), noise)
