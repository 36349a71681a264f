"""Label sets as the classes of one estimator: what label powerset, its pruned form and RAkEL are made of."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse
from sklearn.base import clone

Array = np.ndarray
DENSE_ENTRIES = 1 << 16  # of sets times labels: in fewer a sparse product is dearer to set up than a dense one to do


class Distinct(NamedTuple):
    """The different label sets of a table, sorted: ``sets`` [S, L], the number of each row's set ``code`` [N], and in
    how many rows each stands, ``times`` [S]."""

    sets: Bool[Array, "S L"]
    code: Int[Array, "N"]
    times: Int[Array, "S"]


def distinct(Y: Bool[Array, "N L"]) -> Distinct:
    """The different rows of Y; eight labels a byte, so that many labels sort as one string.

    >>> distinct(np.array([[True, False], [False, True], [True, False]])).times.tolist()
    [1, 2]
    """
    packed = np.ascontiguousarray(np.packbits(Y, axis=1))
    keys = packed.view(f"S{packed.shape[1]}")[:, 0]
    _, first, code, count = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    return Distinct(Y[first], code, count)


class SetModel(NamedTuple):
    """One estimator whose classes number the ``sets`` [S, L]; None where there is one set only."""

    sets: Bool[Array, "S L"]
    estimator: Any

    def labels(self, X: Any) -> Bool[Array, "N L"]:
        """The most probable set of every row."""
        code = np.zeros(X.shape[0], dtype=np.intp) if self.estimator is None else self.estimator.predict(X)
        return self.sets[code]

    def probabilities(self, X: Any) -> Float[Array, "N L"]:
        """The probability of every label: the sum over the sets that hold it."""
        if self.estimator is None:
            return np.repeat(self.sets.astype(np.float64), X.shape[0], axis=0)
        sets = self.sets.astype(np.float64)
        on = self.estimator.predict_proba(X) @ (sets if sets.size <= DENSE_ENTRIES else sparse.csr_array(sets))
        return np.minimum(on, 1.0)  # sums that round to more


def fit_sets(estimator: Any, X: Any, sets: Bool[Array, "S L"], code: Int[Array, "N"]) -> SetModel:
    """A copy of ``estimator`` fitted to the number of each row's set; every set must stand in some row."""
    return SetModel(sets, None if len(sets) == 1 else clone(estimator).fit(X, code))
