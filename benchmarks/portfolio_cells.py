"""One cell of benchmarks/portfolio.py: every plan at every weight decay, trained and predicted out of fold."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import portfolio_nets as nets
from portfolio_folds import Folds
from portfolio_plans import Way, plans_for
from portfolio_sets import Data

FOLDS, DECAYS = 3, (0.1, 0.4, 1.5, 5.0, 12.0)
TUNED = ("separate", "together", "random 3 0")  # plans with every decay
PROTOCOL = 2  # of the training: counts up whenever cells that were kept before would be others now


@dataclass(frozen=True)
class Cell:
    """What was predicted. ``names`` [M]: "plan @ decay"; ``held`` [M, E] and ``test`` [M, E'] means of the observed
    targets, NaN where the plan serves the task not; ``task``, ``row``, ``fold``, ``target`` [E]; the same with
    ``test_`` [E']; ``binary`` [T]."""

    names: list[str]
    held: np.ndarray
    test: np.ndarray
    task: np.ndarray
    row: np.ndarray
    fold: np.ndarray
    target: np.ndarray
    test_task: np.ndarray
    test_row: np.ndarray
    test_target: np.ndarray
    binary: np.ndarray
    seconds: float

    def losses(self, means: np.ndarray, test: bool = False) -> np.ndarray:
        """Loss of every entry: log loss of the binary tasks, the square of the others."""
        target, binary = (self.test_target, self.binary[self.test_task]) if test else (
            self.target, self.binary[self.task])
        sure = np.clip(means, 1e-6, 1 - 1e-6)
        return np.where(binary, -(target * np.log(sure) + (1 - target) * np.log(1 - sure)), (means - target) ** 2)

    def by_task(self, losses: np.ndarray, test: bool = False) -> np.ndarray:
        """Mean [..., T] of entries [..., E]; NaN without any."""
        task = self.test_task if test else self.task
        count = np.bincount(task, minlength=len(self.binary))
        flat = losses.reshape(-1, losses.shape[-1])
        sums = np.stack([np.bincount(task, one, len(count)) for one in flat])
        return (sums / np.where(count, count, np.nan)).reshape(*losses.shape[:-1], len(count))

    def best(self, plan: str) -> str:
        """The name of the plan at its best decay: the one with the least mean out-of-fold loss over its tasks."""
        names = [name for name in self.names if name.rpartition(" @ ")[0] == plan]
        means = [np.nanmean(self.by_task(self.losses(self.held[self.names.index(name)]))) for name in names]
        return names[int(np.argmin(means))]

    def write(self, path: Path) -> None:
        """Keep it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = dict(vars(self), names=np.array(self.names))
        small = {name: part.astype(np.float32) for name, part in parts.items() if name in ("held", "test")}
        np.savez_compressed(path, protocol=PROTOCOL, **(parts | small))

    @classmethod
    def read(cls, path: Path) -> Cell:
        """What ``write`` kept. ValueError: it was trained by another protocol."""
        with np.load(path) as kept:
            parts = {name: kept[name] for name in kept.files}
        if (found := int(parts.pop("protocol", 1))) != PROTOCOL:
            raise ValueError(f"{path} was trained by protocol {found}, not by {PROTOCOL}: delete it, train it anew.")
        parts["names"], parts["seconds"] = parts["names"].tolist(), float(parts["seconds"])
        return cls(**(parts | {name: parts[name].astype(np.float64) for name in ("held", "test")}))


def train_cell(data: Data, seed: int, effort: int = 1) -> Cell:
    """Train all plans. The two ends and three random groups have all decays; each other plan has the one that was best
    out of fold for the nearest of these. Groups are found without the held-out rows; a plan's prediction for a test row
    is the mean of its networks of all folds."""
    began = time.process_time()
    row, task = np.nonzero(~np.isnan(data.Z))
    test_row, test_task = np.nonzero(~np.isnan(data.Z_test))
    folds = np.random.default_rng(seed).permutation(len(data.X)) % FOLDS
    plans = plans_for(data.Z, seed)
    empty = np.empty((0, len(row))), np.empty((0, len(test_row)))
    cell = Cell([], *empty, task, row, folds[row], data.Z[row, task], test_task, test_row,
                data.Z_test[test_row, test_task], data.binary, 0.0)
    first = [(name, decay) for name in TUNED for decay in DECAYS]
    cell = extended(cell, data, seed, effort, folds, plans, first)
    decays = {name: float(cell.best(name).split(" @ ")[1]) for name in TUNED}
    rest = [(name, decays[name.split()[0] if name.split()[0] in TUNED else TUNED[-1]])
            for name in plans if name not in TUNED]
    cell = extended(cell, data, seed, effort, folds, plans, rest)
    return replace(cell, seconds=time.process_time() - began)


def extended(cell: Cell, data: Data, seed: int, effort: int, folds: np.ndarray, plans: dict[str, Way],
             members: list[tuple[str, float]]) -> Cell:
    """The cell with what more ``members``, plans at a decay, predict."""
    held = np.full((len(members), cell.held.shape[1]), np.nan)
    test = np.full((len(members), cell.test.shape[1]), np.nan)
    jobs: dict[tuple, nets.Job] = {}
    uses: dict[tuple, list[tuple[int, list[int]]]] = {}
    seen = Folds.of(data, folds)
    for fold in range(FOLDS):
        kept = folds != fold
        found = {name: plans[name].rule(seen.X[fold][kept], seen.Z[fold][kept])
                 for name in dict.fromkeys(name for name, _ in members)}
        for at, (name, decay) in enumerate(members):
            for learns, serves in found[name]:
                key = (fold, tuple(sorted(learns)), decay, plans[name].start)
                if key not in jobs:
                    own = np.flatnonzero(kept & (~np.isnan(data.Z[:, learns])).any(axis=1))
                    jobs[key] = nets.Job(key[1], fold * len(folds) + own, decay, key[3])
                uses.setdefault(key, []).append((at, serves))
    keys, places = list(jobs), list(jobs.values())
    for bundle in nets.bundles(places):
        parts = nets.train([places[at] for at in bundle], np.concatenate(seen.X), np.concatenate(seen.Z), data.binary,
                           seed, effort)
        for number, at in enumerate(bundle):
            fold, learned, *_ = keys[at]
            serves = sorted({one for _, served in uses[keys[at]] for one in served})
            ours = np.flatnonzero((cell.fold == fold) & np.isin(cell.task, serves))
            ahead = np.flatnonzero(np.isin(cell.test_task, serves))
            mine = entries(parts, number, seen.X[fold], data.binary, learned, cell.row[ours], cell.task[ours])
            theirs = entries(parts, number, seen.X_test[fold], data.binary, learned, cell.test_row[ahead],
                             cell.test_task[ahead])
            mine, theirs = mine + seen.centre[fold][cell.task[ours]], theirs + seen.centre[fold][cell.test_task[ahead]]
            for member, served in uses[keys[at]]:
                inside, outside = np.isin(cell.task[ours], served), ahead[np.isin(cell.test_task[ahead], served)]
                held[member, ours[inside]] = mine[inside]
                test[member, outside] = (np.nan_to_num(test[member, outside])
                                         + theirs[np.isin(cell.test_task[ahead], served)] / FOLDS)
    return replace(cell, names=[*cell.names, *(f"{name} @ {decay}" for name, decay in members)],
                   held=np.vstack([cell.held, held]), test=np.vstack([cell.test, test]))


def entries(parts, number: int, X: np.ndarray, binary: np.ndarray, learned: tuple[int, ...], rows: np.ndarray,
            tasks: np.ndarray) -> np.ndarray:
    """What a network predicts for entries (row, task)."""
    needed, place = np.unique(rows, return_inverse=True)
    means = nets.predict(parts, number, X[needed], binary[list(learned)])
    return means[place, np.searchsorted(learned, tasks)]
