"""Gradient-boosted trees, each task for itself (LightGBM)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from ...base.checks import one_of, within
from ...base.estimator import Estimator, Means
from ...task import Task
from ..pieces import piece_count, put_together, take_apart
from .boosting import STRENGTHS, Boosted, Settings, bin_features, boost

Array = np.ndarray


class BoostedTrees(Estimator):
    """LightGBM (Ke and others 2017), one model a task: squared error, Poisson, logistic or softmax loss; an ordinal
    task as C - 1 questions 'above class j?'.

    ``regularisation`` is "light" (up to 31 leaves) or "strong" (up to 8, larger leaves, heavier shrinkage); both adapt
    to the number of rows. ``rounds`` is a number, or "auto": an inner split of the training rows finds it (3 folds up
    to 2000 rows, one held-out fifth above), and then all rows are used for that many rounds. Class probabilities are
    mixed with the class frequencies at the weight of one row, so that none is 0.

    >>> import numpy as np
    >>> from sharewise.task import Regression, Task
    >>> X = np.random.default_rng(0).normal(size=(80, 2))
    >>> model = BoostedTrees([Task("a", Regression())]).fit(X, 1.0 * (X[:, :1] > 0))
    >>> model.predict(np.array([[-1.0, 0.0], [1.0, 0.0]]))["a"].round(1).tolist()
    [0.0, 1.0]
    """

    family: ClassVar[str] = "trees"
    layouts: ClassVar[tuple[str, ...]] = ("wide", "long")

    def __init__(self, tasks: Sequence[Task], regularisation: str = "light", rounds: int | str = "auto",
                 learning_rate: float = 0.06, threads: int = 1, seed: int = 0) -> None:
        one_of("regularisation", regularisation, STRENGTHS)
        if rounds != "auto":
            within("rounds", rounds, 1)  # type: ignore[type-var]
        within("learning_rate", learning_rate, 1e-6, 1.0)
        self.tasks, self.regularisation, self.rounds = tasks, regularisation, rounds
        self.learning_rate, self.threads, self.seed = learning_rate, threads, seed

    @property
    def shares(self) -> bool:
        return False

    def _fit(self, X: Float[Array, "N D"], Z: Float[Array, "N W"]) -> None:
        data = bin_features(X, self.threads)
        settings = Settings(self.regularisation, self.rounds, self.learning_rate, self.threads, self.seed)
        self._pieces = [boost(data, piece, settings) for piece in take_apart(self.tasks, Z)]

    def _predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        return put_together(self.tasks, wanted, lambda at, rows: self._pieces[at].predict(X[rows], self.threads))

    def _save(self, folder: Path) -> None:
        for at, piece in enumerate(self._pieces):
            piece.save(folder, f"piece_{at}")

    def _load(self, folder: Path) -> None:
        count = sum(piece_count(task.kind) for task in self.tasks)
        self._pieces = [Boosted.load(folder, f"piece_{at}") for at in range(count)]
