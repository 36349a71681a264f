"""How much of a target one feature leaves open, by itself: the measure behind the leak watch."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from ...task import read_numbers

Array = np.ndarray


class Levels(NamedTuple):
    """The different values of a feature: ``code`` [N] numbers them from 0 up (in their order, where they are
    ``ordered``), with the missing ones last as a level of their own; ``place`` [L] are the values on a line."""

    code: Int[Array, "N"]
    place: Float[Array, "L"]
    ordered: bool
    has_missing: bool

    def where(self, rows: Bool[Array, "N"]) -> Levels:
        """The same of some rows."""
        return self._replace(code=self.code[rows])

    @property
    def missing(self) -> Bool[Array, "N"]:
        """The rows without a value."""
        return self.code == len(self.place) - 1 if self.has_missing else np.zeros(len(self.code), dtype=bool)


def levels(column: pd.Series) -> Levels:
    """The levels of a column: of numbers and dates in their order, of anything else as they come."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype if len(column.cat.categories) else object)
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        column = column.astype("int64").astype("float64").where(column.notna())
    if says_numbers(column):
        column = read_numbers(column)
    ordered = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column)
    values = column.to_numpy(dtype=np.float64, na_value=np.nan) if ordered else \
        column.astype(object).map(str, na_action="ignore").to_numpy(dtype=object)
    code, found = pd.factorize(values, sort=ordered)
    missing = code < 0
    place = np.asarray(found, dtype=np.float64) if ordered else np.arange(len(found), dtype=np.float64)
    return Levels(np.where(missing, len(found), code), np.append(place, np.nan) if missing.any() else place, ordered,
                  bool(missing.any()))


def says_numbers(column: pd.Series) -> bool:
    """Whether a column of text holds numbers: 12.5 %, $1,200."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.infer_dtype(column, skipna=True) != "string":
        return False
    seen = column.dropna()
    return len(seen) > 0 and all(bool(read_numbers(part).notna().all()) for part in (seen.iloc[:20], seen))


def unexplained(feature: Levels, target: Float[Array, "N C"]) -> Float[Array, "C"]:
    """The share of each target column's variance that is left once the feature is known: 0 to about 1.

    Every row is predicted from other rows alone: from the mean of the rows with the same value; a value that no other
    row has from the two values next to it, by a straight line; a lone category from the mean of all. Squared errors
    are divided by what their own noise adds, which makes their mean an estimate of the variance that is left.

    Differences of neighbours: Gasser, Sroka, Jennen-Steinmetz 1986, Residual variance and residual pattern in
    nonlinear regression, Biometrika 73, section 2.

    >>> x = np.random.default_rng(0).normal(size=500)
    >>> noise = np.random.default_rng(1).normal(size=500)
    >>> unexplained(levels(pd.Series(x)), np.stack([x**2, x + noise, noise], axis=1)).round(1).tolist()
    [0.0, 0.4, 1.0]
    """
    total = target.var(axis=0) * len(target) / max(len(target) - 1, 1)
    present = np.bincount(feature.code, minlength=len(feature.place)) > 0
    code, place = (np.cumsum(present) - 1)[feature.code], feature.place[present]
    count = np.bincount(code).astype(float)
    sums = np.stack([np.bincount(code, weights=column, minlength=len(place)) for column in target.T], axis=1)
    size, own = count[code][:, None], sums[code]
    alone = size[:, 0] == 1
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.square(target - (own - target) / (size - 1)) * (size - 1) / size
    error[alone] = np.square(target[alone] - (target.sum(axis=0) - target[alone]) / max(len(target) - 1, 1))
    last = len(place) - 1 - int(np.isnan(place[-1]))
    if feature.ordered and last > 1:
        rows = np.flatnonzero(alone & (code <= last))
        values = slice(0, last + 1)
        error[rows] = _between_neighbours(target[rows], code[rows], place[values],
                                          sums[values] / count[values, None], count[values])
    return error.mean(axis=0) / np.maximum(total, 1e-300)


def _between_neighbours(target: Float[Array, "n C"], code: Int[Array, "n"], place: Float[Array, "L"],
                        mean: Float[Array, "L C"], count: Float[Array, "L"]) -> Float[Array, "n C"]:
    """Squared errors of the line through the means of the two next levels (at the ends: of the next one alone)."""
    last = len(place) - 1
    low, high = np.where(code == 0, 1, code - 1), np.where(code == last, last - 1, code + 1)
    gap = place[high] - place[low]
    share = np.where(gap > 0, (place[code] - place[low]) / np.where(gap > 0, gap, 1.0), 0.0)
    noise = 1 + (1 - share) ** 2 / count[low] + share**2 / count[high]
    line = (1 - share)[:, None] * mean[low] + share[:, None] * mean[high]
    return np.square(target - line) / noise[:, None]


def unexplained_across_gaps(feature: Levels, target: Float[Array, "N C"], blocks: int = 20) -> Float[Array, "C"]:
    """The share of variance that is left where a whole stretch of the feature's range has to be bridged.

    The rows are cut into ``blocks`` stretches of the feature's order; each is predicted by a straight line from the
    five rows before it to the five after it. A feature that says what the target is passes; one along which the target
    merely drifts (a time, a row number) does not.
    """
    rows = np.flatnonzero(~feature.missing)
    rows = rows[np.argsort(feature.code[rows], kind="stable")]
    x, y = feature.place[feature.code[rows]], target[rows]
    cuts = np.linspace(0, len(rows), blocks + 1).astype(int).tolist()
    error = np.square(y - y.mean(axis=0))
    for low, high in pairwise(cuts):
        before, after = slice(max(low - 5, 0), low), slice(high, high + 5)
        ends = [(x[part].mean(), y[part].mean(axis=0)) for part in (before, after) if len(x[part])]
        if len(ends) < 2 or low == high:
            error[low:high] = np.square(y[low:high] - ends[0][1]) if ends else error[low:high]
            continue
        (x0, y0), (x1, y1) = ends
        share = ((x[low:high] - x0) / (x1 - x0) if x1 > x0 else np.zeros(high - low))[:, None]
        error[low:high] = np.square(y[low:high] - (1 - share) * y0 - share * y1)
    return error.mean(axis=0) / np.maximum(y.var(axis=0), 1e-300)
