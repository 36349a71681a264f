"""Affinity from the labels alone: tasks whose targets go together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ..task import Task, slices

Array = np.ndarray
FEWEST_ROWS = 10  # in which both tasks are observed; with fewer there is no estimate


def label_affinity(Y: Float[Array, "N W"], tasks: Sequence[Task]) -> Float[Array, "T T"]:
    """How strongly the targets of two tasks go together: [T, T], symmetric, from 0 to 1, 1 on the diagonal.

    The largest absolute Pearson correlation between any column of the one (numbers; an indicator a class) and any
    column of the other, over the rows in which both are observed; 0 where fewer than 10 rows are.

    >>> from sharewise.task import Regression
    >>> y = np.arange(12.0)[:, None]
    >>> label_affinity(np.hstack([y, -y]), [Task("a", Regression()), Task("b", Regression())])
    array([[1., 1.],
           [1., 1.]])
    """
    columns, owner = [], []
    for at, (task, part) in enumerate(zip(tasks, slices(tasks).values(), strict=True)):
        shown = _as_columns(task, Y[:, part])
        columns.append(shown)
        owner += [at] * shown.shape[1]
    correlation = np.abs(_pairwise_correlation(np.hstack(columns)))
    owners = np.array(owner)
    starts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]])
    affinity = np.maximum.reduceat(np.maximum.reduceat(correlation, starts, axis=0), starts, axis=1)
    np.fill_diagonal(affinity, 1.0)
    return affinity


def _as_columns(task: Task, target: Float[Array, "N W"]) -> Float[Array, "N C"]:
    """Numbers and labels as they stand; one indicator a class of a multiclass target."""
    if task.kind.name != "multiclass":
        return target
    classes = np.arange(len(task.kind.classes))
    return np.where(np.isnan(target), np.nan, (target == classes).astype(float))


def _pairwise_correlation(columns: Float[Array, "N C"]) -> Float[Array, "C C"]:
    """Pearson correlation of each pair over the rows where both are there; 0 where undefined or too few."""
    seen = (~np.isnan(columns)).astype(float)
    spread = np.nanstd(np.where(seen.any(axis=0), columns, 0.0), axis=0)
    centred = np.where(seen > 0, columns - np.nanmean(np.where(seen.any(axis=0), columns, 0.0), axis=0), 0.0)
    values = centred / np.where(spread > 0, spread, 1.0)
    count = seen.T @ seen
    safe = np.maximum(count, 1.0)
    mean_left, mean_right = values.T @ seen / safe, seen.T @ values / safe
    square_left, square_right = (values**2).T @ seen / safe, seen.T @ values**2 / safe
    covariance = values.T @ values / safe - mean_left * mean_right
    variance = np.maximum(square_left - mean_left**2, 0) * np.maximum(square_right - mean_right**2, 0)
    found = np.divide(covariance, np.sqrt(variance), out=np.zeros_like(covariance), where=variance > 1e-12)
    return np.clip(np.where(count >= FEWEST_ROWS, found, 0.0), -1.0, 1.0)
