"""Lines whose weights are drawn to their mean, on one training or on K folds at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from ...task import Task
from ..pieces import take_apart
from .answers import Lines
from .basis import Basis
from .blocks import make_blocks
from .design import Design
from .families import Family, families
from .line_fit import Line
from .mean_search import SIMILARITIES, STRENGTHS, Course, Point, search
from .newton import TIGHT
from .strength import every_other

Array = np.ndarray
FEWEST = 4  # mean rows a task; below, none is held out, and the middle of both lists is taken
MOST_TARGETS = 50_000  # observed targets for the choice; beyond, rows are drawn by chance


class Wish(NamedTuple):
    """What the user wants: numbers or "auto", the number of inner folds, the seed."""

    strength: float | str
    similarity: float | str
    folds: int
    seed: int

    def grid(self) -> tuple[Sequence[float], Sequence[float]]:
        """Steps and similarities to try."""
        likes = SIMILARITIES if self.similarity == "auto" else (float(self.similarity),)
        return STRENGTHS if self.strength == "auto" else (1.0,), likes


class Ground(NamedTuple):
    """One training: the rows it learns from, their design and basis, the coordinates of all rows, the families."""

    train: Bool[Array, "N"]
    design: Design
    basis: Basis
    scores: Float[Array, "N r"]
    families: list[Family]

    @classmethod
    def of(cls, tasks: Sequence[Task], X: Float[Array, "N D"], Z: Float[Array, "N W"],
           train: Bool[Array, "N"]) -> Ground:
        """From the standardised targets of the training."""
        design = Design.fit(X[train])
        A = design.apply(X)
        basis = Basis.of(A[train])
        return cls(train, design, basis, (A - basis.centre) @ basis.axes, families(tasks, take_apart(tasks, Z), train))

    def course(self, at: int, rows: Int[Array, "m"], held: Bool[Array, "m"], strength: float | str) -> Course:
        """The training of a family on some rows, of which some are held."""
        family, theta = self.families[at], self.beginning(at)
        unit = self.mean_rows(at, rows[~held])
        if strength != "auto":
            unit = float(strength) * unit / self.mean_rows(at, np.flatnonzero(self.train))
        return Course(family, make_blocks(self.scores[rows], family.columns[rows], held), theta, unit)

    def beginning(self, at: int) -> Float[Array, "r1 K"]:
        """Theta of the trivial predictors."""
        start = self.families[at].start
        return np.vstack([start, np.zeros((self.scores.shape[1], len(start)))])

    def can_judge(self, at: int) -> bool:
        """Whether some column is observed both in the rows it learns from and in others."""
        seen = ~np.isnan(self.families[at].columns)
        return bool((seen[self.train].any(axis=0) & seen[~self.train].any(axis=0)).any())

    def mean_rows(self, at: int, rows: Int[Array, "m"]) -> float:
        """In how many of the rows a column is observed in the mean, at least 1."""
        return max(float(np.count_nonzero(~np.isnan(self.families[at].columns[rows]), axis=0).mean()), 1.0)


def fit_lines_together(grounds: Sequence[Ground], wish: Wish, alone: Sequence[dict[int, Line]]) -> list[Lines]:
    """The lines of each training, where those of some pieces, by number, were learned ``alone``."""
    found: list[dict[int, list[Line]]] = [{piece: [line] for piece, line in own.items()} for own in alone]
    for at, family in enumerate(grounds[0].families):
        if not set(family.pieces).isdisjoint(alone[0]):
            continue
        for lines, (weights, intercepts) in zip(found, fit_family(grounds, at, wish), strict=True):
            for column, piece in enumerate(family.pieces):
                lines.setdefault(piece, []).append((weights[:, [column]], intercepts[[column]]))
    return [Lines(ground.design, np.hstack([weights for at in range(len(lines)) for weights, _ in lines[at]]),
                  np.concatenate([intercept for at in range(len(lines)) for _, intercept in lines[at]]))
            for ground, lines in zip(grounds, found, strict=True)]


def fit_family(grounds: Sequence[Ground], at: int, wish: Wish) -> list[tuple[Float[Array, "E K"], Float[Array, "K"]]]:
    """Weights and intercepts of a family's columns in each training."""
    every = np.arange(len(grounds[0].train))
    lines = []
    for k, (ground, point) in enumerate(zip(grounds, choose_points(grounds, at, wish), strict=True)):
        course = ground.course(at, every, ~ground.train, wish.strength)  # one at a time: it copies its rows
        theta = course.fit(point.step, point.similarity, point.thetas[k % len(point.thetas)], TIGHT)
        level = course.family.start.copy()
        for block in course.blocks:
            if len(block.rows):
                level[block.columns] = theta[0, block.columns] - block.centre @ theta[1:, block.columns]
        lines.append(ground.basis.weights(theta[1:], level))
    return lines


def choose_points(grounds: Sequence[Ground], at: int, wish: Wish) -> list[Point]:
    """Step and similarity of each training: as the held-out rows of the others say; if fewer than two trainings can say
    it, inner folds of each one's own rows."""
    steps, likes = wish.grid()
    long = np.array([ground.mean_rows(at, np.flatnonzero(ground.train)) >= FEWEST for ground in grounds])
    says = long & [ground.can_judge(at) for ground in grounds]
    points = [Point(steps[len(steps) // 2], likes[len(likes) // 2], [ground.beginning(at)], np.zeros(1))
              for ground in grounds]
    if len(steps) * len(likes) == 1:
        return points
    if says.sum() > 1:
        rows = drawn(grounds[0].families[at], np.arange(len(grounds[0].train)), wish.seed)
        trials = [ground.course(at, rows, ~ground.train[rows], wish.strength) for ground in grounds]
        chosen = search(trials, every_other(len(trials)) & says, steps, likes)
    else:
        chosen = [inner_choice(ground, at, wish) if one else point
                  for ground, one, point in zip(grounds, long, points, strict=True)]
    return [new if one else point for new, one, point in zip(chosen, long, points, strict=True)]


def inner_choice(ground: Ground, at: int, wish: Wish) -> Point:
    """The choice on inner folds of a training's own rows."""
    rows = drawn(ground.families[at], np.flatnonzero(ground.train), wish.seed)
    fold = np.arange(len(rows)) % wish.folds
    courses = [ground.course(at, rows, fold == k, wish.strength) for k in range(wish.folds)]
    point, = search(courses, np.ones((1, wish.folds), dtype=bool), *wish.grid())
    return point._replace(thetas=point.thetas[:1])


def drawn(family: Family, rows: Int[Array, "n"], seed: int) -> Int[Array, "m"]:
    """The rows for a choice, in random order."""
    seen = int(np.count_nonzero(~np.isnan(family.columns[rows])))
    most = max(int(MOST_TARGETS * len(rows) / max(seen, 1)), 500)
    return np.random.default_rng(seed).permutation(rows)[:most]
