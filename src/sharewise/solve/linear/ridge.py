"""Ridge regression of many targets, each with its own strength."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from .basis import Basis

Array = np.ndarray
STEPS = 10.0 ** np.arange(-4.0, 2.1, 0.5)  # strengths tried by "auto", times the number of rows


def ridge(basis: Basis, Y: Float[Array, "n K"], strength: float | str) -> tuple[Float[Array, "r K"], Array]:
    """Coordinates [r, K] and levels [K] that minimise sum (y - level - scores a)^2 + strength |a|^2 per target.

    "auto" takes, for each target, the strength with the least exact leave-one-out error, which the hat matrix gives
    without refitting (Allen 1974; Hastie, Tibshirani and Friedman 2009, eq. 7.52).
    """
    level = Y.mean(axis=0)
    c = basis.scores.T @ (Y - level)
    if strength != "auto":
        return c / (basis.power + float(strength))[:, None], level
    strengths = STEPS * len(Y)
    errors = [leave_one_out(basis, Y - level, c, one) for one in strengths]
    best = strengths[np.argmin(errors, axis=0)]
    return c / (basis.power[:, None] + best), level


def leave_one_out(basis: Basis, Y: Float[Array, "n K"], c: Float[Array, "r K"], strength: float) -> Float[Array, "K"]:
    """Squared leave-one-out error of each target (centred)."""
    shrunk = 1.0 / (basis.power + strength)
    hat = 1.0 / len(Y) + np.square(basis.scores) @ shrunk
    rest = Y - basis.scores @ (shrunk[:, None] * c)
    return np.square(rest / np.maximum(1.0 - hat, 1e-6)[:, None]).sum(axis=0)
