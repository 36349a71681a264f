"""A probabilistic classifier chain: the joint distribution of the labels, by a beam or by sampling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse

from ...base.checks import one_of, whole
from .chain import Chain, beside, chain_order, fit_chain
from .classifier import Features, LabelClassifier
from .targets import Targets

Array = np.ndarray
ENTRIES = 1 << 24  # features held at a time


class ProbabilisticChain(LabelClassifier):
    """A classifier chain read as p(y | x) = product of p(y_l | x, the labels before l), followed along many ``paths``.

    ``predict`` gives the most probable set that was found, which is best for subset accuracy; ``predict_proba`` the
    share of the found probability that holds a label. ``inference`` "beam" keeps the ``paths`` most probable beginnings
    at every label: all there are, and so exact, while 2^L is no more than ``paths``; with one path it is the greedy
    chain. "sampling" draws ``paths`` sets from the chain, with the same random numbers for every row: unbiased for
    probabilities, for many labels that are far from sure.

    Dembczyński, Cheng, Hüllermeier 2010, Bayes optimal multilabel classification via probabilistic classifier chains;
    the beam after Kumar, Vembu, Menon, Elkan 2013, Beam search algorithms for multilabel learning; sampling after
    Dembczyński, Waegeman, Hüllermeier 2012, An analysis of chaining in multi-label classification. ``order`` and
    ``seed`` as in ClassifierChain.

    UsageError: an order that does not hold each label once; an ``estimator`` without ``predict_proba``.

    >>> from sklearn.linear_model import LogisticRegression
    >>> X, Y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([[0, 1], [0, 1], [1, 0], [1, 0]])
    >>> ProbabilisticChain(LogisticRegression()).fit(X, Y).predict([[0.5], [2.5]]).tolist()
    [[0, 1], [1, 0]]
    """

    needs_probabilities: ClassVar[bool] = True

    def __init__(self, estimator: Any, order: str | Sequence[int] | Any = "columns", inference: Any = "beam",
                 paths: Any = 128, seed: Any = 0) -> None:
        self.estimator, self.order, self.inference, self.paths = estimator, order, inference, paths
        self.seed = seed

    def _fit(self, X: Features, targets: Targets) -> None:
        one_of("inference", self.inference, ("beam", "sampling"))
        whole("paths", self.paths, 1, 1 << 30)
        self.chain_: Chain = fit_chain(self.estimator, X, targets.on,
                                       chain_order(self.order, targets.on, self.seed))

    def _labels(self, X: Features) -> Bool[Array, "N L"]:
        found = [sets[np.arange(len(sets)), chance.argmax(axis=1)] for sets, chance in self._walk(X)]
        return np.concatenate(found)

    def _probabilities(self, X: Features) -> Float[Array, "N L"]:
        found = []
        for sets, chance in self._walk(X):
            weight = chance if self.inference == "beam" else np.ones_like(chance)
            found.append(np.einsum("np,npl->nl", weight / weight.sum(axis=1, keepdims=True), sets))
        return np.clip(np.concatenate(found), 0.0, 1.0)

    def _walk(self, X: Features) -> Iterator[tuple[Bool[Array, "n P L"], Float[Array, "n P"]]]:
        """Some rows at a time: sets along the paths, and how probable each is in proportion to the others."""
        labels = self.n_labels_
        paths = min(self.paths, 2**labels) if self.inference == "beam" else self.paths
        rows = max(1, ENTRIES // (2 * paths * (X.shape[1] + labels)))
        for low in range(0, X.shape[0], rows):
            part = X[low:low + rows]
            yield self._beam(part, paths) if self.inference == "beam" else self._sample(part, paths)

    def _beam(self, X: Features, paths: int) -> tuple[Bool[Array, "n P L"], Float[Array, "n P"]]:
        sets, chance = np.zeros((X.shape[0], 1, self.n_labels_), dtype=bool), np.ones((X.shape[0], 1))
        for place, label in enumerate(self.chain_.order):
            on = self._next(X, sets, place)
            chance = np.stack([chance * (1 - on), chance * on], axis=2).reshape(len(sets), -1)
            best = np.broadcast_to(np.arange(chance.shape[1]), chance.shape)  # a path's two ends, off and on
            if chance.shape[1] > paths:
                best = np.argsort(-chance, axis=1, kind="stable")[:, :paths]
                chance = np.take_along_axis(chance, best, axis=1)
            sets = sets[np.arange(len(sets))[:, None], best // 2]
            sets[:, :, label] = best % 2
            chance = chance / chance.max(axis=1, keepdims=True)  # a product over many labels would vanish
        return sets, chance

    def _sample(self, X: Features, paths: int) -> tuple[Bool[Array, "n P L"], Float[Array, "n P"]]:
        drawn = np.random.default_rng(self.seed).random((paths, self.n_labels_))
        sets, logarithm = np.zeros((X.shape[0], paths, self.n_labels_), dtype=bool), np.zeros((X.shape[0], paths))
        for place, label in enumerate(self.chain_.order):
            on = self._next(X, sets, place)
            sets[:, :, label] = drawn[:, label] < on
            logarithm += np.log(np.where(sets[:, :, label], on, 1 - on))
        return sets, np.exp(logarithm - logarithm.max(axis=1, keepdims=True))

    def _next(self, X: Features, sets: Bool[Array, "n P L"], place: int) -> Float[Array, "n P"]:
        """The probability of the label at a place of the chain, for every row and every path so far."""
        rows, paths, _ = sets.shape
        repeated = X[np.repeat(np.arange(rows), paths)] if sparse.issparse(X) else np.repeat(X, paths, axis=0)
        before = sets[:, :, self.chain_.order[:place]].reshape(rows * paths, place)
        return self.chain_.columns[place].probability(beside(repeated, before)).reshape(rows, paths)
