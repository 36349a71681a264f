"""How weights are held back: each column for itself, or drawn to the mean of its group."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Float

Array = np.ndarray


class Penalty(ABC):
    """A quadratic form <W, Q W> / 2 of the weights, Q joining columns; ``apart`` where it joins none."""

    apart: ClassVar[bool]

    @abstractmethod
    def pull(self, W: Float[Array, "r K"]) -> Float[Array, "r K"]:
        """Q W."""

    @abstractmethod
    def solve(self, curves: Float[Array, "r K"], rest: Float[Array, "r K"]) -> Float[Array, "r K"]:
        """(diag(curves) + Q)^-1 rest."""


class Apart(Penalty):
    """strength / 2 |w_c|^2 for each column c."""

    apart: ClassVar[bool] = True

    def __init__(self, strength: Float[Array, "K"]) -> None:
        self.strength = strength

    def pull(self, W: Float[Array, "r K"]) -> Float[Array, "r K"]:
        return self.strength * W

    def solve(self, curves: Float[Array, "r K"], rest: Float[Array, "r K"]) -> Float[Array, "r K"]:
        return rest / np.maximum(curves + self.strength, 1e-12)


class Together(Penalty):
    """common / 2 |w_0|^2 + own / 2 sum_c |w_c - w_0|^2 at its least over w_0, one w_0 for the columns of each group:
    own sum_c w_c / (common + own m) for m columns (Evgeniou and Pontil 2004, eq. 6 to 8, in the primal)."""

    apart: ClassVar[bool] = False

    def __init__(self, groups: Sequence[Sequence[int]], common: float, own: float) -> None:
        self.groups, self.common, self.own = groups, common, own

    def pull(self, W: Float[Array, "r K"]) -> Float[Array, "r K"]:
        pulled = W.copy()
        for group in self.groups:
            mean = W[:, group].sum(axis=1, keepdims=True) * (self.own / (self.common + self.own * len(group)))
            pulled[:, group] -= mean
        return self.own * pulled

    def solve(self, curves: Float[Array, "r K"], rest: Float[Array, "r K"]) -> Float[Array, "r K"]:
        """Sherman and Morrison's formula for each row of each group."""
        part = 1.0 / (curves + self.own)
        solved = part * rest
        for group in self.groups:
            left = self.common + self.own * (curves[:, group] * part[:, group]).sum(axis=1)
            mean = self.own * self.own * solved[:, group].sum(axis=1) / left
            solved[:, group] += part[:, group] * mean[:, None]
        return solved
