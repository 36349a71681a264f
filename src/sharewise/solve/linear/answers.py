"""From the score columns of linear models to the means of the tasks; weights on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from safetensors.numpy import load_file, save_file
from scipy.special import softmax

from ...base.estimator import Means
from ...task import Task
from ..pieces import LOSSES, assemble, piece_count
from ..stored import reading
from ..threads import one_thread
from .design import Design
from .likelihoods import SCALAR

Array = np.ndarray


class Lines(NamedTuple):
    """Fitted lines: the design of the features, weights [E, K] and intercepts [K] of all score columns of all tasks."""

    design: Design
    weights: Float[Array, "E K"]
    intercepts: Float[Array, "K"]

    def means(self, tasks: Sequence[Task], X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        """The mean of every task where it is wanted, 0 elsewhere."""
        A = self.design.apply(X)
        means: Means = {}
        low = 0
        for at, task in enumerate(tasks):
            high, rows = low + score_count(task), np.flatnonzero(wanted[:, at])
            with one_thread():
                scores = A[rows] @ self.weights[:, low:high] + self.intercepts[low:high]
            mean = np.zeros((len(X), task.kind.outputs))
            mean[rows] = assemble(task.kind, linked(task, scores))
            means[task.name] = mean
            low = high
        return means

    @property
    def parameter_count(self) -> int:
        """Weights and intercepts."""
        return self.weights.size + self.intercepts.size

    def save(self, folder: Path) -> None:
        """Write lines.safetensors."""
        arrays = {**self.design._asdict(), "weights": self.weights, "intercepts": self.intercepts}
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / "lines.safetensors")

    @classmethod
    def load(cls, folder: Path) -> Lines:
        """What ``save`` wrote."""
        with reading(folder):
            arrays = load_file(folder / "lines.safetensors")
            return cls(Design(*(arrays[name] for name in Design._fields)), arrays["weights"], arrays["intercepts"])


def score_count(task: Task) -> int:
    """How many score columns a task has: C for softmax, else one a piece."""
    return task.kind.outputs if LOSSES[task.kind.name] == "softmax" else piece_count(task.kind)


def linked(task: Task, scores: Float[Array, "n k"]) -> list[Array]:
    """Scores to the answers for the task's pieces, through the inverse link."""
    loss = LOSSES[task.kind.name]
    if loss == "softmax":
        return [softmax(scores, axis=1)]
    return list((SCALAR[loss].mean(scores) if loss in SCALAR else scores).T)
