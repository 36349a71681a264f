"""Regularised multi-task learning: every task's weights are drawn to their mean."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from ...base.checks import within
from ...base.errors import UsageError
from ...base.estimator import Estimator, Means
from ...task import Task
from ..pieces import Piece, is_constant, link, take_apart, trivial
from ..threads import one_thread
from .answers import Lines
from .arrow import newton_mean
from .basis import Basis
from .blocks import Block, make_blocks
from .design import Design
from .likelihoods import SCALAR
from .linear import check_strength
from .mean_fit import Fit, fit_mean, held_out
from .problems import NEWTON_UP_TO

Array = np.ndarray
STRENGTHS = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003)  # times the mean number of rows a task
SIMILARITIES = (0.3, 1.0, 3.0, 10.0, 50.0)
MOST_TARGETS = 50_000  # observed targets for the choice of both; beyond, rows are drawn by chance


class Family(NamedTuple):
    """Columns that share: ``columns`` [N, K] of pieces of one kind and shape; ``groups`` lists the columns that have
    one common weight; ``pieces`` says to which piece each column belongs; ``classes`` is C for softmax."""

    columns: Float[Array, "N K"]
    groups: list[list[int]]
    pieces: list[int]
    loss: str
    classes: int
    start: Float[Array, "K"]


class MeanRegularized(Estimator):
    """Linear models whose weights are w_t = w_0 + v_t: minimises

        sum loss + strength (1 + s) / 2 ( |w_0|^2 / s + sum_t |v_t|^2 ),   s = similarity,

    so that a weight has the prior variance 1 / strength, of which the part s / (1 + s) is common to all: s to 0 is
    ``Linear`` for each task, s to infinity one set of weights for all. Intercepts are free (Evgeniou and Pontil 2004,
    Regularized multi-task learning, with squared, logistic, softmax and Poisson losses in the place of the hinge).

    Tasks share within a kind and number of outputs: numbers with numbers, 3-class tasks with 3-class tasks (class by
    class), ordinal ones cut by cut, multilabel ones label by label. "auto" chooses both numbers for each kind on inner
    folds of the training rows. Features are made ready as in ``Linear``.

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
        design = Design.fit(X)
        pieces = take_apart(self.tasks, Z)
        lines: dict[int, list[tuple[Array, Array]]] = {}
        with one_thread():
            basis = Basis.of(design.apply(X))
            for family in families(self.tasks, pieces):
                weights, intercepts = self._fit_family(basis, family)
                for column, piece in enumerate(family.pieces):
                    lines.setdefault(piece, []).append((weights[:, [column]], intercepts[[column]]))
        flat = [line for at in range(len(pieces)) for line in lines[at]]
        self._lines = Lines(design, np.hstack([weights for weights, _ in flat]),
                            np.concatenate([intercept for _, intercept in flat]))

    def _fit_family(self, basis: Basis, family: Family) -> tuple[Array, Array]:
        seen = np.count_nonzero(~np.isnan(family.columns), axis=0)
        size, columns = basis.scores.shape[1], family.columns.shape[1]
        rows = max(float(seen.mean()), 1.0)
        strength, similarity = self._choose(basis, family, rows)
        blocks = make_blocks(basis.scores, family.columns, np.zeros(len(family.columns), dtype=bool))
        start = Fit(np.zeros((size, columns)), np.zeros((size, len(family.groups))), family.start)
        fit = solve_family(blocks, family, penalties(strength, similarity), start, 1e-7)
        level = np.zeros(columns)
        for block in blocks:
            level[block.columns] = fit.level[block.columns] - block.basis.centre @ fit.weights[:, block.columns]
        level = np.where(seen > 0, level, family.start)
        return basis.weights(fit.weights, level)

    def _choose(self, basis: Basis, family: Family, rows: float) -> tuple[float, float]:
        strengths = [step * rows for step in STRENGTHS] if self.strength == "auto" else [float(self.strength)]
        likes = list(SIMILARITIES) if self.similarity == "auto" else [float(self.similarity)]
        if len(family.groups[0]) == 1 and self.similarity == "auto":
            likes = [1.0]  # nobody to share with: only the sum of both penalties counts
        grid = list(product(likes, strengths))
        if len(grid) == 1 or rows < 4:
            return grid[len(grid) // 2][::-1]
        chance = np.random.default_rng(self.seed)
        seen = int((~np.isnan(family.columns)).sum())
        most = max(int(MOST_TARGETS * len(family.columns) / max(seen, 1)), 500)
        drawn = chance.permutation(len(family.columns))[:most]
        scores, columns = basis.scores[drawn], family.columns[drawn]
        part = len(drawn) / len(family.columns)
        fold = np.arange(len(drawn)) % self.folds
        total = np.zeros(len(grid))
        for k in range(self.folds):
            blocks = make_blocks(scores, columns, fold == k)
            shape = (basis.scores.shape[1], family.columns.shape[1])
            fit = Fit(np.zeros(shape), np.zeros((shape[0], len(family.groups))), family.start)
            for at, (like, strength) in enumerate(grid):
                fit = solve_family(blocks, family, penalties(strength * part, like), fit, 1e-3)
                total[at] += held_out(blocks, family.loss, family.classes, fit)
        return grid[int(np.argmin(total))][::-1]

    def _predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        return self._lines.means(self.tasks, X, wanted)

    def _save(self, folder: Path) -> None:
        self._lines.save(folder)

    def _load(self, folder: Path) -> None:
        self._lines = Lines.load(folder)


def solve_family(blocks: list[Block], family: Family, penalty: tuple[float, float], start: Fit,
                 tolerance: float) -> Fit:
    """Newton's method where coordinates are few and the columns' rows differ; else squares over the loss."""
    if family.loss in SCALAR and len(blocks) > 1 and start.weights.shape[0] <= NEWTON_UP_TO:
        return newton_mean(blocks, family.groups, family.loss, penalty, start, 0.1 * tolerance)
    return fit_mean(blocks, family.groups, family.loss, family.classes, penalty, start, tolerance)


def penalties(strength: float, similarity: float) -> tuple[float, float]:
    """The penalties of w_0 and of the v_t."""
    own = strength * (1.0 + similarity)
    return own / similarity, own


def families(tasks: Sequence[Task], pieces: Sequence[Piece]) -> list[Family]:
    """The pieces sorted into families; softmax pieces become C columns of 0 and 1."""
    members: dict[tuple[str, int], list[int]] = {}
    for at, piece in enumerate(pieces):
        kind = tasks[piece.at].kind
        members.setdefault((kind.name, kind.outputs), []).append(at)
    return [make_family([pieces[at] for at in ats], ats) for ats in members.values()]


def make_family(pieces: Sequence[Piece], numbers: Sequence[int]) -> Family:
    """One family; the j-th pieces (or classes) of its tasks form the j-th group. Classes or counts that never vary
    count as not observed: their task gets the common weights, and its own trivial prediction at the centre."""
    columns: list[Array] = []
    groups: dict[int, list[int]] = {}
    owners: list[int] = []
    starts: list[float] = []
    for piece, number in zip(pieces, numbers, strict=True):
        prior = trivial(piece)
        for j in range(max(piece.classes, 1)):
            part = owners.count(number) if piece.classes else sum(pieces[k].at == piece.at for k in range(len(pieces))
                                                                  if numbers[k] < number)
            groups.setdefault(part, []).append(len(columns))
            owners.append(number)
            missing = np.isnan(piece.target) | (piece.loss != "squared" and is_constant(piece))
            columns.append(np.where(missing, np.nan, piece.target == j if piece.classes else piece.target))
            starts.append(float(link(piece.loss, prior)[j]))
    return Family(np.stack(columns, axis=1), list(groups.values()), owners, pieces[0].loss, pieces[0].classes,
                  np.array(starts))
