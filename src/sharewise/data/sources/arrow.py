"""Arrow IPC files and streams, also known as Feather."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from ...base import DataError
from .broken import broken


def read_arrow(path: Path) -> pd.DataFrame:
    """The table in an Arrow file, an Arrow stream or a Feather file of either version."""
    import pyarrow as pa
    from pyarrow import feather, ipc

    try:
        if path.read_bytes()[:4] in (b"ARRO", b"FEA1"):
            table = feather.read_table(path)
        else:
            with ipc.open_stream(path.read_bytes()) as stream:
                table = stream.read_all()
    except (pa.ArrowException, OSError) as error:
        raise broken(path, error) from error
    return to_frame(table, f"table {str(path)!r}")


def to_frame(table: Any, thing: str) -> pd.DataFrame:
    """An Arrow table as a pandas frame with all columns; DataError where a name stands twice."""
    names = table.column_names
    doubles = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if doubles:
        raise DataError(thing, f"has the column {', '.join(map(repr, doubles[:5]))} more than once",
                        "each column name may stand once", "Rename or drop the doubles.")
    frame = table.to_pandas()
    named = any(name is not None for name in frame.index.names)
    return frame.reset_index(drop=not named)
