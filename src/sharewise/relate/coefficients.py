"""Affinity from cheap linear models: tasks whose targets depend on the features alike, even in different rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve

from ..task import Task, slices

Array = np.ndarray


def coefficient_affinity(X: Float[Array, "N D"], Y: Float[Array, "N W"], tasks: Sequence[Task],
                         strength: float = 1.0) -> Float[Array, "T T"]:
    """Cosine of the tasks' ridge coefficients: [T, T], symmetric, from -1 to 1, 1 on the diagonal.

    Each target column is standardised over the task's own rows and regressed on standardised features (missing: the
    mean) with penalty ``strength`` * D; a task with several columns is compared by the Frobenius inner product of the
    columns that both have. No overlap of rows is needed, so it serves the long layout.
    """
    values = np.nan_to_num((X - np.nanmean(X, axis=0)) / np.maximum(np.nanstd(X, axis=0), 1e-12)).clip(-5, 5)
    coefficients = [_ridge(values, Y[:, part], strength * X.shape[1]) for part in slices(tasks).values()]
    affinity = np.eye(len(tasks))
    for i, left in enumerate(coefficients):
        for j in range(i):
            width = min(left.shape[1], coefficients[j].shape[1])
            right = coefficients[j][:, :width]
            size = np.linalg.norm(left[:, :width]) * np.linalg.norm(right)
            affinity[i, j] = affinity[j, i] = (left[:, :width] * right).sum() / size if size > 1e-12 else 0.0
    return affinity


def _ridge(values: Float[Array, "N D"], target: Float[Array, "N W"], penalty: float) -> Float[Array, "D W"]:
    columns = []
    for column in target.T:
        rows = ~np.isnan(column)
        x = values[rows] - values[rows].mean(axis=0)
        y = (column[rows] - column[rows].mean()) / max(column[rows].std(), 1e-12)
        gram = x.T @ x + penalty * np.eye(x.shape[1])
        columns.append(cho_solve(cho_factor(gram), x.T @ y))
    return np.stack(columns, axis=1)
