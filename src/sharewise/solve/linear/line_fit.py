"""Lines for all pieces, each for itself, on one training or on K folds at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from ...task import Task
from ..pieces import Piece, trivial
from ..threads import one_thread
from .answers import Lines
from .basis import Basis
from .blocks import MOST_COPIES, row_count, same_rows
from .design import Design
from .lessons import Lesson, solve
from .problems import Cumulative, Problem, Scalar, Softmax
from .ridge import ridge

Array = np.ndarray
LEAST_SEEN = 0.25  # of the targets; below, bases of few rows are cheaper than gaps, as measured
Line = tuple[Array, Array]  # weights [E, k] and intercepts [k]


class Training(NamedTuple):
    """All pieces in the standardised targets of one training, and its rows; the others are kept out."""

    pieces: list[Piece]
    train: Bool[Array, "N"]


class Ground(NamedTuple):
    """The rows of some pieces in one training: which it learns from, their basis, and the coordinates of the others."""

    own: Bool[Array, "n"]
    basis: Basis
    held: Float[Array, "h r"]


def fit_lines(tasks: Sequence[Task], X: Float[Array, "N D"], trainings: Sequence[Training], strength: float | str,
              seed: int) -> list[Lines]:
    """The lines of each training, in its own design."""
    designs = [Design.fit(X[training.train]) for training in trainings]
    return [Lines(design, np.hstack([lines[at][0] for at in range(len(lines))]),
                  np.concatenate([lines[at][1] for at in range(len(lines))]))
            for design, lines in zip(designs, fit_pieces(tasks, X, designs, trainings, strength, seed), strict=True)]


def fit_pieces(tasks: Sequence[Task], X: Float[Array, "N D"], designs: Sequence[Design], trainings: Sequence[Training],
               strength: float | str, seed: int) -> list[dict[int, Line]]:
    """The line of each piece in each training, by the piece's place."""
    found: list[dict[int, Line]] = [{} for _ in trainings]
    with one_thread():
        observed = np.stack([~np.isnan(piece.target) for piece in trainings[0].pieces], axis=1)
        for group in together(observed):
            rows = np.flatnonzero(observed[:, group].any(axis=1))
            grounds = [ground_of(design, X[rows], training.train[rows])
                       for design, training in zip(designs, trainings, strict=True)]
            for lines, ground, training in zip(found, grounds, trainings, strict=True):
                for at in group:
                    own = training.pieces[at].target[rows][ground.own]
                    lines[at] = flat_line(training.pieces[at]._replace(target=own), len(ground.basis.centre))
            fit_group(tasks, group, rows, trainings, grounds, strength, seed, found)
    return found


def ground_of(design: Design, X: Float[Array, "n D"], own: Bool[Array, "n"]) -> Ground:
    """The basis of a training's own rows."""
    A = design.apply(X)
    basis = Basis.of(A[own]) if own.any() else Basis.of(np.zeros((1, A.shape[1])))
    return Ground(own, basis, (A[~own] - basis.centre) @ basis.axes)


def fit_group(tasks: Sequence[Task], group: Sequence[int], rows: Array, trainings: Sequence[Training],
              grounds: Sequence[Ground], strength: float | str, seed: int, found: list[dict[int, Line]]) -> None:
    """Write the lines of some pieces, learned from the same basis, into ``found`` where they vary."""
    for problem, ats in problems_of(tasks, [trainings[0].pieces[at] for at in group], group):
        lessons = []
        for training, ground in zip(trainings, grounds, strict=True):
            target = np.stack([training.pieces[at].target[rows] for at in ats], axis=1)
            target = target.sum(axis=1, keepdims=True) if isinstance(problem, Cumulative) else target
            lessons.append(Lesson(ground.basis, target[ground.own], ground.held, target[~ground.own]))
        solved = [squares(lesson, strength, seed) for lesson in lessons] if problem is None else [
            answers(problem, lesson, theta) for lesson, theta in zip(lessons, solve(problem, lessons, strength, seed),
                                                                     strict=True)]
        for lines, lesson, (weights, intercepts) in zip(found, lessons, solved, strict=True):
            width = weights.shape[1] // len(ats)
            varies = np.broadcast_to(lesson.varies, len(ats))
            lines |= {at: (weights[:, k * width:(k + 1) * width], intercepts[k * width:(k + 1) * width])
                      for k, at in enumerate(ats) if varies[k]}


def problems_of(tasks: Sequence[Task], pieces: Sequence[Piece],
                numbers: Sequence[int]) -> list[tuple[Problem | None, list[int]]]:
    """What is solved together: all squares (None), all logistic and all Poisson pieces; a softmax piece, and the pieces
    of an ordinal task, are one problem each."""
    together: dict[tuple[str, int], list[int]] = {}
    for number, piece in zip(numbers, pieces, strict=True):
        joint = piece.loss == "softmax" or tasks[piece.at].kind.name == "ordinal"
        together.setdefault((piece.loss, piece.at if joint else -1), []).append(number)
    return [(None if loss == "squared" else Softmax(tasks[at].kind.outputs) if loss == "softmax"
             else Cumulative(tasks[at].kind.outputs) if at >= 0 else Scalar(loss), ats)
            for (loss, at), ats in together.items()]


def squares(lesson: Lesson, strength: float | str, seed: int) -> Line:
    """Ridge regression of all targets."""
    if not lesson.varies.any():
        return np.zeros((len(lesson.basis.centre), lesson.target.shape[1])), np.zeros(lesson.target.shape[1])
    return lesson.basis.weights(*ridge(lesson.basis, lesson.target, strength, seed))


def answers(problem: Problem, lesson: Lesson, theta: Float[Array, "M P"]) -> Line:
    """Theta as weights and intercepts of all score columns, piece by piece."""
    columns = [problem.columns(one, lesson.basis.scores.shape[1]) for one in theta.T]
    return lesson.basis.weights(np.hstack([a for a, _ in columns]), np.concatenate([level for _, level in columns]))


def together(observed: Bool[Array, "N P"]) -> list[list[int]]:
    """The pieces that share a basis: those that are observed in the same rows; all, with gaps, where the bases would
    hold more than twice the rows, and where gaps are not most of what a common basis would carry along."""
    groups, observed = same_rows(observed), observed[observed.any(axis=1)]
    pays = row_count(observed, groups) > MOST_COPIES * len(observed) and observed.mean() > LEAST_SEEN
    return [list(range(observed.shape[1]))] if pays else groups


def flat_line(piece: Piece, size: int) -> Line:
    """The line that always says the trivial prediction."""
    prior = trivial(piece)
    if piece.loss in ("softmax", "poisson"):
        return np.zeros((size, len(prior))), np.log(prior)
    return np.zeros((size, 1)), np.log(prior / (1 - prior)) if piece.loss == "logistic" else prior
