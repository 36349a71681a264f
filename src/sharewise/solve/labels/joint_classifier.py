"""One estimator that learns all labels at once by itself."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float
from sklearn.base import clone

from ...base import UsageError
from .classifier import Features, LabelClassifier
from .targets import Targets

Array = np.ndarray


class JointClassifier(LabelClassifier):
    """One copy of ``estimator``, which learns all labels at once: scikit-learn's random forest, extra trees, decision
    tree (each split is good for all labels together), nearest neighbours and multi-layer perceptron, or XGBoost's
    ``multi_strategy="multi_output_tree"``.

    Kocev, Vens, Struyf, Džeroski 2007, Ensembles of multi-objective decision trees. What such estimators give
    (a list of [N, 2], a table [N, L], one column for a label that never changed) becomes one table; a label is on where
    its probability is above one half. Labels that never change are not given to the estimator: they have the
    probability (n_on + 1/2) / (n + 1), as in BinaryRelevance.

    UsageError: an ``estimator`` without ``predict_proba``, or one that answers for another number of labels.

    >>> from sklearn.ensemble import ExtraTreesClassifier
    >>> X, Y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([[0, 1], [0, 1], [1, 0], [1, 0]])
    >>> JointClassifier(ExtraTreesClassifier(random_state=0)).fit(X, Y).predict([[0.2], [2.8]]).tolist()
    [[0, 1], [1, 0]]
    """

    needs_probabilities = True
    not_in_fits: ClassVar[str] = ("joint forests, which every fit of several targets tries, are this method for "
                                  "tasks of all kinds")

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def _fit(self, X: Features, targets: Targets) -> None:
        on = targets.on
        self._changes = on.any(axis=0) & ~on.all(axis=0)
        self._constant: Float[Array, "L"] = (on.sum(axis=0) + 0.5) / (len(on) + 1.0)
        Y = on[:, self._changes].astype(np.int64)
        self.model_: Any = None
        if Y.shape[1]:  # one label alone is a column for scikit-learn
            self.model_ = clone(self.estimator).fit(X, Y if Y.shape[1] > 1 else Y[:, 0])

    def _labels(self, X: Features) -> Bool[Array, "N L"]:
        return self._probabilities(X) > 0.5

    def _probabilities(self, X: Features) -> Float[Array, "N L"]:
        on = np.repeat(self._constant[None], X.shape[0], axis=0)
        if self.model_ is not None:
            found = one_table(self.model_.predict_proba(X), single=int(self._changes.sum()) == 1)
            if found.shape[1] != self._changes.sum():
                raise UsageError("estimator", f"answers for {found.shape[1]} labels",
                                 f"it must learn all {self._changes.sum()} at once", "Use BinaryRelevance around it.")
            on[:, self._changes] = found
        return on


def one_table(answer: Any, single: bool) -> Float[Array, "N L"]:
    """What estimators of many labels give as probabilities, as one table of the probability to be on."""
    if isinstance(answer, list):
        return np.stack([np.asarray(part)[:, -1] for part in answer], axis=1).astype(np.float64)
    table = np.asarray(answer, dtype=np.float64)
    return table[:, -1:] if single else table
