"""Out-of-fold answers of an estimator as features for the next one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from sklearn.base import clone

from ...base.estimator import Estimator, Means
from ...task import Task
from ...task.kind import SMALLEST_PROBABILITY

Array = np.ndarray


def split(rows: int, folds: int, seed: int) -> Bool[Array, "K N"]:
    """Train masks of K folds of nearly equal size, by chance; of all rows where there is one only."""
    folds = min(folds, rows)
    if folds < 2:
        return np.ones((1, rows), dtype=bool)
    place = np.random.default_rng(seed).permutation(rows) % folds
    return place != np.arange(folds)[:, None]


def base_for(base: Estimator, tasks: Sequence[Task]) -> Estimator:
    """An unfitted copy of ``base`` for other tasks."""
    return clone(base).set_params(tasks=list(tasks))


def out_of_fold(copies: Sequence[Estimator], X: Float[Array, "N D"], train: Bool[Array, "K N"]) -> Means:
    """The answer for every row from the copy that did not learn from it."""
    means: Means = {task.name: np.zeros((len(X), task.kind.outputs)) for task in copies[0].tasks}
    for copy, rows in zip(copies, train, strict=True):
        held = np.flatnonzero(~rows)
        for name, mean in (copy.predict_mean(X[held]) if len(held) else {}).items():
            means[name][held] = mean
    return means


def average(copies: Sequence[Estimator], X: Float[Array, "N D"]) -> Means:
    """The mean of the copies' answers, which new rows get in the place of out-of-fold ones."""
    answers = [copy.predict_mean(X) for copy in copies]
    return {name: np.mean([answer[name] for answer in answers], axis=0) for name in answers[0]}


def as_features(tasks: Sequence[Task], means: Means) -> list[Float[Array, "N c"]]:
    """The answers for each task as feature columns: standardised numbers, logits of probabilities."""
    return [columns_of(task, means[task.name]) for task in tasks]


def columns_of(task: Task, mean: Float[Array, "N C"]) -> Float[Array, "N c"]:
    """One task's answers as feature columns."""
    if not task.kind.classes:
        return mean
    safe = np.clip(mean, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.log(safe / (1 - safe))


def joined(X: Float[Array, "N D"], columns: Sequence[Array]) -> Float[Array, "N E"]:
    """Features and further columns side by side."""
    return np.hstack([X, *columns]).astype(np.float32) if columns else X
