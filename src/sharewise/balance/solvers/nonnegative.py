"""Convex quadratic programs over the non-negative orthant, by an active set."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from scipy.linalg import lapack


def minimise_nonnegative(gram: Float[np.ndarray, "T T"], linear: Float[np.ndarray, "T"], noise: float,
                         support: Bool[np.ndarray, "T"] | None = None) -> Float[np.ndarray, "T"]:
    """The x >= 0 that minimises x' gram x / 2 - linear' x; ``gram`` is positive semidefinite.

    Lawson, Hanson 1974, Solving least squares problems, chapter 23, on the Gram matrix, with two additions: the search
    starts from what block exchanges make of a guess (``support``, by default where ``linear`` is positive), and the
    diagonal is raised by the relative ``noise``, so that dependent columns have one answer.

    >>> minimise_nonnegative(np.array([[2.0, 1.0], [1.0, 1.0]]), np.array([1.0, -3.0]), 1e-15).round(9)
    array([0.5, 0. ])
    """
    if linear.max() <= 0:
        return np.zeros_like(linear)
    scale = np.sqrt(gram.diagonal())
    scale[scale == 0] = 1.0
    matrix = gram / np.outer(scale, scale)
    matrix[np.diag_indices_from(matrix)] += noise
    goal = linear / scale
    inside = goal > 0 if support is None or not support.any() else support.copy()
    x = _first(matrix, goal, inside)
    for _ in range(10 * len(goal)):
        slope = goal - matrix @ x
        slope[inside] = 0.0
        at = int(slope.argmax())
        if slope[at] <= 4 * np.finfo(float).eps * len(goal) * (np.abs(goal).max() + x.sum()):
            break
        inside[at] = True
        x = _descend(matrix, goal, inside, x)
    return x / scale


def solve_inside(matrix: Float[np.ndarray, "T T"], goal: Float[np.ndarray, "T"],
                 inside: Bool[np.ndarray, "T"]) -> Float[np.ndarray, "T"]:
    """x with matrix x = goal in the rows ``inside``, 0 outside of them."""
    at = inside.nonzero()[0]
    found = np.zeros_like(goal)
    if len(at):
        block = matrix[at[:, None], at]
        lift = np.finfo(float).eps
        _, part, failed = lapack.dposv(block, goal[at])
        while failed and lift < 1e3:  # rounding made it indefinite
            lift *= 10
            _, part, failed = lapack.dposv(block + lift * np.diag(block.diagonal()), goal[at])
        found[at] = part
    return found


def _first(matrix: Float[np.ndarray, "T T"], goal: Float[np.ndarray, "T"],
           inside: Bool[np.ndarray, "T"]) -> Float[np.ndarray, "T"]:
    """A minimiser on a face, mostly the solution itself: whatever is on the wrong side changes sides at once, in place.

    That ends within few rounds as a rule, but it may circle: after ten, whatever would be negative is dropped.
    """
    slack = 1e-12 * np.abs(goal).max()
    for _ in range(10):
        x = solve_inside(matrix, goal, inside)
        wrong = np.where(inside, x < 0, goal - matrix @ x > slack)
        if not wrong.any():
            return x
        inside ^= wrong
    while True:
        x = solve_inside(matrix, goal, inside)
        negative = inside & (x <= 0)
        if not negative.any():
            return x
        inside[negative] = False


def _descend(matrix: Float[np.ndarray, "T T"], goal: Float[np.ndarray, "T"], inside: Bool[np.ndarray, "T"],
             x: Float[np.ndarray, "T"]) -> Float[np.ndarray, "T"]:
    """From x towards the minimiser on the face ``inside``, leaving in place what reaches 0 on the way."""
    while True:
        wanted = solve_inside(matrix, goal, inside)
        blocked = (inside & (wanted <= 0)).nonzero()[0]
        if not len(blocked):
            return wanted
        ratio = x[blocked] / (x[blocked] - wanted[blocked] + np.finfo(float).tiny)
        x = np.maximum(x + ratio.min() * (wanted - x), 0.0)
        inside[blocked[ratio <= ratio.min()]] = False
        x[~inside] = 0.0
