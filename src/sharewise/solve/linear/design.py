"""Features made ready for linear models: gaps filled, standardised, outliers clipped."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

Array = np.ndarray
FARTHEST = 8.0  # standard deviations; beyond, a linear answer to an outlier would run away


class Design(NamedTuple):
    """What was fitted on the training features: medians [D] for gaps, ``gap`` [D] marks features that had any (each
    gets an indicator column), centre and spread [E] of the E columns; constant columns have spread 0 and are left
    out of account as zeros."""

    median: Float[Array, "D"]
    gap: Bool[Array, "D"]
    centre: Float[Array, "E"]
    spread: Float[Array, "E"]

    @classmethod
    def fit(cls, X: Float[Array, "N D"]) -> Design:
        """Learn the medians, centres and spreads."""
        missing = np.isnan(X)
        filled = np.where(missing.all(axis=0), 0.0, X)
        median = np.nanmedian(filled, axis=0).astype(np.float64)
        gap = missing.any(axis=0)
        wide = widen(X, median, gap)
        spread = wide.std(axis=0)
        spread[spread <= 1e-9 * np.maximum(np.abs(wide).max(axis=0, initial=0.0), 1e-300)] = 0.0
        return cls(median, gap, wide.mean(axis=0), spread)

    def apply(self, X: Float[Array, "N D"]) -> Float[Array, "N E"]:
        """The columns that a linear model sees."""
        wide = widen(X, self.median, self.gap) - self.centre
        wide *= np.where(self.spread > 0, 1.0 / np.where(self.spread > 0, self.spread, 1.0), 0.0)
        return np.clip(wide, -FARTHEST, FARTHEST, out=wide)


def widen(X: Float[Array, "N D"], median: Float[Array, "D"], gap: Bool[Array, "D"]) -> Float[Array, "N E"]:
    """Gaps filled with the medians; an indicator column for each feature that had gaps in training."""
    missing = np.isnan(X)
    return np.hstack([np.where(missing, median, X.astype(np.float64)), missing[:, gap].astype(np.float64)])
