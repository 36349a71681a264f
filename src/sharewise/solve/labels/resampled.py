"""A label method that learns from a table made more even."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse
from sklearn.base import clone

from ...base.checks import one_of, whole, within
from .classifier import Features, LabelClassifier
from .resampling import ml_ros, ml_rus
from .synthetic_rows import mlsmote
from .targets import Targets, as_probabilities

Array = np.ndarray


class Resampled(LabelClassifier):
    """A label method, ``estimator``, trained on rows that were resampled for rare labels: inside ``fit``, so that in a
    cross-validation no copy of a row stands on both sides of a split.

    ``method`` "ml_ros" adds up to ``share`` as many rows again, "ml_rus" leaves out ``share`` of them, "mlsmote" adds
    new rows from ``k`` neighbours: see these functions. Charte and others 2015, Addressing imbalance
    in multilabel classification: measures and random resampling algorithms. Probabilities are those of the resampled
    table: too high for rare labels, by design.

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sharewise.solve.labels import BinaryRelevance
    >>> X = np.random.default_rng(0).normal(size=(200, 1))
    >>> Y = np.hstack([X < 1, X > 1.5]).astype(int)
    >>> plain = BinaryRelevance(LogisticRegression(C=0.3))
    >>> more = Resampled(plain, share=0.5).fit(X, Y)
    >>> plain.fit(X, Y).predict(X).sum(axis=0).tolist(), more.predict(X).sum(axis=0).tolist(), Y.sum(axis=0).tolist()
    ([173, 0], [171, 7], [165, 12])
    """

    over_labels: ClassVar[bool] = True
    not_in_fits: ClassVar[str] = ("it shifts probabilities, by which a fit judges its candidates: to say rare "
                                  "labels more often, use decide")

    def __init__(self, estimator: Any, method: Any = "ml_ros", share: Any = 0.25, k: Any = 5, seed: Any = 0) -> None:
        self.estimator, self.method, self.share = estimator, method, share
        self.k, self.seed = k, seed

    def _fit(self, X: Features, targets: Targets) -> None:
        one_of("method", self.method, ("ml_ros", "ml_rus", "mlsmote"))
        within("share", self.share, 0.0)
        whole("k", self.k, 1, 1 << 30)
        Y = targets.on.astype(np.int64)
        if self.method == "mlsmote":
            new = mlsmote(X, Y, self.k, self.seed)
            X = sparse.vstack([X, new.X], format="csr") if sparse.issparse(X) else np.vstack([X, new.X])
            Y = np.vstack([Y, new.Y])
        else:
            rows = (ml_ros if self.method == "ml_ros" else ml_rus)(Y, self.share, self.seed)
            X, Y = X[rows], Y[rows]
        self.model_ = clone(self.estimator).fit(X, Y)

    def _labels(self, X: Features) -> Bool[Array, "N L"]:
        return self.model_.predict(X).reshape(X.shape[0], self.n_labels_).astype(bool)

    def _probabilities(self, X: Features) -> Float[Array, "N L"]:
        return as_probabilities(self.model_.predict_proba(X), (X.shape[0], self.n_labels_))
