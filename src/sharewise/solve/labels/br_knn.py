"""BRkNN: the share of neighbours that have a label; and two ways to a label set of a likely size."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float, Shaped

from ...base.checks import one_of
from .classifier import Features, LabelClassifier
from .neighbours import count_neighbours, find_neighbours
from .targets import Targets

Array = np.ndarray


class BRkNN(LabelClassifier):
    """A label's probability is the share of the ``k`` nearest training rows that have it.

    A label is on where the share is above one half. ``extension`` "a" adds, to a set that would be empty, the label
    that most neighbours have. "b" says instead the s labels that most neighbours have, s being the mean size of the
    neighbours' sets, rounded, a half up. Of equals the first is taken. Both are for tables in which rows have labels:
    where no neighbour has any the set stays empty, and with one label alone, which it would say almost always, there is
    no extension.

    Spyromitros, Tsoumakas, Vlahavas 2008, An empirical study of lazy multilabel classification algorithms
    (BRkNN, BRkNN-a, BRkNN-b). ``metric`` is one of scikit-learn's NearestNeighbors.

    DataError: k rows are needed in training.

    >>> X, Y = np.array([[0.0], [0.1], [0.2], [5.0]]), np.array([[1, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 0]])
    >>> BRkNN(k=3).fit(X, Y).predict([[0.1]]).tolist()
    [[0, 1, 0]]
    """

    label_by_label: ClassVar[bool] = True

    def __init__(self, k: Any = 10, extension: Any = None, metric: Any = "euclidean") -> None:
        self.k, self.extension, self.metric = k, extension, metric

    def _fit(self, X: Features, targets: Targets) -> None:
        one_of("extension", self.extension, (None, "a", "b"))
        self._Y = targets.on
        self._search = find_neighbours(X, self.k, self.metric, apart_from_itself=False)

    def _labels(self, X: Features) -> Bool[Array, "N L"]:
        count = count_neighbours(self._search, self._Y, X).astype(np.int64)
        labels = 2 * count > self.k
        if self.n_labels_ == 1:
            return labels
        if self.extension == "a":
            empty = np.flatnonzero(~labels.any(axis=1) & count.any(axis=1))
            labels[empty, count[empty].argmax(axis=1)] = True
        elif self.extension == "b":
            labels = most_counted(count, (2 * count.sum(axis=1) + self.k) // (2 * self.k))
        return labels

    def _probabilities(self, X: Features) -> Float[Array, "N L"]:
        return count_neighbours(self._search, self._Y, X) / float(self.k)


def most_counted(count: Shaped[Array, "N L"], sizes: Shaped[Array, "N"]) -> Bool[Array, "N L"]:
    """The ``sizes`` [N] labels of each row with the highest count; of equals the first."""
    order = np.argsort(-count, axis=1, kind="stable")
    labels = np.zeros(count.shape, dtype=bool)
    np.put_along_axis(labels, order, np.arange(count.shape[1]) < sizes[:, None], axis=1)
    return labels
