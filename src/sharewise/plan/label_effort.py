"""First guesses of how long a label method takes: how many fits of its base it makes, each of how many classes."""

from __future__ import annotations

from collections.abc import Callable
from math import exp

from ..solve.labels import LabelMethod
from ..solve.labels.in_fits import needs_base
from ..solve.labels.label_method import LABELS

# Log of the seconds of one fit, and powers of rows, features and classes; benchmarks/label_family.py says what it took
FIT = {"linear": (-7.5, 0.5, 0.22, 1.0), "trees": (-8.6, 0.89, 0.41, 0.32)}
ROWS_A_SET = 8  # of a table: so many rows bring a set that was not there yet
SEARCH = 2e-10  # seconds of a multiplication in a search for neighbours
Work = Callable[[float, float], tuple[float, float]]
A_FIT_A_LABEL: Work = lambda labels, sets: (labels, 2)  # noqa: E731
WORK: dict[str, Work] = {  # from the numbers of labels and of different sets: fits, and classes of each
    "LabelPowerset": lambda labels, sets: (1, sets),
    "PrunedSets": lambda labels, sets: (1, sets / 2),
    "RAkELd": lambda labels, sets: (labels / 3, 8),
    "RAkELo": lambda labels, sets: (2 * labels, 8),
    "LabelPartition": lambda labels, sets: (labels / 4, 10),
    "ChainEnsemble": lambda labels, sets: (10 * labels, 2),
    "CalibratedRanking": lambda labels, sets: (labels + labels**2 / 8, 2),
    "HOMER": lambda labels, sets: (1.5 * labels, 2),
    "Propagated": lambda labels, sets: (6 * labels, 2)}


def label_seconds(method: LabelMethod, rows: float, features: int, folds: int) -> float:
    """Seconds for all folds of a method's labels on one core."""
    if not needs_base(method.method):
        return folds * SEARCH * rows**2 * features
    labels = sum(task.kind.width for task in method.tasks if task.kind.name in LABELS)
    fits, classes = WORK.get(method.method, A_FIT_A_LABEL)(labels, min(2.0**labels, max(rows / ROWS_A_SET, 2.0)))
    constant, by_rows, by_features, by_classes = FIT[method.base.family]
    return folds * fits * exp(constant) * rows**by_rows * features**by_features * classes**by_classes
