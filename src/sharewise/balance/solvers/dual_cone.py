"""Projection onto the dual cone of the gradients: the nearest vector that goes against none of them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from .nonnegative import minimise_nonnegative


def project_weights(gramian: Float[np.ndarray, "T T"], weights: Float[np.ndarray, "T"],
                    noise: float) -> Float[np.ndarray, "T"]:
    """The weights w >= ``weights`` that minimise w' gramian w: J' w is the projection of J' weights.

    Quinton, Rey 2024, Jacobian descent for multi-objective optimization, proposition 1.

    >>> project_weights(np.array([[1.0, -1.0], [-1.0, 2.0]]), np.array([1.0, 0.0]), 1e-15).round(9)
    array([1. , 0.5])
    """
    return weights + minimise_nonnegative(gramian, -(gramian @ weights), noise)
