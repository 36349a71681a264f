"""In which order a chain goes through the tasks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ...base.estimator import Means
from ...task import Task, slices
from .folds import columns_of

Array = np.ndarray


def random_orders(tasks: int, count: int, seed: int) -> list[list[int]]:
    """``count`` different random orders (fewer where there are not so many)."""
    chance = np.random.default_rng(seed)
    orders: list[list[int]] = []
    for _ in range(20 * count):
        order = chance.permutation(tasks).tolist()
        if order not in orders:
            orders.append(order)
        if len(orders) == count:
            break
    return orders


def learned_order(tasks: Sequence[Task], means: Means, Z: Float[Array, "N W"]) -> list[int]:
    """A greedy order: first the task predicted best out of fold (lowest loss over the trivial loss), then always the
    task whose out-of-fold residual is explained best, in R2 by ridge, by the answers already in the chain."""
    parts = slices(tasks)
    scores, residuals, columns = [], [], []
    for task in tasks:
        target = Z[:, parts[task.name]]
        scores.append(task.kind.score(means[task.name], target, task.kind.fit_scale(target)))
        residuals.append(residual(task, means[task.name], target))
        columns.append(columns_of(task, means[task.name]))
    order = [int(np.nanargmin(scores))]
    while len(order) < len(tasks):
        seen = np.hstack([columns[at] for at in order])
        left = [at for at in range(len(tasks)) if at not in order]
        order.append(max(left, key=lambda at: explained(seen, residuals[at])))
    return order


def residual(task: Task, mean: Float[Array, "N C"], target: Float[Array, "N W"]) -> Float[Array, "N C"]:
    """Target minus mean, with indicators for classes; NaN where not observed."""
    if task.kind.outputs > target.shape[1]:
        target = np.where(np.isnan(target), np.nan, target == np.arange(task.kind.outputs))
    return target - mean


def explained(features: Float[Array, "N D"], target: Float[Array, "N C"]) -> float:
    """R2 of a lightly ridged linear fit of the target columns, over rows in which all are observed."""
    rows = ~np.isnan(target).any(axis=1)
    if rows.sum() < 3:
        return 0.0
    A = features[rows] - features[rows].mean(axis=0)
    b = target[rows] - target[rows].mean(axis=0)
    gram = A.T @ A
    gram[np.diag_indices_from(gram)] += 1e-3 * max(float(np.trace(gram)), 1e-12)
    fit = A @ np.linalg.solve(gram, A.T @ b)
    return 1.0 - float(np.square(b - fit).sum() / max(float(np.square(b).sum()), 1e-12))
