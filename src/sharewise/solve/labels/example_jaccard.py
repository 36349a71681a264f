"""The label set with the highest expected Jaccard index, from the probabilities of independent labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from .most_probable import most_probable
from .targets import as_probabilities

Array = np.ndarray


def best_example_jaccard(probabilities: Any) -> Bool[Array, "N L"]:
    """For every row the label set with the highest expected Jaccard index (hits over labels said or true; 1 where
    nothing is said and nothing true), its labels being independent given the row.

    That set holds the k most probable labels for some k: with any other, putting a label that was said in the place of
    a less probable one can only gain (the two outcomes in which just one of both is true trade places, and a hit with a
    smaller union weighs more). Given k, hits among the k said and the number S of true labels among the others are
    independent, and hits do not change the union k + S, so that

        E[Jaccard of the k first] = (sum of the k first p) E[1 / (k + S)],
        E[1 / (k + S)] = integral over t from 0 to 1 of t^(k - 1) times the product of 1 - p + p t over the others,

    a polynomial of degree below L, for which Gauss' rule with L / 2 points is exact. The problem is the Jaccard
    median's of Chierichetti, Kumar, Pandey, Vassilvitskii 2010, Finding the Jaccard median, which is hard for labels
    that depend on each other.

    DataError: values that are no probabilities.

    >>> best_example_jaccard([[0.6, 0.35, 0.1], [0.02, 0.01, 0.01]]).astype(int).tolist()
    [[1, 0, 0], [0, 0, 0]]
    """
    P = as_probabilities(probabilities)
    labels = P.shape[1]
    nodes, weights = np.polynomial.legendre.leggauss((labels + 1) // 2)
    points = (nodes + 1) / 2
    powers = points ** np.arange(labels)[:, None] * weights / 2  # t^(k - 1) times the weight over 0 to 1, [L, M]
    return most_probable(P, lambda down: _best_size(down, points, powers), labels * len(points))


def _best_size(down: Float[Array, "n L"], points: Float[Array, "M"], powers: Float[Array, "L M"]) -> Array:
    """How many labels to say, of probabilities sorted downwards; of equal numbers the smallest."""
    factor = 1 - down[:, :, None] + down[:, :, None] * points
    from_here = np.cumprod(factor[:, ::-1], axis=1)[:, ::-1]
    behind = np.concatenate([from_here[:, 1:], np.ones_like(from_here[:, :1])], axis=1)  # all labels after the k first
    expected = np.cumsum(down, axis=1) * np.einsum("nkm,km->nk", behind, powers)
    return np.hstack([(1 - down).prod(axis=1, keepdims=True), expected]).argmax(axis=1)
