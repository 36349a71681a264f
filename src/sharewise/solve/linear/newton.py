"""Newton's method for many penalised columns at once, its steps found by preconditioned conjugate gradients."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from .objective import Expansion, Objective

Array = np.ndarray
LOOSE, TIGHT = 1e-6, 1e-11  # the gain that is left at the end, relative to the loss: for a choice, for a model
MOST_STEPS, MOST_TURNS, MOST_HALVINGS = 60, 100, 25
ACCURACY = 0.05  # of a step, as a part of the gradient's length


def minimise(objective: Objective, start: Float[Array, "r1 K"], tolerance: float) -> Float[Array, "r1 K"]:
    """Theta at the minimum, from near ``start``: truncated Newton steps, halved until they go down enough (Nocedal and
    Wright 2006, Numerical optimization, algorithm 7.1). Columns that do not share keep their own step sizes, and rest
    once they have arrived."""
    theta = start
    now = objective.expand(theta)
    moving = np.ones(now.value.shape, dtype=bool)
    for _ in range(MOST_STEPS):
        step, drop = newton_step(objective, now, moving)
        arrived = drop <= tolerance * (1.0 + np.abs(now.value))
        theta = theta - np.where(moving & arrived, 1.0, 0.0) * step  # the last step is too small to go astray
        moving = moving & ~arrived
        if not moving.any():
            break
        size = np.where(moving, 1.0, 0.0)
        for _ in range(MOST_HALVINGS):
            new = objective.expand(theta - size * step)
            high = moving & ~(new.value <= now.value - 1e-4 * size * drop)
            if not high.any():
                break
            size = np.where(high, 0.5 * size, size)
        theta, now, moving = theta - np.where(high, 0.0, size) * step, new, moving & ~high
    return theta


def newton_step(objective: Objective, at: Expansion, moving: Array) -> tuple[Float[Array, "r1 K"], Array]:
    """A step that lowers the touching parabola nearly as far as it goes, and its product with the gradient."""
    step, rest = np.zeros_like(at.slope), at.slope.copy()
    ahead = near = objective.precondition(at, rest)
    length = objective.dot(rest, near)
    goal = ACCURACY**2 * length
    for _ in range(MOST_TURNS):
        turning = moving & (length > goal)
        if not turning.any():
            break
        pushed = objective.bend(at, ahead)
        size = np.where(turning, length, 0.0) / np.where(turning, objective.dot(ahead, pushed), 1.0)
        step += size * ahead
        rest -= size * pushed
        near = objective.precondition(at, rest)
        before, length = length, objective.dot(rest, near)
        ahead = near + np.where(turning, length / np.where(turning, before, 1.0), 0.0) * ahead
    return step, objective.dot(at.slope, step)
