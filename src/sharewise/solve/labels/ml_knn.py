"""MLkNN: from the number of neighbours that have a label to the probability of the label, by Bayes' rule."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float, Shaped

from ...base.checks import within
from .classifier import Features, LabelClassifier
from .neighbours import count_neighbours, find_neighbours
from .targets import Targets

Array = np.ndarray


class MLkNN(LabelClassifier):
    """The probability of a label from how many of the ``k`` nearest training rows have it, label by label.

    With c neighbours that have label l: p(l | c) = p(l) p(c | l) / (p(l) p(c | l) + p(not l) p(c | not l)), where
    p(l) = (s + rows with l) / (2 s + N) and p(c | l) = (s + rows with l and c such neighbours) / (s (k + 1) + rows
    with l); s is ``smooth``, above 0.

    Zhang, Zhou 2007, ML-kNN: a lazy learning approach to multi-label learning, figure 1. As there, a training row is
    not its own neighbour. ``metric`` is one of scikit-learn's NearestNeighbors.

    DataError: k + 1 rows are needed in training.

    >>> X = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
    >>> Y = np.array([[1, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0, 1]])
    >>> MLkNN(k=2).fit(X, Y).predict([[0.1], [5.1]]).tolist()
    [[1, 0], [0, 1]]
    """

    label_by_label: ClassVar[bool] = True

    def __init__(self, k: Any = 10, smooth: Any = 1.0, metric: Any = "euclidean") -> None:
        self.k, self.smooth, self.metric = k, smooth, metric

    def _fit(self, X: Features, targets: Targets) -> None:
        within("smooth", self.smooth, 1e-12)
        Y = self._Y = targets.on
        self._search = find_neighbours(X, self.k, self.metric, apart_from_itself=True)
        count, rows, s = count_neighbours(self._search, Y), len(Y), float(self.smooth)
        alike = np.stack([np.count_nonzero(count == c, axis=0) for c in range(self.k + 1)])
        on = np.stack([np.count_nonzero((count == c) & Y, axis=0) for c in range(self.k + 1)])
        off = alike - on
        prior = (s + Y.sum(axis=0)) / (2 * s + rows)
        with_label = prior * (s + on) / (s * (self.k + 1) + on.sum(axis=0))
        without = (1 - prior) * (s + off) / (s * (self.k + 1) + off.sum(axis=0))
        self.posterior_: Float[Array, "K1 L"] = with_label / (with_label + without)

    def _labels(self, X: Features) -> Bool[Array, "N L"]:
        return self._looked_up(self.posterior_ > 0.5, X)

    def _probabilities(self, X: Features) -> Float[Array, "N L"]:
        return self._looked_up(self.posterior_, X)

    def _looked_up(self, table: Shaped[Array, "K1 L"], X: Features) -> Shaped[Array, "N L"]:
        """The entry of each label's column for the number of neighbours that have the label."""
        count = count_neighbours(self._search, self._Y, X)
        found = np.empty(count.shape, dtype=table.dtype)
        for label in range(count.shape[1]):
            found[:, label] = table[count[:, label], label]
        return found
