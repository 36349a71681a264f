"""A first glance over very many pairs of features and targets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from scipy.sparse import csr_matrix

from .explain import Levels

Array = np.ndarray
MOST_PAIRS = 5000
CELLS = 12
GLANCE, GLANCE_OF_CLASSES = 0.75, 0.95
TARGETS_AT_ONCE = 64


def worth_a_look(features: Sequence[Levels], values: Sequence[Float[Array, "n"]],
                 classes: Sequence[int]) -> Bool[Array, "T D"]:
    """Which features may explain much of which target.

    All, up to 5,000 pairs. Beyond, those where 12 cells of the feature (missing values one of their own) leave at most
    3/4 of the target's variance (of more than two classes, which count as numbers, 95 %); by sparse products of all
    cells with many targets.
    """
    look = np.ones((len(values), len(features)), dtype=bool)
    if look.size <= MOST_PAIRS:
        return look
    members = _members(features)
    for low in range(0, len(values), TARGETS_AT_ONCE):
        at = slice(low, low + TARGETS_AT_ONCE)
        left = _left(members, np.stack(values[at], axis=1))
        look[at] = left < np.where(np.array(classes[at]) <= 2, GLANCE, GLANCE_OF_CLASSES)[:, None]
    return look


def _members(features: Sequence[Levels]) -> csr_matrix:
    """Which rows lie in which cell [D * CELLS, n]; the fullest cell of each feature is left empty, for it holds the
    rows that the others do not: of a flag that is seldom on hardly anything is left to add up."""
    entries, cells = [], []
    for at, feature in enumerate(features):
        cell = _cells(feature)
        outside = np.flatnonzero(cell != np.bincount(cell, minlength=1).argmax())
        entries.append(outside)
        cells.append(cell[outside] + CELLS * at)
    rows, own = np.concatenate(entries), np.concatenate(cells)
    return csr_matrix((np.ones(len(rows)), (own, rows)), shape=(CELLS * len(features), len(features[0].code)))


def _left(members: csr_matrix, Y: Float[Array, "n t"]) -> Float[Array, "t D"]:
    """The share of each target's variance that is left within the cells of each feature."""
    seen = ~np.isnan(Y)
    rows = seen.sum(axis=0)
    centred = np.where(seen, Y - np.where(seen, Y, 0.0).sum(axis=0) / np.maximum(rows, 1), 0.0)
    count, total = ((members @ part).reshape(-1, CELLS, Y.shape[1]) for part in (seen.astype(np.float64), centred))
    between = np.square(total) / np.maximum(count, 1)
    fullest = np.square(centred.sum(axis=0) - total.sum(axis=1)) / np.maximum(rows - count.sum(axis=1), 1)
    whole = np.square(centred).sum(axis=0)
    return ((whole - between.sum(axis=1) - fullest) / np.maximum(whole, 1e-300)).T


def _cells(feature: Levels) -> Array:
    """Up to 12 cells of equal numbers of rows; the largest levels of a category by themselves."""
    count = np.bincount(feature.code, minlength=len(feature.place))
    if len(count) <= CELLS:
        return feature.code
    if not feature.ordered:
        place = np.empty(len(count), dtype=int)
        place[np.argsort(-count, kind="stable")] = np.arange(len(count))
        return np.minimum(place, CELLS - 1)[feature.code]
    own = len(count) - feature.has_missing
    upto = np.cumsum(count[:own]) - count[:own] / 2
    cell = np.minimum((upto / max(count[:own].sum(), 1) * (CELLS - 1)).astype(int), CELLS - 2)
    return np.append(cell, CELLS - 1)[feature.code] if feature.has_missing else cell[feature.code]
