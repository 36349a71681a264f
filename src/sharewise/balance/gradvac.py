"""GradVac: gradients are brought as near to each other as they usually are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..base.checks import at_least_one, no_duplicates, whole, within
from .balancer import Balancer
from .signal import Signal
from .solvers import draw_orders, weigh
from .update import Update


class GradVac(Balancer):
    """The sum of the gradients, each turned towards those to which its cosine is lower than it is on average.

    For each task i, over the others j in a random order, with phi the cosine of what is left of g_i to g_j and the
    running mean f_ij of such cosines: if phi < f_ij,
    g_i += |g_i| (f_ij sqrt(1 - phi^2) - phi sqrt(1 - f_ij^2)) / (|g_j| sqrt(1 - f_ij^2)) g_j; then
    f_ij = (1 - beta) f_ij + beta phi. With f_ij = 0, as at the start, this is ``PCGrad``.

    Wang, Tsvetkov, Firat, Cao 2021, Gradient vaccine: investigating and improving multi-task optimization in massively
    multilingual models, eq. 2 and 3 and algorithm 1, over all shared parameters as one; the Gramian suffices.

    ``tasks``: their names; ``beta`` in (0, 1]: how fast the means move; ``seed``: of the orders, which depend on it,
    the number of steps so far and the names. State: ``step`` and ``cosines`` [T * T], f_ij row by row.

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.ones(2, requires_grad=True)
    >>> balance.backward({"a": shared[0], "b": shared[1] - shared[0]}, [shared], balance.GradVac(["a", "b"]))
    >>> shared.grad
    tensor([0.5000, 1.5000])
    """

    needs: ClassVar[str] = "gramian"
    step: Tensor
    cosines: Tensor

    def __init__(self, tasks: Sequence[str], beta: float = 0.01, seed: int = 0) -> None:
        super().__init__()
        no_duplicates("tasks", at_least_one("tasks", tasks))
        self.tasks = tasks
        self.beta = within("beta", beta, 1e-9, 1.0)
        self.seed = whole("seed", seed, 0, 2**32 - 1)
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        self.register_buffer("cosines", torch.zeros(len(tasks) ** 2, dtype=torch.float64))

    def update(self, signal: Signal) -> Update:
        orders = draw_orders(signal.tasks, signal.where, self.seed, int(self.step))
        self.step += 1
        means = self.cosines.double().cpu().numpy().reshape(len(self.tasks), -1).copy()
        seen = np.ix_(signal.where, signal.where)

        def solve(gramian: Float[np.ndarray, "S S"], noise: float) -> Float[np.ndarray, "S"]:
            weights, means[seen] = _vaccinate(gramian, orders, means[seen], self.beta)
            return weights

        update = weigh(signal, solve)
        self.cosines.copy_(torch.from_numpy(means.ravel()))
        return update


def _vaccinate(gramian: Float[np.ndarray, "T T"], orders: np.ndarray, means: Float[np.ndarray, "T T"],
               beta: float) -> tuple[Float[np.ndarray, "T"], Float[np.ndarray, "T T"]]:
    rows, size = np.arange(len(gramian)), gramian.diagonal()
    weights, inner, square = np.eye(len(gramian)), gramian.copy(), size.copy()  # row i: g_i, its products, |g_i|^2
    means = means.copy()
    for others in orders.T:
        norms = np.sqrt(np.maximum(square, 0.0) * size[others])
        seen = norms > 0
        phi = np.clip(inner[rows, others] / np.where(seen, norms, 1.0), -1.0, 1.0)
        mean = means[rows, others]
        sine = np.sqrt(np.maximum(1 - mean**2, 1e-12))  # the mean may come to 1
        push = np.sqrt(np.maximum(square, 0.0) / np.where(seen, size[others], 1.0)) * (
            mean * np.sqrt(1 - phi**2) - phi * sine) / sine
        push = np.where(seen & (phi < mean), push, 0.0)
        square = square + 2 * push * inner[rows, others] + push**2 * size[others]
        weights[rows, others] += push
        inner += push[:, None] * gramian[others]
        means[rows, others] = np.where(seen, (1 - beta) * mean + beta * phi, mean)
    return weights.sum(axis=0), means
