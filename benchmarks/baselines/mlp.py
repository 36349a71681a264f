"""Separate networks, one for each task: many small MLPs trained side by side as one batched network.

Each task gets, for every weight decay and inner fold, an MLP of its own that sees no other task. Weight decay and
the number of epochs are each task's own, at the lowest held-out loss over its folds; the folds' networks are averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from sharewise.task import Scale, Task

from .encode import Dense
from .folds import folds

DECAYS = (0.02, 0.3, 4.0)
RATE, EPOCHS, PATIENCE, DROPOUT = 3e-3, 150, 12, 0.1
CHUNK = 24_000_000  # parameters trained side by side


def mlps(X: np.ndarray, Y: np.ndarray, X_test: np.ndarray, tasks: Sequence[Task], scales: dict[str, Scale],
         wanted: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Mean predictions [N, C] by task, in the task's own units. ``Y`` is NaN where a task has no target; ``wanted``
    [N, T] says which test rows a task must predict (NaN elsewhere)."""
    few = np.median((~np.isnan(Y)).sum(axis=0)) < 500
    size = 64 if few or X.shape[1] > 400 else 128
    means: dict[str, np.ndarray] = {}
    for group in _alike(tasks, Y):
        count = _fold_count(Y[:, group], X.shape[1] * size)
        step = max(1, CHUNK // (len(DECAYS) * count * (X.shape[1] + size) * size))
        for at in range(0, len(group), step):
            part = group[at:at + step]
            batch = _Batch([tasks[t] for t in part], scales, size, count, seed)
            means |= batch.run(X, Y[:, part], X_test, wanted[:, part])
    return means


def _alike(tasks: Sequence[Task], Y: np.ndarray) -> list[list[int]]:
    """Tasks that can train side by side: of one kind and size, on the same rows or (long) each on its own."""
    groups: dict[tuple, list[int]] = {}
    for at, task in enumerate(tasks):
        groups.setdefault((task.kind.name, task.kind.raw_size), []).append(at)
    return list(groups.values())


def _fold_count(Y: np.ndarray, cost: int) -> int:
    """5 inner folds where that is cheap, else 3, else one held-out part."""
    work = float((~np.isnan(Y)).sum()) * cost * len(DECAYS)
    return 5 if work < 1e9 else 3 if work < 1e10 else 1


class _Batch:
    """The networks of some tasks: M = tasks x decays x folds of them in one set of parameters [M, ...]."""

    def __init__(self, tasks: list[Task], scales: dict[str, Scale], size: int, count: int, seed: int) -> None:
        self.tasks, self.scales, self.size, self.count, self.seed = tasks, scales, size, count, seed
        self.kind = tasks[0].kind

    def run(self, X: np.ndarray, Y: np.ndarray, X_test: np.ndarray, wanted: np.ndarray) -> dict[str, np.ndarray]:
        """Train all, stop when no task gets better, and give each task's prediction at its best moment."""
        self._load(X, Y, X_test, wanted)
        torch.manual_seed(self.seed)
        weights = self._weights(self.inputs.shape[-1])
        decay = torch.tensor(DECAYS).repeat_interleave(self.count).repeat(len(self.tasks))
        optimizer = torch.optim.AdamW(weights, lr=RATE, weight_decay=0.0)
        best = torch.full((len(self.tasks),), float("inf"))
        kept: list[np.ndarray | None] = [None] * len(self.tasks)
        last_gain = 0
        for epoch in range(EPOCHS):
            self._epoch(weights, optimizer, decay)
            loss = self._held_loss(weights)  # [tasks, decays]
            low, which = loss.min(dim=1)
            better = torch.nonzero(low < best * 0.9999)[:, 0].tolist()
            if better:
                means = self._test_means(weights, better, which)
                for place, task in enumerate(better):
                    best[task], kept[task] = low[task], means[place]
                last_gain = epoch
            elif epoch - last_gain >= PATIENCE:
                break
        means = {task.name: np.full((len(X_test), self.kind.outputs), np.nan) for task in self.tasks}
        for at, task in enumerate(self.tasks):
            means[task.name][wanted[:, at]] = task.kind.restore(kept[at].astype(np.float64), self.scales[task.name])
        return means

    def _load(self, X: np.ndarray, Y: np.ndarray, X_test: np.ndarray, wanted: np.ndarray) -> None:
        """Rows of each task, padded to the same length [T, n]; masks [M, n] of what each network learns or holds."""
        seen = [np.flatnonzero(~np.isnan(Y[:, t])) for t in range(len(self.tasks))]
        shared = np.isnan(Y).mean() < 0.5  # one table for all, its gaps masked; else each task has its own rows
        rows = [np.arange(len(X))] * len(seen) if shared else seen
        length = max(map(len, rows))
        pad = np.stack([np.pad(r, (0, length - len(r))) for r in rows])
        dense = [Dense(X[r]) for r in (rows[:1] if shared else rows)]
        wide = max(len(d.centre) for d in dense)
        def fit(part: np.ndarray) -> np.ndarray:
            return np.pad(part, ((0, 0), (0, wide - part.shape[1])))
        self.inputs = torch.tensor(np.stack([fit(d(X[p])) for d, p in zip(dense, pad, strict=False)]))  # [1 or T, n, D]
        self.unseen = [torch.tensor(fit(dense[0 if shared else t](X_test[wanted[:, t]]))) for t in range(len(seen))]
        target = np.nan_to_num([self.kind.standardise(Y[p, t][:, None], self.scales[task.name])
                                for t, (task, p) in enumerate(zip(self.tasks, pad, strict=True))]).astype(np.float32)
        learn = np.zeros((len(self.tasks), self.count, length), dtype=bool)
        held = np.zeros_like(learn)
        for t, at in enumerate(seen):
            place = at if shared else np.arange(len(at))
            cuts = folds(Y[at, t], self.kind, self.seed)
            for k in range(self.count):
                train, out = cuts[k % len(cuts)]
                learn[t, k, place[train]], held[t, k, place[out]] = True, True
        self.target, self.learn, self.held = torch.tensor(target), torch.tensor(learn), torch.tensor(held)

    def _weights(self, inputs: int) -> list[Tensor]:
        count = len(self.tasks) * len(DECAYS) * self.count
        sizes = [inputs, self.size, self.size, self.kind.raw_size]
        weights = []
        for low, high in pairwise(sizes):
            weights += [torch.randn(count, low, high) * (2 / low) ** 0.5 * (0.1 if high == sizes[-1] else 1),
                        torch.zeros(count, 1, high)]
        start = torch.tensor([self.kind.start(self.scales[task.name]) for task in self.tasks])
        weights[-1] = start.repeat_interleave(len(DECAYS) * self.count, 0)[:, None].clone()
        return [weight.requires_grad_() for weight in weights]

    def _forward(self, weights: list[Tensor], inputs: Tensor, drop: bool) -> Tensor:
        """Raw outputs [M, n, R] of inputs [1 or T, n, D]."""
        if len(inputs) > 1:
            inputs = inputs.repeat_interleave(len(weights[0]) // len(inputs), 0)
        hidden = inputs
        for at in range(0, 4, 2):
            hidden = torch.relu(torch.matmul(hidden, weights[at]) + weights[at + 1])
            hidden = torch.nn.functional.dropout(hidden, DROPOUT) if drop else hidden
        return torch.matmul(hidden, weights[4]) + weights[5]

    def _row_loss(self, raw: Tensor, rows: Tensor) -> Tensor:
        """Loss [T, W, K, n] of raw outputs [M, n, R]."""
        shape = (len(self.tasks), len(DECAYS), self.count)
        raw = raw.reshape(*shape, *raw.shape[1:])
        target = self.target[:, None, None, rows].expand(*shape, -1, -1)
        return self.kind.loss(raw, target, torch.ones_like(target, dtype=torch.bool))

    def _epoch(self, weights: list[Tensor], optimizer: torch.optim.Optimizer, decay: Tensor) -> None:
        length = self.inputs.shape[1]
        batch = min(256, max(8, length // 8))
        for rows in torch.randperm(length).split(batch):
            loss = self._row_loss(self._forward(weights, self.inputs[:, rows], drop=True), rows)
            mask = self.learn[:, None, :, rows]
            share = self.learn.sum(-1)[:, None, :, None] / length  # of this network's rows in a batch, on average
            optimizer.zero_grad()
            ((loss * mask) / (share * len(rows))).sum().backward()
            optimizer.step()
            with torch.no_grad():
                for weight in weights[::2]:
                    weight.mul_(1 - RATE * decay[:, None, None])

    @torch.no_grad()
    def _held_loss(self, weights: list[Tensor]) -> Tensor:
        total = torch.zeros(len(self.tasks), len(DECAYS), self.count)
        for rows in torch.arange(self.inputs.shape[1]).split(1024):
            loss = self._row_loss(self._forward(weights, self.inputs[:, rows], drop=False), rows)
            total += (loss * self.held[:, None, :, rows]).sum(-1)
        return (total / self.held.sum(-1)[:, None]).mean(-1)

    @torch.no_grad()
    def _test_means(self, weights: list[Tensor], which_tasks: list[int], decays: Tensor) -> list[np.ndarray]:
        """The folds' mean prediction for test rows of the tasks that have just got better."""
        means = []
        for task in which_tasks:
            first = (task * len(DECAYS) + int(decays[task])) * self.count
            part = [weight[first:first + self.count] for weight in weights]
            means.append(self.kind.mean(self._forward(part, self.unseen[task][None], drop=False)).mean(0).numpy())
        return means
