"""Fit a candidate on every fold, and predict every row by the copy that never saw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..base import JobError
from ..base.estimator import Estimator
from ..task import Task, observed_rows, slices
from .candidate import Candidate

Array = np.ndarray


@dataclass(frozen=True)
class CrossFit:
    """``models[part][fold]``, and ``means``: task -> out-of-fold mean [N, C], NaN where the task is not observed."""

    models: list[list[Estimator]]
    means: dict[str, Float[Array, "N C"]]


def cross_fit(candidate: Candidate, tasks: Sequence[Task], X: Float[Array, "N D"], Y: Float[Array, "N W"],
              folds: Int[Array, "N"]) -> CrossFit:
    """All folds of all parts of a candidate. JobError where a prediction is not finite."""
    means = {task.name: np.full((len(X), task.kind.outputs), np.nan) for task in tasks}
    models = []
    for at, part in enumerate(candidate.parts):
        fitted = _fit_part(part, tasks, X, Y, folds)
        models.append(fitted)
        _predict_held_out(part, candidate.serves(at), fitted, X, _columns(part, tasks, Y), folds, means)
    return CrossFit(models, means)


def _columns(part: Estimator, tasks: Sequence[Task], Y: Float[Array, "N W"]) -> Float[Array, "N w"]:
    """The columns of Y that belong to the tasks of a part, in the part's order."""
    where = slices(tasks)
    return np.hstack([Y[:, where[task.name]] for task in part.tasks])


def _fit_part(part: Estimator, tasks: Sequence[Task], X: Float[Array, "N D"], Y: Float[Array, "N W"],
              folds: Int[Array, "N"]) -> list[Estimator]:
    own = _columns(part, tasks, Y)
    rows = np.flatnonzero(~np.isnan(own).all(axis=1))
    train = np.stack([folds[rows] != fold for fold in range(folds.max() + 1)])
    return part.fit_folds(X[rows], own[rows], train)


def _predict_held_out(part: Estimator, serves: Sequence[str], fitted: list[Estimator], X: Float[Array, "N D"],
                      own: Float[Array, "N w"], folds: Int[Array, "N"], means: dict[str, Array]) -> None:
    seen = observed_rows(own, part.tasks)
    for fold, model in enumerate(fitted):
        held = np.flatnonzero((folds == fold) & seen.any(axis=1))
        if not len(held):
            continue
        found = model.predict_mean(X[held], seen[held])
        for at, task in enumerate(part.tasks):
            if task.name not in serves:
                continue
            wanted = seen[held, at]
            if not np.isfinite(found[task.name][wanted]).all():
                raise JobError(f"{type(part).__name__}", f"predicts a value that is not finite for task {task.name!r}",
                               "every prediction must be finite", "Look for extreme values in the features.")
            means[task.name][held[wanted]] = found[task.name][wanted]
