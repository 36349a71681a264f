"""Tasks taken apart into pieces of one target column and one loss each, and the answers put together again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import expit, softmax

from ..base.estimator import Means
from ..task import Kind, Task

Array = np.ndarray
LOSSES = {"regression": "squared", "count": "poisson", "binary": "logistic", "multilabel": "logistic",
          "multiclass": "softmax", "ordinal": "logistic"}


class Piece(NamedTuple):
    """One column to learn: ``at`` numbers its task; ``loss`` is squared, poisson, logistic or softmax; ``target`` [N]
    is NaN where not observed; ``classes`` is C for softmax, else 0."""

    at: int
    loss: str
    target: Float[Array, "N"]
    classes: int = 0

    @property
    def rows(self) -> Array:
        """The numbers of the rows in which the target is observed."""
        return np.flatnonzero(~np.isnan(self.target))


def take_apart(tasks: Sequence[Task], Z: Float[Array, "N W"]) -> list[Piece]:
    """The pieces of all tasks, in order: one a task; one a label of a multilabel task; C - 1 for an ordinal task,
    the j-th asking whether the class is above j (Frank and Hall 2001, A simple approach to ordinal classification)."""
    pieces: list[Piece] = []
    column = 0
    for at, task in enumerate(tasks):
        part = Z[:, column:column + task.kind.width]
        column += task.kind.width
        loss = LOSSES[task.kind.name]
        if task.kind.name == "ordinal":
            part = np.hstack([np.where(np.isnan(part), np.nan, part > j) for j in range(task.kind.outputs - 1)])
        classes = task.kind.outputs if loss == "softmax" else 0
        pieces += [Piece(at, loss, np.ascontiguousarray(target), classes) for target in part.T]
    return pieces


def piece_count(kind: Kind) -> int:
    """How many pieces a task of this kind has."""
    return kind.outputs - 1 if kind.name == "ordinal" else kind.width


def assemble(kind: Kind, answers: Sequence[Array]) -> Float[Array, "N C"]:
    """The mean of one task from the answers to its pieces ([N] each, or [N, C] for softmax)."""
    if kind.name != "ordinal":
        return answers[0] if answers[0].ndim == 2 else np.stack(answers, axis=1)
    above = np.minimum.accumulate(np.stack(answers, axis=1), axis=1)
    edge = np.ones((len(above), 1))
    return np.hstack([edge, above]) - np.hstack([above, 0 * edge])


def put_together(tasks: Sequence[Task], wanted: Bool[Array, "N T"],
                 answer: Callable[[int, Array], Array]) -> Means:
    """The mean of every task in the rows that are wanted (0 elsewhere). ``answer(piece, rows)`` gives one piece."""
    means: Means = {}
    first = 0
    for at, task in enumerate(tasks):
        count = piece_count(task.kind)
        rows = np.flatnonzero(wanted[:, at])
        mean = np.zeros((len(wanted), task.kind.outputs))
        if len(rows):
            mean[rows] = assemble(task.kind, [answer(piece, rows) for piece in range(first, first + count)])
        means[task.name] = mean
        first += count
    return means


def trivial(piece: Piece) -> Float[Array, "C"]:
    """What the piece's observed targets say without features, kept off 0 and 1: [1], or [C] for softmax."""
    seen = piece.target[piece.rows]
    if piece.loss == "softmax":
        counts = np.bincount(seen.astype(int), minlength=piece.classes) + 1.0 / piece.classes
        return counts / counts.sum()
    if piece.loss == "logistic":
        return np.array([(seen.sum() + 0.5) / (len(seen) + 1.0)])
    if piece.loss == "poisson":
        return np.array([(seen.sum() + 0.5) / (len(seen) + 0.5)])
    return np.array([seen.mean() if len(seen) else 0.0])


def link(loss: str, mean: Array) -> Array:
    """Mean to score."""
    if loss == "squared":
        return mean
    return np.log(mean / (1.0 - mean)) if loss == "logistic" else np.log(mean)


def inverse_link(loss: str, scores: Array) -> Array:
    """Score to mean."""
    if loss == "squared":
        return scores
    if loss == "softmax":
        return softmax(scores, axis=1)
    return expit(scores) if loss == "logistic" else np.exp(np.minimum(scores, 30.0))


def is_constant(piece: Piece) -> bool:
    """Whether there is nothing to learn: no two different targets were observed."""
    seen = piece.target[piece.rows]
    return len(seen) < 2 or bool(np.all(seen == seen[0]))


def inner_folds(piece: Piece, count: int, seed: int) -> list[tuple[Array, Array]]:
    """Pairs (train rows, held-out rows) over the observed rows of a piece, balanced over its sorted targets."""
    rows = piece.rows
    chance = np.random.default_rng(seed)
    order = rows[np.lexsort((chance.random(len(rows)), piece.target[rows]))]
    fold = np.concatenate([chance.permutation(count) for _ in range(-(-len(rows) // count))])[:len(rows)]
    return [(np.sort(order[fold != k]), np.sort(order[fold == k])) for k in range(count)]
