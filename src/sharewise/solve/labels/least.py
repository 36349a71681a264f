"""The few least values of every row of a large table, faster than by sorting or partition."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int, Shaped

Array = np.ndarray
GROUPS = 8  # for each of the values sought


def least(values: Shaped[Array, "n N"], count: int) -> Int[Array, "n K"]:
    """The columns of the ``count`` least values of every row, from the first column on; of equal ones the first.

    Where columns are dealt into groups, the ``count`` least of the groups' minima are ``count`` values, so none above
    them is asked for: a few passes over all values, and a choice among a few a row.
    """
    rows, columns = values.shape
    groups = columns // max(1, columns // (GROUPS * count))
    deep = columns // groups
    least_of_group = values[:, :deep * groups].reshape(rows, deep, groups).min(axis=1)
    bound = np.partition(least_of_group, count - 1, axis=1)[:, count - 1]
    row, column = up_to(values, bound)
    return least_of_few(row, column, values[row, column], count, rows)


def up_to(values: Shaped[Array, "n N"], bound: Shaped[Array, "n"]) -> tuple[Int[Array, "m"], Int[Array, "m"]]:
    """The rows and columns of the values that are not above their row's bound."""
    flat = np.flatnonzero(values <= bound[:, None])  # in one dimension, where that is several times as fast
    row = flat // values.shape[1]
    return row, flat - row * values.shape[1]


def least_of_few(row: Int[Array, "m"], column: Int[Array, "m"], values: Shaped[Array, "m"], count: int,
                  rows: int) -> Int[Array, "n K"]:
    """The columns of the ``count`` least values of every row; of equal ones the first."""
    number = np.bincount(row, minlength=rows)
    place = np.arange(len(row)) - (np.cumsum(number) - number)[row]
    few = np.full((rows, number.max(initial=count)), endless(values.dtype), dtype=values.dtype)
    few[row, place] = values
    highest = np.partition(few, count - 1, axis=1)[:, count - 1:count]
    taken, equal = few < highest, few == highest
    taken |= equal & (np.cumsum(equal, axis=1) <= count - taken.sum(axis=1, keepdims=True))
    return column[taken[row, place]].reshape(rows, count)


def endless(dtype: np.dtype) -> float:
    """A value above all others: infinity, or the largest of integers."""
    return np.inf if dtype.kind == "f" else np.iinfo(dtype).max
