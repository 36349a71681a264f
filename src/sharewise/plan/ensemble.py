"""Greedy ensemble selection: which fitted candidates serve a task, and with what weight.

Source: Caruana, Niculescu-Mizil, Crew, Ksikes (2004), Ensemble selection from libraries of models, sections 2.1 to 2.3
(selection with replacement, from a started bag). Departure: the bag starts from what the selection over all tasks
chose, with the more picks the fewer rows the task has, so that a task with few rows does not choose on noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..task import Kind

Array = np.ndarray
PICKS = 20
ROWS_OF_TRUST = 150  # a task with so many effective rows chooses half of its picks for itself
MOST_ROWS = 2000  # more rows than this would only cost time: the choice is among a few dozen candidates


@dataclass(frozen=True)
class Bench:
    """What the candidates predicted for one task, out of fold, in the rows where it is observed.

    ``means`` [M, N, C]; ``target`` [N, W]; ``unit``: the trivial predictor's loss, which makes losses comparable.
    """

    kind: Kind
    means: Float[Array, "M N C"]
    target: Float[Array, "N W"]
    unit: float

    def relative_loss(self, means: Float[Array, "*M N C"]) -> Float[Array, "*M"]:
        """Mean row loss over the trivial one, for every leading index of ``means``."""
        flat = means.reshape(-1, means.shape[-1])
        target = np.broadcast_to(self.target, (*means.shape[:-1], self.target.shape[-1]))
        loss = self.kind.row_loss(flat, target.reshape(len(flat), -1))
        return loss.reshape(means.shape[:-1]).mean(axis=-1) / self.unit

    def rows(self, chosen: Array) -> Bench:
        """The same for some of the rows."""
        return Bench(self.kind, self.means[:, chosen], self.target[chosen], self.unit)

    @property
    def trust(self) -> float:
        """Share of the picks that the task makes for itself: N / (N + ROWS_OF_TRUST), counting for a target of
        classes four times the rows outside the commonest class."""
        rows = float(len(self.target))
        if self.kind.classes:
            codes = np.nan_to_num(self.target).astype(int)
            per_column = [len(column) - np.bincount(column).max() for column in codes.T]
            rows = min(rows, 4.0 * max(per_column, default=0))
        return rows / (rows + ROWS_OF_TRUST)


def select_for_all(benches: Sequence[Bench]) -> Int[Array, "M"]:
    """Picks [M] that minimise the mean relative loss over all tasks together."""
    size = benches[0].means.shape[0]
    return _grow(np.zeros(size, dtype=int), PICKS, lambda bags, bench: bench.relative_loss(bags), benches)


def select_for_one(bench: Bench, common: Int[Array, "M"]) -> Float[Array, "M"]:
    """Weights [M] for one task: picks of its own on top of a share of the ``common`` ones."""
    own = round(PICKS * bench.trust)
    start = common * ((PICKS - own) / max(common.sum(), 1))
    picks = _grow(start, own, lambda bags, one: one.relative_loss(bags), [bench])
    return picks / picks.sum()


def _grow(start: Array, picks: int, loss, benches: Sequence[Bench]) -> Array:
    """``start`` with ``picks`` more, one at a time, each the one that lowers the mean loss most."""
    bag = start.copy()
    sums = [np.tensordot(bag, bench.means, axes=1) for bench in benches]
    for _ in range(picks):
        total = bag.sum() + 1
        losses = sum(loss((held + bench.means) / total, bench) for held, bench in zip(sums, benches, strict=True))
        best = int(np.argmin(losses))
        bag[best] += 1
        sums = [held + bench.means[best] for held, bench in zip(sums, benches, strict=True)]
    return bag


def thin(rows: int, seed: int) -> Int[Array, "n"]:
    """At most MOST_ROWS row numbers, drawn without order effects."""
    if rows <= MOST_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))
