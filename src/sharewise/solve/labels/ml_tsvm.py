"""MLTSVM: for every label a plane near the rows that have it and away from those that have not."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy import linalg, sparse
from sklearn.svm import LinearSVC

from ...base.checks import within
from .classifier import Features, LabelClassifier
from .targets import Targets

Array = np.ndarray


class Planes(NamedTuple):
    """``normal`` [L, D] and ``offset`` [L] of a plane a label, and the ``constant`` [L] probability of the labels that
    have none since they never change, NaN for the others."""

    normal: Float[Array, "L D"]
    offset: Float[Array, "L"]
    constant: Float[Array, "L"]


class MLTSVM(LabelClassifier):
    """Twin support vector machines: a label's plane w'x + b = 0 lies near the rows A that have it, while the rows B
    that have not are at w'x + b <= -1, or pay. A label is on where the row's distance to its plane, |w'x + b| / |w|, is
    at most the smallest 1 / |w| of all labels.

    Chen, Shao, Li, Deng 2016, MLTSVM: a novel twin support vector machine to multi-label learning (linear): min over
    (w, b) of 1/2 |A w + b|^2 + strength / 2 (|w|^2 + b^2) + cost times the sum of max(0, 1 + B w + b). Departure: with
    M = A'A + strength = R'R (bias column included) and u = R (w, b), this is a linear support vector machine without a
    bias in u, which liblinear solves to the same optimum as the paper's overrelaxation. ``predict_proba`` is
    D / (D + distance), D the largest distance that is on: it ranks labels, and is no estimate of a probability. Scale
    the features first. Memory grows with the square of their number.

    >>> X, Y = np.array([[0.0, 1.0], [1.0, 1.1], [0.0, 3.0], [1.0, 3.2]]), np.array([[1, 0], [1, 0], [0, 1], [0, 1]])
    >>> MLTSVM(strength=0.01).fit(X, Y).predict([[0.5, 1.0], [0.5, 3.1]]).tolist()
    [[1, 0], [0, 1]]
    """

    not_in_fits: ClassVar[str] = ("its answers order labels and are no probabilities, by which a fit judges its "
                                  "candidates")

    def __init__(self, cost: Any = 1.0, strength: Any = 1.0) -> None:
        self.cost, self.strength = cost, strength

    def _fit(self, X: Features, targets: Targets) -> None:
        within("cost", self.cost, 1e-12)
        within("strength", self.strength, 1e-12)
        Y = targets.on
        ones = np.ones((X.shape[0], 1))
        whole = sparse.hstack([X, ones], format="csr") if sparse.issparse(X) else np.hstack([X, ones])
        fitted = np.zeros((self.n_labels_, X.shape[1] + 1))
        never_changes = Y.all(axis=0) | ~Y.any(axis=0)
        for label in np.flatnonzero(~never_changes):
            fitted[label] = fit_plane(whole[Y[:, label]], whole[~Y[:, label]], self.cost, self.strength)
        constant = np.where(never_changes, (Y.sum(axis=0) + 0.5) / (len(Y) + 1.0), np.nan)
        self.planes_ = Planes(fitted[:, :-1], fitted[:, -1], constant)

    def _labels(self, X: Features) -> Bool[Array, "N L"]:
        return self._probabilities(X) >= 0.5

    def _probabilities(self, X: Features) -> Float[Array, "N L"]:
        normal, offset, constant = self.planes_
        length = np.linalg.norm(normal, axis=1)
        length = np.where(length > 0, length, np.finfo(float).tiny)  # a plane that is nowhere is far from every row
        distance = np.abs(X @ normal.T + offset) / length
        widest = 1.0 / length.max()
        return np.where(np.isnan(constant), widest / (widest + distance), constant)


def fit_plane(near: Any, away: Any, cost: float, strength: float) -> Float[Array, "D1"]:
    """The plane (w, b) of one label, from the rows it must be near to and those it must be away from."""
    product = near.T @ near
    square = np.asarray(product.todense() if sparse.issparse(product) else product, dtype=float)
    factor = linalg.cholesky(square + strength * np.eye(len(square)), lower=True)
    dense = np.asarray(away.todense() if sparse.issparse(away) else away, dtype=float)
    turned = linalg.solve_triangular(factor, -dense.T, lower=True).T
    # liblinear wants two classes: a row of zeros costs the same whatever the solution
    rows = np.vstack([turned, np.zeros(turned.shape[1])])
    machine = LinearSVC(loss="hinge", C=cost, fit_intercept=False, tol=1e-5, max_iter=100_000, random_state=0)
    found = machine.fit(rows, np.append(np.ones(len(turned)), 0.0)).coef_[0]
    return linalg.solve_triangular(factor, found, lower=True, trans="T")
