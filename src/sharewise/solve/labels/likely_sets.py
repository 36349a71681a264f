"""Of the label sets that stand in a table, the most probable one."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from .seen_sets import seen_sets
from .targets import as_probabilities

Array = np.ndarray
ENTRIES = 1 << 23  # sums held at a time
UNSURE = 1e-6  # a forest's 0 of 300 trees is no certainty: no label rules a set out by itself


def likeliest_seen_sets(probabilities: Any, Y: Any) -> Bool[Array, "N L"]:
    """For every row of ``probabilities`` [N, L] the most probable of the sets that stand in the rows of Y [n, L], its
    labels being independent given the row: the one with the highest

        sum over its labels of log p - log(1 - p),

    of equals the one that stands in more rows. Probabilities are kept from 0 and 1 by 1e-6.

    It raises subset accuracy of methods that decide label by label: where two labels never come together, it says one
    of them; where no row is without a label, it says the likeliest. The most probable set is best for subset accuracy
    (Dembczyński, Waegeman, Cheng, Hüllermeier 2012, On label dependence and loss minimization in multi-label
    classification); that sets not seen are left out is the subset correction of Senge and others 2013, Rectifying
    classifier chains for multi-label classification, before the decision, where ``nearest_seen_sets`` is after it.

    DataError: values that are no probabilities or labels, or tables of different widths.

    >>> likeliest_seen_sets([[0.4, 0.3], [0.6, 0.9], [0.9, 0.6]], [[1, 0], [0, 1], [0, 1]]).astype(int).tolist()
    [[1, 0], [0, 1], [1, 0]]
    """
    P = as_probabilities(probabilities)
    found = seen_sets(Y, P.shape[1])
    sets = found.sets[np.argsort(-found.times, kind="stable")]
    held: Float[Array, "N L"] = np.clip(P, UNSURE, 1 - UNSURE)
    evidence, weights = np.log(held) - np.log1p(-held), sets.T.astype(np.float64)
    best, rows = np.empty(len(P), dtype=np.intp), max(1, ENTRIES // len(sets))
    for low in range(0, len(P), rows):
        best[low:low + rows] = (evidence[low:low + rows] @ weights).argmax(axis=1)
    return sets[best]
