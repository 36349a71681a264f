"""The vector near a given one that helps the worst-off task most."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from .min_norm import min_norm
from .nonnegative import minimise_nonnegative, solve_inside


def raise_worst_case(gramian: Float[np.ndarray, "T T"], share: float, noise: float) -> Float[np.ndarray, "T"]:
    """Weights of the d that maximises min_t g_t' d over the ball |d - g_0| <= share |g_0|, g_0 the mean gradient.

    d = g_0 + J' u with u >= 0, where u minimises |g_0 + J' u|^2 / 2 - m sum(u) for the multiplier m at which
    |J' u| = share |g_0|. That length is the root of a quadratic in m as long as the same u_t are positive, so m is
    found by Newton steps over these pieces inside a bracket. Where a convex combination of the gradients vanishes
    no d has a positive minimum; of those with the minimum 0 it is the one nearest to g_0.

    >>> raise_worst_case(np.eye(2), 0.0, 1e-15)
    array([0.5, 0.5])
    """
    mean = np.full(len(gramian), 1 / len(gramian))
    slope = gramian @ mean
    radius = share * np.sqrt(max(slope @ mean, 0.0))
    if radius == 0:
        return mean
    level = minimise_nonnegative(gramian, -slope, noise)
    if level @ gramian @ level >= radius ** 2:
        return mean + _search(gramian, slope, radius, (slope.min(), 0.0), noise)
    hull = min_norm(gramian, noise)
    if hull @ gramian @ hull <= 10 * noise * gramian.diagonal().min():
        return mean + level
    top = (slope + radius * np.sqrt(gramian.diagonal())).min()
    return mean + _search(gramian, slope, radius, (0.0, top), noise)


def _search(gramian: Float[np.ndarray, "T T"], slope: Float[np.ndarray, "T"], radius: float,
            bracket: tuple[float, float], noise: float) -> Float[np.ndarray, "T"]:
    """u at the multiplier in ``bracket`` where |J' u| = radius."""
    low, high = bracket
    raised = gramian + noise * np.diag(gramian.diagonal())
    at, inside = high, slope < high
    for _ in range(200):
        u = minimise_nonnegative(gramian, at - slope, noise, inside)
        inside = u > 0
        root, u_root, length = _piece(raised, slope, radius, inside, at)
        if abs(root - at) <= 1e-14 * max(abs(low), abs(high)):
            return u_root
        low, high = (at, high) if length < radius ** 2 else (low, at)
        at = root if low < root < high else (low + high) / 2
        if not low < at < high:  # the bracket is as narrow as numbers go
            break
    return u


def _piece(gramian: Float[np.ndarray, "T T"], slope: Float[np.ndarray, "T"], radius: float,
           inside: Bool[np.ndarray, "T"], at: float) -> tuple[float, Float[np.ndarray, "T"], float]:
    """While u_t > 0 where ``inside``: the multiplier with |J' u| = radius (NaN if none), its u, |J' u|^2 at ``at``."""
    rise, start = (solve_inside(gramian, goal, inside) for goal in (np.ones_like(slope), slope))
    square, linear, constant = rise[inside].sum(), start[inside].sum(), slope[inside] @ start[inside]
    length = square * at ** 2 - 2 * linear * at + constant
    below = linear ** 2 - square * (constant - radius ** 2)
    root = (linear + np.sqrt(below)) / square if below >= 0 and square > 0 else np.nan
    return root, np.maximum(root * rise - start, 0.0), length
