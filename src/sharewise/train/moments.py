"""The best moment of each task, chosen for a fold by the rows of the other folds."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from jaxtyping import Float, Int

Array = np.ndarray


def choose_moments(held_out: Float[Array, "S K T"], most: int = 3) -> Int[Array, "K T"]:
    """The moment (0 to S - 1) at which each fold stops for each task; at most ``most`` different ones a fold.

    Fold k's moments minimise the summed relative loss of the *other* folds' held-out rows, so that the rows which an
    out-of-fold prediction is judged by had no say in it. The last moment where there is no other fold.

    ``held_out``: held-out losses at S moments, K folds, T tasks; NaN where a fold holds no row of a task.

    >>> falling, rising = [3.0, 2.0, 1.0], [1.0, 2.0, 3.0]
    >>> choose_moments(np.array([[[a, b]] * 2 for a, b in zip(falling, rising)]))
    array([[2, 0],
           [2, 0]])
    """
    moments, folds, tasks = held_out.shape
    chosen = np.full((folds, tasks), moments - 1)
    for fold in range(folds):
        others = np.delete(held_out, fold, axis=1)
        known = ~np.isnan(others).all(axis=(0, 1))
        if others.shape[1] and known.any():
            loss = np.nanmean(others[:, :, known], axis=1)
            chosen[fold, known] = _few(loss / np.maximum(loss.min(axis=0), 1e-12), most)
    return chosen


def _few(loss: Float[Array, "S T"], most: int) -> Int[Array, "T"]:
    """Per task the best of the ``most`` moments that are together best for all."""
    sets = [list(kept) for kept in combinations(range(len(loss)), min(most, len(loss)))]
    best = min(sets, key=lambda kept: float(loss[kept].min(axis=0).sum()))
    return np.array(best)[loss[best].argmin(axis=0)]
