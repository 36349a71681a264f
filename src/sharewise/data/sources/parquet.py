"""Parquet."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from .arrow import to_frame
from .broken import broken


def read_parquet(path: Path) -> pd.DataFrame:
    """The table in a Parquet file; a named index that pandas stored in it becomes a column again."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise broken(path, error) from error
    return to_frame(table, f"table {str(path)!r}")
