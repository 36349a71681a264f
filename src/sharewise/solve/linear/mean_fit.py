"""Fitting columns of one kind that are drawn to their mean: majorise the loss by squares, solve, repeat."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import softmax

from .blocks import Block, MeanMetric
from .likelihoods import SCALAR

Array = np.ndarray
CURVATURE = {"squared": 1.0, "logistic": 0.25, "softmax": 0.5, "poisson": 1e12}  # bounds on the second derivative


class Fit(NamedTuple):
    """Weights [r, K] and the groups' common weights [r, G] in the problem's coordinates, levels [K] at each block's
    centre."""

    weights: Float[Array, "r K"]
    common: Float[Array, "r G"]
    level: Float[Array, "K"]


def slopes(loss: str, scores: Float[Array, "n k"], target: Float[Array, "n k"], classes: int) -> tuple[float, Array]:
    """Summed loss of a block and its gradient in the scores; for softmax, every ``classes`` columns are one task."""
    if loss == "squared":
        return 0.5 * float(np.square(scores - target).sum()), scores - target
    if loss == "softmax":
        shape = (len(scores), scores.shape[1] // classes, classes)
        chance = softmax(scores.reshape(shape), axis=2).reshape(scores.shape)
        return -float((target * np.log(np.maximum(chance, 1e-300))).sum()), chance - target
    value, slope, _ = SCALAR[loss].parts(scores, target)
    return float(value.sum()), slope


def fit_mean(blocks: list[Block], groups: list[list[int]], loss: str, classes: int, penalties: tuple[float, float],
             start: Fit, tolerance: float, most_steps: int = 300) -> Fit:
    """Minimise sum loss + common / 2 |w_0|^2 + own / 2 sum |w_c - w_0|^2.

    Each step puts a square of one curvature in the place of the loss and solves that exactly. The curvature doubles
    when a step does not go down, up to its bound (1/4 for logistic, 1/2 for softmax; Bohning and Lindsay 1988);
    momentum is dropped then too (O'Donoghue and Candes 2015). A squared loss is solved by the first step.
    """
    curve = first_curve(blocks, loss, start)
    metric = MeanMetric(blocks, groups, penalties[0] / curve, penalties[1] / curve)
    now, before, age = start, start, 0
    value = np.inf if loss == "squared" else objective(blocks, groups, loss, classes, penalties, now)
    for _ in range(most_steps):
        push = age / (age + 3.0)
        ahead = Fit(*(a + push * (a - b) for a, b in zip(now, before, strict=True)))
        new = one_step(blocks, metric, loss, classes, curve, ahead)
        if loss == "squared":
            return new
        after = objective(blocks, groups, loss, classes, penalties, new)
        if after > value + 1e-12 * abs(value):
            if age == 0:
                if curve >= CURVATURE[loss]:  # at a bound: nothing is left to gain
                    return now
                curve = min(2.0 * curve, CURVATURE[loss])
                metric = MeanMetric(blocks, groups, penalties[0] / curve, penalties[1] / curve)
            before, age = now, 0
            continue
        size = max(float(np.abs(a - b).max(initial=0.0)) for a, b in zip(new, now, strict=True))
        before, now, value, age = now, new, after, age + 1
        if size < tolerance:
            break
    return now


def first_curve(blocks: list[Block], loss: str, at: Fit) -> float:
    """A curvature to start with: one and a half times the mean one at the trivial predictor, up to the bound."""
    if loss in ("squared", "softmax"):
        return CURVATURE[loss]
    bends = [SCALAR[loss].parts(level := at.level[block.columns], 0.0 * level)[2].mean() for block in blocks]
    return min(1.5 * float(np.mean(bends)), CURVATURE[loss])


def one_step(blocks: list[Block], metric: MeanMetric, loss: str, classes: int, curve: float, at: Fit) -> Fit:
    """The minimum of the squares that touch the loss at a point."""
    c, level = np.zeros_like(at.weights), np.zeros_like(at.level)
    for block in blocks:
        scores = block.rows @ at.weights[:, block.columns] + at.level[block.columns]
        wish = scores - slopes(loss, scores, block.target, classes)[1] / curve
        c[:, block.columns] = block.rows.T @ wish
        level[block.columns] = wish.mean(axis=0) if len(wish) else 0.0
    return Fit(*metric.solve(c), level)


def objective(blocks: list[Block], groups: list[list[int]], loss: str, classes: int, penalties: tuple[float, float],
              at: Fit) -> float:
    """The penalised loss."""
    total = sum(slopes(loss, block.rows @ at.weights[:, block.columns] + at.level[block.columns], block.target,
                       classes)[0] for block in blocks)
    own = sum(float(np.square(at.weights[:, group] - at.common[:, [g]]).sum()) for g, group in enumerate(groups))
    return total + 0.5 * penalties[0] * float(np.square(at.common).sum()) + 0.5 * penalties[1] * own


def held_out(blocks: list[Block], loss: str, classes: int, at: Fit) -> float:
    """The summed loss on the rows that were kept out."""
    return sum(slopes(loss, block.held @ at.weights[:, block.columns] + at.level[block.columns], block.held_target,
                      classes)[0] for block in blocks if len(block.held))
