"""An estimator of tasks as a scikit-learn classifier: what label methods in a fit are built on."""

from __future__ import annotations

from typing import Self

import numpy as np
from jaxtyping import Float, Shaped
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import Tags

from ...base.estimator import Estimator
from ...task import Binary, Multiclass, Task

Array = np.ndarray


class TaskClassifier(ClassifierMixin, BaseEstimator):
    """A copy of ``base`` (an unfitted estimator, for whatever tasks) that learns one column of two or more classes, as
    a binary or multiclass task. Features may be missing (NaN)."""

    def __init__(self, base: Estimator) -> None:
        self.base = base

    def fit(self, X: Float[Array, "N D"], y: Shaped[Array, "N"]) -> Self:
        """Learn the classes ``y``."""
        self.classes_, code = np.unique(y, return_inverse=True)
        kind = Binary() if len(self.classes_) == 2 else Multiclass(tuple(map(str, self.classes_.tolist())))
        self.model_: Estimator = clone(self.base).set_params(tasks=[Task("class", kind)])
        self.model_.fit(X, code[:, None].astype(np.float64))
        return self

    def as_fitted(self, model: Estimator, classes: Shaped[Array, "C"]) -> Self:
        """This classifier, with what another one has learned."""
        self.model_, self.classes_ = model, classes
        return self

    def predict(self, X: Float[Array, "N D"]) -> Shaped[Array, "N"]:
        """The most probable class of every row."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def predict_proba(self, X: Float[Array, "N D"]) -> Float[Array, "N C"]:
        """The probability of every class."""
        mean = self.model_.predict_mean(X)["class"]
        return np.hstack([1 - mean, mean]) if mean.shape[1] == 1 else mean

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
