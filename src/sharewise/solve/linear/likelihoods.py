"""Losses of linear scores: value, gradient and curvature in the score."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import expit, log_softmax, softmax

Array = np.ndarray
HIGHEST = 30.0  # a log rate beyond is no rate


class Logistic:
    """Log loss of a yes-or-no target against the logit."""

    def parts(self, score: Float[Array, "*n"], y: Float[Array, "*n"]) -> tuple[Array, Array, Array]:
        """Loss, first and second derivative of each row."""
        p = expit(score)
        return np.logaddexp(0.0, score) - y * score, p - y, p * (1.0 - p)

    def mean(self, score: Array) -> Array:
        """The inverse link."""
        return expit(score)

    def start(self, y: Float[Array, "n"]) -> float:
        """The score of the trivial predictor."""
        share = (y.sum() + 0.5) / (len(y) + 1.0)
        return float(np.log(share / (1.0 - share)))


class Poisson:
    """Half the Poisson deviance, up to a constant, against the log rate."""

    def parts(self, score: Float[Array, "*n"], y: Float[Array, "*n"]) -> tuple[Array, Array, Array]:
        """Loss, first and second derivative of each row."""
        rate = np.exp(np.minimum(score, HIGHEST))
        return rate - y * score, rate - y, rate

    def mean(self, score: Array) -> Array:
        """The inverse link."""
        return np.exp(np.minimum(score, HIGHEST))

    def start(self, y: Float[Array, "n"]) -> float:
        """The score of the trivial predictor."""
        return float(np.log((y.sum() + 0.5) / (len(y) + 0.5)))


SCALAR: dict[str, Any] = {"logistic": Logistic(), "poisson": Poisson()}


def softmax_loss(scores: Float[Array, "n C"], code: Array) -> tuple[float, Float[Array, "n C"]]:
    """Summed log loss and its gradient in the scores."""
    rows = np.arange(len(code))
    gradient = softmax(scores, axis=1)
    gradient[rows, code] -= 1.0
    return -float(log_softmax(scores, axis=1)[rows, code].sum()), gradient


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


def cumulative_mean(score: Float[Array, "n"], cuts: Float[Array, "C1"]) -> Float[Array, "n C"]:
    """The probability of each class in the cumulative logit model."""
    above = expit(score[:, None] + cuts)
    edge = np.ones((len(score), 1))
    return np.clip(np.hstack([edge, above]) - np.hstack([above, 0 * edge]), 0.0, 1.0)
