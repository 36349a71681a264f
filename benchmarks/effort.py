"""How long each candidate takes, and the formulas by which the planner guesses it: python benchmarks/effort.py

Fits every candidate of the portfolio on synthetic tables of several sizes, one thread, and regresses the logarithm of
the seconds on the logarithms of rows, features and targets. The printed table stands in src/sharewise/plan/effort.py.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import time
import warnings

import numpy as np

from sharewise.plan.candidate import Candidate
from sharewise.plan.crossfit import cross_fit
from sharewise.plan.portfolio import Grove, candidates_for
from sharewise.task import Binary, Regression, Task

SIZES = [(200, 10, 2), (200, 10, 8), (200, 500, 2), (1000, 10, 2), (1000, 60, 4), (4000, 20, 2), (12000, 20, 2)]
MOST_SECONDS = 10.0  # candidates that took longer are not measured on larger sizes
FOLDS = 5


def table(rows: int, features: int, targets: int, seed: int = 0) -> tuple[list[Task], np.ndarray, np.ndarray]:
    """Half of the targets numbers, half binary, from linear and product terms of the features."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, features)).astype(np.float32)
    score = X @ rng.normal(size=(features, targets)) / np.sqrt(features) + X[:, :1] * X[:, 1:2]
    score += rng.normal(size=score.shape)
    binary = np.arange(targets) % 2 == 1
    tasks = [Task(f"t{at}", Binary() if flag else Regression()) for at, flag in enumerate(binary)]
    return tasks, X, np.where(binary, score > 0, score).astype(float)


def measure(candidate: Candidate, tasks: list[Task], X: np.ndarray, Y: np.ndarray) -> float:
    """Seconds of this process to fit all folds, whatever else the machine is doing."""
    folds = np.random.default_rng(0).permutation(len(X)) % FOLDS
    began = time.process_time()
    cross_fit(candidate, tasks, X, Y, folds)
    return time.process_time() - began


def main() -> None:
    """Measure, and print one line a candidate: name, constant, exponents of rows, features, targets, and the fit."""
    warnings.simplefilter("ignore")
    only = sys.argv[1:]
    measured: dict[str, list[tuple[int, int, int, float]]] = {}
    for rows, features, targets in SIZES:
        tasks, X, Y = table(rows, features, targets)
        for candidate in candidates_for(tasks, Y, Grove.of(*X.shape, 5)):
            times = measured.setdefault(candidate.name, [])
            if (only and not any(word in candidate.name for word in only)) or "grouped" in candidate.name:
                continue
            if times and max(seconds for *_, seconds in times) > MOST_SECONDS:
                continue
            times.append((rows, features, targets, measure(candidate, tasks, X, Y)))
            print(f"{candidate.name:42} {rows:6} x {features:4} -> {targets:3} {times[-1][3]:8.2f} s", file=sys.stderr)
    for name, times in measured.items():
        if len(times) < 5:
            continue
        values = np.log(np.array(times))
        design = np.column_stack([np.ones(len(values)), values[:, :3]])
        fit, *_ = np.linalg.lstsq(design, values[:, 3], rcond=None)
        error = np.exp(np.abs(values[:, 3] - design @ fit).max())
        print(f'    "{name}": ({fit[0]:.2f}, {fit[1]:.2f}, {fit[2]:.2f}, {fit[3]:.2f}),  # within a factor {error:.1f}')


if __name__ == "__main__":
    main()
