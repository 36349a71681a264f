"""Penalised likelihoods in a singular basis: one loss each, the same four questions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from .likelihoods import SCALAR, cumulative_loss, softmax_loss
from .newton import newton

Array = np.ndarray
NEWTON_UP_TO = 150  # coordinates; beyond, the Hessian costs more than more steps do


class Problem(ABC):
    """Minimise sum loss + strength / 2 |a|^2 over levels and coordinates ``a`` [r, k], kept in one vector theta."""

    @abstractmethod
    def start(self, y: Float[Array, "n"], size: int) -> Array:
        """Theta of the trivial predictor, for ``size`` coordinates."""

    @abstractmethod
    def fit(self, scores: Float[Array, "n r"], y: Float[Array, "n"], strength: float, start: Array) -> Array:
        """The best theta."""

    @abstractmethod
    def loss(self, scores: Float[Array, "n r"], y: Float[Array, "n"], theta: Array) -> float:
        """The summed loss on some rows."""

    @abstractmethod
    def columns(self, theta: Array, size: int) -> tuple[Float[Array, "r k"], Float[Array, "k"]]:
        """Coordinates and levels of the k score columns."""


class Scalar(Problem):
    """A logistic or Poisson loss: theta is (level, a)."""

    def __init__(self, loss: str) -> None:
        self.likelihood: Any = SCALAR[loss]

    def start(self, y: Array, size: int) -> Array:
        return np.concatenate([[self.likelihood.start(y)], np.zeros(size)])

    def fit(self, scores: Array, y: Array, strength: float, start: Array) -> Array:
        if scores.shape[1] <= NEWTON_UP_TO:
            return newton(scores, y, self.likelihood, strength, start)

        def value(theta: Array) -> tuple[float, Array]:
            loss, slope, _ = self.likelihood.parts(theta[0] + scores @ theta[1:], y)
            return loss.sum(), np.concatenate([[slope.sum()], scores.T @ slope])
        return descend(value, scores, start, 1, strength)

    def loss(self, scores: Array, y: Array, theta: Array) -> float:
        return float(self.likelihood.parts(theta[0] + scores @ theta[1:], y)[0].sum())

    def columns(self, theta: Array, size: int) -> tuple[Array, Array]:
        return theta[1:, None], theta[:1]


class Softmax(Problem):
    """Log loss of C classes, every class with its own coordinates: theta is (levels [C], a [r, C])."""

    def __init__(self, classes: int) -> None:
        self.classes = classes

    def start(self, y: Array, size: int) -> Array:
        counts = np.bincount(y.astype(int), minlength=self.classes) + 0.5
        return np.concatenate([np.log(counts / counts.sum()), np.zeros(size * self.classes)])

    def fit(self, scores: Array, y: Array, strength: float, start: Array) -> Array:
        code = y.astype(int)

        def value(theta: Array) -> tuple[float, Array]:
            a, level = self.columns(theta, scores.shape[1])
            loss, slope = softmax_loss(level + scores @ a, code)
            return loss, np.concatenate([slope.sum(axis=0), (scores.T @ slope).ravel()])
        return descend(value, scores, start, self.classes, strength)

    def loss(self, scores: Array, y: Array, theta: Array) -> float:
        a, level = self.columns(theta, scores.shape[1])
        return softmax_loss(level + scores @ a, y.astype(int))[0]

    def columns(self, theta: Array, size: int) -> tuple[Array, Array]:
        return theta[self.classes:].reshape(size, self.classes), theta[:self.classes]


class Cumulative(Problem):
    """The cumulative logit model of C ordered classes (McCullagh 1980), one direction for all cuts: theta is the first
    cut, the logarithms of the C - 2 drops to the next ones, and a [r]."""

    def __init__(self, classes: int) -> None:
        self.classes = classes

    def cuts(self, theta: Array) -> Float[Array, "C1"]:
        """The falling cuts."""
        drops = np.exp(np.clip(theta[1:self.classes - 1], -20.0, 5.0))
        return theta[0] - np.concatenate([[0.0], np.cumsum(drops)])

    def start(self, y: Array, size: int) -> Array:
        counts = np.bincount(y.astype(int), minlength=self.classes) + 0.5
        above = 1.0 - np.cumsum(counts / counts.sum())[:-1]
        cuts = np.log(above / (1.0 - above))
        return np.concatenate([cuts[:1], np.log(-np.diff(cuts)), np.zeros(size)])

    def fit(self, scores: Array, y: Array, strength: float, start: Array) -> Array:
        code, size = y.astype(int), self.classes - 1
        middle = start[1:size].copy()  # empty classes would send a drop to minus infinity

        def value(theta: Array) -> tuple[float, Array]:
            loss, by_score, by_cut = cumulative_loss(scores @ theta[size:], self.cuts(theta), code)
            later = np.cumsum(by_cut[::-1])[::-1]
            inside = np.exp(np.clip(theta[1:size], -20.0, 5.0)) * (np.abs(theta[1:size] + 7.5) <= 12.5)
            off = theta[1:size] - middle
            gradient = [later[:1], 1e-2 * off - inside * later[1:], scores.T @ by_score]
            return loss + 5e-3 * float(off @ off), np.concatenate(gradient)
        return descend(value, scores, start, 1, strength, size)

    def loss(self, scores: Array, y: Array, theta: Array) -> float:
        return cumulative_loss(scores @ theta[self.classes - 1:], self.cuts(theta), y.astype(int))[0]

    def columns(self, theta: Array, size: int) -> tuple[Array, Array]:
        return np.tile(theta[self.classes - 1:, None], (1, self.classes - 1)), self.cuts(theta)


def descend(value: Callable[[Array], tuple[float, Array]], scores: Array, start: Array, columns: int, strength: float,
            free: int | None = None) -> Array:
    """L-BFGS over theta, whose first ``free`` entries (default: one a column) are not penalised, with every coordinate
    scaled by its expected curvature."""
    free = columns if free is None else free
    power = np.einsum("ij,ij->j", scores, scores)
    scale = np.concatenate([np.full(free, 2.0 / np.sqrt(len(scores))),
                            np.repeat(1.0 / np.sqrt(0.25 * power + strength + 1e-8), columns)])

    def scaled(inner: Array) -> tuple[float, Array]:
        theta = inner * scale
        loss, gradient = value(theta)
        gradient[free:] += strength * theta[free:]
        return loss + 0.5 * strength * float(theta[free:] @ theta[free:]), gradient * scale
    done = minimize(scaled, start / scale, jac=True, method="L-BFGS-B",
                    options={"maxiter": 500, "gtol": 1e-4, "ftol": 1e-10})
    return done.x * scale
