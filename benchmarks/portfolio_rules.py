"""How benchmarks/portfolio.py chooses for each task among plans, from out-of-fold predictions alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from portfolio_cells import Cell
from sharewise.plan.choice import choose
from sharewise.plan.ensemble import Bench, select_for_all, select_for_one
from sharewise.plan.evidence import Estimate, moderated_errors, posterior, worth_sharing
from sharewise.task import Binary, Regression, Task

Array = np.ndarray
COMMON, OWN_ROWS, STEPS, RATE = 0.003, 10.0, 100, 0.5  # of stacked weights


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
        """Rules by name; with ``judged`` also the one that judges what is stacked, which takes long."""
        everything = np.ones(len(self.cell.task), dtype=bool)
        yield "mean", np.full((len(self.plans), self.tasks), 1 / len(self.plans))
        yield "best", self._pick(np.nan_to_num(-self.cell.by_task(self.losses), nan=-np.inf))
        yield "shrunk", self._pick(self._expected_gains())
        yield "mixed", self._mixed()
        yield "promise", self._promised()
        yield "stacked", self.stacked(everything)
        if judged:
            yield "stacked promise", self._stacked_promise(everything)

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

    def _mixed(self) -> Array:
        """The library's ensembles, of all plans."""
        weights = np.zeros((len(self.plans), self.tasks))
        benches = {}
        for at in self.known:
            own = self.cell.task == at
            benches[at] = Bench(self._kinds[at].kind, self.held[:, own][:, :, None], self.cell.target[own][:, None],
                                self.units[at])
        common = select_for_all(list(benches.values()))
        weights[:] = (common / common.sum())[:, None]
        for at, bench in benches.items():
            weights[:, at] = select_for_one(bench, common)
        return weights

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

    def stacked(self, kept: Array, among: Array | None = None) -> Array:
        """Convex weights, chosen on the ``kept`` entries: w minimises L_t(w) + c / N_t KL(w, u) where u, common to all
        tasks, minimises their mean L + COMMON KL(u, uniform); L is the relative loss, N_t the task's rows."""
        among = np.ones(len(self.plans), dtype=bool) if among is None else among
        uniform = np.repeat(among[:, None] / among.sum(), self.tasks, axis=1)
        common = self._descend(uniform, kept, np.full(self.tasks, COMMON), together=True)
        counts = np.bincount(self.cell.task[kept], minlength=self.tasks)
        return self._descend(common, kept, OWN_ROWS / np.maximum(counts, 1), together=False)

    def _descend(self, start: Array, kept: Array, pull: Array, together: bool) -> Array:
        """Exponentiated gradient."""
        cell = self.cell
        task, held, target = cell.task[kept], self.held[:, kept], cell.target[kept]
        binary, counts = cell.binary[task], np.bincount(task, minlength=self.tasks)
        scale = 1 / (counts * self.units)[task]
        weights, known = start.copy(), counts > 0
        rate = np.minimum(RATE, RATE / pull)
        for _ in range(STEPS):
            mean = (weights[:, task] * held).sum(axis=0)
            sure = np.clip(mean, 1e-4, 1 - 1e-4)
            slope = np.where(binary, (sure - target) / (sure * (1 - sure)), 2 * (mean - target)) * scale
            steps = np.stack([np.bincount(task, slope * one, self.tasks) for one in held])
            if together:
                steps = np.repeat(steps[:, known].mean(axis=1, keepdims=True), self.tasks, axis=1)
            steps += pull * np.log(np.maximum(weights, 1e-300) / np.where(start > 0, start, 1.0))
            weights = weights * np.exp(-rate * (steps - (weights * steps).sum(axis=0)))
            weights /= weights.sum(axis=0)
        return weights

    def _stacked_promise(self, everything: Array) -> Array:
        """Stacked, where the evidence says that it is better than stacked separate plans: on each fold, with weights
        that were chosen without it."""
        cell, means = self.cell, np.zeros((2, len(self.cell.task)))
        sides = (self.alone, None)
        for fold in np.unique(cell.fold):
            inside = cell.fold == fold
            for side, among in enumerate(sides):
                weights = self.stacked(~inside, among)
                means[side, inside] = (weights[:, cell.task[inside]] * self.held[:, inside]).sum(axis=0)
        losses = cell.losses(means)
        estimates = [Estimate.of(*(loss[cell.task == at] / self.units[at] for loss in losses)) for at in self.known]
        wins = np.zeros(self.tasks, dtype=bool)
        wins[self.known] = worth_sharing(estimates)
        return np.where(wins, self.stacked(everything), self.stacked(everything, self.alone))
