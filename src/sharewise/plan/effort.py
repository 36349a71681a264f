"""First guesses of how long a candidate takes, corrected by the schedule as soon as one has finished."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .candidate import Candidate


@dataclass(frozen=True)
class Size:
    """Rows that a task is observed in (mean over tasks), all rows, features, target columns, and the layout."""

    rows_a_task: float
    rows: int
    features: int
    targets: int

    @classmethod
    def of(cls, X: Float[np.ndarray, "N D"], Y: Float[np.ndarray, "N W"]) -> Size:
        """The size of a piece of work."""
        return cls(float((~np.isnan(Y)).sum() / Y.shape[1]), len(X), X.shape[1], Y.shape[1])


# Constant and exponents of rows, features and target columns: seconds = exp(constant) * rows^a * features^b * targets^c
FORMULAS: dict[str, tuple[float, float, float, float]] = {
    "trivial, separate": (-7.7, 0.20, 0.09, 0.37),
    "linear, separate": (-6.8, 0.48, 0.20, 1.05),
    "extra trees, light, separate": (-5.9, 0.67, 0.61, 1.01),
    "extra trees, strong, separate": (-5.6, 0.59, 0.38, 1.04),
    "random forest, separate": (-5.1, 0.61, 0.51, 1.06),
    "boosted trees, light, separate": (-7.5, 0.66, 0.67, 0.98),
    "boosted trees, strong, separate": (-7.7, 0.66, 0.67, 0.98),
    "network, light, separate": (-2.1, 0.56, 0.09, 0.42),
    "network, strong, separate": (-3.2, 0.62, 0.14, 0.83),
    "mean-regularised linear, together": (-5.6, 0.31, 0.31, 1.00),
    "pooled boosted trees, light, together": (-5.3, 0.6, 0.3, 0.0),
    "pooled boosted trees, strong, together": (-5.6, 0.6, 0.3, 0.0),
    "pooled extra trees, light, together": (-9.5, 1.2, 0.4, 0.0),
    "pooled extra trees, strong, together": (-10.0, 1.2, 0.4, 0.0),
    "joint extra trees, light, together": (-5.4, 0.68, 0.55, 0.04),
    "joint extra trees, strong, together": (-5.2, 0.55, 0.31, 0.26),
    "joint random forest, together": (-5.9, 0.77, 0.51, 0.12),
    "joint boosted trees, together": (-3.2, 0.4, 0.3, 0.6),
    "stacked extra trees, together": (-3.4, 0.37, 0.43, 1.02),
    "stacked boosted trees, together": (-5.8, 0.72, 0.59, 0.85),
    "network, light, together": (-2.7, 0.58, 0.16, 0.0),
    "network, strong, together": (-3.1, 0.67, 0.13, 0.0),
}


def guess_seconds(candidate: Candidate, size: Size) -> float:
    """Seconds for all folds of a candidate on one core. ``benchmarks/effort.py`` measures the formulas; those of
    boosted and pooled trees, whose rounds hang on the data, are rounded towards what real tables took."""
    name = candidate.name if not candidate.shares else f"{candidate.name.rpartition(',')[0]}, together"
    constant, rows, features, targets = FORMULAS[name]
    count = size.rows if candidate.shares else size.rows_a_task
    return float(np.exp(constant) * count**rows * size.features**features * size.targets**targets)
