"""A label method for each group of labels that occur together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

from ...base import UsageError
from ...base.checks import one_of
from .classifier import Features, LabelClassifier
from .label_groups import k_means_labels, louvain_labels
from .targets import Targets, as_probabilities

Array = np.ndarray


class LabelPartition(LabelClassifier):
    """The labels fall into groups, and a copy of the label method ``estimator`` learns each group apart from the
    others: a method that grows fast with the number of labels (LabelPowerset, ProbabilisticChain, CalibratedRanking) is
    paid for small groups, and sees the labels together that depend on each other.

    ``by`` is "louvain" (``louvain_labels``, which finds the number of groups), "k-means" or "balanced k-means"
    (``k_means_labels`` with ``groups`` of them), or a list of groups of label numbers. Groups in a list may overlap: a
    label is then on where more than half of the models that have it say so, and its probability is their mean. RAkELd
    and RAkELo take groups by chance.

    Szymański, Kajdanowicz, Kersting 2016, How is a data-driven approach better than random choice in label space
    division for multi-label classification? (by communities). ``n_jobs`` groups are learned at a time.

    UsageError: groups that leave out a label or name one that is not there. MissingPackageError: "louvain" without
    NetworkX.

    >>> from sklearn.linear_model import LogisticRegression
    >>> from sharewise.solve.labels import LabelPowerset
    >>> X, Y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([[0, 1, 1], [0, 1, 1], [1, 0, 0], [1, 0, 0]])
    >>> model = LabelPartition(LabelPowerset(LogisticRegression())).fit(X, Y)
    >>> [group.tolist() for group in model.groups_], model.predict([[0.5], [2.5]]).tolist()
    ([[0], [1, 2]], [[0, 1, 1], [1, 0, 0]])
    """

    over_labels: ClassVar[bool] = True
    usual_inside: ClassVar[str] = "LabelPowerset"

    def __init__(self, estimator: Any, by: str | Sequence[Sequence[int]] | Any = "louvain", groups: Any = 3,
                 n_jobs: Any = None, seed: Any = 0) -> None:
        self.estimator, self.by, self.groups = estimator, by, groups
        self.n_jobs, self.seed = n_jobs, seed

    def _fit(self, X: Features, targets: Targets) -> None:
        Y = targets.on.astype(np.int64)
        self.groups_: list[Int[Array, "n"]] = self._grouped(targets.on)
        self.models_: list[Any] = Parallel(n_jobs=self.n_jobs)(
            delayed(_fit_part)(self.estimator, X, Y[:, group]) for group in self.groups_)

    def _grouped(self, Y: Bool[Array, "N L"]) -> list[Int[Array, "n"]]:
        if not isinstance(self.by, str):
            return given_groups(self.by, self.n_labels_)
        one_of("by", self.by, ("louvain", "k-means", "balanced k-means"))
        if self.by == "louvain":
            return louvain_labels(Y, seed=self.seed)
        return k_means_labels(Y, self.groups, self.by == "balanced k-means", self.seed)

    def _labels(self, X: Features) -> Bool[Array, "N L"]:
        return self._mean([model.predict(X) for model in self.models_], X.shape[0]) > 0.5

    def _probabilities(self, X: Features) -> Float[Array, "N L"]:
        return self._mean([as_probabilities(model.predict_proba(X), (X.shape[0], len(group)))
                           for group, model in zip(self.groups_, self.models_, strict=True)], X.shape[0])

    def _mean(self, answers: list[Array], rows: int) -> Float[Array, "N L"]:
        total, voices = np.zeros((rows, self.n_labels_)), np.zeros(self.n_labels_)
        for group, answer in zip(self.groups_, answers, strict=True):
            total[:, group] += answer.reshape(rows, len(group))
            voices[group] += 1
        return total / voices


def _fit_part(estimator: Any, X: Features, Y: Int[Array, "N n"]) -> Any:
    return clone(estimator).fit(X, Y)


def given_groups(groups: Any, labels: int) -> list[Int[Array, "n"]]:
    """Groups of label numbers, checked. UsageError: no such groups, or not every label in one of them."""
    try:
        found = [np.unique(np.asarray(group, dtype=np.int64)) for group in groups]
    except (TypeError, ValueError) as error:
        raise UsageError("by", f"is {groups!r}", "it must be 'louvain', 'k-means', 'balanced k-means', or a list of "
                         "lists of label numbers", "Mend it.") from error
    named = np.unique(np.concatenate([*found, np.empty(0, dtype=np.int64)]))
    if not np.array_equal(named, np.arange(labels)) or not all(len(group) for group in found):
        raise UsageError("by", f"names the labels {named.tolist()} in {len(found)} groups",
                         f"every label from 0 to {labels - 1} must stand in a group, and every group hold one",
                         "Mend it.")
    return found
