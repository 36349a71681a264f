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
    "trivial, separate": (-9.0, 0.3, 0.0, 0.7),
    "linear, separate": (-7.5, 0.6, 0.4, 0.85),
    "extra trees, light, separate": (-6.4, 0.8, 0.46, 1.15),
    "extra trees, strong, separate": (-6.8, 0.8, 0.46, 1.15),
    "random forest, separate": (-5.9, 0.8, 0.46, 1.15),
    "boosted trees, light, separate": (-6.7, 0.6, 0.8, 0.93),
    "boosted trees, strong, separate": (-7.4, 0.6, 0.8, 0.93),
    "network, light, separate": (-2.0, 0.4, 0.4, 0.6),
    "network, strong, separate": (-2.0, 0.4, 0.4, 0.6),
    "mean-regularised linear, together": (-5.1, 0.3, 0.6, 0.5),
    "pooled boosted trees, light, together": (-5.3, 0.6, 0.3, 0.0),
    "pooled boosted trees, strong, together": (-5.6, 0.6, 0.3, 0.0),
    "pooled extra trees, light, together": (-9.5, 1.2, 0.4, 0.0),
    "pooled extra trees, strong, together": (-10.0, 1.2, 0.4, 0.0),
    "joint extra trees, light, together": (-6.1, 0.8, 0.46, 0.1),
    "joint extra trees, strong, together": (-6.3, 0.8, 0.46, 0.1),
    "joint random forest, together": (-5.5, 0.8, 0.46, 0.1),
    "joint boosted trees, together": (-3.2, 0.4, 0.5, 0.8),
    "stacked extra trees, together": (-5.5, 0.8, 0.46, 1.15),
    "stacked boosted trees, together": (-5.2, 0.6, 0.8, 0.95),
    "network, light, together": (-2.05, 0.4, 0.3, 0.1),
    "network, strong, together": (-2.05, 0.4, 0.3, 0.1),
}


def guess_seconds(candidate: Candidate, size: Size) -> float:
    """Seconds for all folds of a candidate on one core, from formulas that ``benchmarks/effort.py`` measured."""
    name = candidate.name if not candidate.shares else f"{candidate.name.rpartition(',')[0]}, together"
    constant, rows, features, targets = FORMULAS[name]
    count = size.rows if candidate.shares else size.rows_a_task
    return float(np.exp(constant) * count**rows * size.features**features * size.targets**targets)
