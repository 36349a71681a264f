"""Reliability: what was said beside what came true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from scipy.special import stdtrit

if TYPE_CHECKING:
    from ..task import Task

Array = np.ndarray
MOST_BINS, ROWS_A_BIN, Z = 10, 20, 1.959963984540054


@dataclass(frozen=True)
class Bin:
    """Rows with like predictions: their mean prediction, what was observed in them with its 95 % interval, how many.

    Probabilities: the observed rate and Wilson's interval. Numbers: the observed mean and its t interval.
    """

    predicted: float
    observed: float
    low: float
    high: float
    rows: int

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        return asdict(self)


def reliability(task: Task, mean: Float[Array, "N C"], target: Float[Array, "N W"]) -> list[Bin]:
    """Up to ten bins of equally many rows, from the lowest prediction to the highest; none without observed rows.

    Binary: the probability of the positive class against its rate. Multilabel: the same over all observed labels.
    Multiclass and ordinal: the probability of the most probable class against how often it was right (Guo et al.
    2017, section 2). Numbers: the prediction against the mean of the target.

    >>> from sharewise.task import Binary, Task
    >>> mean = np.repeat([[0.2], [0.8]], 20, axis=0)
    >>> target = np.r_[np.zeros(16), np.ones(4), np.zeros(4), np.ones(16)][:, None]
    >>> [(round(bin.predicted, 2), bin.observed) for bin in reliability(Task("sold", Binary()), mean, target)]
    [(0.2, 0.2), (0.8, 0.8)]
    """
    said, came = _said_and_came(task, mean, target)
    if not len(said):
        return []
    count = int(np.clip(len(said) // ROWS_A_BIN, 1, MOST_BINS))
    order = np.argsort(said, kind="stable")
    parts = [part for part in np.array_split(order, count) if len(part)]
    interval = _wilson if task.kind.classes else _t_interval
    return [Bin(float(said[part].mean()), float(came[part].mean()), *interval(came[part]), len(part))
            for part in parts]


def calibration_error(task: Task, bins: Sequence[Bin], spread: float = 1.0) -> float:
    """Expected calibration error: mean distance of said and observed over bins, weighted by rows; NaN without bins.

    For numbers it is in units of ``spread`` (the target's standard deviation, ``scale.spread``), so that it has no
    unit either way.

    >>> from sharewise.task import Binary, Task
    >>> round(calibration_error(Task("sold", Binary()), [Bin(0.2, 0.3, 0, 1, 10), Bin(0.8, 0.8, 0, 1, 30)]), 3)
    0.025
    """
    rows = sum(bin.rows for bin in bins)
    if not rows:
        return float("nan")
    error = sum(bin.rows * abs(bin.predicted - bin.observed) for bin in bins) / rows
    return float(error if task.kind.classes else error / spread)


def _said_and_came(task: Task, mean: Array, target: Array) -> tuple[Array, Array]:
    if mean.shape[1] == target.shape[1]:  # a column for a column: numbers, binary, multilabel
        seen = ~np.isnan(target) & ~np.isnan(mean)
        return mean[seen], target[seen]
    seen = ~np.isnan(target[:, 0]) & ~np.isnan(mean).any(axis=1)
    mean, target = mean[seen], target[seen]
    return mean.max(axis=1, initial=0.0), (mean.argmax(axis=1) == target[:, 0]).astype(float)


def _wilson(came: Array) -> tuple[float, float]:
    n, rate = len(came), float(came.mean())
    middle = (rate + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * np.sqrt(rate * (1 - rate) / n + Z**2 / (4 * n**2))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def _t_interval(came: Array) -> tuple[float, float]:
    middle = float(came.mean())
    if len(came) < 2:
        return middle, middle
    half = float(stdtrit(len(came) - 1, 0.975) * came.std(ddof=1) / np.sqrt(len(came)))
    return middle - half, middle + half
