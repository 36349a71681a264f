"""Gradients of many tasks of mixed kinds, 0 where a target is not observed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import expit, softmax, xlogy

from ..pieces import Piece, link, trivial

Array = np.ndarray
LEAST_CURVE = 1e-6


class JointLoss(NamedTuple):
    """Columns of all pieces: ``target`` [N, C] (0 where not observed), ``seen`` [N, C], ``start`` [C] the trivial
    scores, ``weight`` [C], and of each piece its loss and the range of its columns."""

    target: Float[Array, "N C"]
    seen: Bool[Array, "N C"]
    start: Float[Array, "C"]
    weight: Float[Array, "C"]
    ranges: list[tuple[str, int, int]]

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> JointLoss:
        """The columns of the pieces; each task's columns share one weight."""
        columns, ranges, low = [], [], 0
        owner: list[int] = []
        for piece in pieces:
            target = piece.target[:, None]
            if piece.classes:
                target = np.where(np.isnan(target), np.nan, target == np.arange(piece.classes))
            columns.append(target)
            ranges.append((piece.loss, low, low := low + target.shape[1]))
            owner += [piece.at] * target.shape[1]
        target = np.hstack(columns)
        start = np.concatenate([link(piece.loss, trivial(piece)) for piece in pieces])
        weight = 1.0 / np.bincount(owner)[owner]
        return cls(np.nan_to_num(target), ~np.isnan(target), start, weight, ranges)

    def part(self, rows: Bool[Array, "N"]) -> JointLoss:
        """The same for some rows."""
        return self._replace(target=self.target[rows], seen=self.seen[rows])

    def slopes(self, margin: Array) -> tuple[Float[Array, "N C"], Float[Array, "N C"]]:
        """Gradient and curvature of every target in its score."""
        scores = margin.reshape(self.target.shape) + self.start
        slope, curve = np.empty_like(scores), np.empty_like(scores)
        for loss, low, high in self.ranges:
            part = slice(low, high)
            mean, curve[:, part] = mean_and_curve(loss, scores[:, part])
            slope[:, part] = mean - self.target[:, part]
        weight = self.seen * self.weight
        return slope * weight, np.maximum(curve, LEAST_CURVE) * weight

    def value(self, margin: Array) -> float:
        """The weighted mean loss over observed targets, each column's divided by that of the trivial scores."""
        scores = margin.reshape(self.target.shape) + self.start
        return sum(self._ratio(loss, low, high, scores) for loss, low, high in self.ranges) / len(self.ranges)

    def _ratio(self, loss: str, low: int, high: int, scores: Array) -> float:
        seen = self.seen[:, low]
        if not seen.any():
            return 1.0
        target = self.target[seen, low:high]
        reached = total_loss(loss, scores[seen, low:high], target)
        return reached / max(total_loss(loss, np.tile(self.start[low:high], (seen.sum(), 1)), target), 1e-9)


def mean_and_curve(loss: str, scores: Float[Array, "N C"]) -> tuple[Array, Array]:
    """Mean and second derivative of a loss (twice the diagonal one for softmax, as XGBoost does)."""
    if loss == "squared":
        return scores, np.ones_like(scores)
    if loss == "poisson":
        rate = np.exp(np.minimum(scores, 30.0))
        return rate, rate
    mean = softmax(scores, axis=1) if loss == "softmax" else expit(scores)
    return mean, mean * (1.0 - mean) * (2.0 if loss == "softmax" else 1.0)


def total_loss(loss: str, scores: Float[Array, "N C"], target: Float[Array, "N C"]) -> float:
    """The summed loss."""
    if loss == "squared":
        return float(np.square(scores - target).sum())
    if loss == "poisson":
        rate = np.exp(np.minimum(scores, 30.0))

        return float((rate - target + xlogy(target, target) - target * scores).sum())
    if loss == "softmax":
        return -float((target * np.log(np.maximum(softmax(scores, axis=1), 1e-12))).sum())
    return float((np.logaddexp(0.0, scores) - target * scores).sum())
