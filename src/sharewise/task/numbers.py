"""Columns of numbers as targets, also as people write them: 12.5 %, $1,200, 1.200,50 €."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..base import DataError
from ..base.errors import shown

UNIT = r"(?:[$€£¥₹%‰]|US\$|USD|EUR|GBP|CHF|JPY)"
WRITTEN = re.compile(rf"(?P<sign>[-+−]?)\s*(?P<before>{UNIT}?)\s*(?P<inner>[-+−]?)\s*(?P<digits>\d[\d.,]*|\.\d+)"
                     rf"\s*(?P<after>{UNIT}?)")
THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
POINTS = re.compile(r"\d{1,3}(\.\d{3})+,\d+")  # 1.200,50
COMMA = re.compile(r"\d+,\d+")


def read_numbers(column: pd.Series) -> pd.Series:
    """A column as float64, NaN where a cell is empty or says no number. Besides plain numbers it reads those with a
    sign for per cent or money, and with commas between the thousands; a comma before decimals only beside such a sign,
    since "1,2" by itself may be two labels. A per cent is a unit like any other: "12.5 %" is 12.5.

    >>> read_numbers(pd.Series(["12.5 %", "$1,200", "1.200,50 €", "-€3,5", "1,2", "many"])).tolist()
    [12.5, 1200.0, 1200.5, -3.5, nan, nan]
    """
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float64)
    left = (numbers.isna() & column.notna()).to_numpy()
    if left.any():
        cells = column.to_numpy(dtype=object)[left]
        known = {cell: _read(cell) if isinstance(cell, str) else np.nan for cell in set(cells)}
        numbers = numbers.copy()
        numbers[left] = [known[cell] for cell in cells]
    return numbers


def _read(cell: str) -> float:
    found = WRITTEN.fullmatch(cell.strip())
    if found is None or (found["sign"] and found["inner"]):
        return np.nan
    digits = found["digits"]
    if THOUSANDS.fullmatch(digits):
        digits = digits.replace(",", "")
    elif POINTS.fullmatch(digits):
        digits = digits.replace(".", "").replace(",", ".")
    elif COMMA.fullmatch(digits) and (found["before"] or found["after"]):
        digits = digits.replace(",", ".")
    try:
        return float(digits) * (-1.0 if (found["sign"] or found["inner"]) in ("-", "−") else 1.0)
    except ValueError:
        return np.nan


def encode_numbers(values: pd.DataFrame) -> Float[np.ndarray, "N 1"]:
    """One column of numbers as float64 [N, 1], missing as NaN; DataError names the first row that is no number."""
    column = values.columns[0]
    numbers = read_numbers(values[column]).to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(np.isnan(numbers) & values[column].notna().to_numpy() | np.isinf(numbers))
    if len(wrong):
        raise DataError(f"target {column!r}", f"has {shown(values[column].iloc[wrong[0]])} in row {wrong[0]}",
                        "it must be a finite number or empty", "Mend the row or empty the cell.")
    return numbers[:, None]
