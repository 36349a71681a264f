"""The sets of benchmarks/portfolio.py, standardised; long and wide, and one that is planted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SETS = ("landmine", "school", "parkinsons", "emotions", "oes97", "wq", "planted", "yeast", "physionet2012")
SPARSE = ("emotions", "oes97", "wq", "yeast", "physionet2012")  # every target is kept in a quarter of the rows
EFFORT = {"parkinsons": 3}  # times the steps: patients are known by age and sex alone, which takes long to learn
KEPT, MOST_TASKS, MOST_INPUTS = 0.25, 24, 64


@dataclass(frozen=True)
class Data:
    """Standardised features and targets of the training and the test part (NaN: not observed); ``binary`` [T]."""

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
    """By the training rows; missing features at their mean; at most 64 principal components of the features."""
    mean, spread = np.nanmean(X, axis=0), np.nanstd(X, axis=0)
    X, X_test = (np.nan_to_num((part - mean) / np.where(spread > 0, spread, 1.0)) for part in (X, X_test))
    if X.shape[1] > MOST_INPUTS:
        axes = np.linalg.svd(X, full_matrices=False)[2][:MOST_INPUTS].T
        scale = (X @ axes).std(axis=0).mean()
        X, X_test = X @ axes / scale, X_test @ axes / scale
    centre, unit = np.nanmean(Y, axis=0), np.nanstd(Y, axis=0)
    centre, unit = np.where(binary, 0.0, centre), np.where(binary | (unit == 0), 1.0, unit)
    Y, Y_test = (Y - centre) / unit, (Y_test - centre) / unit
    return Data(X.astype(np.float32), Y, np.clip(X_test, -10, 10).astype(np.float32), Y_test, binary)
