"""How strongly to penalise: chosen on inner folds of the training rows."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ..pieces import Piece, inner_folds
from .problems import Problem

Array = np.ndarray
STEPS = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.0005)  # times the number of rows, strong first

MOST_ROWS = 5000  # for the choice; beyond, rows are drawn by chance


def choose_strength(problem: Problem, scores: Float[Array, "n r"], y: Float[Array, "n"], seed: int) -> float:
    """The strength with the least held-out loss, from strong to weak until it has grown twice; each fit starts from
    the one before."""
    if len(y) < 8:
        return STEPS[1] * len(y)
    size = len(y)
    if size > MOST_ROWS:
        rows = np.random.default_rng(seed).choice(size, MOST_ROWS, replace=False)
        scores, y = scores[rows], y[rows]
    folds = inner_folds(Piece(0, "", y), 4 if len(y) * scores.shape[1] < 100_000 else 3, seed)
    thetas = [problem.start(y[train], scores.shape[1]) for train, _ in folds]
    losses: list[float] = [sum(problem.loss(scores[held], y[held], theta)
                               for theta, (_, held) in zip(thetas, folds, strict=True))]  # the trivial predictor
    for step in STEPS:
        thetas = [problem.fit(scores[train], y[train], step * len(train), theta)
                  for theta, (train, _) in zip(thetas, folds, strict=True)]
        losses.append(sum(problem.loss(scores[held], y[held], theta)
                          for theta, (_, held) in zip(thetas, folds, strict=True)))
        if len(losses) > 3 and losses[-1] > losses[-2] > losses[-3]:
            break
    best = int(np.argmin(losses[1:]))
    return (STEPS[best] if losses[best + 1] < losses[0] else 10 * STEPS[0]) * size
