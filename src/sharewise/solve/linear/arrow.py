"""Newton's method for columns that are drawn to their mean: the Hessian is an arrow, the common weights its head."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve

from .blocks import Block
from .likelihoods import SCALAR
from .mean_fit import Fit

Array = np.ndarray
LEAST_BEND = 1e-8  # keeps the solves possible where a column is predicted without doubt


class Arrow(NamedTuple):
    """A point of the search: levels and own parts ``u`` [K, 1 + r], common weights ``w`` [G, r]."""

    u: Float[Array, "K r1"]
    w: Float[Array, "G r"]


def newton_mean(blocks: list[Block], groups: list[list[int]], loss: str, penalties: tuple[float, float], start: Fit,
                tolerance: float, most_steps: int = 60) -> Fit:
    """Minimise what ``fit_mean`` does, for losses of one score: each step eliminates every column's own part, solves
    for the common weights, and is halved until it goes down enough. Cheap where r is small and columns are many."""
    owner = np.zeros(start.weights.shape[1], dtype=int)
    for g, group in enumerate(groups):
        owner[group] = g
    data = {int(c): (np.hstack([np.ones((len(block.rows), 1)), block.rows]), block.target[:, k])
            for block in blocks for k, c in enumerate(block.columns)}
    now = Arrow(np.hstack([start.level[:, None], (start.weights - start.common[:, owner]).T]), start.common.T.copy())
    for _ in range(most_steps):
        value, slope, bend = expansion(data, owner, loss, penalties, now)
        step, drop = arrow_step(slope, bend, owner, penalties, now)
        if drop < tolerance * (1.0 + abs(value)):
            break
        for halving in range(25):
            new = Arrow(now.u - 0.5**halving * step.u, now.w - 0.5**halving * step.w)
            if arrow_value(data, owner, loss, penalties, new) <= value - 1e-4 * 0.5**halving * drop:
                break
        else:
            break
        now = new
    return Fit(now.u[:, 1:].T + now.w[owner].T, now.w.T, now.u[:, 0])


def scores_of(data: dict[int, Any], owner: Array, at: Arrow, column: int) -> Array:
    """The scores of a column's rows."""
    A = data[column][0]
    return A @ at.u[column] + A[:, 1:] @ at.w[owner[column]]


def arrow_value(data: dict[int, Any], owner: Array, loss: str, penalties: tuple[float, float], at: Arrow) -> float:
    """The penalised loss."""
    total = sum(float(SCALAR[loss].parts(scores_of(data, owner, at, c), data[c][1])[0].sum()) for c in data)
    return total + 0.5 * penalties[0] * float(np.square(at.w).sum()) + 0.5 * penalties[1] * float(
        np.square(at.u[:, 1:]).sum())


def expansion(data: dict[int, Any], owner: Array, loss: str, penalties: tuple[float, float],
              at: Arrow) -> tuple[float, Float[Array, "K r1"], Float[Array, "K r1 r1"]]:
    """The penalised loss, and gradient and Hessian of each column's loss in its own level and weights."""
    size = at.u.shape[1]
    slope, bend = np.zeros_like(at.u), np.zeros((len(at.u), size, size))
    total = 0.5 * penalties[0] * float(np.square(at.w).sum()) + 0.5 * penalties[1] * float(np.square(at.u[:, 1:]).sum())
    for column, (A, y) in data.items():
        value, first, second = SCALAR[loss].parts(scores_of(data, owner, at, column), y)
        total += float(value.sum())
        slope[column] = first @ A
        bend[column] = (A * second[:, None]).T @ A
    return total, slope, bend


def arrow_step(slope: Float[Array, "K r1"], bend: Float[Array, "K r1 r1"], owner: Array,
               penalties: tuple[float, float], at: Arrow) -> tuple[Arrow, float]:
    """Newton's step and its product with the gradient."""
    own = slope + penalties[1] * np.hstack([np.zeros((len(at.u), 1)), at.u[:, 1:]])
    shifted = bend.copy()
    inside = np.arange(1, bend.shape[1])
    shifted[:, inside, inside] += penalties[1]
    shifted[:, np.arange(bend.shape[1]), np.arange(bend.shape[1])] += LEAST_BEND
    solved = np.linalg.solve(shifted, np.concatenate([bend[:, :, 1:], own[:, :, None]], axis=2))
    left = bend[:, 1:, 1:] - bend[:, 1:, :] @ solved[:, :, :-1]
    right = slope[:, 1:] - (bend[:, 1:, :] @ solved[:, :, -1:])[:, :, 0]
    head, drop = np.zeros_like(at.w), 0.0
    for g in range(len(at.w)):
        schur = left[owner == g].sum(axis=0)
        schur[np.diag_indices_from(schur)] += penalties[0]
        head[g] = cho_solve(cho_factor(schur), right[owner == g].sum(axis=0) + penalties[0] * at.w[g])
        drop += float(head[g] @ (slope[owner == g, 1:].sum(axis=0) + penalties[0] * at.w[g]))
    step = solved[:, :, -1] - (solved[:, :, :-1] @ head[owner][:, :, None])[:, :, 0]
    return Arrow(step, head), drop + float((step * own).sum())
