"""JSON: one object a line, or one list of records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from ...base import DataError
from .broken import broken, open_text


def read_json_lines(path: Path) -> pd.DataFrame:
    """A table from one JSON object a line; keys that a line lacks are missing there."""
    records = []
    with open_text(path) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                records.append(_record(path, number, line))
    return pd.DataFrame.from_records(records)


def read_json_records(path: Path) -> pd.DataFrame:
    """A table from a JSON list of objects, or from one object that holds a list for each column."""
    with open_text(path) as file:
        try:
            content = json.load(file, object_pairs_hook=lambda pairs: _object(path, pairs))
        except json.JSONDecodeError as error:
            raise broken(path, error) from error
    if isinstance(content, list) and all(isinstance(record, dict) for record in content):
        return pd.DataFrame.from_records(content)
    columns = list(content.values()) if isinstance(content, dict) else []
    if all(isinstance(column, list) for column in columns) and len({len(column) for column in columns}) == 1:
        return pd.DataFrame(content)
    raise broken(path, "it is neither a list of objects nor an object of equally long lists")


def _record(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line, object_pairs_hook=lambda pairs: _object(path, pairs))
    except json.JSONDecodeError as error:
        raise broken(path, f"line {number}: {error.msg}") from error
    if not isinstance(record, dict):
        raise broken(path, f"line {number} holds no object")
    return record


def _object(path: Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise DataError(f"table {str(path)!r}", f"has the column {double!r} more than once in a record",
                        "each column name may stand once", "Rename or drop the doubles.")
    return made
