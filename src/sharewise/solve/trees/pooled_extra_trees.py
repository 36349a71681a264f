"""One forest of extremely randomised trees for all tasks of a kind: every (row, task) pair is a row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float
from sklearn.ensemble import ExtraTreesRegressor

from ...base.checks import within
from ...base.estimator import Estimator, Means
from ...task import Task
from ..pieces import Piece, put_together, take_apart
from ..stored import reading
from .boosting import ROWS_A_TREE
from .forest import Forest
from .forests import piece_columns
from .growing import grow
from .pooled_trees import pools, stack, starts

Array = np.ndarray
MOST_INDICATORS, SHUFFLES = 32, 24


class PooledExtraTrees(Estimator):
    """Extremely randomised trees over the stacked (row, task) pairs of all tasks of one kind and number of outputs
    (Geurts, Ernst, Wehenkel 2006, Extremely randomized trees). Numbers are standardised within their task, so that
    tasks share the shape of the answer and keep their own level.

    The task is told by an indicator each up to 32 tasks, and beyond by its places in 24 random orders, so that a few
    splits single out a task or a set of tasks. At most 60,000 pairs are used, drawn by chance. ``trees``,
    ``features``, ``leaf_rows`` and ``shrink`` are those of ExtraTrees.

    >>> import numpy as np
    >>> from sharewise.task import Regression, Task
    >>> X = np.random.default_rng(0).normal(size=(80, 2))
    >>> Y = np.where(X[:, :1] > 0, 2.0, 1.0) * np.ones((1, 2))
    >>> Y[::2, 0] = np.nan
    >>> Y[1::2, 1] = np.nan
    >>> model = PooledExtraTrees([Task("a", Regression()), Task("b", Regression())], trees=20).fit(X, Y)
    >>> model.predict(np.array([[-1.0, 0.0], [1.0, 0.0]]))["b"].round(1).tolist()
    [1.0, 2.0]
    """

    family: ClassVar[str] = "trees"
    layouts: ClassVar[tuple[str, ...]] = ("wide", "long")

    def __init__(self, tasks: Sequence[Task], trees: int = 200, features: float = 0.6, leaf_rows: int = 1,
                 shrink: float = 1.0, threads: int = 1, seed: int = 0) -> None:
        within("trees", trees, 1)
        within("leaf_rows", leaf_rows, 1)
        within("features", features, 0.0, 1.0)
        within("shrink", shrink, 0.0)
        self.tasks, self.trees, self.features, self.leaf_rows = tasks, trees, features, leaf_rows
        self.shrink, self.threads, self.seed = shrink, threads, seed

    @property
    def shares(self) -> bool:
        return True

    def _fit(self, X: Float[Array, "N D"], Z: Float[Array, "N W"]) -> None:
        pieces = take_apart(self.tasks, Z)
        self._pools = pools(self.tasks, pieces)
        self._forests = [self._grow(X, pool, pieces) for pool in self._pools]

    def _grow(self, X: Array, pool: list[int], pieces: list[Piece]) -> Forest:
        begin: list[Array] = [np.zeros(1)] * len(pieces)
        for at, start in zip(pool, starts([pieces[at] for at in pool]), strict=True):
            begin[at] = start
        pairs = stack(X, pool, pieces, begin, self.seed)
        part = len(pairs.X) > ROWS_A_TREE
        maker = ExtraTreesRegressor(
            n_estimators=self.trees, max_features=self.features, n_jobs=self.threads, min_samples_leaf=self.leaf_rows,
            bootstrap=part, max_samples=ROWS_A_TREE if part else None, random_state=self.seed)
        told = np.hstack([pairs.X[:, :-1], self._codes(len(pool))[pairs.X[:, -1].astype(int)]])
        columns = piece_columns(pairs.piece, self.shrink)
        if not len(told):  # nothing observed: one leaf that says the prior
            told, columns = np.zeros((1, told.shape[1]), np.float32), columns._replace(target=columns.prior[None])
        return grow(told, columns, maker)

    def _codes(self, size: int) -> Float[Array, "T C"]:
        """What tells each of ``size`` pieces of a pool from the others."""
        if size <= MOST_INDICATORS:
            return np.eye(size, dtype=np.float32)
        chance = np.random.default_rng(self.seed)
        return np.stack([chance.permutation(size) for _ in range(SHUFFLES)], axis=1).astype(np.float32)

    def _predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        place = {at: (number, pool.index(at), len(pool)) for number, pool in enumerate(self._pools) for at in pool}
        codes = {size: self._codes(size) for size in {len(pool) for pool in self._pools}}

        def answer(at: int, rows: Array) -> Array:
            number, index, size = place[at]
            told = np.hstack([X[rows], np.tile(codes[size][index], (len(rows), 1))])
            found = self._forests[number].predict(told)
            return found[:, 0] if found.shape[1] == 1 else found

        return put_together(self.tasks, wanted, answer)

    def _count_parameters(self) -> int:
        return sum(forest.parameter_count for forest in self._forests)

    def _save(self, folder: Path) -> None:
        (folder / "pools.json").write_text(json.dumps(self._pools), encoding="utf-8")
        for number, forest in enumerate(self._forests):
            forest.save(folder / f"forest_{number}.safetensors")

    def _load(self, folder: Path) -> None:
        with reading(folder):
            self._pools = json.loads((folder / "pools.json").read_text(encoding="utf-8"))
            self._forests = [Forest.load(folder / f"forest_{number}.safetensors") for number in range(len(self._pools))]
