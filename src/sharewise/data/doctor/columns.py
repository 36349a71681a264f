"""What is wrong with the features by themselves: constant, like an id, mostly empty."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from ...task import read_numbers
from .finding import Finding, drop_option, listed

MOST_MISSING = 0.95
ID_SHARE, ID_ROWS = 0.95, 50
MOST_WORDS = 3  # cells of more words on average are text, no id


def column_findings(table: pd.DataFrame, features: Sequence[str]) -> Iterator[Finding]:
    """Features without values or with one; categories that are different in nearly every row; features that are
    mostly empty. Each sort is one finding that names its columns."""
    constant, ids, empty = [], [], []
    for name in features:
        column = table[name]
        filled = column.count()
        distinct = (column.map(str, na_action="ignore") if column.dtype == object else column).nunique()
        if distinct < 2 and (filled in (0, len(column)) or distinct == 0):
            constant.append(name)
        elif filled < (1 - MOST_MISSING) * len(column):
            empty.append(name)
        elif filled >= ID_ROWS and distinct > ID_SHARE * filled and _names_rows(column):
            ids.append(name)
    for code, level, names, what, why in (
            ("constant-feature", "note", constant, "the same in every row", "says nothing"),
            ("id-like-feature", "warning", ids, "different in nearly every row, like an id", "says nothing of others"),
            ("missing-heavy", "note", empty, f"empty in more than {MOST_MISSING:.0%} of the rows", "says little")):
        if names:
            others = f" (so {'is' if len(names) == 2 else 'are'} {listed(names[1:])})" if len(names) > 1 else ""
            yield Finding(level, code, names[0], tuple(names), f"is {what}{others} and {why}",
                          f"Leave it out with {drop_option(names)}.")


def _names_rows(column: pd.Series) -> bool:
    """Whether the values are words or codes, or whole numbers one after the other."""
    filled = column.dropna()
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        return False
    if pd.api.types.is_numeric_dtype(column):
        numbers = filled.astype("float64")
        return bool((numbers % 1 == 0).all() and numbers.max() - numbers.min() < 1.05 * len(numbers))
    sample = filled.astype(str).iloc[:1000]
    numbers = read_numbers(sample).notna().all()
    dates = pd.to_datetime(sample, errors="coerce", format="mixed", utc=True).notna().all()
    return not numbers and not dates and bool(sample.str.split().str.len().mean() <= MOST_WORDS)
