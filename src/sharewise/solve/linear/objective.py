"""Penalised losses of many score columns, as Newton's method sees them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from .blocks import Block
from .likelihoods import parts
from .penalties import Penalty

Array = np.ndarray
LEVEL_PULL = {"softmax": 1e-2}  # keeps the level of a class without rows from falling for ever
LEAST = 1e-8  # curvature of a level whose column is predicted without doubt


class Expansion(NamedTuple):
    """A point's penalised loss ([K] where columns are apart, else [1]), its gradient ``slope``, the second derivatives
    ``bends`` of each block's losses, and the curvatures that the features' lengths let expect."""

    value: Float[Array, "k"]
    slope: Float[Array, "r1 K"]
    bends: list[Array]
    curves: Float[Array, "r1 K"]


class Objective:
    """Sum loss + penalty over theta: levels (row 0, ``start`` are those of the trivial predictors) and coordinates [r]
    of K columns, whose rows and targets stand in blocks. For softmax, every ``classes`` columns are one task."""

    def __init__(self, blocks: list[Block], loss: str, classes: int, penalty: Penalty,
                 start: Float[Array, "K"]) -> None:
        self.blocks, self.loss, self.classes, self.penalty, self.start = blocks, loss, classes, penalty, start
        self.apart = penalty.apart and loss != "softmax"
        self.pull = LEVEL_PULL.get(loss, LEAST)
        self.power = [np.einsum("ij,ij->j", block.rows, block.rows) / max(len(block.rows), 1) for block in blocks]

    def dot(self, a: Float[Array, "r1 K"], b: Float[Array, "r1 K"]) -> Float[Array, "k"]:
        """The inner product: of each column where they are apart, else of all."""
        return np.einsum("ij,ij->j", a, b) if self.apart else np.array([np.vdot(a, b)])

    def expand(self, theta: Float[Array, "r1 K"]) -> Expansion:
        """Value and derivatives at a point."""
        values, slope = np.zeros(theta.shape[1]), np.zeros_like(theta)
        curves, bends = np.zeros_like(theta), []
        for block, power in zip(self.blocks, self.power, strict=True):
            at = block.columns
            loss, first, bend = parts(self.loss, block.scores(theta), block.target, block.seen, self.classes)
            values[at] = loss.sum(axis=0)
            slope[0, at], slope[1:, at] = first.sum(axis=0), block.rows.T @ first
            curve = (bend * (1.0 - bend) if self.loss == "softmax" else bend).sum(axis=0)
            curves[0, at], curves[1:, at] = curve, power[:, None] * curve
            bends.append(bend)
        off, pulled = theta[0] - self.start, self.penalty.pull(theta[1:])
        values += 0.5 * self.pull * np.square(off) + 0.5 * np.einsum("ij,ij->j", theta[1:], pulled)
        slope[0] += self.pull * off
        slope[1:] += pulled
        curves[0] += self.pull + LEAST
        return Expansion(values if self.apart else values.sum(keepdims=True), slope, bends, curves)

    def bend(self, at: Expansion, ahead: Float[Array, "r1 K"]) -> Float[Array, "r1 K"]:
        """The Hessian times a direction."""
        pushed = np.empty_like(ahead)
        pushed[0], pushed[1:] = self.pull * ahead[0], self.penalty.pull(ahead[1:])
        for block, bend in zip(self.blocks, at.bends, strict=True):
            turned = bend * block.scores(ahead)
            if self.loss == "softmax":
                shape = (len(turned), turned.shape[1] // self.classes, self.classes)
                sums = turned.reshape(shape).sum(axis=2, keepdims=True)
                turned -= (bend.reshape(shape) * sums).reshape(turned.shape)
            pushed[0, block.columns] += turned.sum(axis=0)
            pushed[1:, block.columns] += block.rows.T @ turned
        return pushed

    def precondition(self, at: Expansion, rest: Float[Array, "r1 K"]) -> Float[Array, "r1 K"]:
        """Nearly the Hessian's inverse times a vector: exact if coordinates were orthogonal under the bends."""
        return np.vstack([rest[:1] / at.curves[:1], self.penalty.solve(at.curves[1:], rest[1:])])
