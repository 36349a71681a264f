"""The label set with the highest expected F1, from the probabilities of independent labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from .most_probable import most_probable
from .targets import as_probabilities

Array = np.ndarray


def best_example_f1(probabilities: Any, empty: float = 1.0) -> Bool[Array, "N L"]:
    """For every row the label set with the highest expected F1, its labels being independent given the row.

    That set holds the k most probable labels for some k (Lewis 1995, Evaluating and optimizing autonomous text
    classification systems; for F1 of a row Dembczyński, Waegeman, Cheng, Hüllermeier 2011, An exact
    algorithm for F-measure maximization). ``empty`` is the F1 of nothing said where nothing is true (1 in MEKA, 0 in
    scikit-learn's default). The number of the other labels that are on has the generating function
    G(t) = prod(1 - p + p t), and 1 / (a + S) is the integral of t^(a + S - 1) over 0 to 1, so that

        E[F1 of the k first] = 2 integral of t^k G(t) (sum over the k first of p / (1 - p + p t)) dt.

    The integrand is a polynomial of degree below 2 L: Gauss' rule with L points is exact. N L^2 steps of positive
    terms, so that nothing cancels; dynamic programs of the same cost for rational weights are in Ye, Chai, Lee, Chieu
    2012, Optimizing F-measures: a tale of two approaches.

    DataError: values that are no probabilities.

    >>> best_example_f1([[0.4, 0.35, 0.1], [0.02, 0.01, 0.01]]).astype(int).tolist()
    [[1, 1, 0], [0, 0, 0]]
    """
    P = as_probabilities(probabilities)
    labels = P.shape[1]
    nodes, weights = np.polynomial.legendre.leggauss(labels)
    points = (nodes + 1) / 2
    powers = points ** np.arange(1, labels + 1)[:, None] * weights  # 2 t^k times the weight over 0 to 1, [L, L]
    return most_probable(P, lambda down: _best_size(down, points, powers, empty), labels**2)


def _best_size(down: Float[Array, "n L"], points: Float[Array, "L"], powers: Float[Array, "L L"],
               empty: float) -> Array:
    """How many labels to say, of probabilities sorted downwards; of equal numbers the smallest."""
    factor = 1 - down[:, :, None] + down[:, :, None] * points
    first = np.cumsum(down[:, :, None] / factor, axis=1)
    expected = np.einsum("nkm,nm,km->nk", first, factor.prod(axis=1), powers)
    nothing = empty * (1 - down).prod(axis=1, keepdims=True)
    return np.hstack([nothing, expected]).argmax(axis=1)
