"""Gradient-boosted trees, each task for itself (LightGBM)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float
from lightgbm import Dataset

from ...base.estimator import Estimator, Means
from ...task import Task
from ..pieces import Piece, piece_count, put_together, take_apart
from .boosting import Boosted, Settings, bin_features, boost, check_options, watch_piece, within_rows
from .fold_rounds import FEWEST_FOLDS, rounds_by_neighbours

Array = np.ndarray


class BoostedTrees(Estimator):
    """LightGBM, one model a task: squared error, Poisson, logistic or softmax loss; an ordinal task as C - 1
    questions 'above class j?' (Ke and others 2017, LightGBM: a highly efficient gradient boosting decision tree).

    ``regularisation`` is "light" (up to 31 leaves) or "strong" (up to 8, larger leaves, heavier shrinkage); both adapt
    to the number of rows. ``rounds`` is a number, or "auto": an inner split of the training rows finds it (3 folds up
    to 2000 rows, one held-out fifth above), and then all rows are used for that many rounds; in ``fit_folds`` with four
    folds or more, models that leave out two neighbouring folds find it for both. Class probabilities are mixed with the
    class frequencies at the weight of one row, so that none is 0.

    >>> import numpy as np
    >>> from sharewise.task import Regression, Task
    >>> X = np.random.default_rng(0).normal(size=(80, 2))
    >>> model = BoostedTrees([Task("a", Regression())]).fit(X, 1.0 + (X[:, :1] > 0))
    >>> model.predict(np.array([[-1.0, 0.0], [1.0, 0.0]]))["a"].round(1).tolist()
    [1.0, 2.0]
    """

    family: ClassVar[str] = "trees"
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
        if self.rounds != "auto" or len(train) < FEWEST_FOLDS:
            return super()._fit_folds(X, Y, train)
        copies, targets = zip(*self._copies(X, Y, train), strict=True)
        folds = [take_apart(self.tasks, Z) for Z in targets]
        data = bin_features(X, self.threads)
        fitted = [self._boost_folds(data, pieces, train) for pieces in zip(*folds, strict=True)]
        for copy, pieces in zip(copies, zip(*fitted, strict=True), strict=True):
            copy._pieces = list(pieces)
        return list(copies)

    def _boost_folds(self, data: Dataset, pieces: Sequence[Piece], train: Bool[Array, "K N"]) -> list[Boosted]:
        """A model a fold, for one piece given in each fold's own standardised target."""
        settings = self._settings()

        def watch(fold: int, rows: Array, held: tuple[Array, Array]) -> Sequence[Array | None]:
            return watch_piece(data, pieces[fold], rows, held, settings)
        rounds = rounds_by_neighbours(train, watch)
        return [boost(data, within_rows(piece, rows), settings._replace(rounds=count))
                for piece, rows, count in zip(pieces, train, rounds, strict=True)]

    def _settings(self) -> Settings:
        return Settings(self.regularisation, self.rounds, self.learning_rate, self.threads, self.seed)

    def _predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        return put_together(self.tasks, wanted, lambda at, rows: self._pieces[at].predict(X[rows], self.threads))

    def _count_parameters(self) -> int:
        return sum(piece.parameter_count for piece in self._pieces)

    def _save(self, folder: Path) -> None:
        for at, piece in enumerate(self._pieces):
            piece.save(folder, f"piece_{at}")

    def _load(self, folder: Path) -> None:
        count = sum(piece_count(task.kind) for task in self.tasks)
        self._pieces = [Boosted.load(folder, f"piece_{at}") for at in range(count)]
