"""Targets that are observed in the same rows, with the singular basis of these rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg import cho_factor, cho_solve

from .basis import Basis

Array = np.ndarray


class Block(NamedTuple):
    """``columns`` [k] of the targets, all observed in these n rows: ``target`` [n, k], and the rows' Basis in the
    coordinates r of the whole problem. ``held`` and ``held_target`` are rows that are kept out, centred alike."""

    columns: Int[Array, "k"]
    target: Float[Array, "n k"]
    basis: Basis
    rows: Float[Array, "n r"]
    held: Float[Array, "h r"]
    held_target: Float[Array, "h k"]


def make_blocks(scores: Float[Array, "N r"], Y: Float[Array, "N K"], held: Bool[Array, "N"]) -> list[Block]:
    """Blocks over the rows that are not held."""
    groups: dict[bytes, list[int]] = {}
    for column in range(Y.shape[1]):
        groups.setdefault(np.isnan(Y[:, column]).tobytes(), []).append(column)
    blocks = []
    for columns in map(np.array, groups.values()):
        seen = ~np.isnan(Y[:, columns[0]])
        train, out = np.flatnonzero(seen & ~held), np.flatnonzero(seen & held)
        basis = Basis.of(scores[train]) if len(train) else Basis.of(np.zeros((1, scores.shape[1])))
        blocks.append(Block(columns, Y[np.ix_(train, columns)], basis, scores[train] - basis.centre,
                            scores[out] - basis.centre, Y[np.ix_(out, columns)]))
    return blocks


class MeanMetric:
    """Solves sum over columns c of |z_c - A_c w_c|^2 + common |w_0|^2 + own |w_c - w_0|^2, with one w_0 for the columns
    of each group, by eliminating the w_c - w_0 (Evgeniou and Pontil 2004, eq. 6 to 8, in the primal)."""

    def __init__(self, blocks: list[Block], groups: list[list[int]], common: float, own: float) -> None:
        self.blocks, self.groups, self.common, self.own = blocks, groups, common, own
        self.block_of = {int(column): block for block in blocks for column in block.columns}
        if len(blocks) > 1:
            self.factors = [cho_factor(self._schur(group)) for group in groups]

    def _schur(self, group: list[int]) -> Array:
        total = np.zeros((len(self.blocks[0].basis.axes),) * 2)
        for column in group:
            basis = self.block_of[column].basis
            left = basis.axes * np.sqrt(basis.power * self.own / (basis.power + self.own))
            total += left @ left.T
        total[np.diag_indices_from(total)] += self.common + 1e-10 * max(float(np.trace(total)) / len(total), 1e-10)
        return total

    def solve(self, c: Float[Array, "r K"]) -> tuple[Float[Array, "r K"], Float[Array, "r G"]]:
        """Weights w_c and common w_0 of the groups, from c = A^T z."""
        if len(self.blocks) == 1:
            return self._solve_one(c)
        shrunk, common = np.zeros_like(c), np.zeros((len(c), len(self.groups)))
        for column, block in self.block_of.items():
            axes, power = block.basis.axes, block.basis.power
            shrunk[:, column] = axes @ ((axes.T @ c[:, column]) / (power + self.own))
        for g, group in enumerate(self.groups):
            common[:, g] = cho_solve(self.factors[g], self.own * shrunk[:, group].sum(axis=1))
            for column in group:
                basis = self.block_of[column].basis
                kept = basis.axes @ ((basis.axes.T @ common[:, g]) * (basis.power / (basis.power + self.own)))
                shrunk[:, column] += common[:, g] - kept
        return shrunk, common

    def _solve_one(self, c: Array) -> tuple[Array, Array]:
        axes, power = self.blocks[0].basis.axes, self.blocks[0].basis.power[:, None]
        turned, shrink = axes.T @ c, self.own / (power + self.own)
        weights, common = np.zeros_like(turned), np.zeros((len(turned), len(self.groups)))
        for g, group in enumerate(self.groups):
            mean = (shrink * turned[:, group]).sum(axis=1, keepdims=True) / (len(group) * power * shrink + self.common)
            weights[:, group] = (turned[:, group] - power * mean) / (power + self.own) + mean
            common[:, [g]] = mean
        return axes @ weights, axes @ common
