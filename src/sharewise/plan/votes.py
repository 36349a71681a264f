"""Votes: how often each candidate would be the best one for a task, had other rows been drawn."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from ..judge.resampling import number_units

Array = np.ndarray
DRAWS = 60  # votes are shares of so many
ROWS_OF_ALL = 10  # the mean over all tasks counts as much as so many rows of a task
LEAST_SHARE = 0.05  # of the votes; who has less is not worth its place in the model


def drawn_losses(losses: Float[Array, "M N"], groups: Int[Array, "N"] | None, seed: int) -> Float[Array, "M B"]:
    """Mean losses of the candidates in B draws of the rows with replacement; rows of one group are drawn together."""
    units = number_units(groups, losses.shape[1])
    times = drawn_times(int(units.max()) + 1, seed)[:, units]
    return losses @ (times / times.sum(axis=1, keepdims=True)).T


@lru_cache(maxsize=8)
def drawn_times(count: int, seed: int) -> Int[Array, "B U"]:
    """How often each of so many units is drawn in each of B draws with replacement; kept, for tasks that are observed
    in the same rows ask for the same."""
    return np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=DRAWS)


def votes(own: Float[Array, "M B"], common: Float[Array, "M B"], rows: float) -> Float[Array, "M"]:
    """Share of the draws in which each candidate has the least loss, (rows own + ROWS_OF_ALL common) / (rows +
    ROWS_OF_ALL), once a task of few ``rows`` has been pulled to the mean over all tasks, ``common``.

    These are approximate chances to be the best (the bootstrap as a posterior: Rubin 1981, The Bayesian bootstrap).
    Candidates that only a few extreme rows tell apart share the votes, where the least mean would settle on one. Who
    has less than LEAST_SHARE of them gets none.

    >>> own = np.array([[1.0, 2.0, 1.0, 1.0], [2.0, 1.0, 2.0, 2.0]])
    >>> votes(own, own, rows=50.0).tolist()
    [0.75, 0.25]
    """
    pulled = (rows * own + ROWS_OF_ALL * common) / (rows + ROWS_OF_ALL)
    share = np.bincount(pulled.argmin(axis=0), minlength=len(own)) / own.shape[1]
    share[share < min(LEAST_SHARE, share.max())] = 0.0
    return share / share.sum()
