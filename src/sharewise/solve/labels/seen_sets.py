"""Label sets that stand in a table, in the place of sets that were never seen."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool

from ...base import DataError
from .label_sets import Distinct, distinct
from .targets import as_indicator

Array = np.ndarray
ENTRIES = 1 << 23  # distances held at a time


def nearest_seen_sets(said: Any, Y: Any) -> Bool[Array, "N L"]:
    """For every set that was said [N, L] the nearest of the sets that stand in the rows of Y [n, L]: the one that
    differs in the fewest labels, of equals the one that stands in more rows.

    Senge and others 2013, Rectifying classifier chains for multi-label classification (subset correction).
    It raises subset accuracy of methods that decide label by label, and costs Hamming loss where sets come that the
    table lacks.

    DataError: tables that are no labels, or of different widths.

    >>> nearest_seen_sets([[1, 1, 0], [1, 0, 0]], [[1, 1, 1], [0, 1, 0], [0, 1, 0], [1, 0, 0]]).astype(int).tolist()
    [[0, 1, 0], [1, 0, 0]]
    """
    labels = as_indicator(said)
    return among(labels, seen_sets(Y, labels.shape[1]))


def seen_sets(Y: Any, labels: int) -> Distinct:
    """The sets in the rows of Y. DataError where it is no table of so many ``labels`` with a row."""
    known = as_indicator(Y)
    if known.shape[1] != labels or not len(known):
        raise DataError("the table of seen sets", f"has the shape {known.shape}",
                        f"it must have rows, and {labels} labels", "Pass the training labels.")
    return distinct(known)


def among(labels: Bool[Array, "N L"], found: Distinct) -> Bool[Array, "N L"]:
    """The nearest of the sets that were ``found``."""
    frequent_first = np.argsort(-found.times, kind="stable")
    sets = found.sets[frequent_first].astype(np.float32)  # whole numbers below 2^24 are exact
    asked = distinct(labels)
    nearest, rows = np.empty(len(asked.sets), dtype=np.intp), max(1, ENTRIES // len(sets))
    for low in range(0, len(asked.sets), rows):
        part = asked.sets[low:low + rows].astype(np.float32)
        nearest[low:low + rows] = (sets.sum(axis=1) - 2 * part @ sets.T).argmin(axis=1)
    return (sets[nearest] > 0)[asked.code]
