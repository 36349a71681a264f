"""What random forests and extra trees share, each task for itself or all in one forest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int

from ...base.checks import within
from ...base.estimator import Estimator, Means
from ...task import Task
from ..pieces import Piece, assemble, piece_count, take_apart, trivial
from .boosting import ROWS_A_TREE
from .forest import Forest
from .growing import Columns, grow

Array = np.ndarray
MOST_VALUES = 15_000_000  # leaf values a forest: beyond, leaves are larger, so that memory is bounded


class Forests(Estimator):
    """Forests over the columns of one task or of all: numbers standardised, classes as indicator columns, an ordinal
    task as the indicators 'above class j'. Each task counts the same in the choice of splits.

    Subclasses say which sort of tree (``maker``), the share of features tried at a split, and whether all tasks share
    one forest.
    """

    family: ClassVar[str] = "trees"
    maker: ClassVar[Any]
    bootstrap: ClassVar[bool]
    usual_features: ClassVar[float]

    def __init__(self, tasks: Sequence[Task], trees: int = 200, features: float | None = None, leaf_rows: int = 1,
                 shrink: float = 1.0, threads: int = 1, seed: int = 0) -> None:
        within("trees", trees, 1)
        within("leaf_rows", leaf_rows, 1)
        within("shrink", shrink, 0.0)
        if features is not None:
            within("features", features, 0.0, 1.0)
        self.tasks, self.trees, self.features, self.leaf_rows = tasks, trees, features, leaf_rows
        self.shrink, self.threads, self.seed = shrink, threads, seed

    def _fit(self, X: Float[Array, "N D"], Z: Float[Array, "N W"]) -> None:
        pieces = take_apart(self.tasks, Z)
        groups = [pieces] if self.shares else [[piece for piece in pieces if piece.at == at]
                                               for at in range(len(self.tasks))]
        self._forests = [self._grow(X, group) for group in groups]

    def _grow(self, X: Float[Array, "N D"], pieces: list[Piece]) -> Forest:
        parts = [piece_columns(piece, self.shrink) for piece in pieces]
        owner = np.concatenate([np.full(part.target.shape[1], piece.at) for piece, part in zip(pieces, parts,
                                                                                            strict=True)])
        columns = Columns(*(np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True)))
        rows = np.flatnonzero(~np.isnan(columns.target).all(axis=1))
        columns = columns._replace(target=columns.target[rows], weight=equal_weights(columns.target, owner))
        if not len(rows):  # nothing observed: one leaf that says the prior
            rows, columns = np.array([0]), columns._replace(target=columns.prior[None])
        return grow(X[rows], columns, self._maker(len(rows), columns.target.shape[1]))

    def _maker(self, rows: int, columns: int) -> Any:
        part = rows > ROWS_A_TREE
        least = min(rows, ROWS_A_TREE) * self.trees * columns // MOST_VALUES + 1
        return type(self).maker(
            n_estimators=self.trees, max_features=self.features or self.usual_features, n_jobs=self.threads,
            min_samples_leaf=max(self.leaf_rows, least), bootstrap=self.bootstrap or part,
            max_samples=ROWS_A_TREE if part else None, random_state=self.seed)

    def _predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        groups = [range(len(self.tasks))] if self.shares else [[at] for at in range(len(self.tasks))]
        means: Means = {}
        for group, forest in zip(groups, self._forests, strict=True):
            tasks = [self.tasks[at] for at in group]
            means |= forest_means(tasks, forest, X, np.asarray(wanted[:, list(group)].any(axis=1)))
        return means

    def _count_parameters(self) -> int:
        return sum(forest.parameter_count for forest in self._forests)

    def _save(self, folder: Path) -> None:
        for at, forest in enumerate(self._forests):
            forest.save(folder / f"forest_{at}.safetensors")

    def _load(self, folder: Path) -> None:
        count = 1 if self.shares else len(self.tasks)
        self._forests = [Forest.load(folder / f"forest_{at}.safetensors") for at in range(count)]


def piece_columns(piece: Piece, shrink: float) -> Columns:
    """The column of a piece, or its C indicator columns; shrinkage is for probabilities and rates."""
    target = piece.target[:, None]
    if piece.loss == "softmax":
        target = np.where(np.isnan(target), np.nan, target == np.arange(piece.classes))
    size = np.ones(target.shape[1])
    return Columns(target, size, trivial(piece), size * (shrink if piece.loss != "squared" else 0.0))


def equal_weights(target: Float[Array, "N C"], owner: Int[Array, "C"]) -> Float[Array, "C"]:
    """Weights [C] by which the columns of each task have a summed variance of 1."""
    seen = ~np.isnan(target)
    count = np.maximum(seen.sum(axis=0), 1)
    centre = np.where(seen, target, 0.0).sum(axis=0) / count
    variance = np.where(seen, np.square(target - centre), 0.0).sum(axis=0) / count
    total = np.bincount(owner, weights=variance)[owner]
    return 1.0 / np.sqrt(np.where(total > 1e-12, total, 1.0))


def forest_means(tasks: Sequence[Task], forest: Forest, X: Float[Array, "N D"], wanted: Bool[Array, "N"]) -> Means:
    """The means of the tasks of one forest in the wanted rows."""
    rows = np.flatnonzero(wanted)
    answer = np.zeros((len(X), forest.values.shape[1]))
    if len(rows):
        answer[rows] = forest.predict(X[rows])
    means: Means = {}
    low = 0
    for task in tasks:
        size = task.kind.outputs - (task.kind.name == "ordinal")
        part = answer[:, low:low + size]
        means[task.name] = assemble(task.kind, [part] if piece_count(task.kind) == 1 else list(part.T))
        low += size
    return means
