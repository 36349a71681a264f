"""Of the label sets that stand in a table, the most probable one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse

from ...base.checks import within
from .label_sets import DENSE_ENTRIES, Distinct
from .seen_sets import seen_sets
from .targets import as_probabilities

Array = np.ndarray
ENTRIES = 1 << 23  # sums held at a time
UNSURE = 1e-6  # a forest's 0 of 300 trees is no certainty: no label rules a set out by itself
LIFTS = (0.0, 0.25, 0.5, 1.0)


class SeenSets(NamedTuple):
    """Label ``sets`` [S, L], those of more rows first, and a ``bonus`` [S] of each, in log odds."""

    sets: Bool[Array, "S L"]
    bonus: Float[Array, "S"]

    def say(self, probabilities: Float[Array, "N L"]) -> Bool[Array, "N L"]:
        """The set of every row with the highest sum of its labels' log odds and its bonus; of equals the first."""
        best, rows = np.empty(len(probabilities), dtype=np.intp), max(1, ENTRIES // len(self.sets))
        for low in range(0, len(best), rows):
            part = slice(low, low + rows)
            best[part] = (evidence(probabilities[part], self.sets) + self.bonus).argmax(axis=1)
        return self.sets[best]


def likeliest_seen_sets(probabilities: Any, Y: Any, lift: float = 0.0) -> Bool[Array, "N L"]:
    """For every row of ``probabilities`` [N, L] the most probable of the sets that stand in the rows of Y [n, L]: the
    one with the highest

        sum over its labels of log p - log(1 - p)  +  lift (log f - log f0),

    of equals the one that stands in more rows; f is the share of the rows of Y with that set, f0 what it would be if
    labels came independently. With ``lift`` 0, labels are independent given the row. With 1, what the row says of
    one label is independent of what it says of another given both, so that p(set | row) is in proportion to
    p(set) times the product of p(label | row) / p(label). The truth lies between: ``best_seen_sets`` finds where.
    Probabilities are kept from 0 and 1 by 1e-6.

    It raises subset accuracy of methods that decide label by label: where two labels never come together, it says one
    of them; where no row is without a label, it says the likeliest. The most probable set is best for subset accuracy
    (Dembczyński, Waegeman, Cheng, Hüllermeier 2012, On label dependence and loss minimization in multi-label
    classification); that sets not seen are left out is the subset correction of Senge and others 2013, Rectifying
    classifier chains for multi-label classification, before the decision, where ``nearest_seen_sets`` is after it.

    DataError: values that are no probabilities or labels, or tables of different widths. UsageError: a lift that is
    not from 0 to 1.

    >>> likeliest_seen_sets([[0.4, 0.3], [0.6, 0.9], [0.9, 0.6]], [[1, 0], [0, 1], [0, 1]]).astype(int).tolist()
    [[1, 0], [0, 1], [1, 0]]
    """
    P = as_probabilities(probabilities)
    within("lift", lift, 0.0, 1.0)
    return with_bonus(seen_sets(Y, P.shape[1]), lift).say(P)


def best_seen_sets(probabilities: Any, Y: Any) -> tuple[SeenSets, float]:
    """The sets of Y [N, L] with the lift of LIFTS that says most rows right from ``probabilities`` [N, L], which must
    not have seen Y; and what share of the rows that is. Each row is told from the sets of the *other* rows, so that a
    set that came once can't be right: subset accuracy on new rows is estimated without bias, but for the choice of the
    lift.

    DataError: values that are no probabilities or labels, or tables of different widths.

    >>> seen, right = best_seen_sets([[0.7, 0.6], [0.6, 0.3], [0.3, 0.6], [0.4, 0.6]], [[1, 0], [1, 0], [0, 1], [0, 1]])
    >>> seen.say(np.array([[0.9, 0.8]])).tolist(), right
    ([[True, False]], 1.0)
    """
    P = as_probabilities(probabilities)
    found = seen_sets(Y, P.shape[1])
    right = np.zeros(len(LIFTS))
    rows = max(1, ENTRIES // len(found.sets))
    again = found.times > 1
    rarer = np.log(np.maximum(found.times - 1, 1)) - np.log(found.times)  # a set, without one of its rows
    for low in range(0, len(P), rows):
        code = found.code[low:low + rows]
        scores, own = evidence(P[low:low + rows], found.sets), (np.arange(len(code)), code)
        for at, lift in enumerate(LIFTS):
            lifted = scores + lift * surplus(found)
            lifted[own] += np.where(again[code], lift * rarer[code], -np.inf)
            right[at] += np.count_nonzero((lifted.argmax(axis=1) == code) & again[code])
    best = int(right.argmax())
    return with_bonus(found, LIFTS[best]), float(right[best] / len(P))


def with_bonus(found: Distinct, lift: float) -> SeenSets:
    """The sets, those of more rows first, each with its surplus weighed by ``lift``."""
    order = np.argsort(-found.times, kind="stable")
    return SeenSets(found.sets[order], lift * surplus(found)[order])


def surplus(found: Distinct) -> Float[Array, "S"]:
    """How much more often a set stands in the table than if labels came independently: log f - log f0."""
    rows = found.times.sum()
    on = (found.times @ found.sets + 0.5) / (rows + 1.0)
    return np.log(found.times / rows) - np.where(found.sets, np.log(on), np.log1p(-on)).sum(axis=1)


def evidence(probabilities: Float[Array, "N L"], sets: Bool[Array, "S L"]) -> Float[Array, "N S"]:
    """The sum of log odds over the labels of each set."""
    held = np.clip(probabilities, UNSURE, 1 - UNSURE)
    odds = np.log(held) - np.log1p(-held)
    if sets.size <= DENSE_ENTRIES:
        return odds @ sets.T.astype(np.float64)
    return (sparse.csr_array(sets.astype(np.float64)) @ odds.T).T  # most sets hold few of many labels
