"""Two works timed in turns, for labels_peers.py."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time
from typing import Any, NamedTuple

import numpy as np

Pair = tuple[Callable[[], Any], Callable[[], Any]]
LONG = 20.0  # seconds of one round, after which there is no other
SHORT, MOST = 2.0, 30  # seconds of all rounds, below which there are more of them, and how many at most


class Times(NamedTuple):
    """Medians of the seconds of both, and quartiles of how many times as long the second took."""

    ours: float
    theirs: float
    ratio: tuple[float, float, float]

    def __str__(self) -> str:
        low, middle, high = (f"{one:,.{0 if one >= 100 else 2 if one < 3 else 1}f}" for one in self.ratio)
        return f"{middle} ({low} to {high})"


def times(pair: Pair, rounds: int, clock: Callable[[], float] = process_time, long: float = LONG) -> Times:
    """Seconds of both, in turns, first the one and then the other first; what takes ``long`` is done once, and what is
    short more often than ``rounds``."""
    found: list[list[float]] = []
    while ((len(found) < rounds and (not found or max(found[0]) < long))
           or (len(found) < MOST and sum(map(sum, found)) < SHORT)):
        found.append([0.0, 0.0])
        for which in (0, 1) if len(found) % 2 else (1, 0):
            started = clock()
            pair[which]()
            found[-1][which] = clock() - started
    table = np.array(found)
    quartiles = np.quantile(table[:, 1] / table[:, 0], [0.25, 0.5, 0.75])
    return Times(*map(float, np.median(table, axis=0)), tuple(map(float, quartiles)))
