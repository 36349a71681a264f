"""Regularised multi-task learning: every task's weights are drawn to their mean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from ...base.checks import within
from ...base.errors import UsageError
from ...base.estimator import Estimator, Means
from ...task import Task
from ..pieces import take_apart
from ..threads import one_thread
from .answers import Lines
from .line_fit import Line, Training, fit_pieces
from .linear import check_strength
from .mean_fit import Ground, Wish, fit_lines_together

Array = np.ndarray


class MeanRegularized(Estimator):
    """Linear models whose weights are w_t = w_0 + v_t: minimises

        sum loss + strength (1 + s) / 2 ( |w_0|^2 / s + sum_t |v_t|^2 ),   s = similarity,

    so that a weight has the prior variance 1 / strength, of which the part s / (1 + s) is common to all: s to 0 is
    ``Linear`` for each task, s to infinity one set of weights for all. Intercepts are free (Evgeniou and Pontil 2004,
    Regularized multi-task learning, with squared, logistic, softmax and Poisson losses in the place of the hinge).

    Tasks share within a kind and number of outputs: numbers with numbers, 3-class tasks with 3-class tasks (class by
    class), ordinal ones cut by cut, multilabel ones label by label; a task without its like is learned as by
    ``Linear``. "auto" chooses both numbers for each kind on inner
    folds of the training rows: first the strength at similarity 1, then the similarity; ``fit_folds`` needs no inner
    folds, for each fold takes what was best on the other folds' held-out rows. Features are made ready as in
    ``Linear``.

    >>> import numpy as np
    >>> from sharewise.task import Regression, Task
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> Y = X @ [[1.0, 1.0], [2.0, 2.1], [0.0, 0.0]]
    >>> Y[8:, 0] = np.nan
    >>> model = MeanRegularized([Task("a", Regression()), Task("b", Regression())]).fit(X, Y)
    >>> model.predict(np.eye(3))["b"].round(1).tolist()
    [1.0, 2.1, 0.0]
    """

    family: ClassVar[str] = "linear"
    layouts: ClassVar[tuple[str, ...]] = ("wide", "long")

    def __init__(self, tasks: Sequence[Task], strength: float | str = "auto", similarity: float | str = "auto",
                 folds: int = 4, seed: int = 0) -> None:
        check_strength("strength", strength)
        check_strength("similarity", similarity)
        if 0 in (strength, similarity):
            raise UsageError("strength and similarity", f"are {strength!r} and {similarity!r}", "they must be above 0",
                             "Use Linear for no sharing.")
        within("folds", folds, 2)
        self.tasks, self.strength, self.similarity, self.folds, self.seed = tasks, strength, similarity, folds, seed

    @property
    def shares(self) -> bool:
        return True

    def _fit(self, X: Float[Array, "N D"], Z: Float[Array, "N W"]) -> None:
        self._lines, = self._learn(X, [(Z, np.ones(len(X), dtype=bool))])

    def _fit_folds(self, X: Float[Array, "N D"], Y: Float[Array, "N W"],
                   train: Bool[Array, "K N"]) -> list[MeanRegularized]:
        if "auto" not in (self.strength, self.similarity):
            return super()._fit_folds(X, Y, train)
        copies, targets = zip(*self._copies(X, Y, train), strict=True)
        for copy, lines in zip(copies, self._learn(X, list(zip(targets, train, strict=True))), strict=True):
            copy._lines = lines
        return list(copies)

    def _learn(self, X: Float[Array, "N D"], trainings: list[tuple[Array, Array]]) -> list[Lines]:
        wish = Wish(self.strength, self.similarity, self.folds, self.seed)
        with one_thread():
            grounds = [Ground.of(self.tasks, X, Z, rows) for Z, rows in trainings]
            return fit_lines_together(grounds, wish, self._fit_alone(X, trainings, grounds))

    def _fit_alone(self, X: Float[Array, "N D"], trainings: list[tuple[Array, Array]],
                   grounds: Sequence[Ground]) -> list[dict[int, Line]]:
        """The lines of the pieces of tasks that have nobody to share with, as ``Linear`` has them."""
        numbers = sorted({piece for family in grounds[0].families if family.is_alone for piece in family.pieces})
        if not numbers:
            return [{} for _ in trainings]
        own = [Training([take_apart(self.tasks, Z)[at] for at in numbers], rows) for Z, rows in trainings]
        found = fit_pieces(self.tasks, X, [ground.design for ground in grounds], own, self.strength, self.seed)
        return [{numbers[at]: line for at, line in lines.items()} for lines in found]

    def _predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        return self._lines.means(self.tasks, X, wanted)

    def _count_parameters(self) -> int:
        return self._lines.parameter_count

    def _save(self, folder: Path) -> None:
        self._lines.save(folder)

    def _load(self, folder: Path) -> None:
        self._lines = Lines.load(folder)
