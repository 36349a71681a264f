"""One training, or K at once, of pieces that are learned from the same rows: the strengths, then the models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from ..pieces import Piece, inner_folds, is_constant
from .basis import Basis
from .newton import TIGHT
from .problems import Problem
from .strength import STEPS, Choice, Trial, choose, every_other

Array = np.ndarray
FEWEST = 8  # targets; below, none is held out and the strength is STEPS[1]
MOST_ROWS = 5000  # for the choice; beyond, rows are drawn by chance


class Lesson(NamedTuple):
    """A training of P targets: the basis of its n rows with ``target`` [n, P], and the coordinates of rows that are
    kept out with theirs; no target is NaN."""

    basis: Basis
    target: Float[Array, "n P"]
    held: Float[Array, "h r"]
    held_target: Float[Array, "h P"]

    def of(self, at: Int[Array, "p"]) -> Lesson:
        """Some of the targets."""
        return self._replace(target=self.target[:, at], held_target=self.held_target[:, at])

    @property
    def varies(self) -> Bool[Array, "P"]:
        """Which targets have something to learn."""
        return varying(self.target)


def solve(problem: Problem, lessons: Sequence[Lesson], strength: float | str, seed: int) -> list[Float[Array, "M P"]]:
    """Theta of each lesson; that of a target that does not vary is the trivial one."""
    thetas = []
    for lesson, (strengths, start) in zip(lessons, beginnings(problem, lessons, strength, seed), strict=True):
        theta, at = start.copy(), np.flatnonzero(lesson.varies)
        if len(at):
            theta[:, at] = problem.fit(lesson.basis.scores, lesson.target[:, at], strengths[at], start[:, at], TIGHT)
        thetas.append(theta)
    return thetas


def beginnings(problem: Problem, lessons: Sequence[Lesson], strength: float | str,
               seed: int) -> list[tuple[Float[Array, "P"], Float[Array, "M P"]]]:
    """Strengths of each lesson's targets, and where to start. "auto": as the held-out rows of the other lessons say; if
    fewer than two lessons can say it of a target, inner folds of each lesson's own rows."""
    found = [(np.full(lesson.target.shape[1], STEPS[1] * len(lesson.target) if strength == "auto" else float(strength)),
              problem.start(lesson.target, lesson.basis.scores.shape[1])) for lesson in lessons]
    if strength != "auto":
        return found
    says = np.sum([lesson.varies for lesson in lessons if len(lesson.target) >= FEWEST and len(lesson.held)], axis=0)
    says = np.broadcast_to(says, lessons[0].target.shape[1])  # no lesson: none says it
    together, alone = np.flatnonzero(says > 1), np.flatnonzero(says < 2)
    if len(together):
        trials = [outer_trial(lesson.of(together), seed) for lesson in lessons]
        take(found, lessons, together, choose(problem, trials, every_other(len(trials))))
    for k, lesson in enumerate(lessons):
        at = alone[lesson.varies[alone]] if len(lesson.target) >= FEWEST else alone[:0]
        if len(at):
            take(found[k:k + 1], [lesson], at, inner_choice(problem, lesson.of(at), seed))
    return found


def take(found: list[tuple[Array, Array]], lessons: Sequence[Lesson], at: Int[Array, "p"], choice: Choice) -> None:
    """Write what was chosen for some targets into the lessons that are long enough for it."""
    for (strengths, start), lesson, steps, theta in zip(found, lessons, choice.steps, choice.thetas, strict=True):
        if len(lesson.target) >= FEWEST:
            strengths[at], start[:, at] = steps * len(lesson.target), theta


def outer_trial(lesson: Lesson, seed: int) -> Trial:
    """The lesson, judged by the rows that it keeps out."""
    rows, out = drawn(len(lesson.target), seed), drawn(len(lesson.held), seed)
    target = lesson.target[rows]
    return Trial(lesson.basis.scores[rows], target, lesson.held[out], lesson.held_target[out],
                 varying(target) & (len(lesson.target) >= FEWEST))


def inner_choice(problem: Problem, lesson: Lesson, seed: int) -> Choice:
    """The choice on inner folds of the lesson's own rows, which are balanced over each target for itself."""
    rows = drawn(len(lesson.target), seed)
    scores, target = lesson.basis.scores[rows], lesson.target[rows]
    count = 4 if scores.size < 100_000 else 3
    held = np.zeros((count, *target.shape), dtype=bool)
    for p, column in enumerate(target.T):
        for k, (_, out) in enumerate(inner_folds(Piece(0, "", column), count, seed)):
            held[k, out, p] = True
    trials = [Trial(scores, kept := np.where(out, np.nan, target), scores, np.where(out, target, np.nan), varying(kept))
              for out in held]
    return choose(problem, trials, np.ones((1, count), dtype=bool))


def varying(target: Float[Array, "n P"]) -> Bool[Array, "P"]:
    """Which columns hold two different values."""
    return np.array([not is_constant(Piece(0, "", column)) for column in target.T], dtype=bool)


def drawn(size: int, seed: int) -> Int[Array, "m"]:
    """The rows for a choice."""
    if size <= MOST_ROWS:
        return np.arange(size)
    return np.sort(np.random.default_rng(seed).choice(size, MOST_ROWS, replace=False))
