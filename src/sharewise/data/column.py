"""What a column holds, read from its cells: the one place that both targets and features ask."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..base import DataError
from ..task import read_numbers
from .label_sets import find_separator

NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")
DATES = ("date", "datetime", "datetime64")
SPANS = ("timedelta", "timedelta64")
MIXED_SHARE = 0.9  # a column of text is a column of numbers gone wrong if so many of its cells are numbers


def sort_of(column: pd.Series, thing: str) -> str:
    """What the cells are: number, boolean, date, duration, text, sets or empty (a category is as its levels).

    DataError, naming ``thing`` and the first odd row, where numbers and text are mixed or the cells are none of these.
    """
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return sort_of(pd.Series(dtype.categories), thing)
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    if pd.api.types.is_complex_dtype(dtype):
        raise DataError(thing, "holds complex numbers", "numbers must be real", "Split it in two columns.")
    if pd.api.types.is_numeric_dtype(dtype):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
        return "date"
    if pd.api.types.is_timedelta64_dtype(dtype):
        return "duration"
    if isinstance(dtype, pd.StringDtype):
        return "text" if column.notna().any() else "empty"
    word = pd.api.types.infer_dtype(column, skipna=True)
    named = {"string": "text", "empty": "empty", "boolean": "boolean", **dict.fromkeys(NUMBERS, "number"),
             **dict.fromkeys(DATES, "date"), **dict.fromkeys(SPANS, "duration")}
    return named[word] if word in named else _odd_sort(column, thing)


def tidy(column: pd.Series) -> pd.Series:
    """The column with blank text as missing; any other column as it is."""
    if isinstance(column.dtype, pd.StringDtype):
        blank = ((column == "") | column.str.isspace()).to_numpy(dtype=bool, na_value=False)
    elif column.dtype == object:
        blank = np.array([type(cell) is str and not cell.strip() for cell in column.to_numpy()], dtype=bool)
    else:
        return column
    return column.mask(blank) if blank.any() else column


def text_numbers(column: pd.Series, thing: str) -> pd.Series | None:
    """A column of text as numbers, if that is what it says in every cell; None if it is true text.

    DataError, naming the first odd row, where nearly all cells are numbers, too many to be codes, and a few are not.
    """
    seen = column.dropna()
    if not len(seen) or read_numbers(seen.iloc[:: max(1, len(seen) // 200)]).notna().mean() < 0.5:
        return None
    numbers = read_numbers(column)
    good = int(numbers.notna().sum())
    if good == len(seen):
        return None if find_separator(column) == "," else numbers  # 101,205 and 101 are sets of labels
    if good >= MIXED_SHARE * len(seen) and numbers.nunique() > min(20, good / 2):
        raise _mixed(thing, column, numbers.isna().to_numpy() & column.notna().to_numpy(), good, "numbers")
    return None


def native(value: Any) -> Any:
    """A value of a column as a plain Python one; whole floats as int, since gaps turn whole numbers into floats."""
    if isinstance(value, np.generic):
        value = value.item()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def distinct(column: pd.Series) -> list[Any]:
    """The distinct observed values as plain Python ones, sorted where they can be."""
    values = list(dict.fromkeys(native(value) for value in column.dropna().unique()))
    try:
        return sorted(values)
    except TypeError:
        return values


def _odd_sort(column: pd.Series, thing: str) -> str:
    cells = column.to_numpy(dtype=object)
    seen = column.notna().to_numpy()
    if seen.any() and all(isinstance(cell, (list, tuple, set, frozenset, np.ndarray)) for cell in cells[seen]):
        return "sets"
    text = np.fromiter((isinstance(cell, str) for cell in cells), dtype=bool, count=len(cells))
    number = np.fromiter((isinstance(cell, (int, float, np.number)) for cell in cells), dtype=bool, count=len(cells))
    number &= seen
    if text.any() and number.any():
        few, word = (text, "numbers") if text.sum() <= number.sum() else (number, "texts")
        raise _mixed(thing, column, few, int(max(text.sum(), number.sum())), word)
    strange = np.flatnonzero(seen & ~text & ~number)
    at = int(strange[0]) if len(strange) else int(np.flatnonzero(seen)[0])
    raise DataError(thing, f"holds a {type(cells[at]).__name__} in row {column.index[at]}",
                    "a column must hold numbers, text, booleans, dates or sets of labels", "Convert or drop it.")


def _mixed(thing: str, column: pd.Series, odd: np.ndarray, rest: int, word: str) -> DataError:
    at = int(np.flatnonzero(odd)[0])
    others = f" (and {int(odd.sum()) - 1} more)" if odd.sum() > 1 else ""
    where = f"{column.iloc[at]!r} in row {column.index[at]}{others}"
    return DataError(thing, f"mixes numbers and text: {where} among {rest} {word}", "a column must hold one type",
                     "Mend or empty the odd cells, or drop the column.")
