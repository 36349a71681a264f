"""Every baseline on one set: a model for each task that never sees another task."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

import numpy as np

from sets import Set
from sharewise.base.estimator import fit_scales

from .encode import encode
from .linear import linear
from .mlp import mlps
from .trees import extra_trees, lightgbm, random_forest

PER_TASK: dict[str, Callable] = {"LightGBM": lightgbm, "random forest": random_forest, "extra trees": extra_trees,
                                 "linear": linear}
NAMES = (*PER_TASK, "MLP")


def run(data: Set, name: str) -> tuple[dict[str, np.ndarray], float]:
    """Mean predictions [N, C] by task for the test rows (NaN in rows of other tasks), and seconds of CPU time."""
    started = time.process_time()
    X, X_test = encode(data.train[data.features], data.test[data.features])
    Y, Y_test = data.encode(data.train), data.encode(data.test)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # third-party notes on convergence and empty bags; the figures tell
        if name == "MLP":
            means = _networks(data, X, Y, X_test, ~np.isnan(Y_test) | (data.task_column is None))
        else:
            means = _trees_or_lines(data, name, X, Y, X_test)
    if data.task_column is not None:
        for at, task in enumerate(data.tasks):
            means[task.name] = np.where(np.isnan(Y_test[:, [at]]), np.nan, means[task.name])
    return means, time.process_time() - started


def trivial(data: Set) -> dict[str, np.ndarray]:
    """What the predictor without features says, by task."""
    scales = fit_scales(data.tasks, data.encode(data.train))
    return {task.name: np.tile(scales[task.name].trivial, (len(data.test), 1)) for task in data.tasks}


def _trees_or_lines(data: Set, name: str, X: np.ndarray, Y: np.ndarray, X_test: np.ndarray) -> dict[str, np.ndarray]:
    means = {}
    for at, task in enumerate(data.tasks):
        rows = ~np.isnan(Y[:, at])
        wanted = np.ones(len(X_test), dtype=bool)
        if data.task_column is not None:
            wanted = (data.test[data.task_column] == task.task_value).to_numpy()
        means[task.name] = trivial_of(task, Y[:, [at]], len(X_test))
        if len(np.unique(Y[rows, at])) > 1 and wanted.any():
            means[task.name][wanted] = PER_TASK[name](X[rows], Y[rows, at], X_test[wanted], task.kind, data.seed)
    return means


def trivial_of(task, target: np.ndarray, rows: int) -> np.ndarray:
    """The trivial mean of one task, for ``rows`` rows: what stands where nothing can be learned."""
    return np.tile(np.asarray(task.kind.fit_scale(target).trivial, dtype=np.float64), (rows, 1))


def _networks(data: Set, X: np.ndarray, Y: np.ndarray, X_test: np.ndarray, wanted: np.ndarray) -> dict[str, np.ndarray]:
    learnable = [at for at in range(Y.shape[1]) if len(np.unique(Y[~np.isnan(Y[:, at]), at])) > 1]
    means = {task.name: trivial_of(task, Y[:, [at]], len(X_test)) for at, task in enumerate(data.tasks)}
    tasks = [data.tasks[at] for at in learnable]
    return means | mlps(X, Y[:, learnable], X_test, tasks, fit_scales(data.tasks, Y), wanted[:, learnable], data.seed)
