"""Columns of dates and times."""

from __future__ import annotations

import re
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..column import sort_of, tidy
from .feature import Array, Feature, Options, wrong_type

ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?$")
LIKE_A_DATE = re.compile(r"\s*\d{1,4}[-./]\d{1,2}[-./]\d{1,4}")
DAYS = ("%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y")
FORMATS = tuple(day + time for day in DAYS for time in ("", " %H:%M", " %H:%M:%S"))
PARTS = ("year", "month", "day", "day_of_week", "hour", "minute")


class Date(Feature):
    """Days since the first training row, and those of year, month, day, day of week, hour, minute that vary there."""

    type = "date"

    def __init__(self, name: str, format: str, start: int, parts: list[str]) -> None:
        self.name, self.format, self.start, self.parts = name, format, start, parts

    @classmethod
    def fit(cls, name: str, column: pd.Series, options: Options) -> Self | None:
        format = date_format(column) or "ISO8601"
        dates = to_dates(name, column, format)
        seen = dates.dropna()
        if len(seen) == len(dates) and seen.nunique() == 1:
            return None
        parts = [part for part in PARTS if getattr(seen.dt, part).nunique() > 1]
        return cls(name, format, int(seen.min().value), parts)

    @property
    def names(self) -> list[str]:
        return [f"{self.name}:{part}" for part in ("days", *self.parts)]

    def transform(self, column: pd.Series) -> Float[Array, "N d"]:
        dates = to_dates(self.name, column, self.format)
        values = np.empty((len(dates), 1 + len(self.parts)), dtype=np.float32)
        lost = dates.isna().to_numpy()
        values[:, 0] = (dates.to_numpy(dtype="datetime64[ns]").astype(np.int64) - self.start) / 86_400e9
        for at, part in enumerate(self.parts, start=1):
            values[:, at] = getattr(dates.dt, part).to_numpy(dtype=np.float32, na_value=np.nan)
        values[lost] = np.nan
        return values

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        return {"name": self.name, "format": self.format, "start": self.start, "parts": self.parts}, {}

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: dict[str, Array]) -> Self:
        return cls(**state)


def date_format(column: pd.Series) -> str | None:
    """The format that reads every cell of a column of text as a date; None if there is none."""
    if sort_of(column, f"column {column.name!r}") != "text":
        return None
    seen = pd.Series(column.dropna().unique(), dtype="str")
    if not all(LIKE_A_DATE.match(cell) for cell in seen[:20]):
        return None
    formats = ("ISO8601",) if all(ISO.match(cell) for cell in seen[:20]) else FORMATS
    return next((format for format in formats if _parse(seen, format).notna().all()), None)


def to_dates(name: str, column: pd.Series, format: str) -> pd.Series:
    """The cells as dates in UTC without a zone; DataError on a cell that is none."""
    column = tidy(column)
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.dtype.categories.dtype)
    sort = sort_of(column, f"column {name!r}")
    if sort not in ("date", "text", "empty"):
        raise wrong_type(name, "date", f"holds {sort}s")
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    dates = _parse(column, format if sort == "text" else None)
    wrong = np.flatnonzero(dates.isna().to_numpy() & column.notna().to_numpy())
    if len(wrong):
        raise wrong_type(name, "date", f"has {column.iloc[wrong[0]]!r} in row {column.index[wrong[0]]}")
    return dates


def _parse(column: pd.Series, format: str | None) -> pd.Series:
    dates = pd.to_datetime(column, format=format, errors="coerce", utc=True)
    return dates.dt.tz_localize(None).dt.as_unit("ns")
