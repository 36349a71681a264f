"""What is kept of a training with a balancer: few enough numbers to stand in a report."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from ..balance import Record, find_troubles

MOST_POINTS, MOST_TROUBLES, DIGITS = 120, 20, 4


def summarise(record: Record) -> dict[str, Any]:
    """A record as JSON: means over runs of steps, at most 120 of them, and its troubles in words; None = not known.

    ``tasks``; ``steps`` [S]: the middle of each run; ``weights`` [S, T]; ``shares`` [S, T] of the update; ``conflicts``
    [S]: share of the pairs of tasks with a negative cosine; ``troubles``: at most 20 sentences; ``more``: how many
    others there are.

    >>> ones = np.ones((2, 2), dtype=np.float32)
    >>> found = summarise(Record(("a", "b"), np.arange(2), ones, 3 * ones, np.full((2, 2, 2), np.nan)))
    >>> found["shares"], found["conflicts"]
    ([[0.5, 0.5], [0.5, 0.5]], [None, None])
    """
    supplied = np.abs(record.weights) * record.norms
    total = np.nansum(supplied, axis=1, keepdims=True)
    shares = supplied / np.where(total > 0, total, np.nan)
    length = -(-len(record.steps) // MOST_POINTS) or 1
    runs = np.split(np.arange(len(record.steps)), range(length, len(record.steps), length))
    troubles = find_troubles(record)
    return {"tasks": list(record.tasks), "steps": [float(record.steps[run].mean()) for run in runs if len(run)],
            "weights": _means(record.weights, runs), "shares": _means(shares, runs),
            "conflicts": [row[0] for row in _means(record.conflict_rate[:, None], runs)],
            "troubles": troubles[:MOST_TROUBLES], "more": max(len(troubles) - MOST_TROUBLES, 0)}


def _means(values: Float[np.ndarray, "S T"], runs: list[np.ndarray]) -> list[list[float | None]]:
    """The mean of each column over each run of steps, to four digits; None where none of them is known."""
    found = []
    for run in runs:
        known = np.isfinite(values[run])
        sums, counts = np.where(known, values[run], 0.0).sum(axis=0, dtype=float), known.sum(axis=0)
        found.append([float(f"{mean / count:.{DIGITS}g}") if count else None
                      for mean, count in zip(sums, counts, strict=True)])
    return found if len(values) else []
