"""One column with a logistic or Poisson loss: Newton's method with step halving."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve

Array = np.ndarray


def newton(scores: Float[Array, "n r"], y: Float[Array, "n"], likelihood: Any, strength: float,
           start: Float[Array, "r1"], most_steps: int = 50) -> Float[Array, "r1"]:
    """Level and coordinates (level, a) that minimise sum loss(level + scores a, y) + strength / 2 |a|^2."""
    A = np.hstack([np.ones((len(scores), 1)), scores])
    penalty = np.full(A.shape[1], float(strength))
    penalty[0] = 1e-8
    theta = start.copy()
    loss, slope, bend = likelihood.parts(A @ theta, y)
    value = loss.sum() + 0.5 * penalty @ np.square(theta)
    for _ in range(most_steps):
        gradient = A.T @ slope + penalty * theta
        hessian = (A * np.maximum(bend, 1e-10)[:, None]).T @ A
        hessian[np.diag_indices_from(hessian)] += penalty + 1e-10
        step = cho_solve(cho_factor(hessian), gradient)
        drop = float(gradient @ step)
        if drop < 1e-10 * (1.0 + abs(value)):
            break
        for halving in range(30):
            new = theta - step * 0.5**halving
            loss, slope, bend = likelihood.parts(A @ new, y)
            after = loss.sum() + 0.5 * penalty @ np.square(new)
            if after <= value - 1e-4 * 0.5**halving * drop:
                break
        else:
            break
        theta, value = new, after
    return theta
