"""Random orders of tasks that are tied to their names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int


def draw_orders(tasks: Sequence[str], where: Sequence[int], seed: int, step: int) -> Int[np.ndarray, "S others"]:
    """For each of the S tasks at ``where``: all the others (their places in ``where``) in a random order of its own.

    The draw depends on ``seed``, ``step`` and the names alone: neither on the order in which tasks are given nor on
    which of them are observed.

    >>> draw_orders(["a", "b", "c"], [0, 2], seed=0, step=0)
    array([[1], [0]])
    """
    by_name = np.argsort(np.argsort(tasks))
    keys = np.random.default_rng((seed, step)).random((len(tasks), len(tasks)))[by_name[:, None], by_name]
    keys = keys[np.ix_(where, where)]
    np.fill_diagonal(keys, 2.0)
    return keys.argsort(axis=1)[:, :-1]
