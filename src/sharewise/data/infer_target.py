"""One target column: is it there, can it be learned, and what kind it is."""

from __future__ import annotations

from difflib import get_close_matches

import numpy as np
import pandas as pd

from ..base import DataError
from ..task import Kind
from .column import distinct, native, sort_of
from .infer_kind import Found, check_repeats, infer_kind
from .parse_kind import parse_kind
from .sources.read import check_names

LEAST_SPAN, MOST_SPAN = 1e-100, 1e100  # of a target's numbers: their squares must be numbers too


def infer_target(column: pd.Series, given: str | Kind | None = None) -> Found:
    """Kind and reason of a tidy column, inferred or as ``given``. DataError where it can't be a target."""
    check_observed(column)
    if given is None:
        return infer_kind(column)
    kind = parse_kind(given, column)
    if kind.name in ("binary", "multiclass", "ordinal"):
        check_repeats(column, distinct(column))
    kind.encode(column.to_frame())
    return kind, "set by the caller"


def need_column(table: pd.DataFrame, name: str, what: str) -> pd.Series:
    """The column ``name``; DataError with the near names where the table has none."""
    if not table.columns.is_unique:
        check_names(table.columns, "the table")
    if name in table.columns:
        return table[name]
    known = [str(column) for column in table.columns]
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    must = f"near names are {', '.join(map(repr, near))}" if near else \
        f"its columns are {', '.join(map(repr, known[:8]))}{', ...' if len(known) > 8 else ''}"
    raise DataError(f"{what} {name!r}", "is not a column of the table", must, "Check the spelling.")


def check_observed(column: pd.Series) -> None:
    """DataError where a column holds no two different values, or numbers too near or far from each other."""
    thing = f"target {column.name!r}"
    seen = column.dropna()
    if not len(seen):
        raise DataError(thing, f"has no value in any of {len(column)} rows", "it needs 2 different ones",
                        "Drop it from the targets.")
    sort = sort_of(column, thing)
    if sort in ("number", "boolean", "text") and _is_constant(seen):
        raise DataError(thing, f"has the one value {native(seen.iloc[0])!r} in {len(seen)} row{'s' * (len(seen) > 1)}",
                        "it needs 2 different ones", "Drop it from the targets.")
    if sort == "number":
        numbers = seen.to_numpy(dtype=np.float64)
        span = float(numbers.max() - numbers.min())
        if not LEAST_SPAN < span < MOST_SPAN and np.isfinite(span):
            raise DataError(thing, f"spans {span:.3g}", f"its numbers must lie {LEAST_SPAN:g} to {MOST_SPAN:g} apart",
                            "Give it in other units.")


def _is_constant(seen: pd.Series) -> bool:
    values = seen.to_numpy()
    return bool((values == values[0]).all()) if values.dtype.kind in "biuf" else seen.nunique() == 1
