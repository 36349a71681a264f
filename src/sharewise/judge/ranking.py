"""How well scores rank rows that are on above rows that are off: both measures from one sorted pass.

They are those of scikit-learn, whose checks of every call take longer than the sums where a table has hundreds of
targets.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

Array = np.ndarray


def area_under_roc(score: Float[Array, "n"], on: Bool[Array, "n"]) -> float:
    """The chance that a row that is on is ranked above one that is off, ties counting one half (Hanley and McNeil 1982,
    The meaning and use of the area under a receiver operating characteristic curve). There must be rows of both.

    >>> area_under_roc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True]))
    0.875
    """
    hits, misses = counts_from_above(score, on)
    pairs = np.diff(misses, prepend=0) @ (hits + np.append(0, hits[:-1]))
    return float(pairs / (2 * hits[-1] * misses[-1]))


def area_under_precision(score: Float[Array, "n"], on: Bool[Array, "n"]) -> float:
    """Average precision: the precision at every score, weighted by the recall that it adds. A row must be on.

    >>> round(area_under_precision(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])), 3)
    0.833
    """
    hits, misses = counts_from_above(score, on)
    return float((np.diff(hits, prepend=0) / hits[-1]) @ (hits / (hits + misses)))


def counts_from_above(score: Float[Array, "n"], on: Bool[Array, "n"]) -> tuple[Array, Array]:
    """For each different score, from the highest down: how many rows that are on, and that are off, reach it."""
    order = np.argsort(-score)
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits = np.cumsum(on[order])[ends]
    return hits, ends + 1 - hits
