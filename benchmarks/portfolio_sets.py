"""The sets of benchmarks/portfolio.py; long and wide, and one that is planted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SETS = ("landmine", "school", "parkinsons", "emotions", "oes97", "wq", "planted", "yeast", "physionet2012")
SPARSE = ("emotions", "oes97", "wq", "yeast", "physionet2012")  # every target is kept in a quarter of the rows
EFFORT = {"parkinsons": 3}  # times the steps: patients are known by age and sex alone, which takes long to learn
KEPT, MOST_TASKS = 0.25, 24


@dataclass(frozen=True)
class Data:
    """Features and standardised targets of the training and the test part (NaN: not observed); ``binary`` [T]."""

    X: np.ndarray
    Z: np.ndarray
    X_test: np.ndarray
    Z_test: np.ndarray
    binary: np.ndarray


def load(name: str, seed: int) -> Data:
    """A set at a seed."""
    if name == "planted":
        return planted(seed)
    import sets

    data = sets.load(name, seed)
    Y, Y_test = data.encode(data.train), data.encode(data.test)
    if name == "school":
        Y, Y_test = Y[:, :MOST_TASKS], Y_test[:, :MOST_TASKS]
    X, X_test = (part[data.features].to_numpy(dtype=np.float64) for part in (data.train, data.test))
    if name in SPARSE:
        chance = np.random.default_rng(1000 + seed)
        Y = np.where(chance.random(Y.shape) < KEPT, Y, np.nan)
    kept, kept_test = ~np.isnan(Y).all(axis=1), ~np.isnan(Y_test).all(axis=1)
    X, Y, X_test, Y_test = X[kept], Y[kept], X_test[kept_test], Y_test[kept_test]
    binary = np.array([task.kind.name == "binary" for task in data.tasks[: Y.shape[1]]])
    return standardised(X, Y, X_test, Y_test, binary)


def planted(seed: int, tasks: int = 24, rows: int = 60, features: int = 20, rank: int = 2) -> Data:
    """24 tasks with rows of their own in 4 groups; the coefficients of a group lie in a plane."""
    chance = np.random.default_rng(seed)
    bases = np.linalg.qr(chance.normal(size=(4, features, rank)))[0]
    weights = np.einsum("tdk,tk->td", bases[np.arange(tasks) % 4], chance.normal(size=(tasks, rank)))
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        owner = np.repeat(np.arange(tasks), count)
        X = chance.normal(size=(tasks * count, features))
        y = (X * weights[owner]).sum(axis=1) + 0.5 * chance.normal(size=len(X))
        return X, np.where(owner[:, None] == np.arange(tasks), y[:, None], np.nan)
    return standardised(*draw(rows), *draw(200), np.zeros(tasks, dtype=bool))


def standardised(X, Y, X_test, Y_test, binary: np.ndarray) -> Data:
    """Targets by the training rows, which sets their unit; features as they are (portfolio_folds.py)."""
    centre, unit = np.nanmean(Y, axis=0), np.nanstd(Y, axis=0)
    centre, unit = np.where(binary, 0.0, centre), np.where(binary | (unit == 0), 1.0, unit)
    return Data(X, (Y - centre) / unit, X_test, (Y_test - centre) / unit, binary)
