"""The combination that lies at one angle to all gradients."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def equal_angles(gramian: Float[np.ndarray, "T T"], noise: float) -> Float[np.ndarray, "T"]:
    """Weights w of the gradients g_t such that the sum of w_t g_t has the inner product 1 with each g_t / |g_t|.

    w_t = b_t / |g_t| with b = pinv(C) 1 and C the Gramian of the unit gradients. A zero gradient has weight 0; all
    weights are 0 where no such vector exists (sum(b) = 0, as between two opposite gradients).

    >>> equal_angles(np.array([[4.0, 0.0], [0.0, 1.0]]), 1e-15)
    array([0.5, 1. ])
    """
    at = (gramian.diagonal() > 0).nonzero()[0]
    norm = np.sqrt(gramian.diagonal()[at])
    values, vectors = np.linalg.eigh(gramian[at[:, None], at] / np.outer(norm, norm))
    kept = values > noise * values[-1]
    part = vectors[:, kept] @ (vectors[:, kept].sum(axis=0) / values[kept])
    weights = np.zeros(len(gramian))
    if part.sum() > len(at) * noise:
        weights[at] = part / norm
    return weights
