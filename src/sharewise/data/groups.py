"""Which rows belong together."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Int

from ..base import DataError
from .column import tidy
from .infer_target import need_column


def group_codes(table: pd.DataFrame, column: str | None) -> Int[np.ndarray, "N"] | None:
    """The number of every row's group, 0, 1, ... in the order in which they come; None without a group column.

    DataError where the table lacks the column, or a row its group.

    >>> group_codes(pd.DataFrame({"patient": ["b", "a", "b"]}), "patient").tolist()
    [0, 1, 0]
    """
    if column is None:
        return None
    codes = pd.factorize(tidy(need_column(table, column, "group column")))[0]
    missing = np.flatnonzero(codes < 0)
    if len(missing):
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise DataError(f"group column {column!r}", f"is empty in row {missing[0]}{more}",
                        "every row must have a group", "Fill it in, or drop these rows.")
    return codes
