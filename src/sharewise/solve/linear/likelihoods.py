"""Losses of linear scores: value, gradient and curvature in the score."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import expit, log_softmax

Array = np.ndarray
HIGHEST = 30.0  # a log rate beyond is no rate


class Logistic:
    """Log loss of a yes-or-no target against the logit."""

    def parts(self, score: Float[Array, "*n"], y: Float[Array, "*n"]) -> tuple[Array, Array, Array]:
        """Loss, first and second derivative of each row."""
        far = np.exp(-np.abs(score))
        p = np.where(score > 0, 1.0, far) / (1.0 + far)
        return np.log1p(far) + np.maximum(score, 0.0) - y * score, p - y, p * (1.0 - p)

    def mean(self, score: Array) -> Array:
        """The inverse link."""
        return expit(score)


class Poisson:
    """Half the Poisson deviance, up to a constant, against the log rate."""

    def parts(self, score: Float[Array, "*n"], y: Float[Array, "*n"]) -> tuple[Array, Array, Array]:
        """Loss, first and second derivative of each row."""
        rate = np.exp(np.minimum(score, HIGHEST))
        return rate - y * score, rate - y, rate

    def mean(self, score: Array) -> Array:
        """The inverse link."""
        return np.exp(np.minimum(score, HIGHEST))


SCALAR: dict[str, Any] = {"logistic": Logistic(), "poisson": Poisson()}


def parts(loss: str, scores: Float[Array, "n k"], target: Float[Array, "n k"], seen: Float[Array, "n k"],
          classes: int) -> tuple[Array, Array, Array]:
    """Loss, first and second derivative of each entry, 0 where it is not ``seen``; for softmax, every ``classes``
    columns are one task, and the chance of each class stands in the place of the second derivative."""
    if loss == "squared":
        off = scores - target
        return 0.5 * seen * np.square(off), seen * off, seen
    if loss == "softmax":
        shape = (len(scores), scores.shape[1] // classes, classes)
        logs = log_softmax(scores.reshape(shape), axis=2).reshape(scores.shape)
        chance = np.exp(logs)
        return -seen * target * logs, seen * (chance - target), seen * chance
    value, first, second = SCALAR[loss].parts(scores, target)
    return seen * value, seen * first, seen * second


def cumulative_loss(score: Float[Array, "n"], cuts: Float[Array, "C1"], code: Array) -> tuple[float, Array, Array]:
    """Summed log loss of the cumulative logit model P(y > j) = sigmoid(score + cuts[j]), cuts falling; its gradients
    in the score [n] and in the cuts [C - 1]."""
    ends = np.concatenate([[np.inf], cuts, [-np.inf]])
    high, low = score + ends[code], score + ends[code + 1]
    s_high, s_low = expit(high), expit(low)
    with np.errstate(over="ignore"):
        chance = np.maximum(s_high * expit(-low) * -np.expm1(np.minimum(low - high, -1e-9)), 1e-300)
    d_high, d_low = -s_high * expit(-high) / chance, s_low * expit(-low) / chance
    size = len(cuts)
    by_cut = np.bincount(code, d_high, size + 1)[1:] + np.bincount(code, d_low, size + 1)[:size]
    return -float(np.log(chance).sum()), s_high + s_low - 1.0, by_cut
