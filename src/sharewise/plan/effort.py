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
    "linear, separate": (-7, .6, .5, .7),
    "extra trees, light, separate": (-6, 1, .5, 1), "extra trees, strong, separate": (-6, 1, .5, 1),
    "random forest, separate": (-6, 1, .5, 1),
    "boosted trees, light, separate": (-4.5, .7, .5, 1), "boosted trees, strong, separate": (-4.5, .7, .5, 1),
    "network, light, separate": (-4, .7, .4, 1), "network, strong, separate": (-4, .7, .4, 1),
    "mean-regularised linear, together": (-6, .6, .5, .7),
    "pooled boosted trees, light, together": (-4.5, .7, .5, .5), "pooled boosted trees, strong, together": (-4.5, .7, .5, .5),
    "pooled extra trees, light, together": (-6, 1, .5, .3), "pooled extra trees, strong, together": (-6, 1, .5, .3),
    "joint extra trees, light, together": (-6.5, 1, .5, .3), "joint extra trees, strong, together": (-6.5, 1, .5, .3),
    "joint random forest, together": (-6.5, 1, .5, .3),
    "joint boosted trees, together": (-4.5, .7, .5, 1), "stacked extra trees, together": (-4.5, 1, .5, 1),
    "stacked boosted trees, together": (-3, .7, .5, 1), "network, light, together": (-4, .7, .4, .3),
    "network, strong, together": (-4, .7, .4, .3),
}


def guess_seconds(candidate: Candidate, size: Size) -> float:
    """Seconds for all folds of a candidate on one core, from formulas that ``benchmarks/effort.py`` measured."""
    name = candidate.name if not candidate.shares else f"{candidate.name.rpartition(',')[0]}, together"
    constant, rows, features, targets = FORMULAS[name]
    count = size.rows if candidate.shares else size.rows_a_task
    return float(np.exp(constant) * count**rows * size.features**features * size.targets**targets)
