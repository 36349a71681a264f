"""Stacking over targets: every task sees what was predicted for the others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from ...base.checks import within
from ...base.estimator import Estimator, Means
from ...task import Task, slices
from .folds import as_features, average, base_for, joined, out_of_fold, split

Array = np.ndarray


class Stacked(Estimator):
    """Two stages over any ``base`` (an unfitted estimator for the same tasks): the first learns all tasks in K folds,
    the second learns each task from the features and the out-of-fold answers for all other tasks.

    Stacked single-target (Spyromitros-Xioufis and others 2016, Multi-target regression via input space expansion;
    for labels Godbole and Sarawagi 2004), with out-of-fold answers in training, so that no answer has seen its own
    target, and with the mean of the K fold copies for new rows. ``own`` adds the task's own first answer. A target of
    another task is never used to predict: a row counts for every task whether the others were observed or not.

    >>> import numpy as np
    >>> from sharewise.solve.linear import Linear
    >>> from sharewise.task import Regression, Task
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> tasks = [Task("a", Regression()), Task("b", Regression())]
    >>> model = Stacked(tasks, base=Linear(tasks)).fit(X, X @ [[1.0, 1.0], [1.0, -1.0]])
    >>> model.predict(np.array([[1.0, 0.0]]))["a"].round(1).tolist()
    [1.0]
    """

    family: ClassVar[str] = "chain"
    layouts: ClassVar[tuple[str, ...]] = ("wide",)

    def __init__(self, tasks: Sequence[Task], base: Estimator, folds: int = 3, own: bool = False,
                 seed: int = 0) -> None:
        within("folds", folds, 2)
        self.tasks, self.base, self.folds, self.own, self.seed = tasks, base, folds, own, seed

    @property
    def shares(self) -> bool:
        return len(self.tasks) > 1 or self.base.shares

    def _fit(self, X: Float[Array, "N D"], Z: Float[Array, "N W"]) -> None:
        self._first: list[Estimator] = []
        columns: list[Array] = [np.empty((len(X), 0))]
        if len(self.tasks) > 1 or self.own:
            train = split(len(X), self.folds, self.seed)
            self._first = base_for(self.base, self.tasks).fit_folds(X, Z, train)
            columns = as_features(self.tasks, out_of_fold(self._first, X, train))
        self._second = [base_for(self.base, [task]).fit(joined(X, self._seen(columns, at)), Z[:, part])
                        for at, (task, part) in enumerate(zip(self.tasks, slices(self.tasks).values(), strict=True))]

    def _seen(self, columns: list[Array], at: int) -> list[Array]:
        return [column for other, column in enumerate(columns) if self.own or other != at]

    def _predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        columns = as_features(self.tasks, average(self._first, X)) if self._first else [np.empty((len(X), 0))]
        means: Means = {}
        for at, second in enumerate(self._second):
            means |= second.predict_mean(joined(X, self._seen(columns, at)), wanted[:, [at]])
        return means

    def _count_parameters(self) -> int:
        return sum(estimator.parameter_count for estimator in [*self._first, *self._second])

    def _save(self, folder: Path) -> None:
        for stage, estimators in (("first", self._first), ("second", self._second)):
            for at, estimator in enumerate(estimators):
                estimator.save(folder / f"{stage}_{at}")

    def _load(self, folder: Path) -> None:
        self._first = [Estimator.load(one) for one in sorted(folder.glob("first_*"), key=lambda one: int(one.name[6:]))]
        self._second = [Estimator.load(folder / f"second_{at}") for at in range(len(self.tasks))]
