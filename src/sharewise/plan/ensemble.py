"""Ensemble selection: which fitted candidates serve a task, and with what weight.

A task's ensemble is a bag of PICKS candidates, some of them several times. It starts from votes over draws of its rows
(votes.py), or with classes from what greedy selection over all tasks picked: a log loss gains so much from a mean that
votes for single candidates are a worse start. The rest the task picks by itself, the more the more rows it has.

Source: Caruana, Niculescu-Mizil, Crew, Ksikes (2004), Ensemble selection from libraries of models, sections 2.1 to 2.3
(selection with replacement, from a started bag). Departure: their bag starts from the candidates with the least mean
loss; with few rows, or losses that a few rows carry, that is a choice on noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..task import Kind
from .picking import pick_for_each, pick_in_common, stacks
from .votes import drawn_losses, votes

Array = np.ndarray
PICKS = 20
ROWS_OF_TRUST = 150  # a task with so many effective rows picks half of its bag by itself
MOST_ROWS = 2000  # more rows than this would only cost time: the choice is among a few dozen candidates


@dataclass(frozen=True)
class Bench:
    """What the candidates predicted for one task, out of fold, in the rows where it is observed.

    ``means`` [M, N, C]; ``target`` [N, W]; ``unit``: the trivial predictor's loss, which makes losses comparable;
    ``groups`` [N]: rows of one group are not independent.
    """

    kind: Kind
    means: Float[Array, "M N C"]
    target: Float[Array, "N W"]
    unit: float
    groups: Int[Array, "N"] | None = None

    def relative_losses(self, means: Float[Array, "*M N C"]) -> Float[Array, "*M N"]:
        """Row losses over the trivial one, for every leading index of ``means``."""
        flat = means.reshape(-1, means.shape[-1])
        target = np.broadcast_to(self.target, (*means.shape[:-1], self.target.shape[-1]))
        loss = self.kind.row_loss(flat, target.reshape(len(flat), -1))
        return loss.reshape(means.shape[:-1]) / self.unit

    def relative_loss(self, means: Float[Array, "*M N C"]) -> Float[Array, "*M"]:
        """Their mean over the rows."""
        return self.relative_losses(means).mean(axis=-1)

    def rows(self, chosen: Array) -> Bench:
        """The same for some of the rows."""
        return Bench(self.kind, self.means[:, chosen], self.target[chosen], self.unit,
                     None if self.groups is None else self.groups[chosen])

    def of(self, member: Array) -> Bench:
        """The same for some of the candidates."""
        return Bench(self.kind, self.means[member], self.target, self.unit, self.groups)

    @property
    def effective_rows(self) -> float:
        """N, but for a target of classes at most four times the rows outside the commonest class."""
        rows = float(len(self.target))
        if rows and self.kind.classes:
            codes = np.nan_to_num(self.target).astype(int)
            per_column = [len(column) - np.bincount(column).max() for column in codes.T]
            rows = min(rows, 4.0 * max(per_column, default=0))
        return rows


def select(benches: Sequence[Bench], seed: int = 0) -> list[Float[Array, "M"]]:
    """Weights of the candidates for each task; one without rows follows the others."""
    if len(benches[0].means) == 1:
        return [np.ones(1) for _ in benches]
    known = [one for one in benches if len(one.target)]
    picks = pick_for_all(known) / PICKS
    if all(one.kind.classes for one in benches):
        return pick_from(benches, [picks] * len(benches))
    drawn = {id(one): drawn_losses(one.relative_losses(one.means), one.groups, seed) for one in known}
    mean: Array = np.mean(list(drawn.values()), axis=0)
    return pick_from(benches, [picks if one.kind.classes else
                               votes(drawn.get(id(one), mean), mean, one.effective_rows) for one in benches])


def pick_for_all(benches: Sequence[Bench]) -> Int[Array, "M"]:
    """Picks [M] that minimise the mean relative loss over all tasks together."""
    return pick_in_common(list(stacks(benches, range(len(benches)))), PICKS)


def pick_from(benches: Sequence[Bench], starts: Sequence[Float[Array, "M"]]) -> list[Float[Array, "M"]]:
    """Weights [M] for each task: the share of its start, and picks of its own, N / (N + ROWS_OF_TRUST) of PICKS for N
    effective rows."""
    rows = np.array([one.effective_rows for one in benches])
    own = np.round(PICKS * rows / (rows + ROWS_OF_TRUST)).astype(int)
    weights = [start * (PICKS - picks) for start, picks in zip(starts, own, strict=True)]
    for picks in np.unique(own[own > 0]).tolist():
        for pile in stacks(benches, np.flatnonzero(own == picks).tolist()):
            bags = pick_for_each(pile, np.stack([weights[at] for at in pile.at]), picks)
            for at, bag in zip(pile.at.tolist(), bags, strict=True):
                weights[at] = bag
    return [bag / PICKS for bag in weights]


def thin(rows: int, seed: int) -> Int[Array, "n"]:
    """At most MOST_ROWS row numbers, drawn without order effects."""
    if rows <= MOST_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))
