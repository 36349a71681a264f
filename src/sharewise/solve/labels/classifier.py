"""The role of a label method: a scikit-learn classifier of label sets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
from jaxtyping import Bool, Float
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from ...base import DataError, UsageError
from .targets import Targets, read_targets

Array = np.ndarray
Features = Any  # [N, D]: an array, or a CSR matrix where the method takes sparse ones


def gives_probabilities(model: Any) -> bool:
    """Whether a method has probabilities: always, unless it is built on an estimator that has none."""
    estimator = getattr(model, "estimator", None)
    return estimator is None or hasattr(estimator, "predict_proba")


def learns_label_sets(model: Any) -> bool:
    """Whether a classifier takes Y of several labels, by what it declares to scikit-learn."""
    tags = get_tags(model)
    return tags.target_tags.multi_output or (tags.classifier_tags is not None and tags.classifier_tags.multi_label)


class LabelClassifier(ClassifierMixin, BaseEstimator, ABC):
    """A scikit-learn classifier whose target is a set of labels.

    ``fit`` takes X [N, D] (array, pandas, or sparse where the method's ``estimator`` takes it) and Y [N, L] of 0 and 1
    (array, pandas, lists or sparse); inside, Y is one byte a label. ``predict`` gives int64 [N, L], ``predict_proba``
    float64 [N, L], the probability that the label is on; both always dense. ``score`` is subset accuracy. One column
    [N] of two values, of any sort, is ordinary binary classification, with the shapes that scikit-learn has for it.

    Labels that are always or never on in training are no obstacle. Parameters are checked in ``fit`` and annotated as
    Any, since scikit-learn asks that a constructor take whatever it is given. DataError: labels other than 0 and 1, or
    not observed (NaN) where the method can't leave them out.
    """

    takes_gaps: ClassVar[bool] = False
    needs_probabilities: ClassVar[bool] = False
    over_labels: ClassVar[bool] = False  # built on a label method, not on a classifier of one label
    usual_inside: ClassVar[str] = "BinaryRelevance"  # the label method that a fit builds such a one on
    label_by_label: ClassVar[bool] = False  # no label's probability depends on the others' values
    not_in_fits: ClassVar[str] = ""  # why the Learner can't try it beside other candidates

    @abstractmethod
    def _fit(self, X: Features, targets: Targets) -> None:
        """Learn the labels."""

    @abstractmethod
    def _labels(self, X: Features) -> Bool[Array, "N L"]:
        """The set of every row."""

    @abstractmethod
    def _probabilities(self, X: Features) -> Float[Array, "N L"]:
        """The probability of every label."""

    def fit(self, X: Any, Y: Any) -> Self:
        """Learn from features [N, D] and labels [N, L]."""
        if self.needs_probabilities and not gives_probabilities(self):
            raise UsageError("estimator", "has no predict_proba", f"{type(self).__name__} works on probabilities",
                             "Use a classifier that gives them.")
        if self.over_labels and not learns_label_sets(self.estimator):
            raise UsageError("estimator", f"is {self.estimator!r}",
                             f"{type(self).__name__} is built on a label method, and this learns one label",
                             "Wrap it: BinaryRelevance(...).")
        X = self._read(X, reset=True)
        targets = read_targets(Y, X.shape[0])
        if targets.seen is not None and not self.takes_gaps:
            raise DataError("Y", f"has {int((~targets.seen).sum())} labels that were not observed (NaN)",
                            f"{type(self).__name__} needs all of them",
                            "Use BinaryRelevance, which leaves such rows out label by label, or drop the rows.")
        single = targets.classes is not None
        self.n_labels_ = targets.on.shape[1]
        self.is_one_column_ = single
        # [L, 2], which scikit-learn's scorers and cross_val_predict both take for a table of labels, whatever L is
        self.classes_: Any = targets.classes if single else np.tile([0, 1], (self.n_labels_, 1))
        self._fit(X, targets)
        return self

    def predict(self, X: Any) -> Array:
        """Which labels are on: int64 [N, L]; the values of the target [N] where it was one column."""
        check_is_fitted(self, "n_labels_")
        labels = self._labels(self._read(X))
        return self.classes_[labels[:, 0].astype(np.intp)] if self.is_one_column_ else labels.astype(np.int64)

    @available_if(gives_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """The probability that each label is on: float64 [N, L]; of each value [N, 2] where Y was one column."""
        check_is_fitted(self, "n_labels_")
        on = self._probabilities(self._read(X))
        if self.is_one_column_:
            return np.hstack([1.0 - on, on]) if len(self.classes_) == 2 else np.ones_like(on)
        return on

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label, tags.classifier_tags.multi_class = True, False
        tags.target_tags.multi_output = True
        built_on = getattr(self, "estimator", getattr(self, "regressor", None))
        inner = None if built_on is None else get_tags(built_on).input_tags
        tags.input_tags.sparse = inner.sparse if inner else True
        tags.input_tags.allow_nan = inner.allow_nan if inner else False
        return tags

    def _read(self, X: Any, reset: bool = False) -> Features:
        if reset:
            self._takes = get_tags(self).input_tags  # once: asking takes longer than to answer for a few rows
        return validate_data(self, X, reset=reset, accept_sparse="csr" if self._takes.sparse else False,
                             ensure_all_finite="allow-nan" if self._takes.allow_nan else True)
