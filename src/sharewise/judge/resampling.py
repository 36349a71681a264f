"""The variance of means over rows that are not all independent, and the t interval that goes with it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy.special import stdtr, stdtrit

Array = np.ndarray


def overlap_factor(folds: Shaped[Array, "n"]) -> float:
    """By how much training sets that overlap widen the variance of a mean over out-of-fold rows: 1 + K / (K - 1).

    Nadeau and Bengio (2003, eq. 9): (1 / K + n_test / n_train) instead of 1 / K, and n_test / n_train = 1 / (K - 1).

    >>> overlap_factor(np.array([0, 1, 2, 3, 4, 0]))
    2.25
    """
    count = len(np.unique(folds))
    return 1.0 + count / (count - 1) if count > 1 else 1.0


def number_units(groups: Shaped[Array, "n"] | None, size: int) -> Int[Array, "n"]:
    """The independent units of rows as 0, 1, ...: each row by itself, or its group."""
    return np.arange(size) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1].reshape(size)


def cluster_error(influence: Float[Array, "n"], units: Int[Array, "n"]) -> float:
    """The standard error of a sum of ``influence``, whose units are independent and whose rows in a unit are not."""
    sums = np.bincount(units, weights=influence)
    count = len(sums)
    return float(np.sqrt(np.sum((sums - sums.mean()) ** 2) * count / (count - 1)))


def t_interval(estimate: float, error: float, freedom: int, level: float) -> tuple[float, float, float]:
    """Low, high and the two-sided p-value against 0 of an estimate with a t distribution.

    >>> [round(float(value), 3) for value in t_interval(1.0, 0.5, 10, 0.95)]
    [-0.114, 2.114, 0.073]
    """
    estimate, error = float(estimate), float(error)
    half = float(stdtrit(freedom, 0.5 + level / 2)) * error
    if error <= 0:
        return estimate, estimate, 0.0 if estimate else 1.0
    return estimate - half, estimate + half, float(2 * stdtr(freedom, -abs(estimate) / error))
