"""What a caller holds in memory (or names by its path) to a pandas frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...base import DataError
from .arrow import to_frame
from .read import check_names, read_table


def as_table(data: Any) -> pd.DataFrame:
    """A pandas frame with text for column names and rows numbered from 0; what was given is never changed.

    ``data`` is a path (see ``read_table``), a pandas or polars frame, a pyarrow table, a dict of columns, a list of
    records, or a 2-D array, whose columns are named x0, x1, ... DataError where it is none of these, has no rows or
    no columns, has columns of unequal length, or a column name twice.

    >>> import numpy as np
    >>> as_table(np.array([[1.0, 2.0], [3.0, 4.0]])).columns.tolist()
    ['x0', 'x1']
    """
    frame = _to_pandas(data)
    named = frame.set_axis([str(name) for name in frame.columns], axis=1)
    check_names(named.columns, "the table")
    for size, what in ((len(named), "rows"), (named.shape[1], "columns")):
        if not size:
            raise DataError("the table", f"has no {what}", "it needs 1 or more", "Check where it comes from.")
    table = named if _counts_from_zero(named.index) else named.reset_index(drop=True)
    table.attrs = dict(frame.attrs)
    return table


def _to_pandas(data: Any) -> pd.DataFrame:
    if isinstance(data, pd.DataFrame):
        return data
    if isinstance(data, (str, Path)):
        return read_table(data)
    if isinstance(data, dict):
        try:
            return pd.DataFrame(data)
        except ValueError as error:
            raise DataError("the dict of columns", f"makes no table ({error})",
                            "its columns must be equally long lists", "Check their lengths.") from error
    if isinstance(data, list) and data and all(isinstance(record, dict) for record in data):
        return pd.DataFrame.from_records(data)
    if isinstance(data, np.ndarray) and data.ndim == 2 and data.dtype.names is None:
        return pd.DataFrame(data, columns=[f"x{at}" for at in range(data.shape[1])])
    if type(data).__module__.partition(".")[0] in ("polars", "pyarrow"):
        arrow = data.to_arrow() if hasattr(data, "to_arrow") else data
        if hasattr(arrow, "column_names") and hasattr(arrow, "to_pandas"):
            return to_frame(arrow, "the table")
    shape = f" of shape {data.shape}" if hasattr(data, "shape") else ""
    raise DataError("the table", f"is a {type(data).__name__}{shape}",
                    "it must be a path, a pandas or polars frame, a pyarrow table, a dict of columns, a list of "
                    "records or a 2-D array", "Convert it.")


def _counts_from_zero(index: pd.Index) -> bool:
    return isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1 and index.name is None
