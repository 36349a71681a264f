"""The kind of a target of numbers: on a scale, counted, graded, or one of two."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..base import DataError
from ..task import Binary, Count, Kind, Multiclass, Ordinal, Regression
from .column import native
from .positive import positive_first

MOST_LEVELS = 10  # whole numbers of so few values are grades
ROWS_A_LEVEL = 5  # ... if they have so many rows each, on average
SMALL = 20  # ... and half of them are no larger than this; beyond, a count is a number like any other
SKEW = 0.5  # counts have a tail to the right at least so long, or else the variance of a Poisson


def infer_number(column: pd.Series) -> tuple[Kind, str]:
    """Kind and reason of a float column of two or more distinct values.

    Two values are binary, unless they are fractions and one is rare: a measurement that is nearly always at its limit.
    Other fractions are regression. Whole numbers are a *count* where 0 occurs, half of them are small and the tail is
    to the right; *ordinal* where there are few of them, close together or evenly spaced, and none stands in one row
    only, from which a grade can't be learned; *multiclass* where few stand far apart, like codes; else *regression*.
    DataError on an infinite one.

    >>> infer_number(pd.Series([1.0, 2, 3, 4, 5] * 9))
    (Ordinal(classes=(1, 2, 3, 4, 5)), '5 whole numbers from 1 to 5 in 45 rows: grades')
    """
    infinite = np.flatnonzero(np.isinf(column.to_numpy()))
    if len(infinite):
        raise DataError(f"target {column.name!r}", f"has {column.iloc[infinite[0]]} in row {column.index[infinite[0]]}",
                        "it must be a finite number or empty", "Mend the row or empty the cell.")
    seen = column.dropna().to_numpy()
    values, sizes = np.unique(seen, return_counts=True)
    has_fractions = bool((values != np.round(values)).any())
    if len(values) == 2 and not (has_fractions and sizes.min() < ROWS_A_LEVEL):
        found = [native(value) for value in values.tolist()]
        order, why = positive_first(found)
        return Binary(tuple(order[::-1])), f"2 distinct values ({found[0]}, {found[1]}); {why}"
    if has_fractions:
        return Regression(), f"{len(values)} distinct numbers with fractions"
    low, high = int(values[0]), int(values[-1])
    span = f"whole numbers from {low} to {high}"
    if _counts(values, sizes):
        return Count(), f"{span}, mean {seen.mean():.3g}, variance {seen.var():.3g}, with 0 and a tail to the right"
    if len(values) <= MOST_LEVELS and len(seen) >= ROWS_A_LEVEL * len(values):
        classes = tuple(native(value) for value in values.tolist())
        if high - low <= 2 * len(values) or len(np.unique(np.diff(values))) == 1:
            if sizes.min() == 1:
                return Regression(), f"{len(values)} distinct {span}, {values[sizes.argmin()]:.0f} in one row only"
            return Ordinal(classes), f"{len(values)} {span} in {len(seen)} rows: grades"
        return Multiclass(classes), f"{len(values)} {span}, far apart, in {len(seen)} rows: codes"
    return Regression(), f"{len(values)} distinct {span}"


def _counts(values: np.ndarray, sizes: np.ndarray) -> bool:
    """Whether whole numbers look counted: 0 and most small ones occur, half are small, and they
    spread as counts do."""
    if values[0] != 0 or len(values) <= 5:
        return False
    small = min(10, int(values[-1]))
    middle = values[np.searchsorted(sizes.cumsum(), 0.5 * sizes.sum())]
    if (values <= small).sum() < 0.5 * (small + 1) or middle > SMALL:
        return False
    mean = np.average(values, weights=sizes)
    variance = np.average((values - mean) ** 2, weights=sizes)
    skew = np.average((values - mean) ** 3, weights=sizes) / variance**1.5
    return bool(skew >= SKEW or (skew > 0 and 0.5 <= variance / mean <= 2))
