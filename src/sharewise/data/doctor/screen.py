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
GLANCE = 0.75


def worth_a_look(features: Sequence[Levels], values: Sequence[Float[Array, "n"]],
                 classes: Sequence[int]) -> Bool[Array, "T D"]:
    """Which features may explain much of which target.

    All, up to 5,000 pairs. Beyond, those where 12 cells of the feature (missing values one of their own) leave at most
    3/4 of the target's variance, classes counting as numbers; all pairs at once, by one sparse product.
    """
    look = np.ones((len(values), len(features)), dtype=bool)
    if look.size <= MOST_PAIRS:
        return look
    rows = len(features[0].code)
    cell = np.stack([_cells(feature) + CELLS * at for at, feature in enumerate(features)], axis=1)
    members = csr_matrix((np.ones(cell.size), cell.ravel(), np.arange(0, cell.size + 1, cell.shape[1])),
                         shape=(rows, CELLS * len(features))).T.tocsr()
    for at, target in enumerate(values):
        seen = ~np.isnan(target)
        columns = np.where(seen, target, 0.0)
        columns = (columns - columns[seen].mean()) * seen if seen.any() else columns
        count, first, second = (members @ column for column in (seen.astype(float), columns, columns**2))
        within = second - np.where(count > 0, first**2 / np.maximum(count, 1), 0)
        left = within.reshape(len(features), CELLS).sum(axis=1) / max(np.square(columns).sum(), 1e-300)
        look[at] = left < GLANCE if classes[at] <= 2 else left < 0.95
    return look


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
