"""AlignedMTL: gradients turned until they are orthogonal and of one length."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from .gramian_balancer import GramianBalancer


class AlignedMTL(GramianBalancer):
    """The sum of the orthogonal system nearest to the gradients: all singular values set to the smallest one.

    With the Gramian G = V L V' and its smallest eigenvalue l that is not zero, the weights are sqrt(l) V L^(-1/2) V' 1:
    the condition number of the gradients becomes 1, so that no task dominates. Weights may be negative.

    Senushkin, Patakin, Kuznetsov, Konushin 2023, Independent component alignment for multi-task learning, algorithm 1
    with the task weights 1 (the sum, as in the authors' code). An eigenvalue is zero below T eps times the largest.

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.ones(2, requires_grad=True)
    >>> balance.backward({"a": 3 * shared[0], "b": shared[1]}, [shared], balance.AlignedMTL())
    >>> shared.grad
    tensor([1., 1.])
    """

    def weights(self, gramian: Float[np.ndarray, "T T"], noise: float) -> Float[np.ndarray, "T"]:
        values, vectors = np.linalg.eigh(gramian)
        kept = values > noise * values[-1]
        values, vectors = values[kept], vectors[:, kept]
        return vectors @ (np.sqrt(values[0] / values) * vectors.sum(axis=0))
