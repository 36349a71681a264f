"""The mean of several label methods of different sorts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float
from sklearn.base import clone

from ...base import UsageError
from .classifier import Features, LabelClassifier
from .targets import Targets, as_probabilities

Array = np.ndarray


class MixedEnsemble(LabelClassifier):
    """The mean of the probabilities of several label methods, ``estimators``; a label is on where it is above one half.

    Tahir, Kittler, Bouridane 2012, Multilabel classification using heterogeneous ensemble of multi-label
    classifiers (mean rule). Forests, boosted trees, linear models and neighbours err in different rows, so that their
    mean ranks labels better than the best of them, mostly. ``TunedDecision`` around it makes the decision for a
    measure.

    UsageError: no method, or one without ``predict_proba``.

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sharewise.solve.labels import BinaryRelevance, MLkNN
    >>> X, Y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([[0, 1], [0, 1], [1, 0], [1, 0]])
    >>> model = MixedEnsemble([BinaryRelevance(LogisticRegression()), MLkNN(k=2)]).fit(X, Y)
    >>> model.predict([[0.2], [2.8]]).tolist()
    [[0, 1], [1, 0]]
    """

    not_in_fits: ClassVar[str] = "every fit mixes its candidates, with weights"

    def __init__(self, estimators: Sequence[Any] | Any) -> None:
        self.estimators = estimators

    def _fit(self, X: Features, targets: Targets) -> None:
        if not len(self.estimators):
            raise UsageError("estimators", "is empty", "it must hold at least one label method", "Add one.")
        for at, estimator in enumerate(self.estimators):
            if not hasattr(estimator, "predict_proba"):
                raise UsageError(f"estimators[{at}] ({type(estimator).__name__})", "has no predict_proba",
                                 "the mean is one of probabilities", "Use a method that gives them.")
        Y = targets.on.astype(np.int64)
        self.models_: list[Any] = [clone(estimator).fit(X, Y) for estimator in self.estimators]

    def _labels(self, X: Features) -> Bool[Array, "N L"]:
        return self._probabilities(X) > 0.5

    def _probabilities(self, X: Features) -> Float[Array, "N L"]:
        shape = (X.shape[0], self.n_labels_)
        return np.mean([as_probabilities(model.predict_proba(X), shape) for model in self.models_], axis=0)
