"""The shortest vector in a convex hull."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from .nonnegative import minimise_nonnegative


def min_norm(gramian: Float[np.ndarray, "T T"], noise: float) -> Float[np.ndarray, "T"]:
    """The weights a >= 0 with sum 1 that minimise a' gramian a.

    With a = x / sum(x), where x >= 0 minimises x' G x + (sum(x) - 1)^2: that minimum is q / (1 + q) for the least
    q = a' G a, so it is the same a. Where gradients are zero, they share the weight.

    >>> min_norm(np.array([[1.0, 0.0], [0.0, 3.0]]), 1e-15).round(9)
    array([0.75, 0.25])
    """
    size = gramian.diagonal()
    if (size <= 0).any():
        return (size <= 0) / (size <= 0).sum()
    x = minimise_nonnegative(gramian / size.min() + 1.0, np.ones(len(size)), noise)
    return x / x.sum()
