"""Numbers that stand for a gap: -999, 9999."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from .finding import Finding

CODES = frozenset(sign * (10.0**digits - 1) for sign in (1, -1) for digits in range(2, 8))
FEWEST_ROWS = 2


def gap_findings(table: pd.DataFrame, columns: Sequence[str]) -> Iterator[Finding]:
    """Columns of numbers whose lowest or highest one is all nines, stands there more than once, and is farther from its
    neighbour than all others are from each other."""
    for name in columns:
        column = table[name]
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column) \
                or pd.api.types.is_complex_dtype(column):
            continue
        values, counts = np.unique(column.dropna().to_numpy(dtype=np.float64), return_counts=True)
        for at, rest in ((0, values[1:]), (-1, values[:-1])):
            if len(rest) > 1 and values[at] in CODES and counts[at] >= FEWEST_ROWS and \
                    np.abs(rest - values[at]).min() > rest[-1] - rest[0]:
                yield Finding("warning", "gap-code", name, (name,),
                              f"holds {values[at]:.0f} in {counts[at]:,} of {counts.sum():,} rows, far from all other "
                              "numbers, which may stand for a gap", "If so, empty these cells.")
