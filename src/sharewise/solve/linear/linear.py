"""The sober baseline: ridge, logistic, Poisson and cumulative logit regression, each task for itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from ...base.checks import one_of, within
from ...base.estimator import Estimator, Means
from ...task import Task
from ..pieces import Piece, is_constant, take_apart, trivial
from ..threads import one_thread
from .answers import Lines
from .basis import Basis
from .design import Design
from .problems import Cumulative, Problem, Scalar, Softmax
from .ridge import ridge
from .strength import choose_strength

Array = np.ndarray
Line = tuple[Array, Array]  # weights [E, k] and intercepts [k]


class Linear(Estimator):
    """Ridge regression for numbers, logistic for classes, Poisson with log link for counts, cumulative logit for
    ordered classes (McCullagh 1980, Regression models for ordinal data): minimises sum loss + strength / 2 |w|^2 with a
    free intercept, where the squared loss is halved.

    Features are standardised (gaps by the median with an indicator column, outliers clipped at 6 deviations).
    ``strength`` is a number from 0 up, the same as scikit-learn's ``alpha`` and ``1 / C``, or "auto": exact
    leave-one-out for numbers, inner folds for the rest, each task for itself.

    >>> import numpy as np
    >>> from sharewise.task import Regression, Task
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> model = Linear([Task("a", Regression())]).fit(X, X @ [[1.0], [2.0], [0.0]] + 5)
    >>> model.predict(np.eye(3))["a"].round(1).tolist()
    [6.0, 7.0, 5.0]
    """

    family: ClassVar[str] = "linear"
    layouts: ClassVar[tuple[str, ...]] = ("wide", "long")

    def __init__(self, tasks: Sequence[Task], strength: float | str = "auto", seed: int = 0) -> None:
        check_strength("strength", strength)
        self.tasks, self.strength, self.seed = tasks, strength, seed

    @property
    def shares(self) -> bool:
        return False

    def _fit(self, X: Float[Array, "N D"], Z: Float[Array, "N W"]) -> None:
        design = Design.fit(X)
        A = design.apply(X)
        pieces = take_apart(self.tasks, Z)
        lines: dict[int, Line] = {}
        with one_thread():
            for group in same_rows(pieces):
                lines |= self._fit_group(A, group, pieces)
        weights = np.hstack([lines[at][0] for at in range(len(pieces))])
        self._lines = Lines(design, weights, np.concatenate([lines[at][1] for at in range(len(pieces))]))

    def _fit_group(self, A: Array, group: list[int], pieces: list[Piece]) -> dict[int, Line]:
        """Lines of the pieces that are observed in the same rows, which share one basis."""
        lines = {at: flat_line(pieces[at], A.shape[1]) for at in group if is_constant(pieces[at])}
        rows = pieces[group[0]].rows
        learn = [at for at in group if at not in lines or self.tasks[pieces[at].at].kind.name == "ordinal"]
        if len(rows) < 2 or not learn:
            return lines
        basis = Basis.of(A[rows])
        squared = [at for at in learn if pieces[at].loss == "squared"]
        if squared:
            a, level = ridge(basis, np.stack([pieces[at].target[rows] for at in squared], axis=1), self.strength)
            weights, intercepts = basis.weights(a, level)
            lines |= {at: (weights[:, [k]], intercepts[[k]]) for k, at in enumerate(squared)}
        for owner in dict.fromkeys(pieces[at].at for at in learn if pieces[at].loss != "squared"):
            own = [at for at in learn if pieces[at].at == owner]
            lines |= self._fit_likelihood(basis, rows, own, pieces)
        return lines

    def _fit_likelihood(self, basis: Basis, rows: Array, own: list[int], pieces: list[Piece]) -> dict[int, Line]:
        """Lines of one task's pieces: one problem for an ordinal task, else one a piece."""
        kind = self.tasks[pieces[own[0]].at].kind
        if kind.name == "ordinal":
            code = np.sum([pieces[at].target[rows] for at in own], axis=0)
            if np.all(code == code[0]):
                return {}
            weights, intercepts = self._solve(Cumulative(kind.outputs), basis, code)
            return {at: (weights[:, [k]], intercepts[[k]]) for k, at in enumerate(own)}
        return {at: self._solve(problem_of(pieces[at]), basis, pieces[at].target[rows]) for at in own}

    def _solve(self, problem: Problem, basis: Basis, y: Array) -> Line:
        size = basis.scores.shape[1]
        strength = (choose_strength(problem, basis.scores, y, self.seed) if self.strength == "auto"
                    else float(self.strength))
        theta = problem.fit(basis.scores, y, strength, problem.start(y, size))
        return basis.weights(*problem.columns(theta, size))

    def _predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        return self._lines.means(self.tasks, X, wanted)

    def _save(self, folder: Path) -> None:
        self._lines.save(folder)

    def _load(self, folder: Path) -> None:
        self._lines = Lines.load(folder)


def check_strength(thing: str, value: float | str) -> None:
    """UsageError unless it is "auto" or a number from 0 up."""
    if isinstance(value, str):
        one_of(thing, value, ("auto",))
    else:
        within(thing, value, 0.0)


def same_rows(pieces: Sequence[Piece]) -> list[list[int]]:
    """The numbers of the pieces, grouped by the rows in which they are observed."""
    groups: dict[bytes, list[int]] = {}
    for at, piece in enumerate(pieces):
        groups.setdefault(np.isnan(piece.target).tobytes(), []).append(at)
    return list(groups.values())


def problem_of(piece: Piece) -> Problem:
    """The penalised likelihood that fits a piece."""
    return Softmax(piece.classes) if piece.loss == "softmax" else Scalar(piece.loss)


def flat_line(piece: Piece, size: int) -> Line:
    """The line that always says the trivial prediction."""
    prior = trivial(piece)
    if piece.loss in ("softmax", "poisson"):
        return np.zeros((size, len(prior))), np.log(prior)
    return np.zeros((size, 1)), np.log(prior / (1 - prior)) if piece.loss == "logistic" else prior
