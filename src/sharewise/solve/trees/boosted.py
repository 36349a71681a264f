"""Gradient-boosted trees, each task for itself (LightGBM)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float
from sklearn.base import clone

from ...base.estimator import Estimator, Means, fit_scales, standardise
from ...task import Task
from ..pieces import piece_count, put_together, take_apart
from .boosting import Boosted, Settings, bin_features, boost, check_options
from .fold_boosting import boost_folds

Array = np.ndarray


class BoostedTrees(Estimator):
    """LightGBM, one model a task: squared error, Poisson, logistic or softmax loss; an ordinal task as C - 1
    questions 'above class j?' (Ke and others 2017, LightGBM: a highly efficient gradient boosting decision tree).

    ``regularisation`` is "light" (up to 31 leaves) or "strong" (up to 8, larger leaves, heavier shrinkage); both adapt
    to the number of rows. ``rounds`` is a number, or "auto": an inner split of the training rows finds it (3 folds up
    to 2000 rows, one held-out fifth above), and then all rows are used for that many rounds; ``fit_folds`` needs no
    inner split, for each fold takes the number that was best on the other folds' rows. Class probabilities are
    mixed with the class frequencies at the weight of one row, so that none is 0.

    >>> import numpy as np
    >>> from sharewise.task import Regression, Task
    >>> X = np.random.default_rng(0).normal(size=(80, 2))
    >>> model = BoostedTrees([Task("a", Regression())]).fit(X, 1.0 + (X[:, :1] > 0))
    >>> model.predict(np.array([[-1.0, 0.0], [1.0, 0.0]]))["a"].round(1).tolist()
    [1.0, 2.0]
    """

    family: ClassVar[str] = "trees"
    fits_folds_together: ClassVar[bool] = True
    layouts: ClassVar[tuple[str, ...]] = ("wide", "long")

    def __init__(self, tasks: Sequence[Task], regularisation: str = "light", rounds: int | str = "auto",
                 learning_rate: float = 0.06, threads: int = 1, seed: int = 0) -> None:
        check_options(regularisation, rounds, learning_rate)
        self.tasks, self.regularisation, self.rounds = tasks, regularisation, rounds
        self.learning_rate, self.threads, self.seed = learning_rate, threads, seed

    @property
    def shares(self) -> bool:
        return False

    def _fit(self, X: Float[Array, "N D"], Z: Float[Array, "N W"]) -> None:
        data = bin_features(X, self.threads)
        self._pieces = [boost(data, piece, self._settings()) for piece in take_apart(self.tasks, Z)]

    def _fit_folds(self, X: Float[Array, "N D"], Y: Float[Array, "N W"],
                   train: Bool[Array, "K N"]) -> list[BoostedTrees]:
        if self.rounds != "auto":
            return [clone(self).fit(X[rows], Y[rows]) for rows in train]
        copies, folds = [clone(self) for _ in train], []
        for copy, rows in zip(copies, train, strict=True):
            copy.scales_, copy.features_ = fit_scales(self.tasks, Y[rows]), X.shape[1]
            folds.append(take_apart(self.tasks, standardise(self.tasks, Y, copy.scales_)))
        data, settings = bin_features(X, self.threads), self._settings()
        fitted = [boost_folds(data, pieces, train, settings) for pieces in zip(*folds, strict=True)]
        for copy, pieces in zip(copies, zip(*fitted, strict=True), strict=True):
            copy._pieces = list(pieces)
        return copies

    def _settings(self) -> Settings:
        return Settings(self.regularisation, self.rounds, self.learning_rate, self.threads, self.seed)

    def _predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        return put_together(self.tasks, wanted, lambda at, rows: self._pieces[at].predict(X[rows], self.threads))

    def _save(self, folder: Path) -> None:
        for at, piece in enumerate(self._pieces):
            piece.save(folder, f"piece_{at}")

    def _load(self, folder: Path) -> None:
        count = sum(piece_count(task.kind) for task in self.tasks)
        self._pieces = [Boosted.load(folder, f"piece_{at}") for at in range(count)]
