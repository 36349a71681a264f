"""Columns of numbers as targets."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..base import DataError
from ..base.errors import shown


def encode_numbers(values: pd.DataFrame) -> Float[np.ndarray, "N 1"]:
    """One column of numbers as float64 [N, 1], missing as NaN; DataError names the first row that is no number."""
    column = values.columns[0]
    numbers = pd.to_numeric(values[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(np.isnan(numbers) & values[column].notna().to_numpy() | np.isinf(numbers))
    if len(wrong):
        raise DataError(f"target {column!r}", f"has {shown(values[column].iloc[wrong[0]])} in row {wrong[0]}",
                        "it must be a finite number or empty", "Mend the row or empty the cell.")
    return numbers[:, None]
