"""A label method whose decision is made for one measure."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float
from sklearn.base import clone

from ...base import UsageError
from ...base.checks import one_of
from .classifier import Features, LabelClassifier
from .example_f1 import best_example_f1
from .example_jaccard import best_example_jaccard
from .out_of_fold import inner_folds
from .targets import Targets, as_probabilities
from .thresholds import BY_LABEL, MEASURES, best_threshold, best_thresholds

Array = np.ndarray
BY_ROW = {"example_f1": best_example_f1, "jaccard": best_example_jaccard}


class TunedDecision(LabelClassifier):
    """A label method, ``estimator``, that says the labels that are best for ``measure``, not those with a probability
    above one half.

    ``by`` "table" takes one threshold for all labels, "label" one for each (micro_f1, macro_f1, hamming_loss,
    cardinality): found on probabilities for rows that the method had not seen, from ``folds`` stratified folds, by
    ``best_threshold`` and ``best_thresholds``; after that the method learns from all rows. "row" says for every row the
    set with the highest expected F1 or Jaccard index (``best_example_f1``, ``best_example_jaccard``): it takes no folds
    and trusts the probabilities.

    A rule moves F1 more than the learner does; one threshold is safer than one a label where labels are rare. Fan, Lin
    2007, A study on threshold selection for multi-label classification.

    UsageError: a measure that goes not by label or row; an ``estimator`` without ``predict_proba``. DataError: fewer
    rows than folds; an ``estimator`` whose ``predict_proba`` is not [N, L].

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sharewise.solve.labels import BinaryRelevance
    >>> X = np.random.default_rng(0).normal(size=(90, 1))
    >>> Y = np.hstack([X > 1, X > 1.2]).astype(int)
    >>> plain = BinaryRelevance(LogisticRegression(C=0.01))
    >>> tuned = TunedDecision(plain, measure="macro_f1", by="label").fit(X, Y)
    >>> int(plain.fit(X, Y).predict(X).sum()), int(Y.sum()), int(tuned.predict(X).sum())
    (0, 34, 42)
    """

    needs_probabilities: ClassVar[bool] = True
    not_in_fits: ClassVar[str] = "the decision is made after the mix of all candidates: use decide"
    over_labels: ClassVar[bool] = True

    def __init__(self, estimator: Any, measure: Any = "micro_f1", by: Any = "table", folds: Any = 5,
                 seed: Any = 0) -> None:
        self.estimator, self.measure, self.by = estimator, measure, by
        self.folds, self.seed = folds, seed

    def _fit(self, X: Features, targets: Targets) -> None:
        one_of("measure", self.measure, MEASURES)
        one_of("by", self.by, ("table", "label", "row"))
        known = {"table": MEASURES, "label": BY_LABEL, "row": tuple(BY_ROW)}[self.by]
        if self.measure not in known:
            raise UsageError("measure", f"is {self.measure!r}", f"by {self.by} it must be one of {', '.join(known)}",
                             "Change it, or decide by another one.")
        Y = targets.on.astype(np.int64)
        if self.by != "row":
            unseen = self._out_of_fold(X, Y)
            self.threshold_ = (best_threshold if self.by == "table" else best_thresholds)(unseen, Y, self.measure)
        self.model_ = clone(self.estimator).fit(X, Y)

    def _out_of_fold(self, X: Features, Y: Array) -> Float[Array, "N L"]:
        unseen = np.empty(Y.shape)
        for train, test in inner_folds(Y, self.folds, self.seed):
            model = clone(self.estimator).fit(X[train], Y[train])
            unseen[test] = as_probabilities(model.predict_proba(X[test]), (len(test), Y.shape[1]))
        return unseen

    def _labels(self, X: Features) -> Bool[Array, "N L"]:
        chances = self._probabilities(X)
        return BY_ROW[self.measure](chances) if self.by == "row" else chances > self.threshold_

    def _probabilities(self, X: Features) -> Float[Array, "N L"]:
        return as_probabilities(self.model_.predict_proba(X), (X.shape[0], self.n_labels_))
