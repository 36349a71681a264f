"""Weights that share the gain fairly: a concave utility of each task's descent."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.linalg import lapack

from .min_norm import min_norm


def fair_share(gramian: Float[np.ndarray, "T T"], power: float, noise: float) -> Float[np.ndarray, "T"]:
    """The weights w > 0 with gramian w = w^-power, by Newton's method with a line search, to rounding.

    They minimise the convex w' G w / 2 - sum_t u(w_t), u' = w^-power. A zero gradient has weight 0. Where a convex
    combination of the gradients vanishes (a Pareto stationary point) no such w exists: the weights are those of that
    combination, so that the step is zero.

    >>> fair_share(np.array([[4.0, 0.0], [0.0, 1.0]]), 1.0, 1e-15).round(9)
    array([0.5, 1. ])
    """
    at = (gramian.diagonal() > 0).nonzero()[0]
    size = gramian.diagonal()[at]
    scale = size ** (-1 / (1 + power))  # what a task alone would get
    matrix = gramian[at[:, None], at] * np.outer(scale, scale)
    factor = scale ** (1 - power)
    own = matrix.diagonal().copy()
    matrix[np.diag_indices_from(matrix)] += noise * own
    x = _newton(matrix, factor, power)
    if x @ matrix @ x <= 10 * noise * (x * x) @ own:
        return min_norm(gramian, noise)
    weights = np.zeros(len(gramian))
    weights[at] = x * scale
    return weights


def _newton(matrix: Float[np.ndarray, "T T"], factor: Float[np.ndarray, "T"], power: float) -> Float[np.ndarray, "T"]:
    """x > 0 with matrix x = factor x^-power; the steps are relative to x, which keeps the systems well conditioned."""
    def height(x: Float[np.ndarray, "T"]) -> float:
        utility = np.log(x) if power == 1 else x ** (1 - power) / (1 - power)
        return x @ matrix @ x / 2 - factor @ utility

    x = np.full(len(factor), (factor.sum() / matrix.sum()) ** (1 / (1 + power)) if matrix.sum() > 0 else 1.0)
    for _ in range(200):
        share = factor * x ** (1 - power)
        slope = x * (matrix @ x) - share
        if np.abs(slope / share).max() < 1e-13:
            break
        curve = matrix * np.outer(x, x)
        curve[np.diag_indices_from(curve)] += power * share
        _, move, failed = lapack.dposv(curve, -slope)
        if failed:  # the matrix is indefinite by rounding: its diagonal alone still gives a descent
            move = -slope / np.abs(curve.diagonal())
        length = min(1.0, 0.9 / max(-move.min(), 1e-300))
        descent, start = slope @ move, height(x)
        while height(x * (1 + length * move)) > start + 1e-4 * length * descent and np.abs(length * move).max() > 1e-7:
            length /= 2
        x = x * (1 + length * move)
        if np.abs(length * move).max() < 1e-15:
            break
    return x
