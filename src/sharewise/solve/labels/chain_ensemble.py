"""An ensemble of classifier chains: several random orders, averaged."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.utils.parallel import Parallel, delayed

from ...base.checks import within
from .chain import Chain, fit_chain
from .classifier import Features, LabelClassifier, gives_probabilities
from .targets import Targets

Array = np.ndarray


class ChainEnsemble(LabelClassifier):
    """``chains`` classifier chains over copies of ``estimator``, each in a random order and on rows drawn with
    replacement; their answers are averaged, and a label is on where the average is above one half.

    Read, Pfahringer, Holmes, Frank 2011, Classifier chains for multi-label classification (ECC). Departure:
    probabilities are averaged where ``estimator`` gives them, since votes of ten chains rank labels coarsely; else the
    votes are, as in the paper. ``bootstrap`` False gives all rows to all chains. ``n_jobs`` chains are learned at a
    time.

    >>> from sklearn.linear_model import LogisticRegression
    >>> X, Y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([[0, 1], [0, 1], [1, 0], [1, 0]])
    >>> ChainEnsemble(LogisticRegression(C=10), chains=9).fit(X, Y).predict([[0.0], [3.0]]).tolist()
    [[0, 1], [1, 0]]
    """

    def __init__(self, estimator: Any, chains: Any = 10, bootstrap: Any = True, n_jobs: Any = None,
                 seed: Any = 0) -> None:
        self.estimator, self.chains, self.bootstrap = estimator, chains, bootstrap
        self.n_jobs, self.seed = n_jobs, seed

    def _fit(self, X: Features, targets: Targets) -> None:
        within("chains", self.chains, 1)
        chance, rows = np.random.default_rng(self.seed), len(targets.on)
        drawn = [(np.sort(chance.integers(rows, size=rows)) if self.bootstrap else None,
                  chance.permutation(self.n_labels_)) for _ in range(self.chains)]
        self.chains_: list[Chain] = Parallel(n_jobs=self.n_jobs)(
            delayed(fit_drawn)(self.estimator, X, targets.on, at, order) for at, order in drawn)

    def _labels(self, X: Features) -> Bool[Array, "N L"]:
        return self._average(X, with_probabilities=gives_probabilities(self)) > 0.5

    def _probabilities(self, X: Features) -> Float[Array, "N L"]:
        return self._average(X, with_probabilities=True)

    def _average(self, X: Features, with_probabilities: bool) -> Float[Array, "N L"]:
        total = np.zeros((X.shape[0], self.n_labels_))
        for chain in self.chains_:  # one by one: threads follow them no faster, and sending one takes as long
            labels, probabilities = chain.follow(X, with_probabilities)
            total += labels if probabilities is None else probabilities
        return total / len(self.chains_)


def fit_drawn(estimator: Any, X: Features, Y: Bool[Array, "N L"], rows: Int[Array, "n"] | None,
              order: Int[Array, "L"]) -> Chain:
    """A chain on those rows, or on all. They are drawn where they are learned, so that all jobs share one table."""
    return fit_chain(estimator, X, Y, order) if rows is None else fit_chain(estimator, X[rows], Y[rows], order)
