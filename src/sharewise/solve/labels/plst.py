"""PLST: regression to the principal directions of the labels."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float
from sklearn.base import clone

from ...base.checks import whole
from .classifier import Features, LabelClassifier
from .label_space import LabelSpace, leading
from .statistics import co_occurrence
from .targets import Targets

Array = np.ndarray


class PLST(LabelClassifier):
    """A copy of ``regressor`` predicts where a row lies in the space of the ``dimensions`` principal directions of the
    labels, instead of L labels one by one; a label is on where the way back from there gives more than one half.

    Tai, Lin 2012, Multilabel classification with principal label space transformation: with the mean y0
    and the leading right singular vectors V of Y - y0, z = V'(y - y0), and round(V z + y0). ``predict_proba`` is
    V z + y0 cut to 0 and 1: what a regression to 0 and 1 estimates is a probability, but nothing calibrates it.
    With all L dimensions and a linear regressor it is regression label by label.

    >>> from sklearn.linear_model import Ridge
    >>> X, Y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([[0, 1, 1], [0, 1, 1], [1, 0, 0], [1, 0, 0]])
    >>> PLST(Ridge(), dimensions=1).fit(X, Y).predict([[0.5], [2.5]]).tolist()
    [[0, 1, 1], [1, 0, 0]]
    """

    not_in_fits: ClassVar[str] = "it takes a regressor, not a classifier: CPLST is its kin with one of its own"

    def __init__(self, regressor: Any, dimensions: Any = 10) -> None:
        self.regressor, self.dimensions = regressor, dimensions

    def _fit(self, X: Features, targets: Targets) -> None:
        number = min(whole("dimensions", self.dimensions, 1, 1 << 30), self.n_labels_)
        mean = targets.on.mean(axis=0)
        spread = co_occurrence(targets.on) - len(targets.on) * np.outer(mean, mean)
        self.space_ = LabelSpace(mean, leading(spread, number))
        points = self.space_.encode(targets.on)
        self.model_ = clone(self.regressor).fit(X, points if number > 1 else points[:, 0])

    def _labels(self, X: Features) -> Bool[Array, "N L"]:
        return self._probabilities(X) > 0.5

    def _probabilities(self, X: Features) -> Float[Array, "N L"]:
        points = np.asarray(self.model_.predict(X), dtype=np.float64).reshape(X.shape[0], -1)
        return np.clip(self.space_.decode(points), 0.0, 1.0)
