"""Convex weights of plans, for benchmarks/portfolio.py: those of each task pulled towards the tasks' common ones."""

from __future__ import annotations

import numpy as np

from portfolio_cells import Cell

Array = np.ndarray
COMMON, OWN_ROWS, STEPS, RATE = 0.003, 10.0, 100, 0.5


def stacked(cell: Cell, held: Array, units: Array, kept: Array, among: Array) -> Array:
    """Weights [M, T] of the plans ``among`` all, chosen on the ``kept`` entries: w minimises L_t(w) + c / N_t KL(w, u)
    where u, common to all tasks, minimises their mean L + COMMON KL(u, uniform); L is the relative loss, N_t the task's
    rows. ``held`` [M, E] is what was predicted out of fold, ``units`` [T] the losses of learning apart."""
    tasks = len(units)
    uniform = np.repeat(among[:, None] / among.sum(), tasks, axis=1)
    common = descend(cell, held, units, uniform, kept, np.full(tasks, COMMON), together=True)
    counts = np.bincount(cell.task[kept], minlength=tasks)
    return descend(cell, held, units, common, kept, OWN_ROWS / np.maximum(counts, 1), together=False)


def descend(cell: Cell, held: Array, units: Array, start: Array, kept: Array, pull: Array, together: bool) -> Array:
    """Exponentiated gradient."""
    task, held, target = cell.task[kept], held[:, kept], cell.target[kept]
    tasks = len(units)
    binary, counts = cell.binary[task], np.bincount(task, minlength=tasks)
    scale = 1 / (counts * units)[task]
    weights, known = start.copy(), counts > 0
    rate = np.minimum(RATE, RATE / pull)
    for _ in range(STEPS):
        mean = (weights[:, task] * held).sum(axis=0)
        sure = np.clip(mean, 1e-4, 1 - 1e-4)
        slope = np.where(binary, (sure - target) / (sure * (1 - sure)), 2 * (mean - target)) * scale
        steps = np.stack([np.bincount(task, slope * one, tasks) for one in held])
        if together:
            steps = np.repeat(steps[:, known].mean(axis=1, keepdims=True), tasks, axis=1)
        steps += pull * np.log(np.maximum(weights, 1e-300) / np.where(start > 0, start, 1.0))
        weights = weights * np.exp(-rate * (steps - (weights * steps).sum(axis=0)))
        weights /= weights.sum(axis=0)
    return weights
