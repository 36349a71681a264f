"""How strongly to penalise: the way from strong to weak, judged by held-out rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from .newton import LOOSE
from .problems import Problem

Array = np.ndarray
STEPS = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.0005)  # times the number of rows, strong first
PATH = (10.0 * STEPS[0], *STEPS)  # the first is next to no features at all


class Trial(NamedTuple):
    """A training whose strength is sought: rows with targets of P pieces, and others that are held out; NaN where a
    target is not observed. ``learns`` says which pieces have something to learn in it."""

    rows: Float[Array, "n r"]
    target: Float[Array, "n P"]
    held: Float[Array, "h r"]
    held_target: Float[Array, "h P"]
    learns: Bool[Array, "P"]

    @property
    def size(self) -> Float[Array, "P"]:
        """How many targets each piece learns from."""
        return np.count_nonzero(~np.isnan(self.target), axis=0).astype(np.float64)


class Choice(NamedTuple):
    """For each chooser and piece: a step of PATH, and theta of the first (or its own) training at that step."""

    steps: Float[Array, "M P"]
    thetas: list[Array]


def every_other(folds: int) -> Bool[Array, "K K"]:
    """Judges of K folds: each is judged by the held-out rows of the others."""
    return ~np.eye(folds, dtype=bool)


def lengths(losses: Sequence[Float[Array, "K"]], judges: Bool[Array, "M K"]) -> tuple[Float[Array, "S M"], list[int]]:
    """The loss that each of M choosers sees at each step: the sum over its judges; and how many steps it goes: until
    that has grown twice in a row, or one more than there are."""
    totals = np.array([[float(loss[one].sum()) for one in judges] for loss in losses]).reshape(-1, len(judges))
    ends = [next((s + 1 for s in range(3, len(totals)) if totals[s, m] > totals[s - 1, m] > totals[s - 2, m]),
                 len(totals) + 1) for m in range(len(judges))]
    return totals, ends


def is_over(losses: Sequence[Float[Array, "K"]], judges: Bool[Array, "M K"]) -> bool:
    """Whether every chooser has seen enough."""
    return max(lengths(losses, judges)[1]) <= len(losses)


def pick(losses: Sequence[Float[Array, "K"]], judges: Bool[Array, "M K"]) -> Int[Array, "M"]:
    """The step with the least loss for each chooser, among those that it goes; losses of rows that are no judges of it
    do not matter."""
    totals, ends = lengths(losses, judges)
    return np.array([int(totals[:end, m].argmin()) for m, end in enumerate(ends)])


def choose(problem: Problem, trials: Sequence[Trial], judges: Bool[Array, "M K"]) -> Choice:
    """Walk all trials from strong to weak, each fit from the one before, and pick. With as many choosers as trials,
    each gets its own trial's theta, else the first one's."""
    pieces = trials[0].target.shape[1]
    thetas = [problem.start(trial.target, trial.rows.shape[1]) for trial in trials]
    walked: list[list[Array]] = []
    losses: list[list[Array]] = [[] for _ in range(pieces)]
    for step in PATH:
        going = np.array([not is_over(loss, judges) for loss in losses])
        if not going.any():
            break
        found = np.zeros((pieces, len(trials)))
        for k, trial in enumerate(trials):
            at = np.flatnonzero(going & trial.learns)
            if len(at):
                thetas[k] = thetas[k].copy()
                thetas[k][:, at] = problem.fit(trial.rows, trial.target[:, at], step * trial.size[at],
                                               thetas[k][:, at], LOOSE)
                found[at, k] = problem.losses(trial.held, trial.held_target[:, at], thetas[k][:, at])
        walked.append(list(thetas))
        for piece in np.flatnonzero(going):
            losses[piece].append(found[piece])
    picks = np.stack([pick(loss, judges) for loss in losses], axis=1)
    own = [m if len(judges) == len(trials) else 0 for m in range(len(judges))]
    chosen = [np.stack([walked[s][k][:, p] for p, s in enumerate(row)], axis=1)
              for k, row in zip(own, picks, strict=True)]
    return Choice(np.array(PATH)[picks], chosen)
