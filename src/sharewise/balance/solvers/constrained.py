"""The shortest vector in a convex hull that also goes along with a constraint."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from .min_norm import min_norm
from .nonnegative import minimise_nonnegative

STIFFNESS = 100.0  # how much dearer a sum of weights that is not 1 is than anything else; the answer has none of it


def min_norm_constrained(gramian: Float[np.ndarray, "S S"], pull: float, noise: float) -> Float[np.ndarray, "T"]:
    """Weights w >= 0 with sum 1 that minimise |J' w + v q|^2 / 2 - v pull |q|^2 / 2, v = max(pull - w' J q / |q|^2, 0).

    ``gramian``: inner products of the T rows of J and, last, of q; ``pull``: 0 or more. With s = w' J q and K the part
    of J that is orthogonal to q, this is |K' w|^2 / 2 + h(s), where h is pull s / 2 up to s = pull |q|^2 and
    s^2 / (2 |q|^2) from there: convex, with a kink. Either the minimum of one of the two pieces lies on its own side,
    or w is on the kink, where the slope of h that leads there is found by interpolation.

    >>> min_norm_constrained(np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]), 0.6, 1e-15).round(9)
    array([0.6, 0.4])
    """
    inner, along, square = gramian[:-1, :-1], gramian[:-1, -1], gramian[-1, -1]
    if square <= np.finfo(float).tiny:
        return min_norm(inner, noise)
    across = inner - np.outer(along, along) / square
    goal = pull * square

    def at(slope: float) -> Float[np.ndarray, "T"]:
        return minimise_on_simplex(across, -slope * along, noise)

    low, high = at(pull / 2), min_norm(inner, noise)
    if low @ along <= goal:
        return low
    if high @ along >= goal:
        return high
    return _between(at, along, goal, pull)


def minimise_on_simplex(gram: Float[np.ndarray, "T T"], linear: Float[np.ndarray, "T"],
                        noise: float) -> Float[np.ndarray, "T"]:
    """The w >= 0 with sum 1 that minimises w' gram w / 2 - linear' w.

    Without the sum, but with a price on its distance to 1, x has another sum, and x / sum(x) is the answer to
    linear / sum(x): so the search asks for linear times the last sum until that stays.

    >>> minimise_on_simplex(np.array([[1.0, 0.0], [0.0, 3.0]]), np.array([0.0, 1.0]), 1e-15).round(9)
    array([0.5, 0.5])
    """
    scale = max(np.abs(gram.diagonal()).max(), np.abs(linear).max(), np.finfo(float).tiny)
    price = np.full(len(linear), STIFFNESS)
    total, matrix = 1.0, gram / scale + STIFFNESS
    for _ in range(50):
        x = minimise_nonnegative(matrix, price + total * linear / scale, noise / STIFFNESS)
        before, total = total, x.sum()
        if abs(total - before) <= 1e-14:
            break
    return x / total


def _between(at: Callable[[float], Float[np.ndarray, "T"]], along: Float[np.ndarray, "T"], goal: float,
             pull: float) -> Float[np.ndarray, "T"]:
    """The w = at(slope) with w' along = goal, for a slope from pull / 2, where w' along is above, to pull.

    w is linear in the slope from one change of its support to the next, so that the point between two ends is the
    answer once both lie between the same changes; where w jumps, it is so in the end.
    """
    (low, first), (high, last) = (pull / 2, at(pull / 2)), (pull, at(pull))
    for round_ in range(100):
        above, below = first @ along - goal, last @ along - goal
        part = min(max(above / (above - below), 0.0), 1.0) if above > below else 0.5
        mixed = (1 - part) * first + part * last
        middle = low + (part if round_ % 2 == 0 else 0.5) * (high - low)
        if not low < middle < high:
            break
        found = at(middle)
        if round_ % 2 == 0 and np.abs(found - mixed).max() <= 1e-12:
            break
        if found @ along > goal:
            low, first = middle, found
        else:
            high, last = middle, found
    return mixed
