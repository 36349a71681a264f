"""IBLR-ML: logistic regression on the labels of the neighbours."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float
from sklearn.linear_model import LogisticRegression

from ...base.checks import within
from .classifier import Features, LabelClassifier
from .column import Column, fit_column
from .neighbours import count_neighbours, find_neighbours
from .targets import Targets

Array = np.ndarray


class IBLRML(LabelClassifier):
    """Each label by logistic regression on L features: the shares of the ``k`` nearest training rows that have each of
    the labels. Unlike MLkNN and BRkNN it thus learns how labels go together.

    Cheng, Hüllermeier 2009, Combining instance-based learning and logistic regression for multilabel classification
    (IBLR-ML, equal weights for the k neighbours). A training row is not its own neighbour. Departures: an L2
    penalty of ``strength`` on the weights, so that labels that the shares separate have a finite fit (the paper's
    unpenalised fit is the limit at 0); and shares stand for the paper's counts. ``metric`` is one of scikit-learn's
    NearestNeighbors.

    DataError: k + 1 rows are needed in training.

    >>> X = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
    >>> Y = np.array([[1, 0], [1, 0], [1, 0], [0, 1], [0, 1], [0, 1]])
    >>> IBLRML(k=2).fit(X, Y).predict([[0.1], [5.1]]).tolist()
    [[1, 0], [0, 1]]
    """

    not_in_fits: ClassVar[str] = ("neighbour regression, which every fit of labels tries, is this method for "
                                  "tasks of all kinds")

    def __init__(self, k: Any = 10, strength: Any = 1.0, metric: Any = "euclidean") -> None:
        self.k, self.strength, self.metric = k, strength, metric

    def _fit(self, X: Features, targets: Targets) -> None:
        within("strength", self.strength, 1e-12)
        Y = self._Y = targets.on
        self._search = find_neighbours(X, self.k, self.metric, apart_from_itself=True)
        shares = count_neighbours(self._search, Y) / float(self.k)
        regression = LogisticRegression(C=1.0 / self.strength, max_iter=1000)
        self.columns_: list[Column] = [fit_column(regression, shares, y) for y in Y.T]

    def _labels(self, X: Features) -> Bool[Array, "N L"]:
        return self._probabilities(X) > 0.5

    def _probabilities(self, X: Features) -> Float[Array, "N L"]:
        shares = count_neighbours(self._search, self._Y, X) / float(self.k)
        return np.stack([column.probability(shares) for column in self.columns_], axis=1)
