"""The most probable labels of every row, as many as a rule says for the row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int

Array = np.ndarray
ENTRIES = 1 << 22  # numbers held at a time


def most_probable(P: Float[Array, "N L"], size_of: Callable[[Array], Int[Array, "n"]],
                  entries: int) -> Bool[Array, "N L"]:
    """Of every row the first labels by probability, of equal ones the first in order; ``size_of`` is given the
    probabilities [n, L] of n rows, each sorted downwards, says how many labels to take in each, and holds ``entries``
    numbers a row.

    >>> most_probable(np.array([[0.1, 0.4], [0.9, 0.8]]), lambda down: (down > 0.3).sum(axis=1), 2).astype(int).tolist()
    [[0, 1], [1, 1]]
    """
    order = np.argsort(-P, axis=1, kind="stable")
    chosen, rows = np.zeros(P.shape, dtype=bool), max(1, ENTRIES // entries)
    for low in range(0, len(P), rows):
        part = slice(low, low + rows)
        size = size_of(np.take_along_axis(P[part], order[part], axis=1))
        np.put_along_axis(chosen[part], order[part], np.arange(P.shape[1]) < size[:, None], axis=1)
    return chosen
