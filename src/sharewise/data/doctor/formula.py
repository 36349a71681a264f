"""Features that together give a number away: a sum of parts, a ratio."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

Array = np.ndarray
MOST_PARTS = 3
LIMIT = 0.005
FEWEST_ROWS = 100


def parts_of(target: Float[Array, "N"], X: Float[Array, "N D"]) -> tuple[tuple[int, ...], str, float] | None:
    """The columns of X, two or three, that give ``target`` as a sum or a product, or None where none do.

    A forward choice by least squares, of the values themselves and of their logarithms (where all are above zero):
    each step takes the column that explains most of what is left, gaps standing at the mean. The chosen ones are then
    judged on the rows that have them all, each half predicted from the other: at most 0.5 % of the variance may be
    left. Weight and height thus give the body mass index, and three readings their mean.
    Returns the places, the form, and the share that is left.
    """
    best: tuple[tuple[int, ...], str, float] | None = None
    for form in ("weighted sum", "product of powers"):
        if form == "product of powers" and not (target > 0).all():
            continue
        fit = np.flatnonzero((X > 0).sum(axis=0) == (~np.isnan(X)).sum(axis=0)) if form == "product of powers" else \
            np.arange(X.shape[1])
        if len(fit) < 2:
            continue
        y, part = (np.log(target), np.log(X[:, fit])) if form == "product of powers" else (target, X[:, fit])
        for chosen in _forward(y, part):
            left = _left(y, part[:, chosen])
            if left < LIMIT and (best is None or len(chosen) < len(best[0])):
                best = tuple(fit[chosen].tolist()), form, left
    return best


def _forward(y: Float[Array, "N"], X: Float[Array, "N D"]) -> list[Int[Array, "k"]]:
    """The best two columns, then three, by orthogonal forward selection."""
    seen = ~np.isnan(X)
    centre = np.where(seen, X, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    Q = np.where(seen, X - centre, 0.0)
    start = np.sqrt(np.square(Q).sum(axis=0))
    Q = Q / np.maximum(start, 1e-300)
    rest, chosen = y - y.mean(), []
    usable = start > 0
    for _ in range(min(MOST_PARTS, X.shape[1])):
        size = np.sqrt(np.square(Q).sum(axis=0))
        usable &= size > 1e-3
        pull = np.where(usable, np.abs(rest @ Q) / np.maximum(size, 1e-12), -1.0)
        place = int(pull.argmax())
        if pull[place] <= 0:
            break
        chosen.append(place)
        usable[place] = False
        axis = Q[:, place] / size[place]
        rest = rest - axis * (axis @ rest)
        Q = Q - np.outer(axis, axis @ Q)
    return [np.array(chosen[:k]) for k in range(2, len(chosen) + 1)]


def _left(y: Float[Array, "N"], X: Float[Array, "N k"]) -> float:
    """The share of variance that a linear fit leaves on rows it has not seen; 1 where too few rows are complete."""
    rows = np.flatnonzero(~np.isnan(X).any(axis=1))
    if len(rows) < max(FEWEST_ROWS, 0.3 * len(y)):
        return 1.0
    y, A = y[rows], np.column_stack([np.ones(len(rows)), (X[rows] - X[rows].mean(axis=0)) / X[rows].std(axis=0)])
    even: Bool[Array, "n"] = np.arange(len(rows)) % 2 == 0
    error = np.empty(len(rows))
    for half in (even, ~even):
        weights = np.linalg.lstsq(A[half], y[half], rcond=None)[0]
        error[~half] = np.square(y[~half] - A[~half] @ weights)
    return float(error.mean() / max(y.var(), 1e-300))
