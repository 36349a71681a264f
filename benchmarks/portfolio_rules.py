"""How benchmarks/portfolio.py chooses for each task among plans, from out-of-fold predictions alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np

from portfolio_cells import Cell
from portfolio_stacked import stacked
from sharewise.plan.choice import choose
from sharewise.plan.ensemble import Bench, pick_for_all, pick_from, select
from sharewise.plan.evidence import Estimate, moderated_errors, posterior, worth_sharing
from sharewise.plan.votes import drawn_losses, votes
from sharewise.task import Binary, Regression, Task

Array = np.ndarray
CHANCES = (0.5, 0.8, 0.95)  # of a gain, from which on a task is served by what was mixed of all plans
LEAST, WORTH = 0.3, 0.04  # share of what was mixed in a cautious blend where nothing is gained, and a sure gain


class Choice:
    """A portfolio: some of the plans of a cell, each at its best decay; the first one is learning apart.

    Every rule gives weights [M, T] of the plans for each task.
    """

    def __init__(self, cell: Cell, plans: Sequence[str]) -> None:
        self.cell, self.plans, self.tasks = cell, list(plans), len(cell.binary)
        places = [cell.names.index(cell.best(plan)) for plan in plans]
        self.held, self.test = np.nan_to_num(cell.held[places]), np.nan_to_num(cell.test[places])
        self.losses = cell.losses(self.held)
        self.alone = np.array([plan.startswith("separate") for plan in plans])
        self.counts = np.bincount(cell.task, minlength=self.tasks)
        self.units = np.maximum(np.nan_to_num(cell.by_task(self.losses[0])), 1e-9)
        self.known = np.flatnonzero(self.counts > 1)

    def rules(self, judged: bool) -> Iterator[tuple[str, Array]]:
        """Rules by name; with ``judged`` also those that take long."""
        everything, anyone = np.ones(len(self.cell.task), dtype=bool), np.ones(len(self.plans), dtype=bool)
        yield "mean", np.full((len(self.plans), self.tasks), 1 / len(self.plans))
        yield "best", self._pick(np.nan_to_num(-self.cell.by_task(self.losses), nan=-np.inf))
        yield "shrunk", self._pick(self._expected_gains())
        yield "voted", self._voted()
        yield "greedy", self._greedy()
        yield "mixed", self.mixed(everything, anyone)
        if judged:
            yield "promise", self._promised()
            yield "stacked", self.stacked(everything, anyone)
            seen = self._evidence(self.mixed)
            gains, errors = np.array([one.gain for one in seen]), moderated_errors(seen)
            any_gain, worth = (posterior(gains, errors, least).chance for least in (0.0, WORTH))
            shares = {f"at {chance:.0%}": any_gain >= chance for chance in CHANCES}
            shares |= {"by half": np.full(len(gains), 0.5), "by chance": any_gain,
                       "with caution": LEAST + (1 - LEAST) * worth}
            for how, share in shares.items():
                yield f"mixed {how}", self._where(share, self.mixed)
            yield "stacked promise", self._where(worth_sharing(self._evidence(self.stacked)), self.stacked)

    def _pick(self, scores: Array) -> Array:
        return (np.arange(len(self.plans))[:, None] == scores.argmax(axis=0)).astype(float)

    def _expected_gains(self) -> Array:
        """Gains [M, T] of each plan over the first one, once they have learned from the plan's other tasks."""
        found = np.zeros((len(self.plans), self.tasks))
        for number in range(1, len(self.plans)):
            pairs = [self.losses[:, self.cell.task == at] for at in self.known]
            estimates = [Estimate.of(loss[0], loss[number]) for loss in pairs]
            gains = np.array([one.gain for one in estimates])
            found[number, self.known] = posterior(gains, moderated_errors(estimates)).mean
        return found

    @cached_property
    def _kinds(self) -> list[Task]:
        return [Task(f"t{at}", Binary() if self.cell.binary[at] else Regression()) for at in range(self.tasks)]

    def benches(self, kept: Array, among: Array) -> list[Bench]:
        """What the library's ensembles read: some plans on the ``kept`` entries."""
        own = [kept & (self.cell.task == at) for at in self.known]
        return [Bench(self._kinds[at].kind, self.held[among][:, one][:, :, None], self.cell.target[one][:, None],
                      self.units[at]) for at, one in zip(self.known, own, strict=True)]

    def mixed(self, kept: Array, among: Array) -> Array:
        """The library's ensembles."""
        return self._weights(select(self.benches(kept, among)), among)

    def _weights(self, found: Sequence[Array], among: Array) -> Array:
        """Weights [M, T] out of those of the known tasks; the others learn apart."""
        weights = self._pick(np.zeros((len(self.plans), self.tasks)))
        for at, own in zip(self.known, found, strict=True):
            weights[:, at] = 0.0
            weights[among, at] = own
        return weights

    def _everywhere(self) -> tuple[list[Bench], Array]:
        anyone = np.ones(len(self.plans), dtype=bool)
        return self.benches(np.ones(len(self.cell.task), dtype=bool), anyone), anyone

    def _greedy(self) -> Array:
        """Ensembles that start from what greedy selection over all tasks picked."""
        benches, anyone = self._everywhere()
        common = pick_for_all(benches)
        return self._weights(pick_from(benches, [common / common.sum()] * len(benches)), anyone)

    def _voted(self) -> Array:
        """Votes alone."""
        benches, anyone = self._everywhere()
        drawn = [drawn_losses(one.relative_losses(one.means), None, 0) for one in benches]
        mean = np.mean(drawn, axis=0)
        return self._weights([votes(own, mean, bench.effective_rows)
                              for own, bench in zip(drawn, benches, strict=True)], anyone)

    def _promised(self) -> Array:
        """The library's choice, with its evidence."""
        cell = self.cell
        rows, place = np.unique(cell.row, return_inverse=True)
        folds = np.zeros(len(rows), dtype=int)
        folds[place] = cell.fold
        Y = np.full((len(rows), self.tasks), np.nan)
        Y[place, cell.task] = cell.target
        dense = np.zeros((len(self.plans), len(rows), self.tasks))
        dense[:, place, cell.task] = self.held
        means = [{task.name: one[:, [at]] for at, task in enumerate(self._kinds)} for one in dense]
        kept = [self._kinds[at] for at in self.known]
        units = {task.name: self.units[at] for at, task in enumerate(self._kinds)}
        chosen = choose(kept, Y[:, self.known], folds, means, [not alone for alone in self.alone], units)
        weights = self._pick(np.zeros((len(self.plans), self.tasks)))
        for at, one in zip(self.known, chosen.values(), strict=True):
            weights[:, at] = one.weights["chosen"]
        return weights

    def stacked(self, kept: Array, among: Array) -> Array:
        """Convex weights (portfolio_stacked.py)."""
        return stacked(self.cell, self.held, self.units, kept, among)

    def _evidence(self, rule: Callable[[Array, Array], Array]) -> list[Estimate]:
        """Gains of the known tasks by the rule on all plans over the same on separate ones: on each fold, with weights
        that were chosen without it."""
        cell, means = self.cell, np.zeros((2, len(self.cell.task)))
        for fold in np.unique(cell.fold):
            inside = cell.fold == fold
            for side, among in enumerate((self.alone, np.ones(len(self.plans), dtype=bool))):
                weights = rule(~inside, among)
                means[side, inside] = (weights[:, cell.task[inside]] * self.held[:, inside]).sum(axis=0)
        losses = cell.losses(means)
        return [Estimate.of(*(loss[cell.task == at] / self.units[at] for loss in losses)) for at in self.known]

    def _where(self, share: Array, rule: Callable[[Array, Array], Array]) -> Array:
        """Of each known task so large a ``share`` of the rule on all plans, and the rest of it on separate plans."""
        everything, anyone = np.ones(len(self.cell.task), dtype=bool), np.ones(len(self.plans), dtype=bool)
        whole = np.zeros(self.tasks)
        whole[self.known] = share
        return whole * rule(everything, anyone) + (1 - whole) * rule(everything, self.alone)
