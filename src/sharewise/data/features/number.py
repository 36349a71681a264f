"""Columns of numbers: passed through, with gaps as NaN."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float

from ...base import DataError
from ...task import read_numbers
from ..column import sort_of, text_numbers, tidy
from .feature import Array, Feature, Options, wrong_type

LARGEST = float(np.finfo(np.float32).max)
NARROW = 2.0**-8  # numbers in a band so narrow for their size lose digits in float32


class Number(Feature):
    """A number as it is; far from 0 it is counted from the median of the training rows, so that float32 holds it."""

    type = "number"

    def __init__(self, name: str, shift: float) -> None:
        self.name, self.shift = name, shift

    @classmethod
    def fit(cls, name: str, column: pd.Series, options: Options) -> Self | None:
        values = to_numbers(name, column)
        check_finite(name, values, column.index)
        seen = values[~np.isnan(values)]
        low, high = float(seen.min()), float(seen.max())
        if low == high and len(seen) == len(values):
            return None
        far = low != high and high - low < NARROW * max(abs(low), abs(high))
        return cls(name, float(np.median(seen)) if far else 0.0)

    @property
    def names(self) -> list[str]:
        return [self.name]

    def transform(self, column: pd.Series) -> Float[Array, "N 1"]:
        values = to_numbers(self.name, column)
        check_finite(self.name, values, column.index)
        return (values - self.shift).astype(np.float32)[:, None]

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        return {"name": self.name, "shift": self.shift}, {}

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: dict[str, Array]) -> Self:
        return cls(**state)


def to_numbers(name: str, column: pd.Series) -> Float[Array, "N"]:
    """A column of numbers, booleans, durations (as days) or numbers written as text as float64 with NaN gaps."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufb":
        return column.to_numpy(dtype=np.float64)
    column = tidy(column)
    sort = sort_of(column, f"column {name!r}")
    if sort == "duration":
        return (pd.to_timedelta(column) / pd.Timedelta(days=1)).to_numpy(dtype=np.float64, na_value=np.nan)
    if sort == "text":
        plain = column.astype("str") if isinstance(column.dtype, pd.CategoricalDtype) else column
        numbers = text_numbers(plain, f"column {name!r}")
        if numbers is None:
            numbers = read_numbers(plain)  # also where they look like sets of labels here: in training they did not
            text = np.flatnonzero(numbers.isna().to_numpy() & plain.notna().to_numpy())
            if len(text):
                raise wrong_type(name, "number", f"has the text {plain.iloc[text[0]]!r} in row {plain.index[text[0]]}")
        column = numbers
    elif sort not in ("number", "boolean", "empty"):
        raise wrong_type(name, "number", f"holds {sort}s")
    return column.astype(object).to_numpy(dtype=np.float64, na_value=np.nan) if column.dtype == object \
        or isinstance(column.dtype, pd.CategoricalDtype) else column.to_numpy(dtype=np.float64, na_value=np.nan)


def check_finite(name: str, values: Float[Array, "N"], rows: pd.Index) -> None:
    """DataError, naming the row, on a number that is infinite or beyond float32."""
    if len(values) and not np.nanmax(np.abs(values), initial=0.0) <= LARGEST:
        at = int(np.flatnonzero(np.abs(values) > LARGEST)[0])
        raise DataError(f"column {name!r}", f"has {values[at]:g} in row {rows[at]}",
                        f"a number must be finite and below {LARGEST:.2g}", "Mend or empty the cell.")
