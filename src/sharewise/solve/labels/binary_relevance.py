"""Binary relevance: every label for itself."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float
from sklearn.utils.parallel import Parallel, delayed

from .classifier import Features, LabelClassifier
from .column import Column, fit_column
from .targets import Targets

Array = np.ndarray


class BinaryRelevance(LabelClassifier):
    """One copy of ``estimator`` a label, each learning its label from the features alone.

    Tsoumakas, Katakis 2007, Multi-label classification: an overview (transformation PT4). A row in which a label was
    not observed (NaN in Y) is left out for that label only. ``n_jobs`` labels are learned at a time.

    >>> from sklearn.linear_model import LogisticRegression
    >>> X, Y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([[0, 1], [0, 1], [1, np.nan], [1, 0]])
    >>> BinaryRelevance(LogisticRegression()).fit(X, Y).predict([[0.5], [2.5]]).tolist()
    [[0, 1], [1, 0]]
    """

    takes_gaps: ClassVar[bool] = True
    not_in_fits: ClassVar[str] = "learning apart is what it does, and every fit tries that"

    def __init__(self, estimator: Any, n_jobs: Any = None) -> None:
        self.estimator, self.n_jobs = estimator, n_jobs

    def _fit(self, X: Features, targets: Targets) -> None:
        self.columns_: list[Column] = Parallel(n_jobs=self.n_jobs)(
            delayed(fit_column)(self.estimator, *_observed(X, targets, at)) for at in range(self.n_labels_))

    def _labels(self, X: Features) -> Bool[Array, "N L"]:
        labels = np.empty((X.shape[0], self.n_labels_), dtype=bool)
        for at, column in enumerate(self.columns_):
            labels[:, at] = column.labels(X)
        return labels

    def _probabilities(self, X: Features) -> Float[Array, "N L"]:
        chances = np.empty((X.shape[0], self.n_labels_))
        for at, column in enumerate(self.columns_):
            chances[:, at] = column.probability(X)
        return chances


def _observed(X: Features, targets: Targets, at: int) -> tuple[Features, Bool[Array, "n"]]:
    """Features and one label, of the rows in which it was observed."""
    if targets.seen is None or targets.seen[:, at].all():
        return X, targets.on[:, at]
    rows = np.flatnonzero(targets.seen[:, at])
    return X[rows], targets.on[rows, at]
