"""PCGrad: each gradient loses what goes against another one."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..base.checks import whole
from .balancer import Balancer
from .signal import Signal
from .solvers import draw_orders, weigh
from .update import Update


class PCGrad(Balancer):
    """The sum of the gradients, each projected in turn onto the normal planes of those that it conflicts with.

    For each task i, over the others j in a random order: if g_i' g_j < 0 with what is left of g_i,
    g_i -= (g_i' g_j / |g_j|^2) g_j. Without conflict it is the sum of the gradients.

    Yu, Kumar, Gupta, Levine, Hausman, Finn 2020, Gradient surgery for multi-task learning, algorithm 1; the
    projections are done on coefficients, so the Gramian suffices.

    ``seed``: of the orders; they depend on it, the number of steps so far (``step``, kept as state), and the tasks'
    names.

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.ones(2, requires_grad=True)
    >>> balance.backward({"a": shared[0], "b": shared[1] - shared[0]}, [shared], balance.PCGrad())
    >>> shared.grad
    tensor([0.5000, 1.5000])
    """

    needs: ClassVar[str] = "gramian"
    step: Tensor

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.seed = whole("seed", seed, 0, 2**32 - 1)
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    def update(self, signal: Signal) -> Update:
        orders = draw_orders(signal.tasks, signal.where, self.seed, int(self.step))
        self.step += 1
        return weigh(signal, partial(_solve, orders))


def _solve(orders: Int[np.ndarray, "T others"], gramian: Float[np.ndarray, "T T"],
           noise: float) -> Float[np.ndarray, "T"]:
    size = np.where(gramian.diagonal() > 0, gramian.diagonal(), 1.0)
    rows = np.arange(len(gramian))
    weights, inner = np.eye(len(gramian)), gramian.copy()  # row i: coefficients of g_i, its inner products with all
    for others in orders.T:
        push = np.maximum(-inner[rows, others] / size[others], 0.0)
        weights[rows, others] += push
        inner += push[:, None] * gramian[others]
    return weights.sum(axis=0)
