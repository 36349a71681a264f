"""Excel workbooks."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path
from zipfile import BadZipFile

import pandas as pd

from ...base import DataError, MissingPackageError
from .broken import broken
from .delimited import MISSING


def read_excel(path: Path) -> pd.DataFrame:
    """The first sheet of a workbook, whose first row names the columns; rows and columns without any cell are left
    out. MissingPackageError without openpyxl."""
    if find_spec("openpyxl") is None:
        raise MissingPackageError.of(f"table {str(path)!r}", "openpyxl", "excel")
    try:
        with pd.ExcelFile(path, engine="openpyxl") as book:
            sheets = book.sheet_names
            frame = pd.read_excel(book, sheet_name=sheets[0], header=None, keep_default_na=False,
                                  na_values=list(MISSING))
    except (BadZipFile, ValueError, KeyError, OSError) as error:
        raise broken(path, error) from error
    frame = frame.dropna(how="all").dropna(how="all", axis=1)
    if len(sheets) > 1:
        warnings.warn(f"table {str(path)!r} has {len(sheets)} sheets; the first, {sheets[0]!r}, is read", stacklevel=2)
    if not len(frame):
        return frame
    names = frame.iloc[0]
    if names.isna().any():
        raise DataError(f"table {str(path)!r}", f"has no name for column {int(names.isna().to_numpy().argmax()) + 1}",
                        "every column needs a name in the first row", "Name it or drop it.")
    table = frame.iloc[1:].reset_index(drop=True).infer_objects()
    table.columns = pd.Index([str(name) for name in names])
    return table
